"""The plan of a push, person by person, from the roster and Vault CRM's users (P1, G7, G8).

The steps run in this order, because each can use what the one before it frees, and because Engage
Connect works for active users only:

    outcome         outcomes of earlier requests are recorded in the roster; nothing is sent
    removal         remove from a group
    activation      activate the user
    update          write the fields that custom mappings name, on which an addition may depend
    addition        add to a group; members waiting in line come before new requests
    inactivation    inactivate the user

Pure: no I/O, no clock.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES, Seen
from muster.pushes import group_writes
from muster.pushes.group_writes import BLANK
from muster.roster import end_dates, engage_groups, requests_set_aside, vault_tries, written_fields
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.roster.written_fields import FieldWrite
from muster.runs.operations import DEACTIVATE, GRANT, REVOKE, UPDATE
from muster.settings import Settings
from muster.settings.mappings import custom_fields_to_write, pushed_features
from muster.sources.vault_users import VaultUser
from muster.times import timestamp


class Step(StrEnum):
    """The steps of a push, in their order."""

    OUTCOME = "outcome"
    REMOVAL = "removal"
    ACTIVATION = "activation"
    UPDATE = "update"
    ADDITION = "addition"
    INACTIVATION = "inactivation"


STEPS = tuple(Step)
SENT = frozenset(STEPS) - {Step.OUTCOME}
# The name under which people are counted, by step.
COUNTED = {
    Step.OUTCOME: "looked_at",
    Step.REMOVAL: "removed",
    Step.ACTIVATION: "activated",
    Step.UPDATE: "updated",
    Step.ADDITION: "added",
    Step.INACTIVATION: "inactivated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushItem:
    """One person's part in one step.

    `user` is the Vault CRM id. `writes` maps a feature to the values to write, `request` and `status`; in
    an outcome, to nothing if Vault CRM already holds the request. `active` is the user status to write, in
    an outcome the one Vault CRM shows. `fields` maps an attribute to what an update writes for it. `seen`,
    `written` (by field) and `modified` are what Vault CRM showed when this was planned. `awaits` is the
    feature whose licence has to become free first. `retried` is what is tried again because the time for it
    has come, of the features, `engage_features.USER_STATUS` and `FIELDS`.
    """

    step: Step
    user: str
    member: str
    name: str | None
    version: int
    assignment: str | None
    seen: Mapping[str, Seen]
    modified: str | None
    writes: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    active: bool | None = None
    fields: Mapping[str, FieldWrite] = field(default_factory=dict)
    written: Mapping[str, str | None] = field(default_factory=dict)
    awaits: str | None = None
    retried: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()

    @property
    def former(self) -> str | None:
        """The assignment that revocations count for."""
        return self.assignment

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "PushItem":
        """Return the item in one line of the plan's file."""
        seen = {feature: Seen(**each) for feature, each in document["seen"].items()}
        return cls(
            **{
                **document,
                "step": Step(document["step"]),
                "seen": seen,
                "fields": {name: FieldWrite(**each) for name, each in document.get("fields", {}).items()},
                "retried": tuple(document.get("retried", ())),
                "operations": tuple(document["operations"]),
            }
        )

    def shown(self) -> dict[str, Any]:
        """Return the item as an admin sees it in a preview."""
        return {
            "member": self.member,
            "user": self.user,
            "name": self.name,
            "does": self.step,
            "writes": self.writes,
            "active": self.active,
            "fields": {
                name: {"field": each.field, "from": each.shown, "to": each.to}
                for name, each in self.fields.items()
            },
            "if_freed": self.awaits,
            "now": {feature: asdict(seen) for feature, seen in self.seen.items()},
        }


@dataclass(slots=True)
class Plan:
    """What to do, in order; `unseen` are the members (ids) whose user Vault CRM does not show."""

    items: list[PushItem] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def is_due(due: Due | None, settings: Settings, now: datetime) -> bool:
    """Whether what is due for a member concerns a push, and now; `now` is aware."""
    if due is None or not concerns_push(due.what, settings):
        return False
    # A day begins in the organization's time zone; the moment of a next try is in UTC.
    if "T" in due.since:
        return due.since <= timestamp(now)
    return due.since <= end_dates.today(now, settings.time_zone).isoformat()


def concerns_push(what: frozenset[str], settings: Settings) -> bool:
    """Whether any of what is due is for a push: a managed feature, the user's status, a field (G1, G5)."""
    fields = {engage_features.FIELDS} if custom_fields_to_write(settings) else set()
    return bool(what & {*pushed_features(settings), engage_features.USER_STATUS, *fields})


def make_plan(
    members: Iterable[Member],
    users: Mapping[str, VaultUser],
    in_line: Mapping[str, tuple[Place, bool]],
    settings: Settings,
    now: datetime,
    writable: Collection[str] = (),
) -> Plan:
    """Return the plan for these members; `users` are theirs, by Vault CRM id.

    `in_line` is the choice of `licence_lines.next_in_line`, in order: they come before new requests (G8).
    `writable` are the fields of custom mappings that can be written.
    """
    plan = Plan()
    made = _Made(settings, end_dates.today(now, settings.time_zone), timestamp(now), frozenset(writable))
    for member in members:
        user = users.get(member.crm[engage_features.CONNECTION]["id"] or "")
        if user is None:
            plan.unseen.append(member.id)
            continue
        items = _items(member, user, in_line.get(member.id), made)
        plan.items += [replace(item, retried=_retried(item, member)) for item in items]
    turn = {name: number for number, name in enumerate(in_line)}
    plan.items.sort(key=lambda item: (STEPS.index(item.step), turn.get(item.member, len(turn)), item.user))
    return plan


@dataclass(frozen=True, slots=True)
class _Made:
    """What a plan is made by: the settings, today, now (ISO 8601), and the fields that can be written."""

    settings: Settings
    day: date
    at: str
    writable: frozenset[str]


def _items(
    member: Member, user: VaultUser, line: tuple[Place, bool] | None, made: _Made
) -> Iterator[PushItem]:
    settings, day, at = made.settings, made.day, made.at
    plain = PushItem(
        step=Step.OUTCOME,
        user=user.id,
        member=member.id,
        name=member.name,
        version=member.version,
        assignment=member.assignment,
        seen=user.seen,
        written=user.written,
        modified=user.modified,
    )
    shown = with_outcome(member, user, at, day, pushed_features(settings))
    fields = _fields_to_write(shown, user, made)
    if not fields:
        shown = replace(shown, vault=written_fields.observed(shown, user.written, settings))
    active = _active_to_write(shown, day, at)
    found = _Groups()
    for feature in pushed_features(settings):
        seen = user.seen[feature]
        if engage_groups.wanted(shown, feature, day) is None:
            writes = group_writes.removal(shown, feature, seen, settings, day, at)
            found.add(feature, writes, group_writes.is_asked_for(shown, feature, seen), found.removals)
        elif user.active or active:
            waits = line is not None and line[0].feature == feature
            writes = group_writes.addition(shown, feature, seen, settings, at, waits=waits)
            found.add(feature, writes, engage_groups.is_unsent(shown, feature), found.additions)
            if writes and waits and line and not line[1]:
                found.awaits = feature
    if found.already_requested or shown != member:
        yield replace(plain, writes=found.already_requested, active=user.active)
    if found.removals:
        yield replace(plain, step=Step.REMOVAL, writes=found.removals, operations=(REVOKE,))
    if fields:
        yield replace(plain, step=Step.UPDATE, fields=fields, operations=(UPDATE,))
    if additions := found.additions:
        # Another addition does not have to wait for the licence.
        awaits = found.awaits if list(additions) == [found.awaits] else None
        yield replace(
            plain, step=Step.ADDITION, writes=additions, awaits=awaits, operations=_given(additions, user)
        )
    if active:
        yield replace(plain, step=Step.ACTIVATION, active=True)
    elif active is False and _may_be_inactivated(user, found.removals, settings):
        yield replace(plain, step=Step.INACTIVATION, active=False, operations=(DEACTIVATE,))


def _fields_to_write(member: Member, user: VaultUser, made: _Made) -> Mapping[str, FieldWrite]:
    """Return what custom mappings write for the member: nothing for who has left, or is inactive there."""
    if not user.active or not engage_groups.may_hold(member, made.day):
        return {}
    return written_fields.due_to_write(member, user.written, made.settings, made.at, made.writable)


def _retried(item: PushItem, member: Member) -> tuple[str, ...]:
    """Return what of an item is tried because the time for it has come, not because somebody asked for it.

    That is a turn in line for which no removal of the plan frees a licence, and what has been tried before.
    """
    if item.step is Step.OUTCOME or item.awaits:
        return ()
    if item.active is not None:
        # Nobody is inactivated before they are out of their groups, which may have been tried before.
        tried = any(vault_tries.of(member, what) for what in (engage_features.USER_STATUS, *FEATURES))
        return (engage_features.USER_STATUS,) if tried else ()
    if item.step is Step.UPDATE:
        return (engage_features.FIELDS,) if vault_tries.of(member, engage_features.FIELDS) else ()
    return tuple(
        feature
        for feature in item.writes
        if not engage_groups.is_unsent(member, feature)
        and (item.step is Step.ADDITION or vault_tries.of(member, feature))
    )


@dataclass(slots=True)
class _Groups:
    """What is to be written about a member's groups, by feature."""

    removals: dict[str, Mapping[str, str | None]] = field(default_factory=dict)
    additions: dict[str, Mapping[str, str | None]] = field(default_factory=dict)
    already_requested: dict[str, Mapping[str, str | None]] = field(default_factory=dict)
    awaits: str | None = None

    def add(
        self,
        feature: str,
        writes: Mapping[str, str | None],
        asked: bool,
        to: dict[str, Mapping[str, str | None]],
    ) -> None:
        """Add what is to be written, or that what was `asked` for is in Vault CRM already."""
        if writes:
            to[feature] = writes
        elif asked:
            self.already_requested[feature] = {}


def _active_to_write(member: Member, day: date, at: str) -> bool | None:
    """Return the status to write to the user; `None`: none, or not before the next try is due."""
    wanted = engage_groups.wanted_active(member, day)
    tries = vault_tries.of(member, engage_features.USER_STATUS)
    if wanted is None or wanted == member.vault.get("active", True) or (tries and at < tries.next()):
        return None
    return wanted


def _may_be_inactivated(user: VaultUser, removals: Collection[str], settings: Settings) -> bool:
    """Whether the user is in no group, or only in such as this push takes them out of first (G7)."""
    return all(
        feature in removals or not group_writes.is_in_group(user.seen[feature])
        for feature in pushed_features(settings)
    )


def _given(additions: Mapping[str, Mapping[str, str | None]], user: VaultUser) -> tuple[str, ...]:
    """Return the operations of an addition: moving between groups also gives a licence back."""
    moves = any(
        user.seen[feature].group and user.seen[feature].group != writes.get("request")
        for feature, writes in additions.items()
    )
    return (GRANT, REVOKE) if moves else (GRANT,)


# ── The member after an item ─────────────────────────────────────────────────────────────────────────


def seen_user(item: PushItem) -> VaultUser:
    """Return the user of an outcome item, as Vault CRM showed it when planned."""
    return VaultUser(
        id=item.user,
        username=None,
        email=None,
        active=bool(item.active),
        seen=item.seen,
        written=item.written,
    )


def with_shown(
    member: Member, user: VaultUser, at: str, day: date, features: Iterable[str], settings: Settings
) -> Member:
    """Return the member with its groups, its user and its written fields as Vault CRM shows them."""
    if vault_id(member) != user.id:
        return member
    member = with_outcome(member, user, at, day, features)
    return replace(member, vault=written_fields.observed(member, user.written, settings))


def with_answer(member: Member, user: VaultUser, at: str, day: date, features: Iterable[str]) -> Member:
    """Return the member with the outcomes of requests that were sent, and no others (P3)."""
    sent = [each for each in features if getattr(member, each)["status"] == engage_features.REQUEST_SENT]
    return with_outcome(member, user, at, day, sent)


def with_outcome(member: Member, user: VaultUser, at: str, day: date, features: Iterable[str]) -> Member:
    """Return the member with its groups and user as Vault CRM shows them (P3); `at` is now (ISO 8601).

    `features` are those that are pushed, or some of them: the fields of others need not have been read (G12).
    Who is active there again requests the groups that it had (G11).
    Of another user than the member's, which an import has linked anew meanwhile, nothing is recorded.
    """
    if vault_id(member) != user.id:
        return member
    before = member
    for feature in features:
        attributes: dict[str, Any] = engage_groups.observed(member, feature, user.seen[feature], at)
        member = replace(member, **attributes)
    if member.vault.get("active", True) != user.active:
        vault = vault_tries.done(member.vault, engage_features.USER_STATUS)
        member = replace(member, vault={**vault, "active": user.active})
    return replace(member, **engage_groups.returned(before, member, day))


def with_sent(member: Member, item: PushItem, day: date, at: str) -> Member:
    """Return the member after the item was written; `at` is the moment of its run (ISO 8601)."""
    if vault_id(member) != item.user:
        return member
    for feature, writes in item.writes.items():
        attributes: dict[str, Any] = engage_groups.sent(member, feature, writes)
        if not _is_wished(member, item, feature, day):
            # The member's request has changed since; the new one is still to be sent.
            attributes[feature] = {**attributes[feature], "status": engage_features.RETRY_REQUEST}
        vault: Mapping[str, Any] = attributes["vault"]
        if item.step is Step.ADDITION:
            vault = vault_tries.done(vault, feature)
        elif item.step is Step.REMOVAL:
            vault = vault_tries.tried(vault, feature, at, blanked=writes.get("request") == BLANK)
        member = replace(member, **{**attributes, "vault": vault})
    if item.active is not None:
        vault = vault_tries.done(member.vault, engage_features.USER_STATUS)
        member = replace(member, vault={**vault, "active": item.active, "digest": ""})
        if not item.active and end_dates.is_ended(member, day):
            # After this, coming back takes both a later end date and the status (rules for end dates).
            member = replace(member, crm_user_status="inactive")
    if item.fields:
        member = replace(member, vault=written_fields.sent(member, item.fields, at))
    return member


def with_same_fields(member: Member, item: PushItem) -> Member:
    """Return the member after Vault CRM took an update for no change."""
    if vault_id(member) != item.user:
        return member
    return replace(member, vault=written_fields.unchanged(member, item.fields))


def with_failure(member: Member, item: PushItem, day: date, at: str) -> Member:
    """Return the member after Vault CRM did not save the item, which is tried again (G7, P3).

    `at` is the moment of the run (ISO 8601).
    """
    if vault_id(member) != item.user:
        return member
    adds = item.step is Step.ADDITION
    for feature, writes in item.writes.items():
        if _is_wished(member, item, feature, day):
            blanked = writes.get("request") == BLANK
            vault = requests_set_aside.removed(member.vault, feature)
            attributes: dict[str, Any] = {
                feature: {**getattr(member, feature), "status": engage_features.REQUEST_FAILED},
                "vault": vault_tries.tried(vault, feature, at, saved=False, blanked=blanked, adds=adds),
            }
            member = replace(member, **attributes)
    if item.active is not None:
        vault = vault_tries.tried(member.vault, engage_features.USER_STATUS, at, saved=False)
        member = replace(member, vault=vault)
    if item.fields:
        member = replace(member, vault=written_fields.refused(member, item.fields, at))
    return member


def is_told(item: PushItem, before: Member, after: Member) -> bool:
    """Whether it has been told before that Vault CRM does not save the item; `after` is after the failure."""
    if item.fields:
        return not written_fields.is_news(before, item.fields)
    tried = [*item.writes, *([engage_features.USER_STATUS] if item.active is not None else [])]
    return not any(vault_tries.has_news(before, after, what) for what in tried)


def blanked(item: PushItem, member: Member, user: VaultUser) -> PushItem | None:
    """Return a removal that Vault CRM took for no change, with an empty text instead of no value (P3).

    `None`: the user is in no group any more, or that has been tried for the member before.
    """
    writes = {
        feature: {**writes, "request": BLANK}
        for feature, writes in item.writes.items()
        if user.seen[feature].group is not None
        and writes.get("request") != BLANK
        and not ((tries := vault_tries.of(member, feature)) and tries.blanked)
    }
    return replace(item, writes=writes) if writes else None


def _is_wished(member: Member, item: PushItem, feature: str, day: date) -> bool:
    """Whether the member still wants the group that the item requests."""
    # Where only a status is written, the request is the one already in Vault CRM.
    requested = item.writes[feature].get("request", item.seen[feature].request) or None
    return engage_groups.wanted(member, feature, day) == requested


def is_wanted(item: PushItem, member: Member, day: date) -> bool:
    """Whether the member, as the roster has it now, still wants all that the item writes.

    Who could not be activated is asked no group.
    """
    if item.active is not None and engage_groups.wanted_active(member, day) != item.active:
        return False
    if item.step is Step.ADDITION and not member.vault.get("active", True):
        return False
    if item.fields and not (member.vault.get("active", True) and engage_groups.may_hold(member, day)):
        return False
    same = all(written_fields.value_of(member, name) == each.value for name, each in item.fields.items())
    return same and all(_is_wished(member, item, feature, day) for feature in item.writes)


def one_by_one(item: PushItem) -> list[PushItem]:
    """Return an update as updates of one field each: of fields that are refused together, some may not be."""
    return [replace(item, fields={name: each}) for name, each in item.fields.items()]


def was_refused(item: PushItem, member: Member) -> bool:
    """Whether it was recorded, since the plan was made, that Vault CRM refused the item."""
    return member.version > item.version and any(
        getattr(member, feature)["status"] == engage_features.REQUEST_FAILED for feature in item.writes
    )


def has_arrived(item: PushItem, user: VaultUser) -> bool:
    """Whether the item has been written to Vault CRM, judging by the user as it is now (P5).

    A status that is written does not stay, so any change of the record counts as its arrival.
    """
    for feature, writes in item.writes.items():
        before, after = item.seen[feature], user.seen[feature]
        if "request" in writes and (writes["request"] or None) != before.request:
            if after.request != (writes["request"] or None):
                return False
        elif after.status == before.status and user.modified == item.modified:
            return False
    if any(user.written.get(each.field) != each.to for each in item.fields.values()):
        return False
    return item.active is None or user.active == item.active


# ── The plan's file ──────────────────────────────────────────────────────────────────────────────────


def counts(items: Iterable[PushItem]) -> dict[str, int]:
    """Return the number of people by step, and separately those in line who may get a licence."""
    found: Counter[str] = Counter()
    for item in items:
        found["in_line" if item.awaits else COUNTED[item.step]] += 1
    return dict(found)


def plan_hash(items: Iterable[PushItem]) -> str:
    """Return the hash of a plan: what would be done to which version of which member.

    What is tried again because the time for it has come is left out: a plan made an hour later, while nothing
    has moved, is the same plan (I5).
    """
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: (each.step, each.user)):
        writes = {feature: each for feature, each in item.writes.items() if feature not in item.retried}
        active = None if engage_features.USER_STATUS in item.retried else item.active
        fields = {} if engage_features.FIELDS in item.retried else item.fields
        if item.step in SENT and (writes or fields or active is not None):
            line = [item.step, item.user, item.version, writes, active, item.awaits]
            line += [{name: [each.field, each.to] for name, each in fields.items()}] if fields else []
            digest.update(json.dumps(line, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def written(items: Iterable[PushItem]) -> bytes:
    """Return items as a part of the plan's file: one JSON object per line."""
    return b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)


def read(part: bytes) -> list[PushItem]:
    """Return the items of a part of the plan's file."""
    return [PushItem.from_json(orjson.loads(line)) for line in part.splitlines()]


def chunks(items: Sequence[PushItem], most: int) -> Iterator[Sequence[PushItem]]:
    """Yield the items in order, in chunks of one step and at most `most` items."""
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and end - start < most and items[end].step == items[start].step:
            end += 1
        yield items[start:end]
        start = end
