"""What follows from a decision beside what it writes itself: counts, lines, keys, what is due, and events.

One value with all of it, from the member before and after; the table's adapter turns it into a transaction,
whose conditions the decision has. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from muster.roster import accounts, engage_groups, licence_places, member_events
from muster.roster.decisions import HISTORY_ERASED_AT_ONCE, Decision
from muster.roster.end_dates import EVALUATION, evaluated_from
from muster.roster.engage_groups import Due
from muster.roster.history import FieldChange, HistoryEntry
from muster.roster.licence_places import Place
from muster.roster.links import bucket, keys_of
from muster.roster.member import Member
from muster.roster.member_events import MemberEvent
from muster.roster.recorded_teams import recorded_under
from muster.roster.seats import Move, moves
from muster.sources.member_states import MemberState


@dataclass(frozen=True, slots=True)
class Moved[T]:
    """Where somebody is no longer, and where it is now and was not; where it stays is in neither."""

    left: frozenset[T] = frozenset()
    joined: frozenset[T] = frozenset()

    @classmethod
    def between(cls, before: Iterable[T], after: Iterable[T]) -> Self:
        """Return who has moved, given all places before and after."""
        was, becomes = frozenset(before), frozenset(after)
        return cls(was - becomes, becomes - was)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the roster's indexes show of a member, so that runs need not read those without work."""

    state: MemberState | None = None
    due: Due | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What follows from a decision.

    - `seats`: by how much it moves each seat's pool, and which place in its line is left or joined (A9).
    - `licences`: places in line for an Engage licence. A place that only was tried again is joined anew and
      not left: it is the same place (G8).
    - `freed`: the feature and group of each Engage licence that is free again (G8).
    - `teams`: the managers (member ids) under whom the member counts as recorded (N1).
    - `accounts`: the accounts in apps, connection and id there, that are the member's own from now on, or no
      longer (O3).
    - `keys`: the match keys of the member as they are stored, `waiting`: those that its user waits for, and
      `keys_erased`: those whose items go (A14, T5).
    - `versions_erased`: the entries of its history that go (T5).
    - `indexed`: what the indexes show of the member from now on.
    - `changes`: those of its history, from which the events follow.
    """

    seats: Mapping[str, Move] = field(default_factory=dict)
    licences: Moved[Place] = Moved()
    freed: tuple[tuple[str, str], ...] = ()
    teams: Moved[str] = Moved()
    accounts: Moved[tuple[str, str]] = Moved()
    keys: Moved[str] = Moved()
    waiting: Moved[str] = Moved()
    keys_erased: frozenset[str] = frozenset()
    versions_erased: range = range(0)
    indexed: Indexed = Indexed()
    changes: tuple[FieldChange, ...] = ()

    @property
    def events(self) -> tuple[MemberEvent, ...]:
        """The events that tell of it outward (O1)."""
        return member_events.events(self.changes)


def effects(decision: Decision) -> Effects:
    """Return what follows from a decision; nothing, if it writes nothing."""
    before, after, history = decision.before, decision.after, decision.history
    found = Effects(
        waiting=_waiting(decision),
        keys_erased=frozenset(map(bucket, decision.keys_erased)),
        versions_erased=_versions_erased(history) if history and decision.erases_history else range(0),
        changes=history.changes if history else (),
    )
    if after is None:
        return found
    return replace(
        found,
        seats=moves(before.seats if before else {}, after.seats),
        licences=_licences(before, after),
        freed=tuple(licence_places.groups_left(before, after)),
        teams=Moved.between(_present(recorded_under(before)), _present(recorded_under(after))),
        accounts=Moved.between(
            accounts.linked(before.accounts) if before else (), accounts.linked(after.accounts)
        ),
        keys=Moved.between(map(bucket, keys_of(before)), map(bucket, keys_of(after))),
        indexed=indexed(after),
    )


def indexed(member: Member) -> Indexed:
    """Return what the indexes show of a member, who may be linked to no CRM or have nothing due."""
    return Indexed(_state(member), _due(member))


def _state(member: Member) -> MemberState | None:
    """Return all that an import needs to know of a member whose users have not changed."""
    crm_id, vault_id = (member.crm.get(each, {}).get("id") or "" for each in ("salesforce", "vault_crm"))
    if not crm_id and not vault_id:
        return None
    return MemberState(
        crm_id=crm_id,
        member=member.id,
        digest=member.digest,
        active=member.active,
        unmatched_since=(member.unmatched_since or "") if member.active else "",
        vault_id=vault_id,
        vault_digest=(member.vault.digest or "") if vault_id else "",
        inactive_since="" if member.active else (member.inactive_since or ""),
    )


def _due(member: Member) -> Due | None:
    """Return what a push or an import has work for, from the earlier day on; see both for what that is."""
    pushed, evaluated = engage_groups.due(member), evaluated_from(member)
    dues = [
        Due(since, frozenset({name}))
        for name, since in accounts.due(member.accounts, member.changed_for).items()
    ]
    if pushed is not None:
        dues.append(pushed)
    if evaluated is not None:
        dues.append(Due(evaluated, frozenset({EVALUATION})))
    if not dues:
        return None
    return Due(min(due.since for due in dues), frozenset().union(*(due.what for due in dues)))


def _licences(before: Member | None, after: Member) -> Moved[Place]:
    moved = Moved.between(licence_places.places(before), licence_places.places(after))
    stay = {_in_line(place) for place in moved.joined}
    return Moved(frozenset(place for place in moved.left if _in_line(place) not in stay), moved.joined)


def _in_line(place: Place) -> tuple[str, str, str]:
    return place.feature, place.group, place.since


def _waiting(decision: Decision) -> Moved[str]:
    if decision.link is None:
        return Moved()
    waited = decision.link_before.match_keys if decision.link_before else ()
    return Moved.between(map(bucket, waited), map(bucket, decision.link.match_keys))


def _versions_erased(entry: HistoryEntry) -> range:
    return range(max(1, entry.version - HISTORY_ERASED_AT_ONCE), entry.version)


def _present(manager: str | None) -> tuple[str, ...]:
    return (manager,) if manager else ()
