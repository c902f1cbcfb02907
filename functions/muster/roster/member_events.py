"""The events that an effective change of a member is told outward as (O1).

They follow from the changes of its history entry alone, so that whoever writes a decision and whoever reads
the history later derive the same. Pure: no I/O, no clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from muster.crm.engage_features import FEATURES
from muster.roster.history import FieldChange, taken_apart
from muster.roster.seats import HELD, WAITING


class Kind(StrEnum):
    """What has happened to a member; the names are the published contract."""

    MEMBER_CREATED = "MemberCreated"
    MEMBER_UPDATED = "MemberUpdated"
    MEMBER_DEACTIVATED = "MemberDeactivated"
    MEMBER_REACTIVATED = "MemberReactivated"
    SEAT_GRANTED = "SeatGranted"
    SEAT_REVOKED = "SeatRevoked"
    SEAT_WAITING = "SeatWaiting"
    LICENCE_GRANTED = "LicenceGranted"
    LICENCE_REVOKED = "LicenceRevoked"
    MANAGER_CHANGED = "ManagerChanged"


@dataclass(frozen=True, slots=True)
class MemberEvent:
    """One event of a change; a change has at most one of the same kind and the same `of`.

    `of` is the seat, or the Engage feature of a licence, and empty for the rest. `before` and `after` are
    the states of the seat, the groups of the licence, the managers (member ids), or why the member is
    inactive.
    """

    kind: Kind
    of: str = ""
    before: str | None = None
    after: str | None = None


def events(changes: Sequence[FieldChange]) -> tuple[MemberEvent, ...]:
    """Return the events of a history entry's changes, in order; no changes have none.

    The first is about the member: created, deactivated, reactivated, or else updated. So each version has
    exactly one of these four. The others tell what it has got or lost, of a new member too.
    """
    if not changes:
        return ()
    return (_of_member(changes), *(event for change in changes for event in _of_change(change)))


def _of_member(changes: Sequence[FieldChange]) -> MemberEvent:
    by_field = {change.field: change for change in changes}
    if "id" in by_field:
        # It never changes: whoever gets one is new.
        return MemberEvent(Kind.MEMBER_CREATED)
    if "active" not in by_field:
        return MemberEvent(Kind.MEMBER_UPDATED)
    kind = Kind.MEMBER_REACTIVATED if by_field["active"].after else Kind.MEMBER_DEACTIVATED
    reason = by_field.get("inactive_reason")
    return MemberEvent(kind, before=reason.before, after=reason.after) if reason else MemberEvent(kind)


def _of_change(change: FieldChange) -> Iterator[MemberEvent]:
    attribute, name, last = taken_apart(change.field)
    before, after = change.before, change.after
    if attribute == "manager":
        yield MemberEvent(Kind.MANAGER_CHANGED, "", before, after)
    elif attribute == "seats" and last == "state":
        if before == HELD:
            yield MemberEvent(Kind.SEAT_REVOKED, name, before, after)
        if after == HELD:
            yield MemberEvent(Kind.SEAT_GRANTED, name, before, after)
        if after == WAITING:
            yield MemberEvent(Kind.SEAT_WAITING, name, before, after)
    elif attribute in FEATURES and name == "group":
        # A member who goes from one group to another gives one licence back and gets one.
        if before:
            yield MemberEvent(Kind.LICENCE_REVOKED, attribute, before, after)
        if after:
            yield MemberEvent(Kind.LICENCE_GRANTED, attribute, before, after)
