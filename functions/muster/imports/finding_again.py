"""Finds everybody of the roster again in another Salesforce org (A14); `succession` says who is who. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from muster.errors import Rejected
from muster.imports.succession import Person, heirs
from muster.roster import namesakes
from muster.settings import Settings
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from muster.sources.member_states import MemberState
from muster.sources.salesforce_users import change_of


def find_again(
    gathered: Gathered,
    states: Mapping[str, MemberState],
    former: Sequence[Person],
    settings: Settings,
    now: datetime,
) -> dict[str, MemberState]:
    """Note in `gathered` who of its users is which member, and who is gone; return the states of the others.

    `states` are the roster's, by CRM id, and `former` the members linked to users who are not in this org.
    The others are known by an id of this org: where a run was interrupted, or one org is a copy of the other.
    """
    gathered.heirs = heirs(_users(gathered, states, settings, now), former)
    found = frozenset(gathered.heirs.values())
    gathered.gone = tuple(each.crm_id for each in former if each.active and each.crm_id not in found)
    return {crm_id: each for crm_id, each in states.items() if crm_id in gathered.managers}


def _users(
    gathered: Gathered, states: Mapping[str, MemberState], settings: Settings, now: datetime
) -> Iterator[Person]:
    names = fields_to_read(settings)
    for crm_id, row in gathered.rows.items():
        if crm_id in states:
            continue
        try:
            change = change_of(row, names, (), settings, now, "", gathered.sums.get(crm_id))
        except Rejected:
            continue  # planning says what is wrong with it
        username, email = namesakes.own_addresses(change, settings)
        yield Person(crm_id, username, email, row["IsActive"] is True)
