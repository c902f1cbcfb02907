"""What a change may free, before it is decided: match keys that others wait for, and seats (A9, A14). Pure.

Deciding depends on what is decided before it; this does not. So it names at least what `given_up` of the
decision names, and the seats that the decision takes: whoever waits for these is looked up beforehand.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from muster.roster import assignment_grants, end_dates, seats
from muster.roster.decisions import Known, Wanted
from muster.roster.eligibility import Verdict
from muster.roster.links import match_keys_of
from muster.roster.member import Member
from muster.roster.salesforce_lifecycle import is_stale
from muster.roster.seats import Pool
from muster.settings import Settings
from muster.sources.user_changes import UserChange


def keys_perhaps_given_up(
    change: UserChange, wanted: Wanted, known: Known, verdict: Verdict, contested: Collection[str] = ()
) -> Iterator[str]:
    """Yield the match keys that a member may have no more need of once the change is decided.

    `wanted` is what was looked up for it. `contested` are the match keys that several of the users have who
    are decided about together: an address with a converted domain may go to another of them.
    """
    own = known.member or known.former
    members = (own,) if own else () if verdict.reason else known.namesakes
    leaves = verdict.reason is not None or is_stale(change, known)
    kept = () if leaves else _keys_kept(wanted, known, contested)
    for member in members:
        yield from member.former_keys
        yield from (key for key in match_keys_of(member) if key not in kept)
    if members and leaves:
        yield from wanted.match_keys


def _keys_kept(wanted: Wanted, known: Known, contested: Collection[str]) -> tuple[str, ...]:
    """Return the match keys that the member of a user who stays has whatever else is decided."""
    if not wanted.claims or not (known.namesakes or any(key in contested for key in wanted.claims)):
        return wanted.match_keys
    # The address may turn out to be another's, and then the user's own is the only one that is certain.
    return tuple(key for key in wanted.match_keys if key not in wanted.claims[:-1])


def seats_perhaps_freed(
    member: Member,
    change: UserChange,
    verdict: Verdict,
    settings: Settings,
    today: date,
    among: Iterable[str],
) -> frozenset[str]:
    """Return those of some seats that the member holds, and may hold no more once the change is decided."""
    held = seats.held(member.seats)
    if held.isdisjoint(among):
        return frozenset()
    stay: frozenset[str] = frozenset()
    if verdict.reason is None and verdict.assignment and not end_dates.closed_by_hand(member, today):
        given = assignment_grants.grants(verdict.assignment, change.fields)
        wanted = {*given.seats, *(seat for seat in held if f"seats.{seat}" in given.unknown)}
        nothing_free = {name: Pool(used=seat.limit or 0, waiting=1) for name, seat in settings.seats.items()}
        places = seats.placed(member.seats, wanted, settings, nothing_free, rank=0, at="")
        stay = seats.held(places)
    return (held & frozenset(among)) - stay
