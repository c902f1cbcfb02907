"""Members edited by hand: each change judged by itself, written whole, and told about (A11).

Good changes go on when others are refused. The same call again changes nothing, so after a fault it
is sent again as it was. Members are looked up in a few batches, however many changes name them.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from muster import member_edits, salesforce_ids, seats
from muster.decisions import Decision, Outcome, Wanted, keys_of, match_keys
from muster.errors import Problem, Rejected
from muster.explaining_seats import Lines, with_places
from muster.member_edits import MOST_LEVELS, Edit, Editor
from muster.model import FieldChange, Json, Member
from muster.querying import RosterViews, find, lines_for
from muster.seats import Pools
from muster.settings import Settings
from muster.settling import ATTEMPTS, Roster, Settling

_OVERTAKEN = Problem("member", "is being changed by others all the time", "Send the change again.")


@dataclass(frozen=True, slots=True)
class _Done:
    """One change that went well: its place, the member's id, and what to tell."""

    place: int
    edit: Edit
    member: str
    changed: tuple[FieldChange, ...]
    notes: list[str]


@dataclass(slots=True)
class Editing:
    """Edits the members of one organization; `now` is aware."""

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    run: str = field(default_factory=lambda: f"edit:{secrets.token_hex(6)}")
    _ids: dict[str, str] = field(default_factory=dict)
    _members: dict[str, Member] = field(default_factory=dict)
    _pools: Pools | None = None

    def edit(self, changes: Sequence[object], by: str, *, as_manager: bool = False) -> Json:
        """Make these changes in order and return the answer: `{status, message, run, results, errors}`.

        Each is a `member_edits.Edit` as it was sent. Raises `Rejected` where whoever asks may edit
        nobody, and `Unavailable` where the table is down: what was done by then is done.
        """
        editor = self._manager(by) if as_manager else Editor(by)
        edits: dict[int, Edit] = {}
        refused: dict[int, Rejected] = {}
        for place, change in enumerate(changes):
            try:
                edits[place] = member_edits.read(change)
            except Rejected as error:
                refused[place] = error
        self._look_up([each for edit in edits.values() for each in (edit.member, edit.manager) if each])
        done: list[_Done] = []
        for place, edit in edits.items():
            try:
                done.append(self._make(place, edit, editor))
            except Rejected as error:
                refused[place] = error
        if any("seats" in each.edit.asked for each in done):
            self._serve_lines([each.member for each in done])
        return self._answer(done, refused)

    def _manager(self, by: str) -> Editor:
        """Return the editor that a manager is; raises `Rejected` (A10)."""
        if not self.settings.managers.may_toggle_capture:
            remedy = "An admin switches managers.may_toggle_capture on in the settings."
            raise Rejected(Problem("as", "is manager, but managers may not switch data capture", remedy))
        try:
            manager = find(self.views, self.settings.organization, by)
        except Rejected as error:
            raise Rejected(*(replace(problem, where="by") for problem in error.problems)) from error
        if not manager.active:
            raise Rejected(Problem("by", "is not an active member", "Ask an admin."))
        return Editor(by, manager.id)

    def _make(self, place: int, edit: Edit, editor: Editor) -> _Done:
        """Make one change, decided again as often as others write meanwhile; raises `Rejected`."""
        for _ in range(ATTEMPTS):
            member = self._find(edit.member, "member")
            above = self._above(edit, member)
            decision, notes = member_edits.decide(
                member, edit, editor, above, self.settings, self._taken(), self.now, self.run
            )
            if decision.outcome is Outcome.UNCHANGED or self._write(decision):
                changed = decision.history.changes if decision.history else ()
                return _Done(place, edit, member.id, changed, notes)
            self._read({each.id for each in above})
        raise Rejected(_OVERTAKEN)

    def _above(self, edit: Edit, member: Member) -> list[Member]:
        """Return the manager that the edit names and those above, as `member_edits.decide` wants them."""
        if edit.manager is None or not self.settings.ignore_organizational_structure:
            return []
        chain = [self._find(edit.manager, "manager")]
        while len(chain) <= MOST_LEVELS and chain[-1].id != member.id:
            following = self._by_id(chain[-1].manager)
            if following is None or following in chain:
                break
            chain.append(following)
        return chain

    def _write(self, decision: Decision) -> bool:
        """Write a decision and remember the member as it then is; `False`: decide again."""
        if decision.after is None:
            return True
        organization, before = self.settings.organization, decision.before
        written = replace(decision.after, revision=decision.after.revision + 1)
        void = self.roster.write(organization, [decision], self.now.timestamp())
        if not void:
            moves = seats.moves(before.seats if before else {}, written.seats)
            self._pools = seats.moved(self._taken(), moves)
            self._members[written.id] = written
            return True
        # A seat may have run out, or it was our own first try, the answer to which was lost.
        self._pools = None
        self._read({written.id})
        return self._members.get(written.id) == written

    def _serve_lines(self, touched: Iterable[str]) -> None:
        """Give seats that have become free to who waits for them, and look again at who was edited."""
        Settling(self.settings, self.roster, self.now).serve_lines(self.run)
        self._read({name for name in touched if not _holds_all(self._members[name])})

    def _taken(self) -> Pools:
        if self._pools is None:
            names = list(self.settings.seats)
            self._pools = self.roster.pools(self.settings.organization, names) if names else {}
        return self._pools

    def _find(self, reference: str, where: str) -> Member:
        """Return the member that a reference names; raises `Rejected`."""
        if reference in self._ids and (member := self._by_id(self._ids[reference])):
            return member
        try:
            member = find(self.views, self.settings.organization, reference)
        except Rejected as error:
            raise Rejected(*(replace(problem, where=where) for problem in error.problems)) from error
        self._ids[reference] = member.id
        self._members[member.id] = member
        return member

    def _by_id(self, member: str | None) -> Member | None:
        if member and member not in self._members:
            self._read({member})
        return self._members.get(member) if member else None

    def _read(self, members: Iterable[str]) -> None:
        self._members |= self.roster.members(self.settings.organization, members)

    def _look_up(self, references: Iterable[str]) -> None:
        """Remember whom these references name, where that is plain; the others are looked up one by one."""
        organization = self.settings.organization
        crm_ids, addresses, ids = _sorted(references)
        known = self.roster.gather(organization, dict.fromkeys(crm_ids.values(), Wanted()))
        keys = {reference: match_keys(reference.strip(), reference.strip()) for reference in addresses}
        holders = self.views.matching(organization, tuple({key for each in keys.values() for key in each}))
        self._read({*holders, *ids.values()})
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

    def _answer(self, done: Sequence[_Done], refused: Mapping[int, Rejected]) -> Json:
        changed = sum(bool(each.changed) for each in done)
        lines = lines_for(
            self.roster, self.settings.organization, [self._members[each.member] for each in done]
        )
        errors = [problem for place in sorted(refused) for problem in _at(place, refused[place])]
        status = "succeeded_with_errors" if errors else "succeeded"
        return {
            "status": status if done else "rejected",
            "message": _message(changed, len(done) - changed, len(refused), errors),
            "run": self.run,
            "results": [self._result(each, lines) for each in done],
            "errors": [asdict(problem) for problem in errors],
        }

    def _result(self, done: _Done, lines: Lines) -> Json:
        member = self._members[done.member]
        notes = [*done.notes, *member_edits.remarks(member, done.edit)]
        return {
            "where": f"changes[{done.place}]",
            "member": member.id,
            "changed": [asdict(change) for change in done.changed],
            "seats": with_places(member, lines)["seats"],
            **({"note": " ".join(notes)} if notes else {}),
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
        elif "@" in name:
            addresses.append(reference)
        elif name:
            ids[reference] = name
    return crm_ids, addresses, ids


def _holds_all(member: Member) -> bool:
    return seats.held(member.seats) == member.seats.keys()


def _at(place: int, error: Rejected) -> list[Problem]:
    """Return the problems of one change, each with its place in the event."""
    return [
        replace(
            problem, where=f"changes[{place}]{'' if problem.where[:1] in ('', '[') else '.'}{problem.where}"
        )
        for problem in error.problems
    ]


def _message(changed: int, same: int, refused: int, errors: Sequence[Problem]) -> str:
    if not changed and not same and len(errors) == 1:
        return f"{errors[0].where} {errors[0].message}."
    parts = [f"{changed} {'change was' if changed == 1 else 'changes were'} made"]
    parts += [f"{same} said what is so already"] if same else []
    parts += [f"{refused} {'was' if refused == 1 else 'were'} refused"] if refused else []
    return f"{', '.join(parts)}."
