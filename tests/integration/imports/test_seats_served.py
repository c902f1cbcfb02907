"""Who is served from a line is in the plan: previewed, named, counted as a grant, guarded (A9, I5, I6)."""

from typing import Any

import pytest

import organization_settings
from muster.roster import serving_seat_lines
from tests.integration.beginnings import Built, begin
from tests.integration.company import SALES, Company


@pytest.fixture
def queue(company: Company, built: Built) -> Company:
    """Return Acme with a line: of twelve in Sales, one holds the seat and eleven wait."""
    begin(company, built, stand_in_line)
    return company


def stand_in_line(company: Company) -> None:
    company.salesforce.create_many(12, Department=["Sales"])
    company.put(seats={"gong": {"limit": 1}}, assignments=[SALES])
    assert company.run()["seats"] == {"gong": {"limit": 1, "held": 1, "waiting": 11}}


def holders(company: Company) -> set[str]:
    return {user for user, member in company.roster().items() if member["seats"]["gong"]["state"] == "held"}


def preview(company: Company, **sections: Any) -> dict[str, Any]:
    said: dict[str, Any] = organization_settings.handler(
        {
            "organization": "acme",
            "action": "preview",
            "by": "jane",
            "settings": {**company.document, **sections},
        },
        company.context,
    )
    return said


def test_a_raised_limit_says_before_whom_it_seats(queue: Company) -> None:
    raised: dict[str, Any] = {"seats": {"gong": {"limit": 3}}}
    of_settings = preview(queue, **raised)
    saved = queue.put(**raised)
    of_import = queue.run(preview=True)
    for said in (of_settings, saved, of_import):
        assert said["counts"] == {"seated": 2, "grant": 2}
        assert said["seats"] == {"gong": {"limit": 3, "held": 3, "waiting": 9}}
    before = holders(queue)
    done = queue.run()
    served = holders(queue) - before
    assert done["counts"] == {"seated": 2}
    for said in (of_settings, of_import):
        assert {change["user"] for change in said["changes"]} == served
        assert {change["does"] for change in said["changes"]} == {"seated"}
    listed = queue.ask("run", run_id=done["run_id"])["items"]
    assert {item["user"] for item in listed} == served
    for each in served:
        assert queue.history(each)[0]["run"] == f"run:{done['run_id']}"
    assert queue.run()["counts"] == {}


def test_seats_given_to_a_line_are_grants_to_the_guard(queue: Company) -> None:
    guarded = {"floor": 0, "operations": {"grant": {"floor": 1, "count": 1, "percent": 1}}}
    queue.put(guard=guarded)
    parked = queue.put(seats={"gong": {"limit": 3}})
    assert parked["status"] == "parked"
    assert any(limit.startswith("grant: 2 of 12") for limit in parked["guard"])
    assert len(holders(queue)) == 1


def test_a_seat_that_a_leaver_frees_is_named_with_who_gets_it(queue: Company) -> None:
    [holder] = holders(queue)
    queue.salesforce.update(holder, IsActive=False)
    planned = queue.run(preview=True)
    assert planned["counts"] == {"deactivated": 1, "revoke": 1, "seated": 1, "grant": 1}
    assert queue.run()["counts"] == {"deactivated": 1, "seated": 1}
    after = {user for user, member in queue.roster().items() if "held" in str(member["seats"])}
    assert after == {change["user"] for change in planned["changes"] if change["does"] == "seated"}


def test_who_leaves_the_line_is_not_seated_and_who_joins_in_front_is(queue: Company) -> None:
    first, second = (
        member["id"]
        for member in sorted(
            (each for each in queue.roster().values() if "since" in each["seats"]["gong"]),
            key=lambda each: (each["seats"]["gong"]["since"], each["id"]),
        )[:2]
    )
    crm = {member["id"]: user for user, member in queue.roster().items()}
    queue.salesforce.update(crm[first], IsActive=False)
    newcomer = queue.salesforce.create(Department="Board")
    board = {"name": "Board", "filter": "Department = 'Board'", "seats": ["gong"]}
    said = preview(queue, seats={"gong": {"limit": 3}}, assignments=[board, SALES])
    seated = {change["user"] for change in said["changes"] if change["does"] == "seated"}
    assert seated == {newcomer, crm[second]}


def test_a_seat_that_unlocks_another_gives_both(queue: Company) -> None:
    both: dict[str, Any] = {
        "seats": {"gong": {"limit": 1}, "forecast": {"requires": ["gong"]}},
        "assignments": [{**SALES, "seats": ["gong", "forecast"]}],
    }
    queue.put(**both)
    queue.run()
    both["seats"] = {"gong": {"limit": 2}, "forecast": {"requires": ["gong"]}}
    queue.put(**both)
    assert queue.run(preview=True)["seats"]["forecast"] == {"limit": None, "held": 2, "waiting": 0}
    assert queue.run()["counts"] == {"seated": 1}


def test_a_run_serves_a_line_to_its_end(queue: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_seat_lines, "SERVED_AT_ONCE", 1)
    queue.put(seats={"gong": {"limit": 20}})
    assert queue.run()["counts"] == {"seated": 11}


def test_a_run_out_of_time_while_it_serves_goes_on_and_counts_everyone_once(
    queue: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_seat_lines, "SERVED_AT_ONCE", 1)
    queue.put(seats={"gong": {"limit": 20}})
    seconds = iter([900.0] * 8)
    queue.have_seconds(*seconds, 10)
    said = queue.run()
    assert said["status"] == "continue"
    served = queue.record(said["run_id"]).counts
    queue.have_seconds(900)
    done = queue.run(None, run_id=said["run_id"])
    assert 0 < served["seated"] < 11
    assert done["counts"] == {"seated": 11}
