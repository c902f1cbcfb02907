"""The plan of an app's push, person by person, from the roster and what the app shows (O2, O3). Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.provisioning import account_items, first_contact, step_outcomes
from muster.provisioning.account_items import AccountItem
from muster.provisioning.app_state import AppState, as_it_is_now, here
from muster.provisioning.differences import Kind, aim, difference
from muster.provisioning.drift import Seen, drift
from muster.provisioning.first_contact import Found, Roster
from muster.provisioning.group_renames import group_renames, renamed
from muster.provisioning.wanted_accounts import WantedAccount, wanted
from muster.roster import end_dates
from muster.roster.accounts import NO_ACCOUNT, Account
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection
from muster.times import timestamp

_NOTHING = AppState()
# After every moment.
_LAST = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppBasis:
    """What an app's push decides with.

    `members` are by id, in order. `found` is what was found of those who were looked for, `taken` the members
    to whom the accounts found are linked, by the accounts' ids, and `known` those of the external ids found
    that are members'; `parts` is how many parts of the archive have that. `state` is what was remembered of
    the app. `everybody` says that all were judged. `strangers` counts the active users in a list who fit
    nobody, `None` where none was read.

    Of a comparison, `compared` is how many accounts it looked at, and `None` for any other push; `seen` is
    what is shown, by member, of those who are not as they were left, and `orphans` are the first of the
    active users who are nobody's, by id and userName.
    """

    members: Mapping[str, Member]
    found: Mapping[str, Found] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    state: AppState = _NOTHING
    everybody: bool = False
    strangers: int | None = None
    parts: int = 0
    compared: int | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)
    orphans: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A member, what it is to have in the app, and what is known of its account."""

    member: Member
    wanted: WantedAccount | None
    recorded: Account
    account: Account


def judged(
    member: Member, state: AppState, connection: TargetConnection, settings: Settings, now: datetime
) -> Judged:
    """Return what a member is to have, and its account as it is now."""
    day = end_dates.today(now, settings.time_zone)
    recorded = member.accounts.get(connection.key, NO_ACCOUNT)
    account, aimed_at = as_it_is_now(recorded, state, connection), wanted(member, connection, settings, day)
    was_never_made = not account.is_linked and not account.unsure and not connection.only_ends_access
    if aimed_at is None and account.tries and was_never_made:
        # Else the member would be due for ever, for a try that nobody makes.
        account = step_outcomes.no_longer_tried(account)
    return Judged(member, aimed_at, recorded, account)


def next_in_line(people: Iterable[Judged], connection: TargetConnection) -> frozenset[str]:
    """Return who, by id, is tried now whatever the tries say: as many as leave, the longest waiting first.

    Whoever leaves has freed a licence, in this push or just before it, at once.
    """
    waiting: list[tuple[str, str]] = []
    freed = 0
    for each in people:
        account, changed = each.account, connection.key in each.member.changed_for
        if each.wanted is None:
            freed += account.is_linked and (account.is_open or changed)
        elif account.full_since:
            waiting.append((account.full_since, each.member.id))
    return frozenset(member for _, member in sorted(waiting)[:freed])


def tried_now(each: Judged) -> Judged:
    """Return a member whose try is not put off any longer."""
    tries = each.account.tries
    if tries is None:
        return each
    return replace(each, account=replace(each.account, tries=replace(tries, count=1)))


def with_freed(people: Sequence[Judged], connection: TargetConnection) -> list[Judged]:
    """Return these people, of whom those that are next in line are tried now."""
    chosen = next_in_line(people, connection)
    return [tried_now(each) if each.member.id in chosen else each for each in people]


def is_to_be_looked_for(each: Judged, connection: TargetConnection, at: str) -> bool:
    """Whether the account has to be looked for before it can be said what is to be done."""
    steps = difference(each.account, each.wanted, connection, at)
    return bool(steps) and steps[0].kind is Kind.LOOK and not each.account.id


def make_plan(
    basis: AppBasis, connection: TargetConnection, settings: Settings, now: datetime
) -> list[AccountItem]:
    """Return the plan: those who leave come first, for their licences are free for the others.

    Of these, those who wait for one come first, whoever waits longest. All others of one assignment come
    together: so its group is filled in as few calls as that takes.
    """
    make = _items if basis.compared is None else _brought_back

    def place(item: AccountItem) -> tuple[bool, str, str, str]:
        return not item.leaves, item.account.full_since or _LAST, item.assignment or "", item.member

    return sorted(make(basis, connection, settings, now), key=place)


def _items(
    basis: AppBasis, connection: TargetConnection, settings: Settings, now: datetime
) -> Iterator[AccountItem]:
    at = timestamp(now)
    taken = dict(basis.taken)
    state = renamed(basis.state, group_renames(basis.state, connection, settings))
    people = [judged(member, state, connection, settings, now) for member in basis.members.values()]
    freed_for = next_in_line(people, connection)
    for person in people:
        member, takes_freed = person.member, person.member.id in freed_for
        each = tried_now(person) if takes_freed else person
        account = each.account
        found = basis.found.get(member.id) if is_to_be_looked_for(each, connection, at) else None
        if found is not None:
            roster = Roster(taken.get, basis.known.__contains__)
            match = first_contact.match(member.id, account, found, roster, connection)
            account = step_outcomes.looked(account, match, each.wanted)
        if account.is_linked and account.id:
            taken[account.id] = member.id
        looked_for = found is not None
        steps = difference(
            account, each.wanted, connection, at, has_looked=looked_for and not account.is_linked
        )
        kinds = tuple(step.kind for step in steps)
        is_marked = connection.key in member.changed_for
        if not steps and account == each.recorded and not is_marked:
            continue
        goal = aim(each.wanted)
        yield AccountItem(
            member=member.id,
            name=member.name,
            assignment=member.assignment,
            goal=goal,
            steps=kinds,
            account=account,
            before=each.recorded,
            looked_for=looked_for,
            takes_freed=takes_freed,
            retried=account.tries is not None and account.tried == goal and not is_marked,
            operations=account_items.operations(kinds),
        )


def _brought_back(
    basis: AppBasis, connection: TargetConnection, settings: Settings, now: datetime
) -> Iterator[AccountItem]:
    """Yield what brings back what was sent, for those whose accounts are not as they were left."""
    groups = here(basis.state, connection).groups
    for name, member in basis.members.items():
        each = judged(member, basis.state, connection, settings, now)
        deletes = each.wanted is None and connection.deletes_leavers
        found = drift(each.account, each.wanted, basis.seen[name], groups, deletes=deletes)
        kinds = tuple(
            step.kind
            for step in (difference(found.account, each.wanted, connection, timestamp(now)) if found else ())
        )
        if found is None or not kinds:
            continue
        yield AccountItem(
            member=member.id,
            name=member.name,
            assignment=member.assignment,
            goal=aim(each.wanted),
            steps=kinds,
            account=found.account,
            before=each.recorded,
            operations=account_items.operations(kinds),
            drift=found.words,
        )
