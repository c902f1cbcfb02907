"""What Salesforce says of filters and fields, when settings are checked and saved (S3, U4)."""

from typing import Any

import pytest

from muster import bootstrap
from sandbox.salesforce.errors import SalesforceError
from tests.integration.organization_settings.settings_examples import (
    DATA,
    OTHERS,
    SALES,
    Acme,
    down,
    error_of,
)


@pytest.mark.parametrize("action", ["validate", "put", "preview"])
def test_a_filter_that_salesforce_refuses_is_a_fault_at_its_place(acme: Acme, action: str) -> None:
    broken = {"name": "Broken", "filter": "Departmnt = 'Sales'"}
    where, message, remedy = error_of(
        acme.invoke(
            action,
            settings=acme.document(assignments=[SALES, broken]),
        )
    )
    assert where == "assignments[1].filter"
    assert "No such column 'Departmnt' on entity 'User'" in message
    assert "Correct it" in remedy
    assert (acme.version(), acme.runs()) == (0, [])


@pytest.mark.parametrize(
    ("sections", "where", "says"),
    [
        (
            {"auto_provision": {"custom_fields": ["Region__c", "Rgion__c"]}},
            "custom_fields[1]",
            "Did you mean Region__c?",
        ),
        ({"auto_provision": {"custom_fields": ["region__c"]}}, "custom_fields[0]", "Write Region__c."),
        (
            {"field_maps": {"salesforce": {"title": "Job__c"}}},
            "field_maps.salesforce.title",
            "field-level security",
        ),
    ],
)
def test_a_field_that_an_import_could_not_read_is_a_fault_where_it_is_named(
    acme: Acme, sections: dict[str, Any], where: str, says: str
) -> None:
    found, _, remedy = error_of(acme.put(**sections))
    assert found.endswith(where)
    assert says in remedy


@pytest.mark.parametrize(
    ("part", "says"),
    [("Id IN ('005", "in a query of users by id"), ("SystemModstamp >=", "users changed since a moment")],
)
def test_a_filter_that_salesforce_takes_only_by_itself_is_not_saved(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, part: str, says: str
) -> None:
    """A full import would work, and messages or incremental imports would stop."""
    queries = acme.salesforce.organization.queries
    run = queries.run

    def picky(soql: str, *how: Any) -> dict[str, Any]:
        if "City" in soql and part in soql:
            raise SalesforceError(400, "MALFORMED_QUERY", "not beside this")
        return run(soql, *how)

    monkeypatch.setattr(queries, "run", picky)
    where, message, _ = error_of(acme.put(assignments=[SALES, {"name": "Leeds", "filter": "City = 'Leeds'"}]))
    assert where == "assignments[1].filter"
    assert says in message
    assert "not beside this" in message
    assert acme.version() == 0


@pytest.mark.parametrize(
    "condition",
    [
        "Department = 'Sales'\n  AND Country = 'GB'",
        "CALENDAR_YEAR(CreatedDate) = 2026",
        "FISCAL_QUARTER(CreatedDate) = 1 OR CreatedDate = THIS_FISCAL_YEAR",
        "CreatedDate = LAST_N_FISCAL_QUARTERS:2",
        "Regions__c INCLUDES ('EMEA;UK', 'DE')",
        "DISTANCE(Address, GEOLOCATION(37.7, -122.4), 'mi') < 20",
        "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')",
        "Country = 'GB' AND (Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = true))",
        "Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'EMEA') AND Title != null",
        "UserRole.ParentRoleId != null AND (NOT UserRole.Name LIKE 'EMEA%')",
        "NOT (Department = 'Sales')",
        "Manager.Manager.Name = 'O\\'Neil'",
        "Title LIKE '%limit 5%' OR AboutMe LIKE '%with people%'",
        "toLabel(LanguageLocaleKey) = 'English'",
        "Name = 'ORDER BY x; SELECT' AND Title = ') AND (b = 2 OR'",
        "User.UserType = 'Standard' AND Profile.UserLicense.Name = 'Salesforce'",
    ],
)
def test_whatever_salesforce_takes_is_taken(acme: Acme, condition: str) -> None:
    several = {"name": "Regions__c", "type": "MultiselectPicklist"}
    acme.salesforce.call("POST", "/sandbox/custom-fields", several)
    document = acme.document(assignments=[{"name": "A", "filter": condition}, OTHERS])
    assert acme.invoke("validate", settings=document)["status"] == "succeeded"


@pytest.mark.parametrize("action", ["validate", "put", "preview"])
def test_a_sub_select_beside_or_is_refused_before_salesforce_is_asked(acme: Acme, action: str) -> None:
    beside_or = "Department = 'Sales' OR Id IN (SELECT AssigneeId FROM PermissionSetAssignment)"
    document = acme.document(assignments=[SALES, {"name": "Gong", "filter": beside_or}])
    where, message, remedy = error_of(acme.invoke(action, settings=document))
    assert where == "assignments[1].filter"
    assert "beside OR" in message
    assert "two assignments" in remedy
    assert acme.version() == 0


def test_a_version_whose_fields_are_gone_is_not_restored(acme: Acme) -> None:
    acme.put()
    acme.put(assignments=[])
    acme.salesforce.faults(
        {"path": f"{DATA}/composite/batch", "fault": "omit_field", "field": "Title", "count": 9}
    )
    where, message, _ = error_of(acme.invoke("restore", version=1))
    assert where == "auto_provision.fields[7]"
    assert "Salesforce leaves out Title" in message
    assert acme.version() == 2


def test_what_switches_everything_off_is_saved_whatever_salesforce_says(acme: Acme) -> None:
    acme.put()
    off = {"require_call_center": False, "enabled": False}
    said = acme.put(auto_provision=off, assignments=[{"name": "A", "filter": "Departmnt = 'x'"}])
    assert (said["status"], said["version"]) == ("succeeded", 2)
    assert [warning["where"] for warning in said["warnings"]] == [
        "assignments[0].filter",
        "auto_provision.enabled",
    ]
    assert bootstrap.run_table().organizations() == []


@pytest.mark.parametrize("action", ["validate", "put"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (down(DATA), "503"),
        (
            {"path": "/services/oauth2", "fault": "status", "status": 400, "count": 9},
            "refused the credentials",
        ),
    ],
)
def test_where_salesforce_cannot_be_asked_settings_are_accepted_with_a_warning(
    acme: Acme, action: str, fault: dict[str, Any], says: str
) -> None:
    acme.salesforce.faults(fault)
    said = acme.invoke(action, settings=acme.document())
    assert said["status"] == "succeeded"
    warning = said["warnings"][0]
    assert warning["where"] == "connections.salesforce"
    assert says in warning["message"]
