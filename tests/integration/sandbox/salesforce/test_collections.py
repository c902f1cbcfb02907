from typing import Any

import pytest

from tests.doubles.receiver import Receiver
from tests.doubles.salesforce_over_http import Organization, error_of, new_user

USER = {"attributes": {"type": "User"}}


def count(org: Organization) -> Any:
    return org.query("SELECT COUNT() FROM User")["totalSize"]


def change(org: Organization, *records: dict[str, Any], all_or_none: bool = False) -> Any:
    body = {"allOrNone": all_or_none, "records": [USER | each for each in records]}
    answer = org.call("PATCH", "/composite/sobjects", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_hundreds_of_users_are_created_and_sent_once_each(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(receiver_url, "Username")
    bodies = [new_user() for _ in range(300)]
    results = org.create_many(*bodies[:200]) + org.create_many(*bodies[200:])
    ids = [each["id"] for each in results]
    assert results == [{"id": each, "success": True, "errors": []} for each in ids]
    assert org.found("Id != null", "Username") == [body["Username"] for body in bodies]
    messages = receiver.wait_for_notifications(300)
    assert max(len(message.ids) for message in messages) <= 100
    assert len({each for message in messages for each in message.ids}) == 300
    sent = [(fields["Id"], fields["Username"]) for message in messages for fields in message.fields]
    assert sorted(sent) == sorted(zip(ids, (body["Username"] for body in bodies), strict=True))


def test_each_record_has_a_result_of_its_own(org: Organization) -> None:
    org.install("http://127.0.0.1:1/webhook")
    org.deliver(hold=True)
    twin = new_user()
    results = org.create_many(twin, new_user(Email="nobody"), twin, {}, new_user(Title="Rep"))
    assert [each["success"] for each in results] == [True, False, False, False, True]
    assert [set(each) for each in results[1:4]] == [{"success", "errors"}] * 3
    (wrong,) = results[1]["errors"]
    assert wrong == {
        "statusCode": "INVALID_EMAIL_ADDRESS",
        "message": "Email: invalid email address: nobody",
        "fields": ["Email"],
    }
    assert results[2]["errors"][0]["statusCode"] == "DUPLICATE_USERNAME"
    assert results[3]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert org.user(results[4]["id"])["Title"] == "Rep"
    assert count(org) == 2
    assert org.deliveries()["pending"] == 2


def test_with_all_or_none_one_failure_undoes_everything(org: Organization) -> None:
    org.install("http://127.0.0.1:1/webhook")
    org.deliver(hold=True)
    results = org.create_many(new_user(), new_user(Email="nobody"), new_user(), all_or_none=True)
    assert [each["errors"][0]["statusCode"] for each in results] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_EMAIL_ADDRESS",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]
    assert not any(each["success"] or "id" in each for each in results)
    assert count(org) == 0
    assert org.deliveries()["pending"] == 0
    assert all(each["success"] for each in org.create_many(new_user(), new_user(), all_or_none=True))
    assert count(org) == 2


def test_users_are_changed_together(org: Organization) -> None:
    ids = [each["id"] for each in org.create_many(*[new_user(Title="Rep") for _ in range(3)])]
    results = change(
        org,
        {"id": ids[0], "Title": "Lead"},
        {"Id": ids[1][:15], "Title": None},
        {"Title": "Head"},
        {"id": "005999999999999", "Title": "Head"},
        {"id": ids[2], "Email": "nobody"},
    )
    assert [each["success"] for each in results] == [True, True, False, False, False]
    assert [each["errors"][0]["statusCode"] for each in results[2:]] == [
        "MISSING_ARGUMENT",
        "NOT_FOUND",
        "INVALID_EMAIL_ADDRESS",
    ]
    assert [org.user(each)["Title"] for each in ids] == ["Lead", None, "Rep"]
    results = change(
        org, {"id": ids[0], "Title": "Head"}, {"id": ids[1], "Email": "nobody"}, all_or_none=True
    )
    assert results[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert org.user(ids[0])["Title"] == "Lead"


def test_records_of_a_type_that_cannot_be_written_fail_alone(org: Organization) -> None:
    records = [{"attributes": {"type": "Profile"}, "Name": "x"}, USER | new_user()]
    answer = org.call("POST", "/composite/sobjects", json={"records": records})
    assert [each["success"] for each in answer.json()] == [False, True]
    assert answer.json()[0]["errors"][0]["statusCode"] == "INVALID_TYPE_FOR_OPERATION"


def test_two_hundred_records_are_the_most(org: Organization) -> None:
    records = [USER | new_user() for _ in range(201)]
    answer = org.call("POST", "/composite/sobjects", json={"records": records})
    assert error_of(answer) == (400, "EXCEEDED_ID_LIMIT")
    assert "cannot submit more than 200 records" in answer.json()[0]["message"]
    assert count(org) == 0
    assert len(org.create_many(*[new_user() for _ in range(200)])) == 200


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({}, "JSON_PARSER_ERROR", "records must be"),
        ({"records": USER | new_user()}, "JSON_PARSER_ERROR", "records must be"),
        ({"records": [], "allOrNone": "yes"}, "JSON_PARSER_ERROR", "allOrNone true or false"),
        ({"records": [USER | new_user()], "all": True}, "JSON_PARSER_ERROR", 'Unrecognized field "all"'),
        ({"records": [USER | new_user(), "x"]}, "JSON_PARSER_ERROR", "attributes"),
        ({"records": [USER | new_user(), new_user()]}, "JSON_PARSER_ERROR", "attributes"),
        ({"records": [USER | new_user(), {"attributes": "User"}]}, "JSON_PARSER_ERROR", "attributes"),
        ({"records": [USER | new_user(), {"attributes": {"type": "Shoe"}}]}, "INVALID_TYPE", "'Shoe'"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_malformed_request_does_nothing_at_all(
    org: Organization, method: str, body: Any, code: str, said: str
) -> None:
    answer = org.call(method, "/composite/sobjects", json=body)
    assert error_of(answer) == (400, code)
    assert said in answer.json()[0]["message"]
    assert count(org) == 0


def test_a_collection_is_one_call(org: Organization) -> None:
    org.create_many(*[new_user() for _ in range(20)])
    assert org.control("GET", "limits")["used"] == 1
    path = "/services/data/v66.0/composite/sobjects"
    assert org.control("GET", "requests") == [{"method": "POST", "path": path, "status": 200, "count": 1}]
