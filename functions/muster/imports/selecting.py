"""Selects the users that a full import has to decide about (I1, I9, A10).

Reading keeps the rows of users who are new, changed or due. Selecting drops users who are not in the
roster and do not belong there, and adds members whose fields are the same but whose assignments or manager
have changed.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from itertools import batched

from muster.crm.pages import read_salesforce_page
from muster.roster import end_dates, manager_hierarchy
from muster.roster.eligibility import evaluate, fields_judged
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.salesforce_lifecycle import CONNECTION
from muster.settings import Settings
from muster.settings.assignment_order import unfiltered
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts
from muster.sources.salesforce_users import digest, fields_of
from muster.sources.samples import Sample


def select(
    gathered: Gathered, states: Mapping[str, MemberState], settings: Settings, archive: Parts
) -> Gathered:
    """Return `gathered` with the rows to decide about, the loops of managers, and the depths.

    `states` are those in the roster's index, by CRM id; `archive` has the pages that were read.
    """
    managed = {crm_id: manager for crm_id, manager in gathered.managers.items() if manager}
    gathered.loops = tuple(manager_hierarchy.loops(managed))
    _drop_outsiders(gathered, states, settings)
    if moved := _moved(gathered, states, settings):
        for body in archive.parts("users"):
            gathered.rows |= {
                row["Id"]: row for row in read_salesforce_page(body).records if row["Id"] in moved
            }
    gathered.depths = manager_hierarchy.depths(
        {crm_id: gathered.managers[crm_id] for crm_id in gathered.rows}
    )
    return gathered


def members_due(roster: Roster, settings: Settings, now: datetime) -> dict[str, Member]:
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


def _drop_outsiders(gathered: Gathered, states: Mapping[str, MemberState], settings: Settings) -> None:
    """Drop users who are not in the roster and do not belong there; they are counted by reason."""
    names = fields_judged(settings)
    everyone = unfiltered(settings)
    for crm_id in [each for each in gathered.rows if each not in states and each not in gathered.heirs]:
        matches = gathered.matches.get(crm_id, frozenset[str]()) | everyone
        fields, frozen = fields_of(gathered.rows[crm_id], names), gathered.is_frozen(crm_id)
        if reason := evaluate(fields, matches, settings, frozen=frozen).reason:
            gathered.outside.setdefault(reason, Sample()).add(gathered.rows.pop(crm_id))


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
