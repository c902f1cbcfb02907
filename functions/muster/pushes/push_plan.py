"""The plan of a push, person by person, from the roster and Vault CRM's users (P1, G7, G8).

The steps run in this order, because each can use what the one before it frees, and because Engage
Connect works for active users only:

    outcome         outcomes of earlier requests are recorded in the roster; nothing is sent
    removal         remove from a group
    activation      activate the user
    addition        add to a group; members waiting in line come before new requests
    inactivation    inactivate the user

Pure: no I/O, no clock.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson

from muster.crm import engage_features
from muster.crm.engage_features import Seen
from muster.roster import end_dates, engage_groups
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.runs.operations import DEACTIVATE, GRANT, REVOKE
from muster.settings import Settings
from muster.settings.mappings import pushed_features, sends_status
from muster.sources.vault_users import VaultUser
from muster.times import timestamp


class Step(StrEnum):
    """The steps of a push, in their order."""

    OUTCOME = "outcome"
    REMOVAL = "removal"
    ACTIVATION = "activation"
    ADDITION = "addition"
    INACTIVATION = "inactivation"


STEPS = tuple(Step)
SENT = frozenset(STEPS) - {Step.OUTCOME}
# The name under which people are counted, by step.
COUNTED = {
    Step.OUTCOME: "looked_at",
    Step.REMOVAL: "removed",
    Step.ACTIVATION: "activated",
    Step.ADDITION: "added",
    Step.INACTIVATION: "inactivated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushItem:
    """One person's part in one step.

    `user` is the Vault CRM id. `writes` maps a feature to the values to write, `request` and `status`; in
    an outcome, to nothing if Vault CRM already holds the request. `active` is the user status to write, in
    an outcome the one Vault CRM shows. `seen` and `modified` are what Vault CRM showed when this was
    planned. `awaits` is the feature whose licence has to become free first.
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
    awaits: str | None = None
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
            "if_freed": self.awaits,
            "now": {feature: asdict(seen) for feature, seen in self.seen.items()},
        }


@dataclass(slots=True)
class Plan:
    """What to do, in order; `unseen` are the members (ids) whose user Vault CRM does not show."""

    items: list[PushItem] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def is_due(member: Member, settings: Settings, day: date) -> bool:
    """Whether the member is due for a push on that day."""
    found = engage_groups.due(member, in_align=False)
    return found is not None and found.since <= day.isoformat() and concerns_push(found.what, settings)


def concerns_push(what: frozenset[str], settings: Settings) -> bool:
    """Whether any of what is due is for a push: a managed feature, or the user's status (G1)."""
    return bool(what & {*pushed_features(settings), engage_features.USER_STATUS})


def make_plan(
    members: Iterable[Member],
    users: Mapping[str, VaultUser],
    in_line: Mapping[str, tuple[Place, bool]],
    settings: Settings,
    now: datetime,
) -> Plan:
    """Return the plan for these members; `users` are theirs, by Vault CRM id.

    `in_line` is the choice of `licence_lines.next_in_line`, in order: they come before new requests (G8).
    """
    plan = Plan()
    day, at = (
        end_dates.today(now, settings.time_zone),
        timestamp(now),
    )
    for member in members:
        user = users.get(member.crm[engage_features.CONNECTION]["id"] or "")
        if user is None:
            plan.unseen.append(member.id)
            continue
        plan.items += _items(member, user, in_line.get(member.id), settings, day, at)
    turn = {name: number for number, name in enumerate(in_line)}
    plan.items.sort(key=lambda item: (STEPS.index(item.step), turn.get(item.member, len(turn)), item.user))
    return plan


def _items(
    member: Member,
    user: VaultUser,
    line: tuple[Place, bool] | None,
    settings: Settings,
    day: date,
    at: str,
) -> Iterator[PushItem]:
    plain = PushItem(
        step=Step.OUTCOME,
        user=user.id,
        member=member.id,
        name=member.name,
        version=member.version,
        assignment=member.assignment,
        seen=user.seen,
        modified=user.modified,
    )
    removals: dict[str, Mapping[str, str | None]] = {}
    additions: dict[str, Mapping[str, str | None]] = {}
    already_requested: dict[str, Mapping[str, str | None]] = {}
    awaits = None
    for feature in pushed_features(settings):
        waits = line is not None and line[0].feature == feature and not end_dates.has_left(member, day)
        writes = _writes(member, feature, user.seen[feature], settings, day, waits=waits)
        group = engage_groups.wanted(member, feature, day)
        if writes:
            (additions if group is not None else removals)[feature] = writes
            if waits and line and not line[1]:
                awaits = feature
        elif engage_groups.is_unsent(member, feature):
            already_requested[feature] = {}
    if already_requested or with_outcome(member, user, at) != member:
        yield replace(plain, writes=already_requested, active=user.active)
    if removals:
        yield replace(plain, step=Step.REMOVAL, writes=removals, operations=(REVOKE,))
    if additions:
        # Another addition does not have to wait for the licence.
        awaits = awaits if list(additions) == [awaits] else None
        yield replace(
            plain, step=Step.ADDITION, writes=additions, awaits=awaits, operations=_given(additions, user)
        )
    active = engage_groups.wanted_active(member, day)
    if active is not None and active != user.active:
        step = Step.ACTIVATION if active else Step.INACTIVATION
        yield replace(plain, step=step, active=active, operations=() if active else (DEACTIVATE,))


def _writes(
    member: Member, feature: str, seen: Seen, settings: Settings, day: date, *, waits: bool
) -> dict[str, str | None]:
    requested = engage_groups.is_unsent(member, feature)
    if not requested and not waits and not end_dates.has_left(member, day):
        return {}
    if (
        not requested
        and getattr(member, feature)["status"] in engage_features.FAILED
        and seen.request is None
    ):
        # The removal was refused before and would be again: it is reported once, and a retry sends it.
        return {}
    connection = settings.connections.vault_crm
    always = connection is not None and connection.always_send_status
    group = engage_groups.wanted(member, feature, day)
    writes = engage_groups.to_send(group, seen, retry=requested or waits, always_send_status=always)
    if sends_status(settings, feature):
        return writes
    # Only requests may be written, and writing the one that is already there would start nothing.
    return {"request": group} if "request" in writes and group != seen.request else {}


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
    return VaultUser(id=item.user, username=None, email=None, active=bool(item.active), seen=item.seen)


def with_answer(member: Member, user: VaultUser, at: str) -> Member:
    """Return the member with the outcomes of requests that were sent, and no others (P3)."""
    sent = [each for each in user.seen if getattr(member, each)["status"] == engage_features.REQUEST_SENT]
    return with_outcome(member, replace(user, seen={each: user.seen[each] for each in sent}), at)


def with_outcome(member: Member, user: VaultUser, at: str) -> Member:
    """Return the member with its groups and user as Vault CRM shows them (P3); `at` is now (ISO 8601)."""
    for feature, seen in user.seen.items():
        attributes: dict[str, Any] = engage_groups.observed(member, feature, seen, at)
        member = replace(member, **attributes)
    if member.vault.get("active", True) != user.active:
        member = replace(member, vault={**member.vault, "active": user.active})
    return member


def with_sent(member: Member, item: PushItem, day: date) -> Member:
    """Return the member after the item was written."""
    for feature, writes in item.writes.items():
        attributes: dict[str, Any] = engage_groups.sent(member, feature, writes)
        if not _is_wished(member, item, feature, day):
            # The member's request has changed since; the new one is still to be sent.
            attributes[feature] = {**attributes[feature], "status": engage_features.RETRY_REQUEST}
        member = replace(member, **attributes)
    if item.active is not None:
        member = replace(member, vault={**member.vault, "active": item.active, "digest": ""})
        if not item.active and end_dates.is_ended(member, day):
            # After this, coming back takes both a later end date and the status (rules for end dates).
            member = replace(member, crm_user_status="inactive")
    return member


def with_failure(member: Member, item: PushItem, day: date) -> Member:
    """Return the member after Vault CRM refused the item; a retry sends it again."""
    for feature in item.writes:
        if _is_wished(member, item, feature, day):
            mine = {**getattr(member, feature), "status": engage_features.REQUEST_FAILED}
            attributes: dict[str, Any] = {feature: mine}
            member = replace(member, **attributes)
    return member


def _is_wished(member: Member, item: PushItem, feature: str, day: date) -> bool:
    """Whether the member still wants the group that the item requests."""
    # Where only a status is written, the request is the one already in Vault CRM.
    requested = item.writes[feature].get("request", item.seen[feature].request)
    return engage_groups.wanted(member, feature, day) == requested


def is_wanted(item: PushItem, member: Member, day: date) -> bool:
    """Whether the member, as the roster has it now, still wants all that the item writes."""
    if item.active is not None and engage_groups.wanted_active(member, day) != item.active:
        return False
    return all(_is_wished(member, item, feature, day) for feature in item.writes)


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
        if "request" in writes and writes["request"] != before.request:
            if after.request != writes["request"]:
                return False
        elif after.status == before.status and user.modified == item.modified:
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
    """Return the hash of a plan: what would be done to which version of which member."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: (each.step, each.user)):
        if item.step in SENT:
            line = [item.step, item.user, item.version, item.writes, item.active, item.awaits]
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
