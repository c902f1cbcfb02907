"""List members as they were at a moment, and count who they were and what they had (Q2). Reads only."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from muster.insight import member_filters
from muster.insight.member_filters import MemberFilter
from muster.insight.pages_by_name import page_by_name
from muster.insight.periods import TICK, end_of
from muster.insight.querying_members import filter_of
from muster.insight.reading_past_rosters import PastRoster, PastSources, past_roster
from muster.roster import seats
from muster.roster.as_of import IS_ERASED, NOT_RECORDED, as_json
from muster.roster.history import values_of
from muster.roster.member import Json, Member
from muster.settings import Settings
from muster.times import timestamp


@dataclass(slots=True)
class _Tally:
    """What a roster comes to: active members by assignment, the others by reason, seats by state."""

    assignments: Counter[str] = field(default_factory=Counter)
    inactive: Counter[str] = field(default_factory=Counter)
    seats: Counter[tuple[str, str]] = field(default_factory=Counter)
    total: int = 0

    def add(self, member: Member) -> None:
        """Count a member."""
        if member.active:
            self.assignments[member.assignment or ""] += 1
        else:
            self.inactive[member.inactive_reason or ""] += 1
        for seat, place in member.seats.items():
            self.seats[seat, place.state] += 1

    def shown(self) -> Json:
        """Return it as JSON; assignments and seats that have most come first."""
        held = Counter({seat: count for (seat, state), count in self.seats.items() if state == seats.HELD})
        names = dict.fromkeys([*(seat for seat, _ in held.most_common()), *(seat for seat, _ in self.seats)])
        return {
            "assignments": dict(self.assignments.most_common()),
            "seats": {
                seat: {"held": held[seat], "waiting": self.seats[seat, seats.WAITING]} for seat in names
            },
            "inactive_reasons": dict(self.inactive.most_common()),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPage:
    """Who is asked for: `at` as written, `filters` those of `list`, `limit` members after a cursor."""

    at: str
    filters: Mapping[str, object] = field(default_factory=dict)
    limit: int = 100
    cursor: str | None = None


def list_past_members(sources: PastSources, settings: Settings, asked: PastPage, now: datetime) -> Json:
    """Return who was in the roster at a moment, or at the end of a day, and a page of them by name.

    `{at, counts, assignments, seats, inactive_reasons, known_from, total, members, cursor, warnings?}`:
    `counts` has `members`, those `active` and not (`inactive`), and of whom nothing can be said: `erased`
    since, or `not_recorded`; `assignments` counts active members by assignment (`""`: none), `seats` who held
    and waited, `inactive_reasons` who was not active. `total` counts those who match the filter; `members`
    are as `member` answers, without what history lacks. `known_from` says what was read: `snapshot` (a day,
    or `None`: everybody as they are now) and how many `changes` since. Raises `Rejected`.
    """
    before = end_of("at", asked.at, now, settings.time_zone)
    wanted = filter_of(sources.views, settings.organization, asked.filters)
    past = past_roster(sources, settings.organization, before, now)
    tally = _Tally()
    known: dict[str, set[str]] = {name: set() for name in wanted.wanted}
    matching = _matching(past, wanted, tally, known)
    shown, following = page_by_name(matching, asked.limit, asked.cursor)
    if not tally.total:
        member_filters.require_known(wanted, known, settings)
    active = tally.assignments.total()
    return {
        **warnings(past),
        "at": timestamp(before - TICK),
        "counts": {
            "members": active + tally.inactive.total(),
            "active": active,
            "inactive": tally.inactive.total(),
            "erased": past.standings[IS_ERASED],
            "not_recorded": past.standings[NOT_RECORDED],
        },
        **tally.shown(),
        "known_from": {"snapshot": past.snapshot.day if past.snapshot else None, "changes": past.changes},
        "total": tally.total,
        "members": [as_json(values_of(member)) for member in shown],
        "cursor": following,
    }


def matching(past: PastRoster, wanted: MemberFilter) -> Iterator[Member]:
    """Yield the past members who meet a filter."""
    return _matching(past, wanted, _Tally(), {})


def warnings(past: PastRoster) -> Json:
    """Return what the answer cannot say, once everybody was read."""
    unknown = past.standings[NOT_RECORDED]
    if not unknown:
        return {}
    what = (
        f"Snapshots and journal begin after that moment: how {unknown:,} members were then is not known"
        " here. as_of of one member reads the member's own history, which may be longer."
    )
    return {"warnings": [what]}


def _matching(
    past: PastRoster, wanted: MemberFilter, tally: _Tally, known: Mapping[str, set[str]]
) -> Iterator[Member]:
    for member in past.members():
        tally.add(member)
        if wanted.active in (None, member.active) and wanted.matches(member):
            tally.total += 1
            yield member
        else:
            for name, values in known.items():
                values.update(member_filters.values_of(member, name))
