"""The plan of a push, person by person, from the roster and Vault CRM's users (P1, G7, G8).

`push_items` has the steps and their order. Pure: no I/O, no clock.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES, Feature
from muster.engage import group_writes
from muster.engage.item_outcomes import with_outcome
from muster.engage.push_items import STEPS, PushItem, Step
from muster.roster import end_dates, engage_groups, vault_tries, written_fields
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.roster.written_fields import FieldWrite
from muster.runs.operations import DEACTIVATE, GRANT, REVOKE, UPDATE
from muster.settings import Settings
from muster.settings.mappings import custom_fields_to_write, pushed_features
from muster.sources.vault_users import VaultUser
from muster.times import timestamp


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

    removals: dict[Feature, Mapping[str, str | None]] = field(default_factory=dict)
    additions: dict[Feature, Mapping[str, str | None]] = field(default_factory=dict)
    already_requested: dict[Feature, Mapping[str, str | None]] = field(default_factory=dict)
    awaits: Feature | None = None

    def add(
        self,
        feature: Feature,
        writes: Mapping[str, str | None],
        asked: bool,
        to: dict[Feature, Mapping[str, str | None]],
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
    if wanted is None or wanted == member.vault.is_active or (tries and at < tries.next()):
        return None
    return wanted


def _may_be_inactivated(user: VaultUser, removals: Collection[str], settings: Settings) -> bool:
    """Whether the user is in no group, or only in such as this push takes them out of first (G7)."""
    return all(
        feature in removals or not group_writes.is_in_group(user.seen[feature])
        for feature in pushed_features(settings)
    )


def _given(additions: Mapping[Feature, Mapping[str, str | None]], user: VaultUser) -> tuple[str, ...]:
    """Return the operations of an addition: moving between groups also gives a licence back."""
    moves = any(
        user.seen[feature].group and user.seen[feature].group != writes.get("request")
        for feature, writes in additions.items()
    )
    return (GRANT, REVOKE) if moves else (GRANT,)
