"""Selects the users that a full import has to decide about (I1, I9, A10).

Reading keeps the rows of users who are new, changed or due. Selecting drops users who are not in the
roster and do not belong there, and adds members whose fields are the same but whose assignments or manager
have changed.
"""

from collections.abc import Mapping
from functools import cache

from muster.crm.pages import read_salesforce_page
from muster.roster import manager_hierarchy
from muster.roster.eligibility import evaluate
from muster.settings import Settings
from muster.settings.assignment_order import unfiltered
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts
from muster.sources.salesforce_users import digest, fields_of


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


def _drop_outsiders(gathered: Gathered, states: Mapping[str, MemberState], settings: Settings) -> None:
    """Drop users who are not in the roster and do not belong there."""
    names = fields_to_read(settings)
    everyone = unfiltered(settings)
    for crm_id in [each for each in gathered.rows if each not in states and each not in gathered.heirs]:
        matches = gathered.matches.get(crm_id, frozenset[str]()) | everyone
        outside = settings.assignments and not matches
        if outside or evaluate(fields_of(gathered.rows[crm_id], names), matches, settings).reason:
            del gathered.rows[crm_id]


def _moved(gathered: Gathered, states: Mapping[str, MemberState], settings: Settings) -> set[str]:
    """Return the members whose fields are the same but whose matches or manager have changed."""
    everyone = unfiltered(settings)
    looped = {crm_id for loop in gathered.loops or () for crm_id in loop}
    ignored = settings.ignore_organizational_structure

    @cache
    def suffix(matches: frozenset[str], manager: str | None) -> str:
        return digest("-", matches | everyone, manager)[1:]

    none = frozenset[str]()
    moved = set()
    for crm_id, of_fields in gathered.digests.items():
        above = None if ignored or crm_id in looped else gathered.managers[crm_id]
        state = states.get(above) if above else None
        manager = state.member if state else None
        expected = of_fields + suffix(gathered.matches.get(crm_id, none), manager)
        # A manager who is not a member, but whose row was kept, is about to become one.
        if expected != states[crm_id].digest or (above and not state and above in gathered.rows):
            moved.add(crm_id)
    return moved
