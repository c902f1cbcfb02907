"""Users who are frozen in Salesforce are told, or leave, whatever reads them (A17)."""

from typing import Any

import pytest

from tests.integration.company import Company

QUIT = {"require_call_center": False, "frozen_users": "inactive"}
MODES = pytest.mark.parametrize("mode", ["full", "incremental"])


def freeze(company: Company, *users: str, frozen: bool = True) -> None:
    company.salesforce.call("POST", "/sandbox/users/freeze", {"ids": list(users), "frozen": frozen})


def told(company: Company) -> list[dict[str, Any]]:
    return [each for each in company.errors() if each["code"] == "users_frozen"]


@MODES
def test_who_is_frozen_stays_and_is_told_once(company: Company, mode: str) -> None:
    ada, bob = (company.salesforce.create(Department="Sales") for _ in range(2))
    company.run()
    freeze(company, ada)
    said = company.run(mode)
    assert (said["status"], said["frozen"]) == ("succeeded", {"count": 1, "first": [ada]})
    assert company.active() == {ada, bob}
    [entry] = told(company)
    assert (entry["record"], entry["system"]) == (ada, "salesforce")
    assert ada in entry["message"]
    shown = company.ask("explain", member=ada)
    assert (shown["in"], shown["reason"]) == (True, None)
    assert "is frozen in Salesforce" in shown["frozen"]["why"]
    assert shown["frozen"]["since"] in shown["frozen"]["why"]
    before = company.items()
    # A full import counts all of them each time, and tells only who is new.
    assert company.run("full")["frozen"]["count"] == 1
    company.run("incremental")
    assert (len(told(company)), company.items()) == (1, before)
    freeze(company, ada, frozen=False)
    assert "frozen" not in company.run(mode)
    assert company.ask("explain", member=ada)["frozen"] is None


@MODES
def test_where_the_settings_say_so_who_is_frozen_leaves_and_comes_back(company: Company, mode: str) -> None:
    company.put(auto_provision=QUIT, seats={"gong": {"limit": 1}}, keep_active={"when_deactivated": True})
    ada = company.salesforce.create(Department="Sales")
    company.run()
    bob = company.salesforce.create(Department="Sales")
    company.run()
    freeze(company, ada)
    assert company.run(mode)["counts"]["deactivated"] == 1
    roster = company.roster()
    assert (roster[ada]["active"], roster[ada]["inactive_reason"]) == (False, "frozen_user")
    assert roster[bob]["seats"] == {"gong": {"state": "held"}}
    assert told(company) == []
    assert company.ask("explain", member=ada)["reason"] == "frozen_user"
    before = company.items()
    for again in ("full", "incremental"):
        company.run(again)
        assert company.items() == before
    freeze(company, ada, frozen=False)
    assert company.run(mode)["counts"] == {"reactivated": 1}
    assert company.active() == {ada, bob}


@MODES
def test_a_change_of_the_setting_reaches_who_is_frozen_already(company: Company, mode: str) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    freeze(company, ada)
    company.run(mode)
    assert company.put(auto_provision=QUIT)["counts"] == {"deactivated": 1, "revoke": 1}
    company.run(mode)
    assert company.active() == set()


@MODES
def test_who_is_frozen_is_not_let_in_where_they_would_leave(company: Company, mode: str) -> None:
    company.put(auto_provision=QUIT)
    bob = company.salesforce.create(Department="Sales")
    company.run()
    ada = company.salesforce.create(Department="Sales")
    freeze(company, ada)
    company.run(mode)
    assert company.active() == {bob}
    assert company.ask("explain", member=ada)["reason"] == "frozen_user"
    freeze(company, ada, frozen=False)
    company.run(mode)
    assert company.active() == {ada, bob}


def test_a_message_and_an_import_of_named_people_read_it_too(company: Company) -> None:
    ada, bob = (company.salesforce.create(Department="Sales") for _ in range(2))
    company.put(auto_provision=QUIT)
    company.run()
    freeze(company, ada, bob)
    assert company.hear({"Id": ada}) == 0
    assert company.active() == {bob}
    company.run(None, members=[bob])
    assert company.active() == set()
    freeze(company, ada, bob, frozen=False)
    assert company.hear({"Id": ada}) == 0
    company.run(None, members=[bob])
    assert company.active() == {ada, bob}


def test_a_message_still_costs_one_call(company: Company) -> None:
    ada = company.salesforce.create(Department="Sales")
    company.run()
    company.salesforce.wire.calls.clear()
    company.hear({"Id": ada})
    asked = [path for _, path in company.salesforce.wire.calls if "/services/data/" in path]
    assert len(asked) == 1


@pytest.mark.parametrize("who", ["told", "inactive"])
def test_without_the_right_to_see_it_everything_else_goes_on(company: Company, who: str) -> None:
    """And who has left for being frozen does not come back for not being seen so any more."""
    company.put(auto_provision={**QUIT, "frozen_users": who})
    ada, bob = (company.salesforce.create(Department="Sales") for _ in range(2))
    company.run()
    freeze(company, ada)
    company.run("incremental")
    company.salesforce.call("PUT", "/sandbox/organization", {"manage_users": False})
    before = company.items()
    for mode in ("full", "incremental"):
        said = company.run(mode)
        assert (said["status"], said["counts"]) == ("succeeded", {})
        assert company.items() == before
    assert company.hear({"Id": ada}, {"Id": bob}) == 0
    company.salesforce.update(bob, Title="Lead")
    company.run("incremental")
    assert company.roster()[bob]["title"] == "Lead"
    assert company.active() == ({ada, bob} if who == "told" else {bob})
    company.salesforce.call("PUT", "/sandbox/organization", {"manage_users": True})
    freeze(company, ada, frozen=False)
    company.run("incremental")
    assert company.active() == {ada, bob}
