"""Members changed by hand, many in one call: each change judged by itself, written whole, told about.

What `editing` and `assigning` share. Good changes go on when others are refused. The same call again
changes nothing, so after a fault it is sent again as it was. Members are looked up in a few batches,
however many changes name them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected
from muster.roster import seats
from muster.roster.decisions import Decision, Outcome, Wanted
from muster.roster.finding import find
from muster.roster.links import keys_named, keys_of
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.seats import Pools
from muster.roster.settling import ATTEMPTS
from muster.settings import Settings

_OVERTAKEN = Problem("member", "is being changed by others all the time", "Send it again.")


@dataclass(slots=True)
class Members:
    """The members of one organization that one call is about, as they are by now; `now` is aware."""

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    _ids: dict[str, str] = field(default_factory=dict)
    _members: dict[str, Member] = field(default_factory=dict)
    _pools: Pools | None = None

    def change[Told](self, decide: Callable[[], tuple[Decision, Told]]) -> tuple[Decision, Told]:
        """Return what was decided, and told about it, once it is written.

        Decided again as often as others write meanwhile. Raises `Rejected` as `decide` does, and where
        there is no end to that.
        """
        for _ in range(ATTEMPTS):
            decision, told = decide()
            if decision.outcome is Outcome.UNCHANGED or self._write(decision):
                return decision, told
        raise Rejected(_OVERTAKEN)

    def find(self, reference: str, where: str = "member") -> Member:
        """Return the member that a reference names; raises `Rejected`, which names the place `where`."""
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
        """Return a member (id) that was found before, as it is by now."""
        return self._members[member]

    def by_id(self, member: str | None) -> Member | None:
        """Return the member of that id."""
        if member and member not in self._members:
            self.read({member})
        return self._members.get(member) if member else None

    def read(self, members: Iterable[str]) -> None:
        """Look at these members (ids) anew."""
        self._members |= self.roster.members(self.settings.organization, members)

    def pools(self) -> Pools:
        """Return how many of each seat are taken."""
        if self._pools is None:
            names = list(self.settings.seats)
            self._pools = self.roster.pools(self.settings.organization, names) if names else {}
        return self._pools

    def look_up(self, references: Iterable[str]) -> None:
        """Remember whom these references name, where that is plain; the others are looked up one by one."""
        organization = self.settings.organization
        crm_ids, addresses, ids = _sorted(references)
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

    def _write(self, decision: Decision) -> bool:
        """Write a decision and remember the member as it then is; `False`: decide again."""
        if decision.after is None:
            return True
        before = decision.before
        written = replace(decision.after, revision=decision.after.revision + 1)
        void = self.roster.write(self.settings.organization, [decision], self.now.timestamp())
        if not void:
            moves = seats.moves(before.seats if before else {}, written.seats)
            self._pools = seats.moved(self._pools, moves) if self._pools is not None else None
            self._members[written.id] = written
            return True
        # A seat may have run out, or it was our own first try, the answer to which was lost.
        self._pools = None
        self.read({written.id, *(each.id for each in decision.unchanged)})
        return self._members.get(written.id) == written


def judged[Asked, Done](
    asked: Mapping[int, Asked], judge: Callable[[int, Asked], Done]
) -> tuple[dict[int, Done], dict[int, Rejected]]:
    """Return what came of each thing asked for, by its place, and why the others were refused."""
    done: dict[int, Done] = {}
    refused: dict[int, Rejected] = {}
    for place, each in asked.items():
        try:
            done[place] = judge(place, each)
        except Rejected as error:
            refused[place] = error
    return done, refused


def answer(
    name: str, results: Sequence[Json], changed: int, refused: Mapping[int, Rejected], run: str
) -> Json:
    """Return the answer to a call: `{status, message, run, results, errors}`.

    `name` is the event's list, `changed` how many results have changed something.
    """
    errors = [problem for place in sorted(refused) for problem in _at(f"{name}[{place}]", refused[place])]
    status = "succeeded_with_errors" if errors else "succeeded"
    return {
        "status": status if results else "rejected",
        "message": _message(changed, len(results) - changed, len(refused), errors),
        "run": run,
        "results": list(results),
        "errors": [asdict(problem) for problem in errors],
    }


def _sorted(references: Iterable[str]) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """Return the references by kind, as `querying.find` reads them: to CRM ids, addresses, to member ids."""
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


def _at(place: str, error: Rejected) -> list[Problem]:
    """Return the problems of one change, each with its place in the event."""
    return [
        replace(problem, where=f"{place}{'' if problem.where[:1] in ('', '[') else '.'}{problem.where}")
        for problem in error.problems
    ]


def _message(changed: int, same: int, refused: int, errors: Sequence[Problem]) -> str:
    if not changed and not same and len(errors) == 1:
        return f"{errors[0].where} {errors[0].message}."
    parts = [f"{changed} {'change was' if changed == 1 else 'changes were'} made"]
    parts += [f"{same} said what is so already"] if same else []
    parts += [f"{refused} {'was' if refused == 1 else 'were'} refused"] if refused else []
    return f"{', '.join(parts)}."
