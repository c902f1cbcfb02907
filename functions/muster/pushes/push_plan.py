"""What a push is going to do, person by person: from the roster, and from what Vault CRM shows (P1, G7, G8).

Its steps are taken in this order, so that what one frees the next can use, and because Engage Connect
works for active users only:

    outcome         what Vault CRM has made of earlier requests is taken over; nothing is sent
    removal         out of a group
    activation      the user active again
    addition        into a group; who waits for a licence comes before who asks for one now
    inactivation    the user inactive

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
from muster.roster import departures, engage_groups
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
# What counts call those whom a step concerns, in a plan and after it.
COUNTED = {
    Step.OUTCOME: "looked_at",
    Step.REMOVAL: "removed",
    Step.ACTIVATION: "activated",
    Step.ADDITION: "added",
    Step.INACTIVATION: "inactivated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One person's part in one step.

    `user` is the id in Vault CRM. `writes` maps a feature to what is written of it, `request` and
    `status`; in an outcome, to nothing where Vault CRM has been asked already. `active` is the user
    status to write, in an outcome the one that is shown. `seen` and `modified` are what Vault CRM showed
    when this was planned. `awaits` is the feature whose licence has to become free first.
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
        """The assignment that what is taken counts for."""
        return self.assignment

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Sending":
        """Return the item of a line of the plan's file."""
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
    """What is to be done, in order; `unseen` are members (ids) whose user Vault CRM does not show."""

    items: list[Sending] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def is_due(member: Member, settings: Settings, day: date) -> bool:
    """Tell whether a push has to look at the member on that day."""
    found = engage_groups.due(member, in_align=False)
    return found is not None and found.since <= day.isoformat() and bool(found.what & _looked_at(settings))


def _looked_at(settings: Settings) -> frozenset[str]:
    return frozenset({*pushed_features(settings), engage_features.USER_STATUS})


def is_looked_at(what: frozenset[str], settings: Settings) -> bool:
    """Tell whether what is due concerns a push: a feature that is managed, or the user's status (G1)."""
    return bool(what & _looked_at(settings))


def make_plan(
    members: Iterable[Member],
    users: Mapping[str, VaultUser],
    in_line: Mapping[str, tuple[Place, bool]],
    settings: Settings,
    now: datetime,
) -> Plan:
    """Return the plan for these members; `users` are theirs, by id in Vault CRM.

    `in_line` is what `licence_lines.next_in_line` chose, in order: they come before who asks now (G8).
    """
    plan = Plan()
    day, at = (
        departures.today(now, settings.time_zone),
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
) -> Iterator[Sending]:
    plain = Sending(
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
    asked_already: dict[str, Mapping[str, str | None]] = {}
    awaits = None
    for feature in pushed_features(settings):
        waits = line is not None and line[0].feature == feature and not departures.leaves(member, day)
        writes = _writes(member, feature, user.seen[feature], settings, day, waits=waits)
        group = engage_groups.wanted(member, feature, day)
        if writes:
            (additions if group is not None else removals)[feature] = writes
            if waits and line and not line[1]:
                awaits = feature
        elif engage_groups.is_unsent(member, feature):
            asked_already[feature] = {}
    if asked_already or with_outcome(member, user, at) != member:
        yield replace(plain, writes=asked_already, active=user.active)
    if removals:
        yield replace(plain, step=Step.REMOVAL, writes=removals, operations=(REVOKE,))
    if additions:
        # Who asks for something else besides does not have to wait for it.
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
    asked = engage_groups.is_unsent(member, feature)
    if not asked and not waits and not departures.leaves(member, day):
        return {}
    if not asked and getattr(member, feature)["status"] in engage_features.FAILED and seen.request is None:
        # The removal was refused before, and would be again: it is told once, and a retry sends it.
        return {}
    connection = settings.connections.vault_crm
    always = connection is not None and connection.always_send_status
    group = engage_groups.wanted(member, feature, day)
    writes = engage_groups.to_send(group, seen, retry=asked or waits, always_send_status=always)
    if sends_status(settings, feature):
        return writes
    # Only requests may be written, and one that is there already would start nothing.
    return {"request": group} if "request" in writes and group != seen.request else {}


def _given(additions: Mapping[str, Mapping[str, str | None]], user: VaultUser) -> tuple[str, ...]:
    """Return the operations of an addition: somebody who moves also gives a licence back."""
    moves = any(
        user.seen[feature].group and user.seen[feature].group != writes.get("request")
        for feature, writes in additions.items()
    )
    return (GRANT, REVOKE) if moves else (GRANT,)


# ── What becomes of a member ─────────────────────────────────────────────────────────────────────────


def seen_user(item: Sending) -> VaultUser:
    """Return the user of an outcome, as far as Vault CRM's answer is taken over."""
    return VaultUser(id=item.user, username=None, email=None, active=bool(item.active), seen=item.seen)


def with_answer(member: Member, user: VaultUser, at: str) -> Member:
    """Return the member with what has become of the requests that were sent, and of no others (P3)."""
    sent = [each for each in user.seen if getattr(member, each)["status"] == engage_features.REQUEST_SENT]
    return with_outcome(member, replace(user, seen={each: user.seen[each] for each in sent}), at)


def with_outcome(member: Member, user: VaultUser, at: str) -> Member:
    """Return the member with what Vault CRM shows of its groups and its user (P3); `at` is now (ISO 8601)."""
    for feature, seen in user.seen.items():
        attributes: dict[str, Any] = engage_groups.taken(member, feature, seen, at)
        member = replace(member, **attributes)
    if member.vault.get("active", True) != user.active:
        member = replace(member, vault={**member.vault, "active": user.active})
    return member


def with_sent(member: Member, item: Sending, day: date) -> Member:
    """Return the member after what the item writes has been written."""
    for feature, writes in item.writes.items():
        attributes: dict[str, Any] = engage_groups.sent(member, feature, writes)
        if not _is_wished(member, item, feature, day):
            # It wishes for something else by now, which is still to be sent.
            attributes[feature] = {**attributes[feature], "status": engage_features.RETRY_REQUEST}
        member = replace(member, **attributes)
    if item.active is not None:
        member = replace(member, vault={**member.vault, "active": item.active, "digest": ""})
        if not item.active and departures.is_ended(member, day):
            # Coming back takes both, a later end date and the status (seed of end dates).
            member = replace(member, crm_user_status="inactive")
    return member


def with_failure(member: Member, item: Sending, day: date) -> Member:
    """Return the member after Vault CRM has refused what the item writes; a retry sends it again."""
    for feature in item.writes:
        if _is_wished(member, item, feature, day):
            mine = {**getattr(member, feature), "status": engage_features.REQUEST_FAILED}
            attributes: dict[str, Any] = {feature: mine}
            member = replace(member, **attributes)
    return member


def _is_wished(member: Member, item: Sending, feature: str, day: date) -> bool:
    """Tell whether what the item asks for is what the member still wishes for."""
    # Where only a status is written, the request is the one that is there.
    asked = item.writes[feature].get("request", item.seen[feature].request)
    return engage_groups.wanted(member, feature, day) == asked


def is_wanted(item: Sending, member: Member, day: date) -> bool:
    """Tell whether what the item writes is what the member should come to, as the roster has it now."""
    if item.active is not None and engage_groups.wanted_active(member, day) != item.active:
        return False
    return all(_is_wished(member, item, feature, day) for feature in item.writes)


def has_arrived(item: Sending, user: VaultUser) -> bool:
    """Tell whether what the item writes is in Vault CRM, from how the user looks now (P5).

    A status that is asked for does not stay: that the record has changed at all is what tells.
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


def counts(items: Iterable[Sending]) -> dict[str, int]:
    """Return how many people each step concerns; those who may get a licence, apart."""
    found: Counter[str] = Counter()
    for item in items:
        found["in_line" if item.awaits else COUNTED[item.step]] += 1
    return dict(found)


def plan_hash(items: Iterable[Sending]) -> str:
    """Return the hash of a plan: what would be done, to which version of which member."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: (each.step, each.user)):
        if item.step in SENT:
            told = [item.step, item.user, item.version, item.writes, item.active, item.awaits]
            digest.update(json.dumps(told, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def written(items: Iterable[Sending]) -> bytes:
    """Return items as a part of the plan's file: one JSON object a line."""
    return b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)


def read(part: bytes) -> list[Sending]:
    """Return the items of a part of the plan's file."""
    return [Sending.from_json(orjson.loads(line)) for line in part.splitlines()]


def chunks(items: Sequence[Sending], most: int) -> Iterator[Sequence[Sending]]:
    """Yield the items in their order, up to so many at a time, each time of one step."""
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and end - start < most and items[end].step == items[start].step:
            end += 1
        yield items[start:end]
        start = end
