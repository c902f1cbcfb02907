"""Users to decide about, each mapped, judged and digested once, in the order of deciding (I1, A9, A10).

Leavers come first, so that their seats are free for the others. Then, if seats are limited, users go by
rank of their assignment, and managers before their reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from muster.errors import Problem, Rejected
from muster.roster import eligibility, salesforce_lifecycle, seats
from muster.roster.decisions import Known, Wanted
from muster.roster.eligibility import Verdict, evaluate
from muster.settings import Settings, assignment_order
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from muster.sources.newest_changes import read_version
from muster.sources.salesforce_users import change_of
from muster.sources.user_changes import UserChange
from muster.times import timestamp


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user to decide about: its change, whether it belongs in the roster, and what is to be looked up.

    `is_judged` says that the verdict holds whatever the user's member has.
    """

    change: UserChange
    verdict: Verdict
    wanted: Wanted
    is_judged: bool

    @property
    def crm_id(self) -> str:
        """The user's id in Salesforce."""
        return self.change.crm_id

    def verdict_with(self, known: Known, settings: Settings) -> Verdict:
        """Return the verdict, now that the user's member is known."""
        if self.is_judged or known.member is None:
            return self.verdict
        return salesforce_lifecycle.judged(self.change, known.member, settings)


def candidate(change: UserChange, settings: Settings, verdict: Verdict | None = None) -> Candidate:
    """Return a user to decide about; `verdict` is that of `evaluate` without a member, where it is known."""
    if verdict is None:
        verdict = evaluate(change.fields, change.matches, settings, frozen=change.frozen)
    is_judged = change.frozen is not None and eligibility.is_judged_by_salesforce(settings)
    return Candidate(change, verdict, salesforce_lifecycle.wanted_for(change, settings), is_judged)


def in_order(
    gathered: Gathered, verdicts: Mapping[str, Verdict], settings: Settings, now: datetime, run: str
) -> tuple[list[Candidate], list[tuple[str, Problem]]]:
    """Return the users to decide about, in order, and those who cannot be (by CRM id).

    `verdicts` are those that selecting has found.
    """
    names = fields_to_read(settings)
    contested = bool(seats.limits(settings))
    problems = []
    keyed = []
    for crm_id, row in gathered.rows.items():
        matches = gathered.matches.get(crm_id, frozenset[str]())
        try:
            change = change_of(row, names, matches, settings, now, run, gathered.sums.get(crm_id))
        except Rejected as error:
            problems.append((crm_id, error.problems[0]))
            continue
        change = replace(
            change,
            in_loop=gathered.in_loop(crm_id),
            frozen=gathered.is_frozen(crm_id),
            succeeds=gathered.heirs.get(crm_id),
        )
        each = candidate(change, settings, verdicts.get(crm_id))
        leaves_first = each.verdict.reason is None and crm_id not in gathered.leaving
        rank = assignment_order.rank(each.verdict.assignment, settings) if contested else 0
        keyed.append(((leaves_first, rank, gathered.depths.get(crm_id, 0), crm_id), each))
    keyed += [
        ((False, 0, 0, crm_id), candidate(_gone(crm_id, now, run), settings)) for crm_id in gathered.gone
    ]
    return [each for _, each in sorted(keyed, key=lambda pair: pair[0])], problems


def _gone(crm_id: str, now: datetime, run: str) -> UserChange:
    """Return the change of who is not in the Salesforce org that is connected now: is as if deactivated."""
    fields = {"Id": crm_id, "IsActive": "false", "SystemModstamp": timestamp(now)}
    return UserChange(crm_id=crm_id, fields=fields, source=read_version(fields, now), run=run)
