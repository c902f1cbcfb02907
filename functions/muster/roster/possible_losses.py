"""What a change may free, before it is decided: match keys that others wait for, and seats (A9, A14). Pure.

Deciding depends on what is decided before it; this does not. So it names at least what `given_up` of the
decision names, and the seats that the decision takes: whoever waits for these is looked up beforehand.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from muster.roster import assignment_grants, eligibility, end_dates, namesakes, seats
from muster.roster.decisions import Known
from muster.roster.eligibility import Verdict
from muster.roster.links import match_keys, match_keys_of
from muster.roster.member import Member
from muster.roster.salesforce_lifecycle import is_stale
from muster.roster.seats import Pool
from muster.settings import Settings
from muster.sources.user_changes import UserChange


def keys_perhaps_given_up(
    change: UserChange, known: Known, verdict: Verdict, settings: Settings, contested: Collection[str] = ()
) -> Iterator[str]:
    """Yield the match keys that a member may have no more need of once the change is decided.

    `contested` are the match keys that several of the users have who are decided about together: an address
    with a converted domain may go to another of them.
    """
    own = known.member or known.former
    members = (own,) if own else () if verdict.reason else known.namesakes
    leaves = verdict.reason is not None or is_stale(change, known)
    kept = () if leaves else _keys_kept(change, known, settings, contested)
    for member in members:
        yield from member.former_keys
        yield from (key for key in match_keys_of(member) if key not in kept)
    if members and leaves:
        username, email = namesakes.own_addresses(change, settings)
        yield from match_keys(username, email, eligibility.provisioned_email(email, settings.domains))


def _keys_kept(
    change: UserChange, known: Known, settings: Settings, contested: Collection[str]
) -> tuple[str, ...]:
    """Return the match keys that the member of a user who stays has whatever else is decided."""
    username, own = namesakes.own_addresses(change, settings)
    certain = match_keys(username, own)
    converted = match_keys(None, eligibility.provisioned_email(own, settings.domains))
    if known.namesakes or not frozenset(converted).isdisjoint(contested):
        return certain
    return certain + converted


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
