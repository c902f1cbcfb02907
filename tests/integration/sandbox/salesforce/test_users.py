from typing import Any

import pytest

from tests.doubles.clocks import Clock
from tests.doubles.salesforce_over_http import SALES_PROFILE, Organization, error_of, new_user

REQUIRED = [
    "Username",
    "LastName",
    "Email",
    "Alias",
    "TimeZoneSidKey",
    "LocaleSidKey",
    "EmailEncodingKey",
    "ProfileId",
    "LanguageLocaleKey",
]
PARTNER_PROFILE = "00e000000000007AAA"
OTHER_PROFILE = "00eSHAPEDRIGHT9"


def refused(org: Organization, method: str, path: str, body: object) -> tuple[int, str, list[str] | None]:
    answer = org.call(method, path, json=body)
    status, code = error_of(answer)
    return status, code, answer.json()[0].get("fields")


def test_a_created_user_reads_back(org: Organization) -> None:
    body = new_user(
        FirstName="Ada",
        LastName="Lovelace",
        Phone="+44 20 7946 0000",
        Region__c="EMEA",
        Import_Emails__c=True,
        CallCenterId="04v000000000001",
    )
    answer = org.call("POST", "/sobjects/User", json=body)
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v66.0/sobjects/User/{answer.json()['id']}"
    user = org.user(answer.json()["id"])
    stored = body | {"CallCenterId": "04v000000000001AAA", "Name": "Ada Lovelace", "IsActive": True}
    assert {name: user[name] for name in stored} == stored
    assert user["attributes"] == {"type": "User", "url": f"/services/data/v66.0/sobjects/User/{user['Id']}"}
    assert user["FirstName"] == "Ada"
    assert user["Title"] is None
    assert user["UserType"] == "Standard"


def test_only_the_fields_asked_for_are_read(org: Organization) -> None:
    user = org.create(LastName="Hopper")
    answer = org.call("GET", f"/sobjects/User/{user}", params={"fields": "lastname,IsActive"})
    assert list(answer.json()) == ["attributes", "LastName", "IsActive"]
    answer = org.call("GET", f"/sobjects/User/{user}", params={"fields": "LastName,Shoe"})
    assert error_of(answer) == (400, "INVALID_FIELD")


def test_a_change_touches_what_it_names_and_nothing_else(org: Organization) -> None:
    user = org.create(FirstName="Ada", LastName="Byron", Title="Countess")
    before = org.user(user)
    answer = org.call("PATCH", f"/sobjects/User/{user}", json={"lastname": "Lovelace", "Title": None})
    assert (answer.status_code, answer.content) == (204, b"")
    assert org.user(user) == before | {"LastName": "Lovelace", "Title": None, "Name": "Ada Lovelace"}


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Ada", "Lovelace", "Ada Lovelace"), (None, "Lovelace", "Lovelace"), ("  ", " Lovelace ", "Lovelace")],
)
def test_the_name_is_derived_and_blanks_are_null(
    org: Organization, first: str | None, last: str, name: str
) -> None:
    user = org.user(org.create(FirstName=first, LastName=last))
    assert user["Name"] == name
    assert user["FirstName"] == (first.strip() or None if first else None)


def test_stamps_have_whole_seconds(org: Organization, clock: Clock) -> None:
    user = org.create()
    clock.set("2026-11-21T12:00:01.999+00:00")
    org.update(user, Title="Rep")
    read = org.user(user)
    assert read["CreatedDate"] == "2026-11-21T12:00:00.000+0000"
    assert read["LastModifiedDate"] == read["SystemModstamp"] == "2026-11-21T12:00:01.000+0000"


def test_a_change_of_nothing_moves_the_stamps(org: Organization, clock: Clock) -> None:
    user = org.create(Title="Rep")
    clock.set("2026-11-21T12:10:00+00:00")
    org.update(user, Title="Rep")
    assert org.user(user)["SystemModstamp"] == "2026-11-21T12:10:00.000+0000"


def test_the_user_type_follows_the_profile(org: Organization) -> None:
    user = org.create(ProfileId=PARTNER_PROFILE)
    assert org.user(user)["UserType"] == "PowerPartner"
    org.update(user, ProfileId=SALES_PROFILE)
    assert org.user(user)["UserType"] == "Standard"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", ["leave out", None, ""])
def test_a_required_field_must_be_there(org: Organization, name: str, value: str | None) -> None:
    body = new_user()
    del body[name]
    if value != "leave out":
        body[name] = value
    assert refused(org, "POST", "/sobjects/User", body) == (400, "REQUIRED_FIELD_MISSING", [name])


def test_all_missing_fields_are_named_at_once(org: Organization) -> None:
    answer = org.call("POST", "/sobjects/User", json={})
    (error,) = answer.json()
    assert sorted(error["fields"]) == sorted(REQUIRED)
    assert error["message"] == f"Required fields are missing: [{', '.join(error['fields'])}]"


@pytest.mark.parametrize(
    ("changes", "code", "fields"),
    [
        ({"Shoe": "x"}, "INVALID_FIELD", None),
        ({"Manager": {"Username": "x"}}, "INVALID_FIELD", None),
        ({"Id": "005000000000001AAA"}, "INVALID_FIELD", None),
        ({"CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"Name": "Ada", "UserType": "Guest"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name", "UserType"]),
        ({"Alias": "ninechars"}, "STRING_TOO_LONG", ["Alias"]),
        ({"FirstName": "x" * 41}, "STRING_TOO_LONG", ["FirstName"]),
        ({"Region__c": "x" * 256}, "STRING_TOO_LONG", ["Region__c"]),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Email": "a b@acme.example"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Username": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Username"]),
        ({"ProfileId": "sales"}, "MALFORMED_ID", ["ProfileId"]),
        ({"CallCenterId": "04v00000000000-"}, "MALFORMED_ID", ["CallCenterId"]),
        ({"UserRoleId": "00E000000000001AAB"}, "MALFORMED_ID", ["UserRoleId"]),
        ({"ProfileId": "00E000000000001"}, "FIELD_INTEGRITY_EXCEPTION", ["ProfileId"]),
        ({"UserRoleId": "00e000000000001"}, "FIELD_INTEGRITY_EXCEPTION", ["UserRoleId"]),
        ({"ManagerId": "001000000000001"}, "FIELD_INTEGRITY_EXCEPTION", ["ManagerId"]),
        ({"ManagerId": "005999999999999"}, "INVALID_CROSS_REFERENCE_KEY", ["ManagerId"]),
        (
            {"TimeZoneSidKey": "Europe/Atlantis"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["TimeZoneSidKey"],
        ),
        ({"LocaleSidKey": "British"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["LocaleSidKey"]),
        ({"EmailEncodingKey": "utf8"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["EmailEncodingKey"]),
        ({"IsActive": "true"}, "JSON_PARSER_ERROR", None),
        ({"IsActive": 1}, "JSON_PARSER_ERROR", None),
        ({"IsActive": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["IsActive"]),
        ({"Title": 7}, "JSON_PARSER_ERROR", None),
        ({"Title": True}, "JSON_PARSER_ERROR", None),
        ({"Title": ["Rep"]}, "JSON_PARSER_ERROR", None),
        ({"ProfileId": 7}, "JSON_PARSER_ERROR", None),
    ],
)
def test_a_wrong_value_is_refused_on_creation_and_on_change(
    org: Organization, changes: dict[str, Any], code: str, fields: list[str] | None
) -> None:
    body = new_user() | changes
    assert refused(org, "POST", "/sobjects/User", body) == (400, code, fields)
    user = org.create(Title="Rep")
    before = org.user(user)
    assert refused(org, "PATCH", f"/sobjects/User/{user}", changes) == (400, code, fields)
    assert org.user(user) == before
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 1


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_cannot_be_emptied(org: Organization, name: str) -> None:
    user = org.create()
    assert refused(org, "PATCH", f"/sobjects/User/{user}", {name: None})[1:] == (
        "REQUIRED_FIELD_MISSING",
        [name],
    )


def test_a_username_is_taken_once_whatever_its_case(org: Organization) -> None:
    org.create(Username="ada@acme.example")
    body = new_user(Username="ADA@acme.example")
    assert refused(org, "POST", "/sobjects/User", body) == (400, "DUPLICATE_USERNAME", ["Username"])
    other = org.create()
    path = f"/sobjects/User/{other}"
    change = {"Username": "Ada@acme.example"}
    assert refused(org, "PATCH", path, change) == (400, "DUPLICATE_USERNAME", ["Username"])


def test_a_user_may_keep_its_own_username(org: Organization) -> None:
    user = org.create(Username="ada@acme.example")
    org.update(user, Username="Ada@acme.example")
    assert org.user(user)["Username"] == "Ada@acme.example"


def test_a_nickname_is_taken_once(org: Organization) -> None:
    org.create(CommunityNickname="ada")
    body = new_user(CommunityNickname="ADA")
    assert refused(org, "POST", "/sobjects/User", body)[1] == "DUPLICATE_COMM_NICKNAME"


def test_an_email_may_be_shared(org: Organization) -> None:
    org.create(Email="team@acme.example")
    org.create(Email="team@acme.example")
    assert len(org.found("Email = 'team@acme.example'")) == 2


def test_references_of_the_right_shape_are_accepted(org: Organization) -> None:
    manager = org.create()
    user = org.create(ProfileId=OTHER_PROFILE, UserRoleId="00E999999999999", ManagerId=manager[:15])
    read = org.user(user)
    assert read["ProfileId"] == "00eSHAPEDRIGHT9Y5P"
    assert read["ManagerId"] == manager


@pytest.mark.parametrize("length", [1, 2, 3])
def test_managers_may_go_round_in_a_circle(org: Organization, length: int) -> None:
    circle = [org.create(LastName=f"Boss {place}") for place in range(length)]
    for place, user in enumerate(circle):
        org.update(user, ManagerId=circle[(place + 1) % length])
    fifth = "Manager.Manager.Manager.Manager.Manager.Id"
    (record,) = org.query(f"SELECT {fifth} FROM User WHERE LastName = 'Boss 0'")["records"]  # noqa: S608  # SOQL
    for _ in range(5):
        record = record["Manager"]
    assert record["Id"] == circle[5 % length]


def test_a_login_is_dated_and_moves_no_stamp(org: Organization, clock: Clock) -> None:
    user = org.create()
    before = org.user(user)
    assert before["LastLoginDate"] is None
    clock.set("2026-11-21T12:05:00+00:00")
    assert org.control("POST", "users/login", {"ids": [user]})["at"] == "2026-11-21T12:05:00.000Z"
    assert org.user(user) == before | {"LastLoginDate": "2026-11-21T12:05:00.000+0000"}
    org.control("POST", "users/login", {"ids": [user], "at": "2026-01-05T10:00:00+02:00"})
    assert org.user(user)["LastLoginDate"] == "2026-01-05T08:00:00.000+0000"
    said = org.control("POST", "users/login", {"ids": [user], "at": "yesterday"}, status=400)["error"]
    assert "2026-11-20T08:15:31Z" in said


def test_custom_values_of_every_kind(org: Organization) -> None:
    for name, kind in (("Quota__c", "Number"), ("Started__c", "Date"), ("Badge_Printed__c", "DateTime")):
        org.control("POST", "custom-fields", {"name": name, "type": kind}, status=201)
    user = org.create(Quota__c=12, Started__c="2026-02-28", Badge_Printed__c="2026-03-01T10:00:00+02:00")
    read = org.user(user)
    assert read["Quota__c"] == 12.0
    assert read["Started__c"] == "2026-02-28"
    assert read["Badge_Printed__c"] == "2026-03-01T08:00:00.000+0000"
    for wrong in ({"Quota__c": "12"}, {"Started__c": "2026-02-30"}, {"Badge_Printed__c": "2026-03-01"}):
        assert refused(org, "PATCH", f"/sobjects/User/{user}", wrong)[1] == "JSON_PARSER_ERROR"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff{}", b"[" * 100_000])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_no_json_object_is_refused(org: Organization, method: str, body: bytes) -> None:
    path = "/sobjects/User" if method == "POST" else f"/sobjects/User/{org.create()}"
    answer = org.call(method, path, data=body, headers={"Content-Type": "application/json"})
    assert error_of(answer) == (400, "JSON_PARSER_ERROR")


def test_a_body_must_say_that_it_is_json(org: Organization) -> None:
    answer = org.call("POST", "/sobjects/User", data="{}", headers={"Content-Type": "text/plain"})
    assert error_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("record", "status", "code"),
    [
        ("005999999999999", 404, "NOT_FOUND"),
        ("001000000000001", 400, "MALFORMED_ID"),
        ("ada", 400, "MALFORMED_ID"),
        ("005000000000001AAB", 400, "MALFORMED_ID"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_record_that_is_not_there(
    org: Organization, method: str, record: str, status: int, code: str
) -> None:
    assert error_of(org.call(method, f"/sobjects/User/{record}", json={})) == (status, code)


def test_the_integration_user_is_read_by_its_id_and_in_no_query(org: Organization) -> None:
    user = org.token()["id"].rpartition("/")[2]
    read = org.call("GET", f"/sobjects/User/{user}?fields=Id,Username,IsActive").json()
    del read["attributes"]
    assert read == {"Id": user, "Username": org.sandbox.username, "IsActive": True}
    assert org.query(f"SELECT Id FROM User WHERE Id = '{user}'")["records"] == []  # noqa: S608 - an id
    assert error_of(org.call("PATCH", f"/sobjects/User/{user}", json={"Title": "x"})) == (404, "NOT_FOUND")


def test_users_cannot_be_deleted(org: Organization) -> None:
    user = org.create()
    assert error_of(org.call("DELETE", f"/sobjects/User/{user}")) == (400, "INVALID_TYPE_FOR_OPERATION")
    assert org.user(user)["IsActive"] is True


def test_setup_records_can_be_read_but_not_written(org: Organization) -> None:
    path = f"/sobjects/Profile/{SALES_PROFILE}"
    assert org.call("GET", path).json()["Name"] == "Sales"
    assert error_of(org.call("PATCH", path, json={"Name": "x"})) == (400, "INVALID_TYPE_FOR_OPERATION")
    answer = org.call("POST", "/sobjects/UserRole", json={"Name": "x"})
    assert error_of(answer) == (400, "INVALID_TYPE_FOR_OPERATION")


def test_an_unknown_path_or_method_is_answered_in_the_same_shape(org: Organization) -> None:
    assert error_of(org.call("GET", "/nothing/here")) == (404, "NOT_FOUND")
    assert error_of(org.call("GET", "/sobjects/Nothing/005000000000001")) == (404, "NOT_FOUND")
    answer = org.call("PUT", "/sobjects/User", json={})
    assert error_of(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer.json()[0]["message"] == "HTTP Method 'PUT' not allowed. Allowed are OPTIONS,POST"
