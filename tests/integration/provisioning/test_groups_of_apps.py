"""Groups of an app that were deleted there, or whose assignment has another name by now (O2)."""

from unittest.mock import patch

from muster.provisioning import sending_accounts
from tests.integration.provisioning.apps import Apps


def test_whoever_was_in_a_deleted_group_is_put_into_the_new_one(apps: Apps) -> None:
    apps.company.salesforce.create_many(15, Department=["Sales"])
    apps.imported()
    with patch.object(sending_accounts, "AT_ONCE", 10):
        assert apps.push()["counts"] == {"made": 15}
        apps.delete_group("Sales")
        apps.person("ada")
        apps.imported()
        assert apps.push()["counts"] == {"made": 1}
        assert apps.groups()["Sales"] == ["ada"]
        apps.calls()
        assert apps.push()["counts"] == {"regrouped": 15}
    assert len(apps.groups()["Sales"]) == 16
    # A chunk at a time, and nobody is looked at.
    assert [method for method, _ in apps.calls() if method != "GET"] == ["PATCH", "PATCH"]
    assert apps.push()["counts"] == {}
    assert apps.calls() == []


def test_a_group_that_is_found_to_be_deleted_late_in_a_push_of_everybody(apps: Apps) -> None:
    for name in ("ada", "bob", "cyd", "dan"):
        apps.person(name)
    apps.imported()
    apps.push()
    apps.delete_group("Sales")
    last = max(apps.company.roster().values(), key=lambda member: member["id"])
    apps.company.salesforce.update(last["crm"]["salesforce"]["id"], Department="Support")
    apps.imported()
    with patch.object(sending_accounts, "AT_ONCE", 1):
        # Another setting: everybody is judged.
        apps.connect(attributes={"title": "title"})
        apps.push()
    assert "Sales" not in apps.groups()
    assert apps.push()["counts"] == {"regrouped": 3}
    assert len(apps.groups()["Sales"]) == 3
    assert apps.push()["counts"] == {}
