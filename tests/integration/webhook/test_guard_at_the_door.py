"""A data load, told by messages: what they would take from too many is left to the import (W12)."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from types import SimpleNamespace
from typing import Any

import pytest

from muster import bootstrap
from muster.errors import Unavailable
from muster.roster.member import Json
from tests.examples import user
from tests.integration.beginnings import Built, begin
from tests.integration.company import SALES, SUPPORT, Company
from tests.integration.told_metrics import metrics

# Of the sixteen in Sales, and of twenty in all, so many may lose something within an hour.
ALLOWED = 5


@pytest.fixture
def staffed(company: Company, built: Built) -> Company:
    """Return Acme with sixteen people in Sales and four in Support, all with a seat."""
    begin(company, built, staff)
    return company


def staff(company: Company) -> None:
    company.salesforce.create_many(20, Department=["Sales"] * 4 + ["Support"])
    company.put(seats={"gong": {}})
    company.run()
    assert len(company.active()) == 20


@pytest.fixture
def large(company: Company, built: Built) -> Company:
    """Return Acme with 120 people in Sales."""
    begin(company, built, hire_many)
    return company


def hire_many(company: Company) -> None:
    company.salesforce.create_many(120, Department=["Sales"])
    company.put(seats={"gong": {}})
    company.run()
    assert len(company.active()) == 120


@pytest.fixture
def calls() -> Iterator[Counter[str]]:
    """Yield how often the item of losses was asked for and written."""
    counted: Counter[str] = Counter()

    def count(params: Any, model: Any, **_: Any) -> None:
        if "LOSSES" in str(params["body"]):
            counted[model.name] += 1

    client = bootstrap._dynamodb()
    client.meta.events.register("before-call.dynamodb", count, unique_id="losses")
    yield counted
    client.meta.events.unregister("before-call.dynamodb", unique_id="losses")


def hear_of(company: Company, crm_ids: list[str]) -> None:
    """Let messages come about these users, as many in each as Salesforce sends."""
    for some in batched(crm_ids, 100, strict=False):
        assert company.hear(*({"Id": crm_id} for crm_id in some)) == 0


def of(company: Company, assignment: str, number: int) -> list[str]:
    roster = company.roster()
    return sorted(crm_id for crm_id, member in roster.items() if member["assignment"] == assignment)[:number]


def codes(company: Company) -> Counter[str]:
    return Counter(entry["code"] for entry in company.errors())


# ── The data load ────────────────────────────────────────────────────────────────────────────────


def test_a_data_load_is_held_then_parked_then_approved_then_taken_back(
    large: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    everyone = sorted(large.active())
    before = large.items()
    for crm_id in everyone:
        large.salesforce.update(crm_id, Department="Field Sales")
    capsys.readouterr()
    hear_of(large, everyone)
    assert large.items() == before, "who is held is left exactly as they are"
    assert metrics(capsys.readouterr().out)["ChangesHeld"] == 120
    # Of each of the two messages twenty are named, and the others counted.
    assert codes(large) == {"held_deactivation": 41}
    entries = [entry for entry in large.errors() if entry["record"]]
    assert {entry["record"] for entry in entries} <= {*everyone}
    assert "unmatched" in entries[0]["message"]
    assert large.roster()[entries[0]["record"]]["id"] in entries[0]["message"]
    assert "100 of 120 active members in all, where 12 are allowed" in entries[-1]["message"]
    assert all("next import" in entry["remedy"] for entry in entries)
    [more] = [entry for entry in large.errors() if not entry["record"]]
    assert more["message"].startswith("80 more")

    parked = large.run("incremental")
    assert (parked["status"], len(large.active())) == ("parked", 120)
    assert parked["guard"][0] == "deactivate: 120 of 120 active members in all, where 12 are allowed"
    assert large.run(None, approve=parked["run_id"], by="jane")["counts"]["deactivated"] == 120
    assert large.active() == set()

    for crm_id in everyone:
        large.salesforce.update(crm_id, Department="Sales")
    hear_of(large, everyone)
    assert large.active() == {*everyone}
    assert {member["seats"]["gong"]["state"] for member in large.roster().values()} == {"held"}


def test_who_is_held_and_right_again_goes_on_as_if_nothing_had_been(staffed: Company) -> None:
    some = staffed.change("Sales", 10, Department="Kitchen")
    hear_of(staffed, some)
    for crm_id in some:
        staffed.salesforce.update(crm_id, Department="Sales", Title="Lead")
    hear_of(staffed, some[:5])
    assert staffed.roster()[some[0]]["title"] == "Lead"
    assert staffed.run()["counts"] == {"updated": 5}
    assert len(staffed.active()) == 20


@pytest.mark.parametrize(
    ("document", "load"),
    [
        ({"domains": {"primary": "acme.example"}}, {"Email": "{}@new.example"}),
        ({"auto_provision": {"require_call_center": True}}, {"CallCenterId": None}),
        ({}, {"FirstName": None}),
    ],
    ids=["domain", "call center", "name"],
)
def test_every_reason_but_deactivation_is_held(staffed: Company, document: Json, load: Json) -> None:
    everyone = sorted(staffed.active())
    for crm_id in everyone:
        staffed.salesforce.update(crm_id, CallCenterId="04v000000000001AAA")
    hear_of(staffed, everyone)
    staffed.put_and_approve(**document)
    for crm_id in everyone:
        fields = {name: value and value.format(crm_id) for name, value in load.items()}
        staffed.salesforce.update(crm_id, **fields)
    hear_of(staffed, everyone)
    assert staffed.active() == {*everyone}
    assert set(codes(staffed)) == {"held_deactivation"}


# ── Who goes at once, and what it costs ──────────────────────────────────────────────────────────


def test_who_is_deactivated_in_salesforce_goes_at_once_however_many_they_are(
    staffed: Company, calls: Counter[str]
) -> None:
    everyone = sorted(staffed.active())
    for crm_id in everyone:
        staffed.salesforce.update(crm_id, IsActive=False)
    hear_of(staffed, everyone)
    assert staffed.active() == set()
    assert (calls, staffed.errors()) == ({}, [])


def test_a_message_that_takes_nothing_costs_no_call(staffed: Company, calls: Counter[str]) -> None:
    everyone = sorted(staffed.active())
    for crm_id in everyone:
        staffed.salesforce.update(crm_id, Title="Lead")
    hear_of(staffed, everyone)
    assert calls == {}
    staffed.change("Sales", 1, Department="Kitchen")
    hear_of(staffed, everyone)
    assert calls == {"BatchGetItem": 1, "PutItem": 1}
    assert len(staffed.active()) == 19


# ── How much passes ──────────────────────────────────────────────────────────────────────────────


def test_within_the_limits_losses_pass_and_the_next_hour_allows_as_many(
    staffed: Company, pass_time: Callable[[timedelta], None]
) -> None:
    some = staffed.change("Sales", 12, Department="Kitchen")
    hear_of(staffed, some[:3])
    hear_of(staffed, some[3:5])
    assert len(staffed.active()) == 20 - ALLOWED
    hear_of(staffed, some[5:6])
    assert len(staffed.active()) == 20 - ALLOWED
    pass_time(timedelta(minutes=59))
    hear_of(staffed, some[5:6])
    assert len(staffed.active()) == 20 - ALLOWED
    pass_time(timedelta(minutes=2))
    hear_of(staffed, some[5:12])
    assert len(staffed.active()) == 20 - ALLOWED, "seven at once are more than five"
    hear_of(staffed, some[5:10])
    assert len(staffed.active()) == 20 - 2 * ALLOWED


def test_each_assignment_has_its_limit(staffed: Company) -> None:
    staffed.put_and_approve(guard={"floor": 0, "percent": 50})
    some = staffed.change("Support", 3, Department="Kitchen")
    hear_of(staffed, some)
    assert len(staffed.active()) == 20
    assert (
        "3 of 4 active members in assignment Support, where 2 are allowed" in staffed.errors()[0]["message"]
    )
    hear_of(staffed, some[:2])
    assert len(staffed.active()) == 18


def test_the_limits_of_deactivating_are_those_of_the_operation(staffed: Company) -> None:
    staffed.put(guard={"operations": {"deactivate": {"floor": 1, "count": 1}}})
    some = staffed.change("Sales", 2, Department="Kitchen")
    hear_of(staffed, some)
    assert len(staffed.active()) == 20
    hear_of(staffed, some[:1])
    assert len(staffed.active()) == 19


def test_a_message_that_failed_after_its_losses_were_recorded_passes_when_it_comes_again(
    staffed: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = staffed.change("Sales", ALLOWED, Department="Kitchen")
    roster = bootstrap.roster_table()

    def down(*_: Any) -> Any:
        raise Unavailable("the roster table could not be reached")

    with monkeypatch.context() as patch:
        patch.setattr(roster, "write", down)
        assert staffed.hear(*({"Id": crm_id} for crm_id in some)) == 1
    assert len(staffed.active()) == 20
    hear_of(staffed, some)
    assert len(staffed.active()) == 20 - ALLOWED


# ── Seats and groups ─────────────────────────────────────────────────────────────────────────────


def test_seats_taken_from_members_who_stay_are_held_and_nobody_is_served(staffed: Company) -> None:
    staffed.put_and_approve(
        seats={"gong": {"limit": 20}},
        assignments=[
            SALES | {"seats": [{"field": "Division", "map": {"G": "gong"}}], "update_mode": "automatic"},
            {"name": "Support", "filter": "Department = 'Support'", "seats": ["gong"]},
        ],
        guard={"operations": {"revoke": {"floor": 99}}},
    )
    some = of(staffed, "Sales", 10)
    for crm_id in staffed.active():
        staffed.salesforce.update(crm_id, Division="G")
    staffed.run()
    staffed.put_and_approve(guard={})
    waiting = staffed.salesforce.create(Department="Support")
    hear_of(staffed, [waiting])
    assert staffed.roster()[waiting]["seats"]["gong"]["state"] == "waiting"
    for crm_id in some:
        staffed.salesforce.update(crm_id, Division="None", Title="Lead")
    hear_of(staffed, some)
    roster = staffed.roster()
    assert {roster[crm_id]["seats"]["gong"]["state"] for crm_id in some} == {"held"}
    assert {roster[crm_id]["title"] for crm_id in some} == {None}
    assert roster[waiting]["seats"]["gong"]["state"] == "waiting"
    assert set(codes(staffed)) == {"held_seats"}
    assert "gong" in staffed.errors()[0]["message"]
    assert staffed.run()["guard"][0].startswith("revoke: 10 of")
    hear_of(staffed, some[:1])
    assert staffed.roster()[waiting]["seats"]["gong"]["state"] == "held"


def test_groups_taken_from_members_who_stay_are_held_and_parked_by_the_import(staffed: Company) -> None:
    group = {"field": "Country", "map": {"GB": "UK Field Force"}}
    staffed.put(assignments=[SALES | {"engage": {"group": group}}, SUPPORT])
    some = of(staffed, "Sales", 10)
    for crm_id in some:
        staffed.salesforce.update(crm_id, Country="GB")
    staffed.run()
    for crm_id in some:
        staffed.salesforce.update(crm_id, Country="FR")
    hear_of(staffed, some)
    roster = staffed.roster()
    assert {roster[crm_id]["engage"]["request"] for crm_id in some} == {"UK Field Force"}
    assert set(codes(staffed)) == {"held_groups"}
    said = staffed.run()
    assert (said["status"], said["guard"]) == (
        "parked",
        [
            "revoke: 10 of 20 active members in all, where 5 are allowed",
            "revoke: 10 of 16 active members in assignment Sales, where 5 are allowed",
        ],
    )


# ── Messages that are believed ───────────────────────────────────────────────────────────────────


def test_a_message_that_is_not_read_back_cannot_shut_out_the_company(
    staffed: Company, now: SimpleNamespace
) -> None:
    staffed.put_and_approve(auto_provision={"read_back": False, "require_call_center": False})
    everyone = sorted(staffed.active())
    stamp = (datetime.now(UTC) + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    forged = [
        user(
            Id=crm_id,
            IsActive="false",
            SystemModstamp=stamp,
            Department="Sales",
            Username=f"{crm_id}@a.example",
        )
        for crm_id in everyone
    ]
    before = staffed.items()
    assert staffed.hear(*forged) == 0
    assert staffed.items() == before
    assert staffed.active() == {*everyone}
    assert set(codes(staffed)) == {"held_deactivation"}
    assert staffed.run()["counts"] == {}
