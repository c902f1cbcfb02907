"""What plans are made from in tests: rows as Salesforce shows them, and what the roster knew."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from muster.imports.known_roster import KnownRoster
from muster.imports.known_users import KnownUsers, part_of
from muster.imports.planning import Plan, make_plan
from muster.imports.selecting import Selected, select
from muster.roster.decisions import Known
from muster.roster.links import Link
from muster.roster.member import Member
from muster.runs.import_state import ImportState
from muster.settings import Settings
from muster.settings.mappings import fields_to_read
from muster.sources.gathering_salesforce import Gathered
from tests.examples import NOW, settings

SALES = {"name": "Sales", "filter": "Department = 'Sales'", "seats": ["gong"]}
ACME = settings(
    auto_provision={"require_call_center": False}, seats={"gong": {"limit": 2}}, assignments=[SALES]
)
RUN = "run:1"


def crm_id(name: str) -> str:
    """Return the id of a person in Salesforce."""
    return "005" + name.rjust(12, "0")[-12:] + "AAA"


def row(name: str, **fields: Any) -> dict[str, Any]:
    """Return an active user as Salesforce shows it, with these fields."""
    address = f"{name}@acme.example"
    empty: dict[str, Any] = dict.fromkeys(fields_to_read(ACME))
    own = {"Id": crm_id(name), "Username": address, "Email": address, "FirstName": name, "LastName": "Doe"}
    return {**empty, **own, "IsActive": True, "SystemModstamp": "2026-11-20T08:15:31.000+0000", **fields}


def gathered(*rows: Mapping[str, Any], matching: Iterable[str] | None = None) -> Gathered:
    """Return these rows as an incremental import reads them; all match Sales, or who is named."""
    names = [each["Id"] for each in rows] if matching is None else map(crm_id, matching)
    return Gathered(
        rows={each["Id"]: dict(each) for each in rows},
        matches={each: frozenset({"Sales"}) for each in names},
        frozen=frozenset(),
        total=len(rows),
    )


def selected(read: Gathered, organization: Settings = ACME) -> Selected:
    """Return who is decided about of those who were read."""
    return select(read, {}, organization, NOW, RUN, list)


def member(name: str, **attributes: Any) -> Member:
    """Return the member whom importing a person made some time ago, with these attributes."""
    known = KnownUsers([part_of({crm_id(name): Known(matches={})})])
    plan = make_plan(selected(gathered(row(name))), known_roster(known), ACME, NOW, RUN)
    decision = plan.decisions[crm_id(name)]
    assert decision.after
    return replace(decision.after, revision=1, **{"sources": {}, **attributes})


def known_roster(users: KnownUsers, **known: Any) -> KnownRoster:
    """Return what the roster knew."""
    return KnownRoster(at=NOW, state=ImportState(active={"": 3}), users=users, **known)


def linked(each: Member, **known: Any) -> Known:
    """Return what is known of the user of a member."""
    link = Link(crm_id=each.crm["salesforce"]["id"] or "", member=each.id, revision=1)
    return Known(link=link, member=each, **known)


def plan_of(read: Selected, known: Mapping[str, Known], **further: Any) -> Plan:
    """Return the plan for users of whom this is known, by name."""
    looked_up = {each.crm_id: Known(matches={}) for each in read.candidates}
    looked_up |= {crm_id(name): each for name, each in known.items()}
    users = KnownUsers([part_of(looked_up)])
    return make_plan(read, known_roster(users, **further), ACME, NOW, RUN)


def done(plan: Plan) -> list[tuple[str, str]]:
    """Return what a plan does to whom, in its order: outcome, and first name."""
    names = {item.user: item.user[3:-3].strip("0") for item in [*plan.items, *plan.seated]}
    return [(str(item.outcome), names[item.user]) for item in [*plan.items, *plan.seated]]
