"""An app compared with what was sent: what others did there is told, and brought back once approved (O2)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from muster import bootstrap
from tests.integration.company import STRICT
from tests.integration.pasted import pasted
from tests.integration.provisioning.apps import APP, Apps, address

CLOSED = ("replace", "active", False)


def _there(apps: Apps, *names: str) -> dict[str, str]:
    """Let these be in the app; returns their ids there."""
    for name in names:
        apps.person(name, Title="Rep")
    apps.imported()
    apps.push()
    apps.calls()
    return _ids(apps)


def _ids(apps: Apps) -> dict[str, str]:
    users = apps.scim.control("GET", "directory")["users"]
    return {each["userName"].partition("@")[0]: each["id"] for each in users}


def _by_hand(apps: Apps, method: str, path: str, *operations: tuple[Any, ...]) -> None:
    made = [dict(zip(("op", "path", "value"), each, strict=False)) for each in operations]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": made}
    apps.scim.control(method, f"admin/{path}", body if operations else None, status=204)


def _writes(apps: Apps) -> list[str]:
    return [method for method, _ in apps.calls() if method != "GET"]


def test_nothing_has_changed(apps: Apps) -> None:
    _there(apps, "ada", "bob")
    said = apps.push(compare=True)
    assert (said["status"], said["counts"]) == ("succeeded", {})
    # A list of users, which ends with a page of nobody new, and the group; nobody is read by id.
    assert len(apps.calls()) == 3


def test_what_others_did_is_brought_back_once_approved(apps: Apps) -> None:
    ids = _there(apps, "ada", "bob", "cyd", "dan", "eve", "fay")
    leaver = apps.company.roster()
    fay = next(crm_id for crm_id, member in leaver.items() if member["first_name"] == "Fay")
    apps.company.salesforce.update(fay, IsActive=False)
    apps.imported()
    apps.push()
    sales = apps.group_id("Sales")
    other = apps.scim.group("Leadership")
    _by_hand(apps, "PATCH", f"Users/{ids['ada']}", ("replace", "title", "Queen"))
    _by_hand(apps, "PATCH", f"Users/{ids['bob']}", CLOSED)
    _by_hand(apps, "DELETE", f"Users/{ids['cyd']}")
    _by_hand(apps, "PATCH", f"Groups/{sales}", ("remove", f'members[value eq "{ids["dan"]}"]'))
    _by_hand(apps, "PATCH", f"Groups/{other}", ("add", "members", [{"value": ids["eve"]}]))
    _by_hand(apps, "PATCH", f"Users/{ids['fay']}", ("replace", "active", True))
    apps.calls()
    previewed = apps.push(compare=True, preview=True, detail=True)
    assert {each["name"].split()[0]: each["drift"] for each in previewed["changes"]} == {
        "Ada": ["changed: title"],
        "Bob": ["closed"],
        "Cyd": ["gone"],
        "Dan": ["out of: Sales"],
        "Fay": ["opened"],
    }
    parked = apps.push(compare=True)
    assert parked["status"] == "parked"
    assert "is not as it was left for 5 people" in parked["guard"][0]
    assert _writes(apps) == []
    # The same again is no news, and a push of who has changed goes on beside it.
    assert apps.push(compare=True)["run_id"] == parked["run_id"]
    assert apps.push()["status"] == "succeeded"
    said = apps.push(approve=parked["run_id"], connections=None, by="joe")
    assert said["counts"] == {"closed": 1, "changed": 1, "opened": 1, "made": 1, "regrouped": 1}
    assert apps.truth() == {
        "ada": True,
        "bob": True,
        "cyd": True,
        "dan": True,
        "eve": True,
        "fay": False,
    }
    assert apps.groups() == {"Sales": ["ada", "bob", "cyd", "dan", "eve"], "Leadership": ["eve"]}
    assert apps.scim.user(ids["ada"])["title"] == "Rep"
    assert apps.push(compare=True)["counts"] == {}
    assert apps.push()["counts"] == {}


def test_accounts_that_carry_a_members_id_are_closed_and_those_of_nobody_are_told(apps: Apps) -> None:
    _there(apps, "ada")
    member = next(iter(apps.company.roster().values()))
    apps.scim.create(address("countess"), externalId=member["id"])
    apps.scim.create(address("stranger"))
    previewed = apps.push(compare=True, preview=True)
    assert "1 active user who are nobody's" in previewed["message"]
    assert "stranger@acme.example" in previewed["message"]
    assert [each["user_name"] for each in previewed["orphans"]] == ["stranger@acme.example"]
    parked = apps.push(compare=True)
    assert apps.push(approve=parked["run_id"], connections=None, by="joe")["counts"] == {"other_closed": 1}
    assert apps.truth() == {"ada": True, "countess": False, "stranger": True}
    (error,) = apps.company.errors()
    assert error["code"] == "app_users_of_nobody"
    assert "stranger" not in str(error)
    said = apps.push(compare=True)
    assert (said["status"], said["counts"]) == ("succeeded", {})


@pytest.mark.parametrize(
    "quirks",
    [
        {"total": "page", "page_size": 2, "start_index": "ignored"},
        {"start_index": "wraps", "page_size": 2},
        {"lists": "refused"},
        {"list_lag_s": 3_600},
        {"inactive": "unlisted"},
        {"inactive": "gone"},
        {"unsupported": ["title", "externalId"]},
    ],
    ids=str,
)
def test_a_list_that_lies_leads_to_nothing(apps: Apps, quirks: dict[str, Any]) -> None:
    # Where lists are refused, preflight says so before the first push.
    apps.scim.quirks(**{} if "lists" in quirks else quirks)
    _there(apps, "ada", "bob", "cyd", "dan")
    leaver = min(apps.company.roster())
    apps.company.salesforce.update(leaver, IsActive=False)
    apps.imported()
    apps.push()
    apps.scim.quirks(**quirks)
    said = apps.push(compare=True)
    assert (said["status"], said["counts"]) == ("succeeded", {})


@pytest.mark.parametrize("quirks", [{"lowercases_user_names": True}, {"members_shown": 0}], ids=str)
def test_what_an_app_shows_otherwise_is_asked_about_once_at_most(apps: Apps, quirks: dict[str, Any]) -> None:
    apps.scim.quirks(**quirks)
    _there(apps, "Ada", "Bob")
    said = apps.push(compare=True)
    if said["status"] == "parked":
        apps.push(approve=said["run_id"], connections=None, by="joe")
    said = apps.push(compare=True)
    assert (said["status"], said["counts"]) == ("succeeded", {})
    assert apps.push()["counts"] == {}


def test_it_is_done_once_a_week_by_itself(apps: Apps) -> None:
    ids = _there(apps, "ada")
    _by_hand(apps, "PATCH", f"Users/{ids['ada']}", CLOSED)
    states = bootstrap.app_table()
    assert apps.push(by="schedule")["counts"] == {}
    then = datetime.now(UTC) + timedelta(days=7, minutes=1)
    with patch("scheduled_push._now", lambda: then):
        assert apps.push(by="schedule")["status"] == "parked"
        compared_at = states.state("acme", APP).compared_at
        assert compared_at
        assert compared_at > (then - timedelta(minutes=1)).isoformat()
        # The next one pushes who has changed.
        assert apps.push(by="schedule")["status"] == "succeeded"
    assert apps.truth() == {"ada": False}


@pytest.mark.parametrize("seconds", [1, 3, 4])
def test_a_comparison_goes_on_where_it_was_interrupted_and_can_be_made_again(
    apps: Apps, seconds: int
) -> None:
    ids = _there(apps, "ada", "bob", "cyd")
    for name in ("ada", "cyd"):
        _by_hand(apps, "PATCH", f"Users/{ids[name]}", CLOSED)
    with patch("muster.provisioning.comparing_accounts.LOOKED_UP_AT_ONCE", 1):
        apps.company.have_seconds(*[600] * seconds, 0)
        said = apps.push(compare=True)
        assert said["status"] == "continue"
        apps.company.have_seconds(600)
        said = apps.push(run_id=said["run_id"], connections=None, by=None)
    # Nobody is read twice.
    assert len([path for _, path in apps.calls() if path.startswith("/scim/v2/Users/")]) == 2
    assert (said["status"], said["counts"]) == ("parked", {"opened": 2})
    replayed = apps.company.ask("replay", run_id=said["run_id"])
    assert replayed["same"], replayed


def test_it_is_refused_where_there_is_no_app(apps: Apps) -> None:
    assert apps.push(compare=True, connections=["vault_crm"])["status"] == "rejected"
    assert apps.push(compare=True, approve="x")["status"] == "rejected"


def test_the_event_to_paste(apps: Apps) -> None:
    _there(apps, "ada")
    assert apps.push(**{**pasted("scheduled_push_compare"), "connections": [APP]})["status"] == "succeeded"
    assert apps.company.latest().compares


def test_a_comparison_waits_beside_a_push_and_leaves_to_pushes_what_is_under_way(apps: Apps) -> None:
    ids = _there(apps, "ada", "bob", "cyd", "dan", "eve")
    crm_ids = {member["first_name"]: crm_id for crm_id, member in apps.company.roster().items()}
    apps.scim.quirks(immutable=["title"])
    apps.company.salesforce.update(crm_ids["Dan"], Title="Lead")
    apps.imported()
    assert apps.push()["counts"] == {"not_done": 1}
    for name in ("cyd", "dan", "eve"):
        _by_hand(apps, "PATCH", f"Users/{ids[name]}", ("replace", "title", "Queen"))
    for name in ("Ada", "Bob"):
        apps.company.salesforce.update(crm_ids[name], IsActive=False)
    apps.company.salesforce.update(crm_ids["Eve"], LastName="King")
    apps.imported()
    apps.company.put(guard=STRICT)
    push, comparison = apps.push(), apps.push(compare=True, detail=True)
    assert (push["status"], comparison["status"]) == ("parked", "parked")
    # Dan is tried again, and Eve has changed: neither is compared.
    assert [each["name"] for each in comparison["changes"]] == ["Cyd Lovelace"]
    for run in (push, comparison):
        assert apps.company.record(run["run_id"]).status == "parked"
