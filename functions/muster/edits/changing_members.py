"""Members changed by hand, many in one call: each change is judged and written by itself.

Shared by `editing_members` and `requesting_groups`. A refused change does not hold up the others. The same
call again changes nothing, so after a fault it can be sent again as it was. Members are looked up in a few
batches, however many changes name them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected
from muster.roster.counting_seats import SeatCount
from muster.roster.decisions import Decision, Outcome, Wanted
from muster.roster.finding import find
from muster.roster.links import keys_named, keys_of
from muster.roster.member import Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.retrying_writes import write_until_it_holds
from muster.roster.seats import Pools
from muster.settings import Settings

_OVERTAKEN = Problem("member", "is being changed by others all the time", "Send it again.")


@dataclass(slots=True)
class Members:
    """The members of one organization that a call is about, as they are now; `now` is aware.

    With `preview` nothing is written: they are as they would be.
    """

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    preview: bool = False
    _ids: dict[str, str] = field(default_factory=dict)
    _members: dict[str, Member] = field(default_factory=dict)
    _seats: SeatCount = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no seats counted."""
        self._seats = SeatCount(self.settings, self.roster)

    def change[Details](self, decide: Callable[[], tuple[Decision, Details]]) -> tuple[Decision, Details]:
        """Write what `decide` decides and return its answer; it decides again when others wrote meanwhile.

        Raises `Rejected` as `decide` does, and when others write again and again.
        """
        answers: list[tuple[Decision, Details]] = []

        def decide_again(keys: Sequence[None]) -> dict[None, Decision]:
            answers.append(decide())
            decision, _ = answers[-1]
            return {} if decision.outcome is Outcome.UNCHANGED else dict.fromkeys(keys, decision)

        _, overtaken = write_until_it_holds([None], decide_again, self._write)
        if overtaken:
            raise Rejected(_OVERTAKEN)
        return answers[-1]

    def find(self, reference: str, where: str = "member") -> Member:
        """Return the member that a reference names; raises `Rejected` for the place `where`."""
        if reference in self._ids and (member := self.by_id(self._ids[reference])):
            return member
        try:
            member = find(self.views, self.settings.organization, reference)
        except Rejected as error:
            raise Rejected(*(replace(problem, where=where) for problem in error.problems)) from error
        self._ids[reference] = member.id
        self._members[member.id] = member
        return member

    def __getitem__(self, member: str) -> Member:
        """Return a member (id) that was found before, as it is now."""
        return self._members[member]

    def by_id(self, member: str | None) -> Member | None:
        """Return the member of that id, if there is one."""
        if member and member not in self._members:
            self.read({member})
        return self._members.get(member) if member else None

    def read(self, members: Iterable[str]) -> None:
        """Read these members (ids) again."""
        self._members |= self.roster.members(self.settings.organization, members)

    def id_of(self, reference: str) -> str | None:
        """Return the id of the member that a reference names, if it was looked up and is not ambiguous."""
        return self._ids.get(reference)

    def forget(self) -> None:
        """Keep no member in memory; how many of each seat are taken is still known."""
        self._ids.clear()
        self._members.clear()

    def pools(self) -> Pools:
        """Return how many of each seat are taken."""
        return self._seats.pools()

    def count_again(self) -> None:
        """Read anew how many of each seat are taken, for others have been given some."""
        self._seats.forget()

    def look_up(self, references: Iterable[str]) -> None:
        """Look up these references in batches; ambiguous ones are left for `find`, one by one."""
        organization = self.settings.organization
        crm_ids, addresses, ids = _by_kind(references)
        known = self.roster.gather(organization, dict.fromkeys(crm_ids.values(), Wanted()))
        keys = {reference: keys_named(reference.strip()) for reference in addresses}
        holders = self.views.matching(organization, tuple({key for each in keys.values() for key in each}))
        self.read({*holders, *ids.values()})
        self._ids |= {reference: name for reference, name in ids.items() if name in self._members}
        for reference, crm_id in crm_ids.items():
            if member := known[crm_id].member:
                self._members[member.id] = member
                self._ids[reference] = member.id
        by_key: dict[str, set[str]] = {}
        for name in holders:
            for key in keys_of(self._members.get(name)):
                by_key.setdefault(key, set()).add(name)
        for reference, wanted in keys.items():
            named = set[str]().union(*(by_key.get(key, ()) for key in wanted))
            named = {name for name in named if self._members[name].active} or named
            if len(named) == 1:
                self._ids[reference] = named.pop()

    def _write(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Write decisions, remember the members as they then are, and return the void ones."""
        return [decision for decision in decisions if not self._is_written(decision)]

    def _is_written(self, decision: Decision) -> bool:
        if decision.after is None:
            return True
        written = replace(decision.after, revision=decision.after.revision + 1)
        if self.preview or not self.roster.write(
            self.settings.organization, [decision], self.now.timestamp()
        ):
            self._seats.count(decision)
            self._members[written.id] = written
            return True
        # A seat may have run out, or it was our own first try, the answer to which was lost.
        self._seats.forget()
        self.read({written.id, *(each.id for each in decision.unchanged)})
        return self._members.get(written.id) == written


def each_by_itself[Request, Result](
    requests: Mapping[int, Request], handle: Callable[[int, Request], Result]
) -> tuple[dict[int, Result], dict[int, Rejected]]:
    """Handle each request by itself; return the results, and the reasons of the refused, by place."""
    done: dict[int, Result] = {}
    refused: dict[int, Rejected] = {}
    for place, each in requests.items():
        try:
            done[place] = handle(place, each)
        except Rejected as error:
            refused[place] = error
    return done, refused


def _by_kind(references: Iterable[str]) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the references by kind, as `finding.find` reads them: by CRM id, by match key, by member id."""
    crm_ids: dict[str, str] = {}
    addresses: list[str] = []
    ids: dict[str, str] = {}
    for reference in dict.fromkeys(references):
        name = reference.strip()
        if salesforce_ids.is_valid(name):
            crm_ids[reference] = salesforce_ids.to_18(name)
        elif keys_named(name):
            addresses.append(reference)
        elif name:
            ids[reference] = name
    return crm_ids, addresses, ids
