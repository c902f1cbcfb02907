"""Who has left is erased, by hand or by the daily import: nothing of the person stays in the table (T5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

import member_settings
from muster import bootstrap
from muster.errors import Unavailable
from muster.roster import decisions, erasing_members
from muster.roster.decisions import Decision
from tests.examples import user
from tests.integration.company import Company, table
from tests.integration.edits.acme import lose_answers

EMAIL = "zanzibar.quill@acme.example"
PERSON = {
    "FirstName": "Zanzibar",
    "LastName": "Quill",
    "Email": EMAIL,
    "Username": EMAIL,
    "Title": "Zanzibarian",
    "MobilePhone": "+44 70 0900 4711",
    "Department": "Sales",
}
WHY = "asked to be forgotten"
CANARIES = ("zanzibar", "quill", "0900 4711")


@pytest.fixture
def left(company: Company) -> str:
    """Return the id of a user who was a member, with a history, and has left."""
    crm_id = company.salesforce.create(**PERSON)
    company.run()
    company.salesforce.update(crm_id, Title="Zanzibarian no more")
    company.run()
    company.salesforce.update(crm_id, IsActive=False)
    company.run()
    return crm_id


def erase(company: Company, *who: str, **event: Any) -> dict[str, Any]:
    asked = {
        "organization": "acme",
        "by": "jane",
        "why": "asked to be forgotten",
        "erase": list(who),
        **event,
    }
    said: dict[str, Any] = member_settings.handler(asked, company.context)
    return said


def told() -> list[str]:
    """Return the keys of the items that tell of the person."""
    return [
        f"{item['pk']['S']} {item['sk']['S']}"
        for item in table()
        if any(canary in orjson.dumps(item).decode().lower() for canary in CANARIES)
    ]


def test_nothing_of_the_person_stays_but_that_somebody_was_erased_by_whom_and_why(
    company: Company, left: str
) -> None:
    member = company.roster()[left]["id"]
    assert told()
    said = erase(company, EMAIL)
    assert (said["status"], said["message"]) == ("succeeded", "1 person was erased.")
    assert said["results"] == [{"where": "erase[0]", "member": member, "changed": True}]
    assert told() == []
    tombstone = company.ask("member", member=member)["member"]
    kept = {name: value for name, value in tombstone.items() if value not in (None, {}, [], False)}
    nothing = {"request": None, "status": None, "group": None}
    assert kept == {
        "id": member,
        "organization": "acme",
        "inactive_reason": "erased",
        "engage": nothing,
        "engage_connect": nothing,
        "version": 4,
        "updated_at": tombstone["updated_at"],
    }
    [entry] = company.ask("history", member=member)["history"]
    assert (entry["origin"], entry["run"], entry["why"]) == (
        "manual:jane",
        said["run"],
        "asked to be forgotten",
    )
    assert entry["changes"] == [{"field": "inactive_reason", "before": "inactive_user", "after": "erased"}]


def test_it_can_be_sent_again_and_says_who_is_not_there_any_more(company: Company, left: str) -> None:
    member = company.roster()[left]["id"]
    erase(company, member)
    before = company.items()
    assert erase(company, member)["message"] == "0 people were erased, 1 was already so."
    by_crm_id = erase(company, left)
    assert by_crm_id["errors"][0]["where"] == "erase[0]"
    assert "nothing is kept of the person" in by_crm_id["errors"][0]["remedy"]
    assert erase(company, EMAIL)["status"] == "rejected"
    assert company.items() == before


def test_a_message_from_before_stays_stale_and_who_returns_begins_anew(company: Company, left: str) -> None:
    company.put_and_approve(auto_provision={"require_call_center": False, "read_back": False}, assignments=[])
    member = company.roster()[left]["id"]
    erase(company, member)
    before = company.items()
    assert company.hear(user(Id=left, Email=EMAIL, SystemModstamp="2026-01-01T00:00:00.000Z")) == 0
    assert company.items() == before
    company.salesforce.update(left, IsActive=True)
    assert company.run()["counts"] == {"created": 1}
    assert company.roster()[left]["id"] != member


def test_an_import_leaves_the_erased_alone(company: Company, left: str) -> None:
    erase(company, left)
    before = company.items()
    for mode in ("full", "incremental"):
        assert company.run(mode)["counts"] == {}
    assert company.items() == before


@pytest.mark.parametrize(
    ("event", "where", "says"),
    [
        ({"why": None}, "event", "without why"),
        ({"why": "two\nlines"}, "why", "control character"),
        ({"changes": [{"member": EMAIL, "seats": []}]}, "event", "both changes and erase"),
        ({"erase": []}, "erase", ""),
        ({"as": "manager"}, "event", "as a manager"),
        ({"by": None}, "by", "has no value"),
        ({"erase": [EMAIL] * 501}, "erase", "500"),
        ({"erase": ["nobody@acme.example"]}, "erase[0]", "roster"),
    ],
)
def test_what_makes_no_sense_is_rejected_and_erases_nobody(
    company: Company, left: str, event: dict[str, Any], where: str, says: str
) -> None:
    before = table()
    said = erase(company, EMAIL, **event)
    assert said["status"] == "rejected"
    assert said["errors"][0]["where"] == where
    assert says in said["errors"][0]["message"] + said["errors"][0]["remedy"]
    assert table() == before


def test_who_is_active_is_not_erased_and_does_not_hold_up_the_others(company: Company, left: str) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    said = erase(company, ada, left)
    assert (said["status"], [each["where"] for each in said["results"]]) == (
        "succeeded_with_errors",
        ["erase[1]"],
    )
    assert said["errors"] == [
        {
            "where": "erase[0]",
            "message": "is active",
            "remedy": "Deactivate the user in Salesforce first; who has left can be erased.",
        }
    ]
    assert company.active() == {ada}


def test_who_returns_at_that_moment_is_not_erased(
    company: Company, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = bootstrap.roster_table()
    write = roster.write

    def late(*arguments: Any) -> list[Decision]:
        monkeypatch.setattr(roster, "write", write)
        company.salesforce.update(left, IsActive=True)
        company.run()
        return write(*arguments)

    monkeypatch.setattr(roster, "write", late)
    said = erase(company, left)
    assert (said["status"], said["errors"][0]["message"]) == ("rejected", "is active")
    assert company.active() == {left}
    assert len(company.history(left)) == 4


def test_an_answer_that_is_lost_or_a_table_that_is_down_leaves_all_or_nothing(
    company: Company, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = table()
    with monkeypatch.context() as down:
        down.setattr(bootstrap.roster_table(), "_transact", unavailable)
        with pytest.raises(Unavailable):
            erase(company, left)
    assert table() == before
    lose_answers(monkeypatch)
    member = company.roster()[left]["id"]
    assert erase(company, EMAIL)["status"] == "succeeded"
    assert told() == []
    assert len(company.ask("history", member=member)["history"]) == 1


def unavailable(*_: Any, **__: Any) -> bool:
    raise Unavailable("the roster table could not be reached")


def test_who_shares_an_address_keeps_it(company: Company, left: str) -> None:
    heir = company.salesforce.create(Department="Sales", Email=EMAIL, Username="other@acme.example")
    company.salesforce.update(left, IsActive=True)
    company.run()
    assert company.active() == {left}, "the other waits"
    company.salesforce.update(left, IsActive=False, Email="gone@acme.example")
    company.run()
    company.run()
    assert heir in company.active()
    erase(company, left)
    assert company.ask("member", member=EMAIL)["member"]["crm"]["salesforce"]["id"] == heir
    before = company.items()
    assert company.run()["counts"] == {}
    assert company.items() == before


def test_a_history_longer_than_a_transaction_goes_too(
    company: Company, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing_members, "HISTORY_ERASED_AT_ONCE", 1)
    monkeypatch.setattr("muster.roster.effects.HISTORY_ERASED_AT_ONCE", 1)
    assert decisions.HISTORY_ERASED_AT_ONCE == 50
    erase(company, left)
    assert told() == []


@pytest.mark.parametrize(("days", "erased"), [(29, {}), (31, {"erased": 1})])
def test_the_daily_import_erases_who_left_long_ago(
    company: Company, left: str, pass_time: Callable[[timedelta], None], days: int, erased: dict[str, int]
) -> None:
    company.put(retention_days=30)
    company.run()
    pass_time(timedelta(days=days))
    assert company.run("incremental")["counts"] == {}
    said = company.run()
    assert said["counts"] == erased
    assert company.run()["counts"] == {}
    assert bool(told()) == (not erased)


def test_without_retention_days_nobody_is_erased(
    company: Company, left: str, pass_time: Callable[[timedelta], None]
) -> None:
    pass_time(timedelta(days=4000))
    assert company.run()["counts"] == {}
    assert left in company.roster()


def test_a_preview_erases_nobody(company: Company, left: str, pass_time: Callable[[timedelta], None]) -> None:
    company.put(retention_days=1)
    pass_time(timedelta(days=2))
    company.run(preview=True)
    assert left in company.roster()
