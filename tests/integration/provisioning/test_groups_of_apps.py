"""Groups of an app that were deleted there, or whose assignment has another name by now (O2)."""

from unittest.mock import patch

import pytest

from muster.provisioning import sending_accounts
from tests.integration.company import SALES, SUPPORT
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


FIELD_SALES = SALES | {"name": "Field sales", "formerly": ["Sales"]}


def _of_two(apps: Apps, **quirks: object) -> str:
    """Let two be in the app, in Sales, which is then renamed; returns the group's id."""
    for name in ("ada", "bob"):
        apps.person(name)
    apps.imported()
    apps.push()
    apps.scim.quirks(**quirks)
    apps.company.put_and_approve(assignments=[FIELD_SALES, SUPPORT])
    assert apps.groups() == {"Sales": ["ada", "bob"]}
    apps.calls()
    return apps.group_id("Sales")


def test_a_renamed_assignment_keeps_its_group(apps: Apps) -> None:
    group = _of_two(apps)
    previewed = apps.push(preview=True)
    assert previewed["counts"] == {"groups_renamed": 1}
    assert "The group Sales is renamed Field sales." in previewed["message"]
    assert apps.groups() == {"Sales": ["ada", "bob"]}
    apps.calls()
    assert apps.push()["counts"] == {"groups_renamed": 1}
    assert [path for method, path in apps.calls() if method != "GET"] == [f"/scim/v2/Groups/{group}"]
    assert apps.groups() == {"Field sales": ["ada", "bob"]}
    # The import moves the members to the assignment's new name, which changes nothing in the app.
    apps.imported()
    apps.person("cyd")
    apps.imported()
    assert apps.push()["counts"] == {"made": 1}
    assert apps.groups() == {"Field sales": ["ada", "bob", "cyd"]}
    assert apps.company.errors() == []


@pytest.mark.parametrize("taken", [False, True], ids=["refused", "there is one of that name"])
def test_a_group_that_cannot_be_renamed_is_left_for_a_new_one(apps: Apps, *, taken: bool) -> None:
    _of_two(apps, **({} if taken else {"immutable": ["Group.displayName"]}))
    if taken:
        apps.scim.group("Field sales")
    apps.push()
    assert apps.groups() == {"Sales": [], "Field sales": ["ada", "bob"]}
    (error,) = apps.company.errors()
    assert error["code"] == "app_group_not_renamed"
    apps.calls()
    assert apps.push()["counts"] == {}
    assert apps.calls() == []
