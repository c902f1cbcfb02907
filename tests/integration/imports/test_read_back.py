"""Outbound messages as hints, through the worker's handler: Salesforce is read, and that counts (W4, W6)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from muster import bootstrap
from tests.examples import user
from tests.integration.company import SALES, SUPPORT, Company
from tests.integration.told_metrics import metrics

BATCH = "/services/data/v66.0/composite/batch"
NOBODY = "005000000000999AAA"


def calls(company: Company) -> list[str]:
    """Return the paths that were called since this was last asked."""
    paths = [path for _, path in company.salesforce.wire.calls]
    company.salesforce.wire.calls.clear()
    return paths


def queries(company: Company) -> list[str]:
    """Return the list to which each query of a batch is added from now on."""
    found: list[str] = []

    def before(request: Any) -> None:
        if request.url.endswith(BATCH):
            parts = json.loads(request.body)["batchRequests"]
            found.extend(parse_qs(urlsplit(part["url"]).query)["q"][0] for part in parts)

    company.salesforce.wire.before = before
    return found


def once(company: Company, act: Callable[[], Any]) -> None:
    """Have this happen once, right after Salesforce has answered the next batch, before anyone knows."""

    def after(request: Any, answer: Any) -> None:
        if request.url.endswith(BATCH):
            company.salesforce.wire.after = lambda request, answer: None
            act()

    company.salesforce.wire.after = after


# ── What counts ──────────────────────────────────────────────────────────────────────────────────


def test_the_messages_own_values_are_not_used(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales", Title="Rep")
    forged = user(59, Id=ada, IsActive="false", Title="Queen", Email="eve@else.example")
    assert company.hear(forged) == 0
    member = company.roster()[ada]
    assert member["active"]
    assert member["title"] == "Rep"
    assert member["email"].endswith("@acme.example")
    assert (member["assignment"], member["seats"]) == ("Sales", {"gong": {"state": "held"}})
    company.salesforce.update(ada, IsActive=False)
    assert company.hear(user(Id=ada, IsActive="true")) == 0
    assert company.roster()[ada]["inactive_reason"] == "inactive_user"


def test_an_id_is_all_a_message_has_to_carry_and_one_user_is_read_once(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    asked = queries(company)
    assert company.hear({"Id": ada[:15]}, {"Id": ada}, {"Id": f" {ada} "}) == 0
    # The user, whether it is frozen, and two filters.
    assert len(asked) == 4
    assert all(query.count("005") == 1 for query in asked)
    [entry] = company.history(ada)
    # The last of its notifications is the one it is put down to.
    assert entry["run"] == "webhook:04l000000000003AAA"
    before = company.items()
    assert company.hear({"Id": ada}) == 0
    assert company.items() == before


@pytest.mark.parametrize(
    "crm_id", [NOBODY, "001000000000001AAA", "00500000000099", "005') OR (Id != '", "", "a" * 18]
)
def test_an_id_of_nobody_is_set_aside_and_the_others_are_followed(company: Company, crm_id: str) -> None:
    ada = company.salesforce.create(Department="Sales")
    forged = user(Id=crm_id, FirstName="Eve")
    assert company.hear(forged, {"Id": ada}) == 0
    assert set(company.roster()) == {ada}
    [entry] = company.errors()
    assert (entry["code"], entry["notification"]) == ("not_understood", "04l000000000001AAA")
    assert entry["record"] == (crm_id[:18] or None)
    assert entry["remedy"]
    assert "Eve" not in json.dumps(entry)


def test_a_member_whom_the_integration_user_cannot_see_stays_as_it_is(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    before = company.items()
    company.salesforce.call("POST", "/sandbox/users/vanish", {"ids": [ada]})
    assert company.hear(user(Id=ada, IsActive="false")) == 0
    assert company.items() == before
    [entry] = company.errors()
    assert (entry["record"], entry["code"]) == (ada, "not_understood")
    assert "integration user" in entry["message"]


def test_a_filter_over_a_relationship_is_asked_anew_though_the_user_is_the_same(company: Company) -> None:
    org = company.salesforce
    boss = org.create(Department="Support", Title="Head")
    ada = org.create(Department="Sales", ManagerId=boss)
    company.put(assignments=[{"name": "Led by a head", "filter": "Manager.Title = 'Head'"}, SUPPORT])
    assert company.hear({"Id": boss}, {"Id": ada}) == 0
    assert company.roster()[ada]["assignment"] == "Led by a head"
    assert company.roster()[ada]["manager"] == company.roster()[boss]["id"]
    org.update(boss, Title="Member")
    assert company.hear({"Id": ada}) == 0
    assert company.roster()[ada]["inactive_reason"] == "unmatched"


# ── How often Salesforce is called ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("filters", "batches"), [(1, 1), (23, 1), (24, 2)])
def test_a_message_takes_a_token_and_one_call_for_users_and_filters(
    company: Company, filters: int, batches: int
) -> None:
    crm_ids = company.salesforce.create_many(100, Department=["S0", "S1"])
    company.put(
        seats={},
        seat_required={},
        assignments=[{"name": f"S{each}", "filter": f"Department = 'S{each}'"} for each in range(filters)],
    )
    bootstrap.salesforce.cache_clear()
    calls(company)
    assert company.hear(*({"Id": crm_id} for crm_id in crm_ids)) == 0
    assert calls(company) == ["/services/oauth2/token", *[BATCH] * batches]
    assert len(company.active()) == (50 if filters == 1 else 100)
    assert company.hear({"Id": crm_ids[0]}) == 0
    assert calls(company) == [BATCH] * batches


def test_where_nothing_is_followed_salesforce_is_not_called(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.put(auto_provision={"enabled": False})
    calls(company)
    capsys.readouterr()
    assert company.hear(user(Id=ada), user(Id=NOBODY)) == 0
    assert calls(company) == []
    assert metrics(capsys.readouterr().out)["ChangesDropped"] == 2
    assert company.roster() == {}


# ── Read-back switched off ───────────────────────────────────────────────────────────────────────


def test_without_read_back_the_messages_values_are_followed_and_only_the_filters_are_asked(
    company: Company,
) -> None:
    ada = company.salesforce.create(Department="Sales", Title="Rep")
    company.put_and_approve(auto_provision={"read_back": False, "require_call_center": False})
    asked = queries(company)
    assert company.hear(user(31, Id=ada, Title="Told", Department="Kitchen")) == 0
    member = company.roster()[ada]
    assert (member["title"], member["assignment"]) == ("Told", "Sales")
    assert member["seats"] == {"gong": {"state": "held"}}
    assert [query.partition(" FROM ")[0] for query in asked] == ["SELECT Id"] * 2
    assert company.hear(user(32, Id=ada, IsActive="false")) == 0
    assert company.roster()[ada]["inactive_reason"] == "inactive_user"


def test_without_read_back_and_filters_salesforce_is_not_called(company: Company) -> None:
    company.put_and_approve(
        auto_provision={"read_back": False, "require_call_center": False},
        assignments=[{"name": "All", "seats": ["gong"]}],
    )
    calls(company)
    assert company.hear(user(Id=NOBODY)) == 0
    assert calls(company) == []
    assert company.roster()[NOBODY]["assignment"] == "All"


@pytest.mark.parametrize("mode", ["full", "named"])
def test_what_a_forged_message_said_is_mended_by_the_next_import(
    company: Company, pass_time: Callable[[timedelta], None], mode: str
) -> None:
    """A leaver, let in by a message stamped as far ahead as one may be (W11)."""
    ada = company.salesforce.create(Department="Sales")
    company.put_and_approve(auto_provision={"read_back": False, "require_call_center": False})
    company.run()
    company.salesforce.update(ada, IsActive=False)
    company.run()
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    forged = user(Id=ada, IsActive="true", Department="Sales", SystemModstamp=ahead)
    assert company.hear(forged) == 0
    assert company.active() == {ada}

    pass_time(timedelta(minutes=1))
    said = company.run() if mode == "full" else company.run(None, members=[ada])
    assert said["status"] == "succeeded"
    assert company.active() == set()
    before = company.items()
    assert company.run()["counts"] == {}
    assert company.items() == before


def test_what_a_forged_message_said_is_mended_once_users_are_read_back(
    company: Company, pass_time: Callable[[timedelta], None]
) -> None:
    ada = company.salesforce.create(Department="Sales", Title="Rep")
    company.put_and_approve(auto_provision={"read_back": False, "require_call_center": False})
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert company.hear(user(Id=ada, IsActive="false", Title="Queen", SystemModstamp=ahead)) == 0
    assert company.active() == set()
    company.put(auto_provision={"require_call_center": False})
    pass_time(timedelta(minutes=1))
    assert company.hear({"Id": ada}) == 0
    assert company.active() == {ada}
    assert company.roster()[ada]["title"] == "Rep"


# ── Salesforce out of reach ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/services/data", "fault": "status", "status": 503, "count": 99},
        {"path": "/services/data", "fault": "html", "count": 99},
        {"path": "/services/data", "fault": "truncate", "count": 99},
        {"path": "/services/data", "fault": "lose_answer", "count": 99},
        {"path": "/services/oauth2", "fault": "status", "status": 400, "count": 99},
    ],
    ids=lambda fault: f"{fault['fault']} {fault.get('status', '')}",
)
@pytest.mark.parametrize("read_back", [True, False])
def test_a_message_comes_back_until_salesforce_can_be_asked(
    company: Company, fault: dict[str, Any], read_back: bool
) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.put_and_approve(auto_provision={"read_back": read_back, "require_call_center": False})
    bootstrap.salesforce.cache_clear()
    before = company.items()
    company.salesforce.faults(fault)
    assert company.hear(user(Id=ada), {"Id": NOBODY}) == 1
    assert company.items() == before
    assert company.errors() == []
    company.salesforce.faults()
    assert company.hear(user(Id=ada), {"Id": NOBODY}) == 0
    assert company.active() == {ada}
    assert [entry["record"] for entry in company.errors()] == [NOBODY]


# ── Order ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("second", [0, 1])
def test_a_message_as_old_as_what_was_read_or_older_changes_nothing(
    company: Company, now: SimpleNamespace, second: int
) -> None:
    ada = company.salesforce.create(Department="Sales", Title="Rep")
    assert company.hear({"Id": ada}) == 0
    company.put_and_approve(auto_provision={"read_back": False, "require_call_center": False})
    before = company.items()
    stamp = (now.time - timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    old = user(Id=ada, Title="Old", IsActive="false", SystemModstamp=stamp)
    assert company.hear(old) == 0
    assert company.items() == before


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=1)])
def test_who_read_earlier_and_writes_later_does_not_win(
    company: Company, now: SimpleNamespace, later: timedelta
) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales", Title="First")

    def meanwhile() -> None:
        now.time += later
        org.update(ada, Title="Second", IsActive=False)
        assert company.hear({"Id": ada}) == 0
        org.update(ada, IsActive=True)
        assert company.hear({"Id": ada}) == 0

    assert company.hear({"Id": ada}) == 0
    org.update(ada, Title="Between")
    once(company, meanwhile)
    assert company.hear({"Id": ada}) == 0
    member = company.roster()[ada]
    assert (member["title"], member["active"]) == ("Second", True)


def test_off_and_on_within_one_second_of_salesforce_ends_on(company: Company) -> None:
    """Both changes have one SystemModstamp; when the user was read decides."""
    org = company.salesforce
    ada = org.create(Department="Sales")
    assert company.hear({"Id": ada}) == 0
    org.update(ada, IsActive=False)
    assert company.hear({"Id": ada}) == 0
    assert company.active() == set()
    org.update(ada, IsActive=True)
    assert company.hear({"Id": ada}) == 0
    assert company.active() == {ada}
    # The first message, delivered once more.
    assert company.hear(user(Id=ada, IsActive="false")) == 0
    assert company.active() == {ada}


def test_an_import_and_the_worker_agree_on_what_is_newer(company: Company, now: SimpleNamespace) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales", Title="First")
    company.run()

    def meanwhile() -> None:
        org.update(ada, Title="Second")
        assert company.run("incremental")["counts"] == {"updated": 1}

    org.update(ada, Title="Between")
    once(company, meanwhile)
    assert company.hear({"Id": ada}) == 0
    assert company.roster()[ada]["title"] == "Second"
    before = company.items()
    assert company.run()["counts"] == {}
    assert company.items() == before


# ── Seats ────────────────────────────────────────────────────────────────────────────────────────


def test_the_seat_of_who_leaves_goes_to_the_first_in_line_at_once(company: Company) -> None:
    org = company.salesforce
    ada = org.create(Department="Sales")
    company.put(seats={"gong": {"limit": 1}})
    company.run()
    bob, eve = org.create(Department="Support"), org.create(Department="Sales")
    assert company.hear({"Id": bob}) == 0
    assert company.hear({"Id": eve}) == 0
    roster = company.roster()
    assert [roster[each]["seats"]["gong"]["state"] for each in (bob, eve)] == ["waiting", "waiting"]
    org.update(ada, IsActive=False)
    assert company.hear({"Id": ada}) == 0
    roster = company.roster()
    assert roster[ada]["seats"] == {}
    # Sales is the upper assignment.
    assert roster[eve]["seats"] == {"gong": {"state": "held"}}
    assert roster[eve]["data_capture"]["record_web_conferences"]["effective"] == "enabled"
    assert roster[bob]["seats"]["gong"]["state"] == "waiting"
    assert company.history(eve)[0]["origin"] == f"assignment:{SALES['name']}"
    assert company.run()["counts"] == {}
