"""An app brought in line with the roster by pushes, from Salesforce's row to the account (O2, O3)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from requests import PreparedRequest

import member_settings
import scheduled_push
from tests.integration.pasted import pasted
from tests.integration.provisioning.apps import APP, Apps, address
from tests.integration.provisioning.leavers import Crashed


def test_who_joins_gets_an_account_and_who_leaves_is_closed(apps: Apps) -> None:
    ada, bob = apps.person("ada"), apps.person("bob", "Support")
    apps.imported()
    said = apps.push()
    assert said["counts"] == {"made": 2}
    assert apps.truth() == {"ada": True, "bob": True}
    assert apps.groups() == {"Sales": ["ada"], "Support": ["bob"]}
    assert apps.account(ada)["state"] == "active"
    apps.calls()
    assert apps.push()["counts"] == {}
    assert apps.calls() == []
    apps.company.salesforce.update(ada, IsActive=False)
    apps.imported("incremental")
    said = apps.push()
    assert said["counts"] == {"closed": 1}
    assert apps.truth() == {"ada": False, "bob": True}
    assert apps.groups()["Sales"] == []
    assert apps.account(ada)["state"] == "inactive"
    assert apps.push()["counts"] == {}
    apps.company.salesforce.update(ada, IsActive=True, Title="Director")
    apps.imported("incremental")
    assert apps.push()["counts"] == {"opened": 1}
    assert apps.truth() == {"ada": True, "bob": True}
    assert apps.groups()["Sales"] == ["ada"]
    assert apps.account(bob)["state"] == "active"
    assert apps.company.errors() == []


def test_a_preview_says_what_a_push_would_do_and_changes_nothing(apps: Apps) -> None:
    apps.person("ada")
    apps.scim.create(address("ada"))
    apps.person("bob")
    apps.scim.create(address("eve"))
    apps.imported()
    said = apps.push(preview=True)
    assert said["counts"] == {"to_adopt": 1, "made": 1}
    does = {each["name"]: each["does"] for each in said["changes"]}
    assert does == {"Ada Lovelace": "to_adopt", "Bob Lovelace": "made"}
    assert apps.truth() == {"ada": True, "eve": True}
    assert all(method == "GET" for method, _ in apps.calls())
    assert apps.push()["counts"] == {"to_adopt": 1, "made": 1}
    assert apps.groups() == {"Sales": ["bob"]}
    assert apps.push()["counts"] == {}
    assert APP in str(apps.company.errors())


def test_the_events_to_paste_preview_a_push_to_an_app_and_push(apps: Apps) -> None:
    apps.person("ada")
    apps.imported()
    connections = apps.company.document["connections"]
    named = {
        **connections,
        "scim": {"gong": {**connections["scim"]["app"], "secret": "muster/acme/scim/app"}},
    }
    assert apps.company.put(connections=named)["status"] == "succeeded"
    previewed = scheduled_push.handler(pasted("scheduled_push_app_preview"), apps.company.context)
    assert (previewed["status"], previewed["counts"], apps.truth()) == ("succeeded", {"made": 1}, {})
    pushed = scheduled_push.handler(pasted("scheduled_push_app"), apps.company.context)
    assert (pushed["status"], pushed["counts"], apps.truth()) == ("succeeded", {"made": 1}, {"ada": True})


def test_a_schedule_pushes_one_connection_after_the_other_and_one_that_fails_stops_none(apps: Apps) -> None:
    apps.person("ada")
    apps.imported()
    second = {"host": "127.0.0.1:8005", "who": "everyone"}
    connections = apps.company.document["connections"]
    scim = {"another": second, **connections["scim"]}
    assert apps.company.put(connections={**connections, "scim": scim})["status"] == "succeeded"
    first = apps.push(by="schedule", connections=None)
    assert (first["status"], first["connections_left"]) == ("failed", [APP])
    said = apps.push(by="schedule", connections=None, turn=1)
    assert (said["status"], said["counts"], "connections_left" in said) == ("succeeded", {"made": 1}, False)
    assert apps.push(by="schedule", connections=None, turn=2)["status"] == "skipped"
    assert apps.truth() == {"ada": True}


def test_an_unknown_connection_is_refused_with_those_there_are(apps: Apps) -> None:
    said = apps.push(connections=["scim.ap"])
    assert said["status"] == "rejected"
    assert said["errors"][0]["where"] == "connections[0]"
    assert "'scim.app'" in said["errors"][0]["remedy"]


def test_what_is_left_after_an_answer_that_says_nothing_is_sent_by_the_next_push(apps: Apps) -> None:
    ada, bob = apps.person("ada"), apps.person("bob")
    apps.imported()
    apps.push()
    apps.company.salesforce.update(ada, IsActive=False)
    apps.company.salesforce.update(bob, Title="Director")
    apps.imported("incremental")
    # Neither arrives, and a look shows that.
    apps.scim.fault("html", "/scim/v2/Users", method="PATCH", count=2)
    assert apps.push()["counts"]["not_done"] == 2
    apps.push()
    assert apps.truth() == {"ada": False, "bob": True}
    assert apps.titles() == {"ada": None, "bob": "Director"}
    assert apps.push()["counts"] == {}


def test_whoever_could_not_be_taken_out_of_a_group_before_being_closed_is_taken_out_later(apps: Apps) -> None:
    ada = apps.person("ada")
    apps.imported()
    apps.push()
    apps.company.salesforce.update(ada, IsActive=False)
    apps.imported("incremental")
    apps.scim.fault("status", "/scim/v2/Groups", method="PATCH", status=400, count=1)
    apps.push()
    assert (apps.truth(), apps.groups()) == ({"ada": False}, {"Sales": ["ada"]})
    apps.push()
    assert apps.groups() == {"Sales": []}
    assert apps.push()["counts"] == {}


@pytest.mark.filterwarnings("ignore:No application metrics")  # nothing is told where a function is gone
def test_an_adopted_account_is_brought_in_line_though_the_push_that_looked_at_it_broke_off(
    apps: Apps, pass_time: Callable[[timedelta], None]
) -> None:
    ada = apps.person("ada", Title="Director")
    apps.scim.create(address("ada"))
    apps.imported()
    apps.push()
    change = {"member": ada, "accounts": {APP: "adopt"}}
    said = member_settings.handler(
        {"organization": "acme", "by": "jane", "changes": [change]}, apps.company.context
    )
    assert said["status"] == "succeeded"

    def gone(request: PreparedRequest) -> None:
        if request.method == "PATCH":
            raise Crashed

    apps.wire.before = gone
    with pytest.raises(Crashed):
        apps.push()
    apps.wire.before = lambda request: None
    pass_time(timedelta(hours=1))
    apps.push()
    assert apps.titles() == {"ada": "Director"}
    assert apps.groups() == {"Sales": ["ada"]}
    assert apps.push()["counts"] == {}


def test_who_leaves_and_was_never_let_in_is_not_due_any_more(apps: Apps) -> None:
    ada = apps.person("ada")
    apps.imported()
    apps.scim.fault("status", path="/scim/v2/Users", status=400, method="POST")
    assert apps.push()["counts"] == {"not_done": 1}
    apps.scim.control("POST", "faults", [])
    apps.company.salesforce.update(ada, IsActive=False)
    apps.imported("incremental")
    assert apps.push()["counts"] == {}
    assert apps.account(ada) == {}
    assert "due" not in [
        key for row in apps.company.items() if row["sk"]["S"].startswith("MEMBER#") for key in row
    ]
