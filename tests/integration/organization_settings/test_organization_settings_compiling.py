"""What Salesforce says of filters and fields, when settings are checked and saved (S3, U4)."""

from typing import Any

import pytest

from muster import bootstrap
from tests.integration.organization_settings.settings_examples import (
    DATA,
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
