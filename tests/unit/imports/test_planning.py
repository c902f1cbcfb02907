"""A plan is a function of what was read and what was known: tables of values, and no roster (I1, A9, A14)."""

from dataclasses import replace

import pytest

from muster.imports.known_roster import Waiting
from muster.imports.known_users import KnownUsers, part_of
from muster.imports.plan_items import plan_hash
from muster.imports.planning import Plan
from muster.roster.decisions import Known
from muster.roster.links import Link, match_keys_of
from muster.roster.reasons import INACTIVE_USER, NAMESAKE_ACTIVE
from muster.roster.seats import HELD_SEAT, WAITING, Pool, SeatPlace
from tests.unit.imports.plans import crm_id, done, gathered, linked, member, plan_of, row, selected

LINE = {"gong": SeatPlace(WAITING, "2026-11-01T00:00:00.000Z", 0)}
ADA, BOB, CAROL = (member(name, seats={"gong": HELD_SEAT}) for name in ("ada", "bob", "carol"))
FULL = {"gong": Pool(used=2, waiting=1)}
WAITING_CAROL = replace(CAROL, seats=LINE)


def test_a_plan_is_the_same_each_time_it_is_made() -> None:
    def made() -> Plan:
        read = selected(gathered(row("ada", IsActive=False), row("bob", Title="Lead"), row("dora")))
        known = {"ada": linked(ADA), "bob": linked(BOB)}
        return plan_of(read, known, pools=FULL, lines={"gong": [CAROL.id]}, members={CAROL.id: WAITING_CAROL})

    one, other = made(), made()
    assert one == other
    assert plan_hash([*one.items, *one.seated]) == plan_hash([*other.items, *other.seated])
    assert done(one) == [("deactivated", "ada"), ("updated", "bob"), ("created", "dora"), ("seated", "carol")]


@pytest.mark.parametrize(
    ("leaves", "known", "served"),
    [
        (True, {}, ["carol"]),
        (False, {}, []),
        # Who is in line is decided about as well, and nothing is written about her.
        (True, {"carol": linked(WAITING_CAROL)}, ["carol"]),
    ],
)
def test_who_is_in_line_is_served_with_what_a_leaver_frees(
    leaves: bool, known: dict[str, Known], served: list[str]
) -> None:
    rows = [row("ada", IsActive=not leaves), *(row(name) for name in known)]
    elsewhere = {} if known else {CAROL.id: WAITING_CAROL}
    plan = plan_of(
        selected(gathered(*rows)),
        {"ada": linked(ADA), **known},
        pools=FULL,
        lines={"gong": [CAROL.id]},
        members=elsewhere,
    )
    assert [name for outcome, name in done(plan) if outcome == "seated"] == served


@pytest.mark.parametrize(
    ("fields", "let_in"),
    [({"IsActive": False}, True), ({"Title": "Lead"}, False), ({"Email": "new@acme.example"}, False)],
)
def test_who_waits_is_let_in_where_the_key_is_given_up(fields: dict[str, object], let_in: bool) -> None:
    keys = match_keys_of(ADA)
    waits = Link(crm_id=crm_id("dora"), reason=NAMESAKE_ACTIVE, match_keys=keys, revision=1)
    address = {"Username": ADA.username, "Email": ADA.email}
    [dora] = selected(gathered(row("dora", **address))).candidates
    known = Known(link=waits, matches={key: frozenset({ADA.id}) for key in keys}, namesakes=(ADA,))
    plan = plan_of(
        selected(gathered(row("ada", **fields))),
        {"ada": linked(ADA)},
        waiting=[Waiting(dora.change, (keys[0],))],
        waiting_users=KnownUsers([part_of({crm_id("dora"): known})]),
    )
    assert (("linked", "dora") in done(plan)) is let_in


def test_a_new_manager_comes_before_its_reports_and_they_are_written_again() -> None:
    grace = row("grace")
    reports = [row("ada", ManagerId=crm_id("grace")), grace]
    plan = plan_of(selected(gathered(*reports)), {"ada": linked(ADA)})
    assert ("created", "grace") in done(plan)
    assert crm_id("ada") not in plan.decisions


def test_active_members_are_those_that_were_remembered_unless_everyone_is_read() -> None:
    assert plan_of(selected(gathered(row("ada"))), {"ada": linked(ADA)}).active == {"": 3}


def test_why_somebody_unchanged_is_left_out_is_what_the_roster_knew() -> None:
    read = gathered()
    read.idle = {crm_id(name): row(name) for name in ("ada", "bob", "carol")}
    read.matches = dict.fromkeys(map(crm_id, ("ada", "bob")), frozenset({"Sales"}))
    plan = plan_of(selected(read), {}, idle={crm_id("ada"): "end_date", crm_id("bob"): None})
    assert plan.left_out.counts == {"end_date": 1, "unmatched": 1}
    assert INACTIVE_USER not in plan.left_out.counts
