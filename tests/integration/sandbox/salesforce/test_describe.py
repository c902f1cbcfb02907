from typing import Any

import pytest
import requests

from tests.doubles.clocks import Clock
from tests.doubles.salesforce_over_http import Organization, error_of

VERSIONS = [f"{number}.0" for number in range(60, 68)]


def described(org: Organization, name: str = "User") -> dict[str, dict[str, Any]]:
    answer = org.call("GET", f"/sobjects/{name}/describe")
    assert answer.status_code == 200
    return {field["name"]: field for field in answer.json()["fields"]}


@pytest.mark.parametrize("path", ["/services/data", "/services/data/"])
def test_anyone_may_list_the_versions(org: Organization, path: str) -> None:
    answer = requests.get(org.url + path, timeout=10)
    assert [each["version"] for each in answer.json()] == VERSIONS
    assert answer.json()[-2] == {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_listed_version_is_served(org: Organization, version: str) -> None:
    answer = org.http.get(f"{org.url}/services/data/v{version}/sobjects/User/describe", timeout=10)
    assert answer.json()["urls"]["sobject"] == f"/services/data/v{version}/sobjects/User"


@pytest.mark.parametrize("version", ["59.0", "68.0", "66", "66.1", "x"])
def test_no_other_version_is(org: Organization, version: str) -> None:
    for path in ("sobjects/User/describe", "query?q=SELECT+Id+FROM+User"):
        answer = org.http.get(f"{org.url}/services/data/v{version}/{path}", timeout=10)
        assert error_of(answer) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "kind", "length", "nillable", "createable", "updateable"),
    [
        ("Id", "id", 18, False, False, False),
        ("Username", "string", 80, False, True, True),
        ("Email", "email", 128, False, True, True),
        ("FirstName", "string", 40, True, True, True),
        ("LastName", "string", 80, False, True, True),
        ("Name", "string", 121, False, False, False),
        ("Alias", "string", 8, False, True, True),
        ("MobilePhone", "phone", 40, True, True, True),
        ("EmployeeNumber", "string", 20, True, True, True),
        ("FederationIdentifier", "string", 512, True, True, True),
        ("IsActive", "boolean", 0, False, True, True),
        ("TimeZoneSidKey", "picklist", 40, False, True, True),
        ("UserType", "picklist", 40, True, False, False),
        ("CreatedDate", "datetime", 0, False, False, False),
        ("SystemModstamp", "datetime", 0, False, False, False),
        ("ProfileId", "reference", 18, False, True, True),
        ("Region__c", "string", 255, True, True, True),
        ("Import_Emails__c", "boolean", 0, False, True, True),
    ],
)
def test_user_fields_are_described(
    org: Organization,
    name: str,
    kind: str,
    length: int,
    nillable: bool,
    createable: bool,
    updateable: bool,
) -> None:
    field = described(org)[name]
    found = [field[key] for key in ("type", "length", "nillable", "createable", "updateable")]
    assert found == [kind, length, nillable, createable, updateable]
    assert field["custom"] is name.endswith("__c")
    assert field["label"]


@pytest.mark.parametrize(
    ("name", "relationship", "target"),
    [
        ("ProfileId", "Profile", ["Profile"]),
        ("UserRoleId", "UserRole", ["UserRole"]),
        ("ManagerId", "Manager", ["User"]),
        ("CallCenterId", None, ["CallCenter"]),
        ("ContactId", "Contact", ["Contact"]),
        ("Email", None, []),
    ],
)
def test_references_name_their_relationship(
    org: Organization, name: str, relationship: str | None, target: list[str]
) -> None:
    field = described(org)[name]
    assert (field["relationshipName"], field["referenceTo"]) == (relationship, target)


def test_every_field_described_can_be_read(org: Organization) -> None:
    org.create()
    for name in ("User", "Profile", "UserLicense", "UserRole", "CallCenter"):
        fields = list(described(org, name))
        soql = f"SELECT {', '.join(fields)} FROM {name} LIMIT 1"  # noqa: S608  # SOQL written by the tests
        (record,) = org.query(soql)["records"]
        assert list(record) == ["attributes", *fields]


def test_users_cannot_be_deleted_by_the_description(org: Organization) -> None:
    answer = org.call("GET", "/sobjects/user/describe").json()
    assert (answer["name"], answer["keyPrefix"], answer["deletable"]) == ("User", "005", False)


def test_an_unknown_object_is_not_found(org: Organization) -> None:
    assert error_of(org.call("GET", "/sobjects/Nothing/describe")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "kind", "length"),
    [
        ({"name": "Shoe__c", "type": "Text"}, "string", 255),
        ({"name": "Shoe_Size__c", "type": "text", "length": 20}, "string", 20),
        ({"name": "Left_Handed__c", "type": "Checkbox"}, "boolean", 0),
        ({"name": "Started__c", "type": "Date"}, "date", 0),
        ({"name": "Badge_Printed__c", "type": "DateTime"}, "datetime", 0),
        ({"name": "Quota__c", "type": "Number"}, "double", 0),
        ({"name": "Private_Email__c", "type": "Email"}, "email", 80),
        ({"name": "Desk_Phone__c", "type": "Phone"}, "phone", 40),
        ({"name": "Team__c", "type": "Picklist"}, "picklist", 255),
    ],
)
def test_a_custom_field_can_be_defined(
    org: Organization, body: dict[str, object], kind: str, length: int
) -> None:
    org.control("POST", "custom-fields", body, status=201)
    org.control("POST", "custom-fields", body, status=201)  # again changes nothing
    org.control("POST", "reset")
    field = described(org)[str(body["name"])]
    assert (field["type"], field["length"], field["custom"]) == (kind, length, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "name is"),
        ([], "the body is"),
        ({"name": "Shoe", "type": "Text"}, "ends in __c"),
        ({"name": "Shoe__Size__c", "type": "Text"}, "ends in __c"),
        ({"name": '"; DROP TABLE User__c', "type": "Text"}, "ends in __c"),
        ({"name": "Shoe2__c", "type": "Lace"}, "Checkbox"),
        ({"name": "Shoe2__c", "type": "Text", "length": 0}, "1 to 255"),
        ({"name": "Shoe2__c", "type": "Text", "size": 3}, "the body is"),
        ({"name": "Region__c", "type": "Checkbox"}, "already"),
        ({"name": "Shoe2__c", "type": "Text", "formula": "1 + 1"}, "true or false"),
    ],
)
def test_a_wrong_custom_field_is_refused_with_what_is_allowed(
    org: Organization, body: object, said: str
) -> None:
    assert said in org.control("POST", "custom-fields", body, status=400)["error"]


def test_a_formula_gives_values_that_nobody_writes_and_that_move_no_stamp(
    org: Organization, clock: Clock
) -> None:
    body = {"name": "Score__c", "type": "Number", "formula": True}
    org.control("POST", "custom-fields", body, status=201)
    ada = org.create(LastName="Ada")
    field = described(org)["Score__c"]
    assert (field["calculated"], field["createable"], field["updateable"]) == (True, False, False)
    assert not described(org)["Region__c"]["calculated"]
    before = org.user(ada)
    clock.set("2026-11-21T12:05:00+00:00")
    org.control("PUT", "formulas/score__c", {"ids": [ada], "value": 7})
    assert org.user(ada) == before | {"Score__c": 7.0}
    assert org.found("Score__c > 5") == ["Ada"]
    answer = org.call("PATCH", f"/sobjects/User/{ada}", json={"Score__c": 8})
    assert error_of(answer) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    for name, value, said in (("Region__c", "x", "no formula field"), ("Score__c", "x", "Score__c")):
        refused = org.control("PUT", f"formulas/{name}", {"ids": [ada], "value": value}, status=400)
        assert said in refused["error"]
