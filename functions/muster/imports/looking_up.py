"""The second read of an import: what the roster knows of those who were read, kept in the archive (I1, Q4).

It is read after the source. Each decision is conditional on it when it is written, and made again where that
has changed meanwhile.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from muster.imports.foreseeing import MOST_UNLINKED, Foreseen, contested
from muster.imports.known_roster import IN_VAULT, USERS, WAITING, KnownRoster, Waiting
from muster.imports.known_users import USERS_A_PART, KnownUsers, part_of
from muster.imports.ordering import Candidate, candidate
from muster.imports.selecting import Selected
from muster.imports.succession import Person
from muster.roster import end_dates, seats, vault_lifecycle
from muster.roster.decisions import Known, Wanted
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.salesforce_lifecycle import CONNECTION
from muster.roster.seats import Pool
from muster.roster.writing_user_changes import ReadAgain
from muster.settings import Settings
from muster.sources.member_states import MemberState
from muster.sources.newest_changes import read_again_version
from muster.sources.ports import Parts
from muster.sources.vault_users import VaultUser


@dataclass(frozen=True, slots=True)
class LookingUp:
    """Fills `known` for one attempt of one run; `now` is when gathering began. Raises `Unavailable`.

    `read_again` reads users by id, as they are now.
    """

    settings: Settings
    roster: Roster
    read_again: ReadAgain
    parts: Parts
    now: datetime
    known: KnownRoster

    def look_where_to_look(self, *, everyone: bool, whole_vault: bool) -> None:
        """Note what the indexes say, before the sources are read: states as far as needed, and who is due."""
        known = self.known
        found = list(self.roster.states(self._organization)) if everyone or whole_vault else []
        known.in_vault = [each for each in found if each.vault_id] if whole_vault else []
        known.states = {each.crm_id: each for each in found if each.crm_id} if everyone else {}

    def look_who_is_due(self) -> None:
        """Note which members an end date or status has evaluated again."""
        due = _members_due(self.roster, self.settings, self.known.at)
        self.known.due = tuple(due)
        self.known.leaving = frozenset(crm_id for crm_id, member in due.items() if member.active)

    def look_up_former(self, here: Mapping[str, object]) -> None:
        """Note the members who are linked to a user of another org: whom `here` does not name."""
        ids = {each.member: crm_id for crm_id, each in self.known.states.items() if crm_id not in here}
        self.known.former = [
            Person(ids[each.id], each.username, each.own_email or each.email, each.active)
            for each in self._members(ids).values()
        ]

    def look_up(self, selected: Selected, *, by_names: bool) -> None:
        """Note all that deciding about these users needs, and may need.

        `by_names`: Vault CRM is asked by name for users of members who are linked to none.
        """
        known, settings = self.known, self.settings
        names = list(settings.seats)
        known.pools = self.roster.pools(self._organization, names) if names else {}
        # Nothing in Salesforce stands against them, so the roster has to know why.
        unexplained = {selected.states[who].member: who for who, why in selected.idle.items() if why is None}
        known.idle = {
            unexplained[member.id]: None if member.active else member.inactive_reason
            for member in self.roster.members(self._organization, unexplained).values()
        }
        foreseen = Foreseen(
            settings,
            end_dates.today(self.now, settings.time_zone),
            frozenset(name for name, pool in known.pools.items() if pool.waiting),
            contested(selected.candidates, settings),
            MOST_UNLINKED if by_names else 0,
        )
        known.users = self._users(USERS, selected.candidates, foreseen.add)
        self._look_who_waits(foreseen, selected.gathered.rows)
        self._look_at_lines(foreseen)
        known.unlinked = frozenset(foreseen.unlinked)

    def look_up_in_vault(self, users: Sequence[VaultUser], lost: Iterable[MemberState]) -> None:
        """Note what is known of these users of Vault CRM, in order, and of members who may lose theirs."""
        losing = {each.member for each in lost}

        def note(_: str, known: Known) -> None:
            losing.difference_update(member.id for member in known.namesakes)

        wanted = [(user.id, vault_lifecycle.wanted_for(user, self.settings)) for user in users]
        self.known.vault_users = self._parts(IN_VAULT, wanted, note)
        self.known.members |= self._members(sorted(losing - self.known.members.keys()))

    # ── Users ────────────────────────────────────────────────────────────────────────────────────

    def _users(
        self, name: str, candidates: Sequence[Candidate], note: Callable[[Candidate, Known], None]
    ) -> KnownUsers:
        by_id = {each.crm_id: each for each in candidates}
        wanted = [(each.crm_id, each.wanted) for each in candidates]
        return self._parts(name, wanted, lambda crm_id, known: note(by_id[crm_id], known))

    def _parts(
        self, name: str, wanted: Sequence[tuple[str, Wanted]], note: Callable[[str, Known], None]
    ) -> KnownUsers:
        return users_known(self.roster, self._organization, self.parts, name, wanted, note)

    # ── Who may be let in, or served ─────────────────────────────────────────────────────────────

    def _look_who_waits(self, foreseen: Foreseen, gathered: Mapping[str, object]) -> None:
        """Read who waits for a match key that may become free, and was not read, as it is now (A14)."""
        keys = sorted(foreseen.keys)
        links = self.roster.waiting(self._organization, keys) if keys else []
        others = {link.crm_id: link for link in links if link.crm_id not in gathered}
        if not others:
            return
        waiting = []
        for change in self.read_again(list(others)):
            link = others[change.crm_id]
            source = read_again_version(change.fields, self.now, link.source or "")
            waiting.append(Waiting(replace(change, source=source), link.match_keys))
        self.known.waiting = waiting
        candidates = [candidate(each.change, self.settings) for each in waiting]
        self.known.waiting_users = self._users(WAITING, candidates, foreseen.add_unlinked)

    def _look_at_lines(self, foreseen: Foreseen) -> None:
        """Read as much of the line for a seat as may be served, and who is in it."""
        known = self.known
        for seat in self.settings.seats:
            pool = known.pools.get(seat, Pool())
            free = seats.free(seat, self.settings, known.pools) + foreseen.freed[seat]
            served = int(min(free, pool.waiting))
            if not served:
                continue
            # Those who are decided about anyway may leave the line.
            standing = foreseen.standing[seat]
            line = self.roster.line(self._organization, seat, served + len(standing))
            known.lines[seat] = line
            others = [member for member in line if member not in standing][:served]
            known.members |= self._members([each for each in others if each not in known.members])

    def _members(self, members: Iterable[str]) -> dict[str, Member]:
        return members_named(self.roster, self._organization, members)

    @property
    def _organization(self) -> str:
        return self.settings.organization


def users_known(
    roster: Roster,
    organization: str,
    parts: Parts,
    name: str,
    wanted: Sequence[tuple[str, Wanted]],
    note: Callable[[str, Known], None],
) -> KnownUsers:
    """Return what the roster knows of these users, all different, and keep it in parts of that name.

    `note` is told of each. Raises `Unavailable`.
    """
    users = KnownUsers()
    for number, some in enumerate(batched(wanted, USERS_A_PART, strict=False), 1):
        found: dict[str, Known] = {}
        for few in batched(some, LOOKED_UP_AT_ONCE, strict=False):
            found |= roster.gather(organization, dict(few))
        for user, known in found.items():
            note(user, known)
        users.parts.append(part_of(found))
        parts.put(name, number, users.parts[-1])
    return users


def members_named(roster: Roster, organization: str, members: Iterable[str]) -> dict[str, Member]:
    """Return those of these members (ids) that there are; raises `Unavailable`."""
    found: dict[str, Member] = {}
    for some in batched(members, LOOKED_UP_AT_ONCE, strict=False):
        found |= roster.members(organization, some)
    return found


def _members_due(roster: Roster, settings: Settings, now: datetime) -> dict[str, Member]:
    """Return the members whose end date or status has them evaluated again, by CRM id (A16).

    The index lists candidates, the member decides. Raises `Unavailable`.
    """
    organization, day = settings.organization, end_dates.today(now, settings.time_zone)
    # What earlier versions stored has no more than the day, which only an end date gives.
    names = [
        name for name, due in roster.due(organization, day) if end_dates.EVALUATION in due.what or due.since
    ]
    found: dict[str, Member] = {}
    for some in batched(names, LOOKED_UP_AT_ONCE, strict=False):
        for member in roster.members(organization, some).values():
            since, crm_id = end_dates.evaluated_from(member), member.crm.get(CONNECTION, {}).get("id")
            if crm_id and since is not None and since <= day.isoformat():
                found[crm_id] = member
    return found
