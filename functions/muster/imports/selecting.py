"""Selects the users whom an import has to decide about, of all that were read (I1, I9, A10). Pure.

Reading keeps the rows of users who are new, changed or due. Where everyone was read, selecting drops users
who are not in the roster and do not belong there, and adds members whose fields are the same but whose
assignments or manager have changed; their rows are in the run archive.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from muster.crm.pages import read_salesforce_page
from muster.errors import Problem
from muster.imports.ordering import Candidate, in_order
from muster.roster import manager_hierarchy
from muster.roster.eligibility import Verdict, evaluate, fields_judged
from muster.settings import Settings
from muster.settings.assignment_order import unfiltered
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.salesforce_users import digest, fields_of
from muster.sources.samples import Sample


@dataclass(slots=True)
class Selected:
    """Who is decided about, in order, and who cannot be: `problems`, by CRM id.

    `states` are those in the roster's index, by CRM id, where everyone was read. `idle` says of users who are
    unchanged, active in Salesforce and no active members what keeps them out, if it is in Salesforce.
    """

    gathered: Gathered
    states: Mapping[str, MemberState]
    candidates: list[Candidate]
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    idle: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def everyone(self) -> bool:
        """Whether everyone was read."""
        return bool(self.gathered.managers)


def select(
    gathered: Gathered,
    states: Mapping[str, MemberState],
    settings: Settings,
    now: datetime,
    run: str,
    pages: Callable[[], Iterable[bytes]],
) -> Selected:
    """Return who is decided about; `now` is when gathering began, `run` is for the history.

    In `gathered`, where everyone was read, rows are dropped and added, and loops of managers and depths
    noted. `pages` are those of the users in the run archive.
    """
    verdicts = _narrowed(gathered, states, settings, pages) if gathered.managers else {}
    candidates, problems = in_order(gathered, verdicts, settings, now, run)
    return Selected(gathered, states, candidates, problems, _idle(gathered, settings))


def _narrowed(
    gathered: Gathered,
    states: Mapping[str, MemberState],
    settings: Settings,
    pages: Callable[[], Iterable[bytes]],
) -> dict[str, Verdict]:
    """Leave in `gathered` the rows to decide about; returns what was found about those who are new."""
    managed = {crm_id: manager for crm_id, manager in gathered.managers.items() if manager}
    gathered.loops = tuple(manager_hierarchy.loops(managed))
    verdicts = _drop_outsiders(gathered, states, settings)
    if moved := _moved(gathered, states, settings):
        for body in pages():
            for row in read_salesforce_page(body).records:
                if row["Id"] in moved:
                    gathered.keep(row, gathered.digests[row["Id"]])
    gathered.depths = manager_hierarchy.depths(
        {crm_id: gathered.managers[crm_id] for crm_id in gathered.rows}
    )
    return verdicts


def _drop_outsiders(
    gathered: Gathered, states: Mapping[str, MemberState], settings: Settings
) -> dict[str, Verdict]:
    """Drop users who are not in the roster and do not belong there; they are counted by reason."""
    names = fields_judged(settings)
    everyone = unfiltered(settings)
    verdicts = {}
    for crm_id in [each for each in gathered.rows if each not in states and each not in gathered.heirs]:
        matches = gathered.matches.get(crm_id, frozenset[str]()) | everyone
        fields, frozen = fields_of(gathered.rows[crm_id], names), gathered.is_frozen(crm_id)
        verdict = evaluate(fields, matches, settings, frozen=frozen)
        if verdict.reason:
            gathered.outside.setdefault(verdict.reason, Sample()).add(gathered.rows.pop(crm_id))
        else:
            verdicts[crm_id] = verdict
    return verdicts


def _moved(gathered: Gathered, states: Mapping[str, MemberState], settings: Settings) -> set[str]:
    """Return the members whose fields are the same but whose matches, manager or freezing have changed."""
    everyone = unfiltered(settings)
    looped = {crm_id for loop in gathered.loops or () for crm_id in loop}
    ignored = settings.ignore_organizational_structure

    @cache
    def suffix(matches: frozenset[str], manager: str | None, frozen: bool) -> str:
        return digest("-", matches | everyone, manager, frozen=frozen)[1:]

    none = frozenset[str]()
    moved = set()
    for crm_id, of_fields in gathered.digests.items():
        above = None if ignored or crm_id in looped else gathered.managers[crm_id]
        state = states.get(above) if above else None
        manager = state.member if state and state.active else None
        frozen = bool(gathered.is_frozen(crm_id))
        expected = of_fields + suffix(gathered.matches.get(crm_id, none), manager, frozen)
        # A manager whose row was kept may be about to join or to leave.
        if expected != states[crm_id].digest or (above and above in gathered.rows):
            moved.add(crm_id)
    return moved


def _idle(gathered: Gathered, settings: Settings) -> dict[str, str | None]:
    """Return why users who are unchanged and no active members do not belong; `None`: for no such reason."""
    everyone, names = unfiltered(settings), fields_judged(settings)
    reasons: dict[str, str | None] = {}
    for crm_id, row in gathered.idle.items():
        if crm_id not in gathered.rows:
            matches = gathered.matches.get(crm_id, frozenset[str]()) | everyone
            frozen = gathered.is_frozen(crm_id)
            reasons[crm_id] = evaluate(fields_of(row, names), matches, settings, frozen=frozen).reason
    return reasons
