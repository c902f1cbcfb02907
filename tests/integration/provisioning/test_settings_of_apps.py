"""What a change of an app's settings does to accounts there: said, and held where they stay open (I5, O3)."""

from typing import Any

import pytest

import organization_settings
from muster import bootstrap
from tests.integration.company import SALES, SUPPORT
from tests.integration.provisioning.apps import APP_HOST, Apps

APP = {"host": APP_HOST, "who": "everyone"}


@pytest.fixture
def filled(apps: Apps) -> Apps:
    """Return an app in which three have an account, and one of them is closed."""
    apps.person("ada")
    apps.person("bob", "Support")
    cleo = apps.person("cleo")
    apps.imported()
    assert apps.push()["counts"] == {"made": 3}
    apps.company.salesforce.update(cleo, IsActive=False)
    apps.imported("incremental")
    assert apps.push()["counts"] == {"closed": 1}
    return apps


def ask(apps: Apps, action: str, **connections: Any) -> dict[str, Any]:
    """Ask for the settings with these connections beside Salesforce."""
    salesforce = apps.company.salesforce.connection
    settings = {**apps.company.document, "connections": {"salesforce": salesforce, **connections}}
    asked = {"organization": "acme", "action": action, "settings": settings}
    said: dict[str, Any] = organization_settings.handler(
        asked | ({} if action == "validate" else {"by": "jane"}), apps.company.context
    )
    return said


# Connections, and what is said of them.
LEAVING: list[tuple[dict[str, Any], str]] = [
    (
        {"scim": {"app": APP | {"path": "/another"}}},
        f"connections.scim.app leads to another app, {APP_HOST}/another; it was {APP_HOST}/scim/v2: 2",
    ),
    ({"scim": {"other": APP}}, "connections.scim.app is taken out"),
    ({}, "connections.scim.app is taken out: 2 accounts stay open there"),
]


def test_what_leaves_accounts_open_waits_for_approval_and_says_how_many(filled: Apps) -> None:
    for connections, says in LEAVING:
        for action in ("validate", "preview"):
            warnings = ask(filled, action, **connections)["warnings"]
            [warned] = [each for each in warnings if "stay open" in each["message"]]
            assert f"{warned['where']} {warned['message']}".startswith(says)
            assert "push, and save this then" in warned["remedy"]
        said = ask(filled, "put", **connections)
        assert said["status"] == "parked"
        [reason] = said["guard"]
        assert reason.startswith(says)
    event = {"organization": "acme", "action": "approve", "run_id": said["run_id"], "by": "joe"}
    approved = organization_settings.handler(event, filled.company.context)
    assert approved["saved"]
    assert LEAVING[-1][1] in approved["message"]
    # What nobody reaches any more cannot be lost twice: put in again, and led elsewhere.
    assert ask(filled, "put", **LEAVING[0][0])["saved"]


def test_an_app_in_which_nobody_has_an_open_account_is_taken_out_without_a_word(apps: Apps) -> None:
    apps.person("ada")
    apps.imported()
    said = ask(apps, "put")
    assert (said["saved"], [each for each in said["warnings"] if "scim" in each["where"]]) == (True, [])


# Who is to be in the app, and how many that leaves out who have an open account there.
NARROWER: list[tuple[dict[str, Any], int]] = [
    ({"assignments": ["Sales", "Support"]}, 0),
    ({"seat": "gong"}, 0),
    ({"assignments": ["Sales"]}, 1),
    ({"seat": "forecast"}, 2),
]


def test_a_narrower_who_says_how_many_the_next_push_closes(filled: Apps) -> None:
    filled.company.put(seats={"gong": {}, "forecast": {}}, assignments=[SALES, SUPPORT])
    for who, closed in NARROWER:
        ask(filled, "put", scim={"app": APP})
        for action in ("validate", "put"):
            said = ask(filled, action, scim={"app": APP | {"who": who}})
            found = [each for each in said["warnings"] if each["where"] == "connections.scim.app.who"]
            numbers = [int(each["message"].split()[2]) for each in found]
            assert numbers == ([closed] if closed else []), who
        assert said["saved"]
        assert filled.push(preview=True)["counts"].get("closed", 0) == closed


def test_only_a_change_of_an_app_costs_a_read_of_the_roster(
    filled: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the roster is read")

    monkeypatch.setattr(bootstrap.roster_table(), "members", read)
    assert ask(filled, "validate", scim={"app": APP | {"on_leave": "delete"}})["status"] == "succeeded"
    with pytest.raises(AssertionError):
        ask(filled, "validate")
