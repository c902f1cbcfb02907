"""Members edited by hand: each change is judged and written by itself (A11)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import batched

from muster.edits import account_edits, answers, csv_lines, member_edits
from muster.edits.answers import Done, answer
from muster.edits.carrying_out_lines import CHUNK, RESERVE_S, Part, Work, carry_out_lines
from muster.edits.changing_members import Members, each_by_itself
from muster.edits.member_edits import MOST_LEVELS, Edit, Editor, Others
from muster.errors import Problem, Rejected
from muster.insight.querying_members import lines_for
from muster.insight.seat_explanations import Lines, with_places
from muster.provisioning.adoption import Word
from muster.roster import seats
from muster.roster.decisions import Decision
from muster.roster.finding import find
from muster.roster.history import FieldChange
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.serving_seat_lines import SeatLineServer
from muster.settings import Settings


@dataclass(frozen=True, slots=True)
class _Made:
    """One change that was made: the member's id, and what to report."""

    edit: Edit
    member: str
    changed: tuple[FieldChange, ...]
    notes: list[str]


@dataclass(slots=True)
class EditingMembers:
    """Edits the members of one organization; `now` is aware, `run` goes into the history: who called when.

    So does `why`. With `preview` nothing is written, and the answer is what it would be.
    """

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    run: str
    preview: bool = False
    why: str | None = None
    _members: Members = field(init=False)
    # Who has adopted which account (app, id there) in this call, which in a preview is nowhere else.
    _adopted: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Begin with nobody looked up."""
        self._members = Members(self.settings, self.roster, self.views, self.now, self.preview)

    def edit(
        self, changes: Sequence[object], by: str, *, as_manager: bool = False, called: str = "changes"
    ) -> Json:
        """Make these changes in order and return the answer: `{status, message, run, results, errors}`.

        Each is a `member_edits.Edit` as it was sent; `called` is what the event calls them. Raises
        `Rejected` if `by` may edit nobody, and `Unavailable` where the table is down: changes made before
        that stay made.
        """
        editor = self._manager(by) if as_manager else Editor(by)
        edits, unreadable = each_by_itself(
            dict(enumerate(changes)), lambda _, change: member_edits.read(change)
        )
        self._members.look_up([each for edit in edits.values() for each in _named(edit)])
        done = self._edit(edits, editor)
        done = replace(done, refused={**unreadable, **done.refused})
        return answer(called, done, self.run, preview=self.preview)

    def edit_lines(self, text: str, by: str, part: Part, *, as_manager: bool = False) -> Json:
        """Make the changes of a CSV file and return the answer; raises as `edit` does."""
        editor = self._manager(by) if as_manager else Editor(by)
        lines = csv_lines.read(text, member_edits.COLUMNS)
        work = Work(member_edits.read, _named, lambda _: None, lambda edits: self._edit(edits, editor))
        return carry_out_lines(lines, work, self._members, self.run, part)

    def edit_accounts(self, said: Mapping[str, Word], state: str, by: str, part: Part) -> Json:
        """Say this of all accounts in these apps that stand so, and return the answer; raises as `edit` does.

        `state` is one of `account_edits.STATES`. For whom the time is up, the same call again is for.
        """
        everyone = self.views.everyone(self.settings.organization, None)
        about = ((member, account_edits.about(member, said, state)) for member in everyone)
        found = sorted(
            (member.name or "", member.email or member.username or member.id, member.id, words)
            for member, words in about
            if words
        )
        places = {number: f"{name} ({address})" for number, (name, address, *_) in enumerate(found)}
        edits = {
            number: Edit(member=name, accounts=dict(words)) for number, (*_, name, words) in enumerate(found)
        }
        done = Done({}, frozenset(), {})
        for some in batched(edits, CHUNK, strict=False):
            if done.is_anything and part.time_left() < RESERVE_S:
                break
            self._members.forget()
            self._members.look_up(edits[number].member for number in some)
            done = done.and_of(self._edit({number: edits[number] for number in some}, Editor(by)))
        return answers.of_accounts(places, done, self.run, account_edits.described(said, state), self.preview)

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

    def _edit(self, edits: Mapping[int, Edit], editor: Editor) -> Done:
        """Make these changes, of members who were looked up."""
        made, refused = each_by_itself(edits, lambda _, edit: self._make(edit, editor))
        if not self.preview and any(
            "seats" in each.edit.requested or self._is_closed(each) for each in made.values()
        ):
            self._serve_lines([each.member for each in made.values()])
        lines = lines_for(
            self.roster, self.settings.organization, [self._members[each.member] for each in made.values()]
        )
        results = {place: self._result(each, lines) for place, each in made.items()}
        return Done(results, frozenset(place for place, each in made.items() if each.changed), refused)

    def _make(self, edit: Edit, editor: Editor) -> _Made:
        """Make one change; raises `Rejected`."""

        def decide() -> tuple[Decision, tuple[Member, list[str]]]:
            member = self._members.find(edit.member)
            others = Others(self._above(edit, member), self._taken(edit, member))
            decision, notes = member_edits.decide(
                member, edit, editor, others, self.settings, self._members.pools(), self.now, self.run
            )
            if decision.history and self.why:
                decision = replace(decision, history=replace(decision.history, why=self.why))
            return decision, (member, notes)

        decision, (member, notes) = self._members.change(decide)
        self._adopted |= dict.fromkeys(account_edits.adopting(member, edit.accounts), member.id)
        return _Made(edit, member.id, decision.history.changes if decision.history else (), notes)

    def _above(self, edit: Edit, member: Member) -> list[Member]:
        """Return the manager that the edit names and those above, for `member_edits.decide`."""
        if edit.manager is None or not self.settings.ignore_organizational_structure:
            return []
        chain = [self._members.find(edit.manager, "manager")]
        while len(chain) <= MOST_LEVELS and chain[-1].id != member.id:
            following = self._members.by_id(chain[-1].manager)
            if following is None or following in chain:
                break
            chain.append(following)
        return chain

    def _taken(self, edit: Edit, member: Member) -> dict[tuple[str, str], str]:
        """Return to whom the accounts are linked that the edit would adopt."""
        found = {}
        for app, account in account_edits.adopting(member, edit.accounts):
            there = self.roster.account_members(self.settings.organization, app, [account])
            if holder := there.get(account) or self._adopted.get((app, account)):
                found[app, account] = holder
        return found

    def _is_closed(self, done: _Made) -> bool:
        """Whether the change closes the member, now or when the same call was made before (A16)."""
        edited = {"crm_user_status", "end_date"} & {*done.edit.requested}
        return bool(edited) and not self._members[done.member].active

    def _serve_lines(self, touched: Iterable[str]) -> None:
        """Give freed seats to the first in line, and read the edited members who wait again."""
        SeatLineServer(self.settings, self.roster, self.now).serve_lines(self.run)
        self._members.count_again()
        self._members.read({name for name in touched if not _holds_all(self._members[name])})

    def _result(self, done: _Made, lines: Lines) -> Json:
        member = self._members[done.member]
        notes = [*done.notes, *member_edits.remarks(member, done.edit)]
        return {
            "member": member.id,
            "name": member.name,
            "changed": [asdict(change) for change in done.changed],
            "seats": with_places(member, lines)["seats"],
            **({"note": " ".join(notes)} if notes else {}),
        }


def _named(edit: Edit) -> list[str]:
    """Return the members that an edit names, the one that it is about first."""
    return [each for each in (edit.member, edit.manager) if each]


def _holds_all(member: Member) -> bool:
    return seats.held(member.seats) == member.seats.keys()
