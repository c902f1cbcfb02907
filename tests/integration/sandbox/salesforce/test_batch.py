from typing import Any

import pytest

from tests.doubles.salesforce_over_http import Organization, error_of, new_user

FIND = {"method": "GET", "url": "v66.0/query?q=SELECT+Id+FROM+User"}
WRONG = {"method": "GET", "url": "v66.0/query?q=SELECT+Shoe+FROM+User"}


def create(**changes: object) -> dict[str, Any]:
    return {"method": "POST", "url": "v66.0/sobjects/User", "richInput": new_user(**changes)}


def batch(org: Organization, *requests: dict[str, Any], **options: object) -> Any:
    answer = org.call("POST", "/composite/batch", json={"batchRequests": list(requests), **options})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_request_answers_as_a_call_of_its_own_would(org: Organization) -> None:
    user = org.create(Title="Rep")
    answer = batch(
        org,
        FIND,
        {"method": "PATCH", "url": f"v66.0/sobjects/User/{user}", "richInput": {"Title": "Lead"}},
        {"method": "GET", "url": f"v65.0/sobjects/User/{user}?fields=Title"},
        {"method": "GET", "url": "v66.0/sobjects/User/describe"},
        create(),
    )
    assert answer["hasErrors"] is False
    found, changed, read, described, created = answer["results"]
    assert found["statusCode"] == 200
    assert [each["Id"] for each in found["result"]["records"]] == [user]
    assert changed == {"statusCode": 204, "result": None}
    assert read["result"]["Title"] == "Lead"
    assert read["result"]["attributes"]["url"] == f"/services/data/v65.0/sobjects/User/{user}"
    assert described["result"]["name"] == "User"
    assert (created["statusCode"], created["result"]["success"]) == (201, True)


def test_an_error_is_one_result_of_many(org: Organization) -> None:
    answer = batch(org, create(), WRONG, create(Email="nobody"), create())
    assert answer["hasErrors"] is True
    assert [each["statusCode"] for each in answer["results"]] == [201, 400, 400, 201]
    assert [each["result"][0]["errorCode"] for each in answer["results"][1:3]] == [
        "INVALID_FIELD",
        "INVALID_EMAIL_ADDRESS",
    ]
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 2


def test_halt_on_error_leaves_out_the_rest_and_keeps_what_was_done(org: Organization) -> None:
    answer = batch(org, create(), WRONG, create(), FIND, haltOnError=True)
    assert answer["hasErrors"] is True
    assert [each["statusCode"] for each in answer["results"]] == [201, 400, 412, 412]
    for halted in answer["results"][2:]:
        (error,) = halted["result"]
        assert error["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 1


def test_every_request_of_a_batch_is_an_api_call(org: Organization) -> None:
    org.control("PUT", "limits", {"api_requests_per_day": 4})
    answer = batch(org, *[FIND] * 5)  # the batch is a call too
    assert [each["statusCode"] for each in answer["results"]] == [200, 200, 200, 403, 403]
    assert answer["results"][-1]["result"][0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    assert org.control("GET", "limits") == {"api_requests_per_day": 4, "used": 4}
    path = "/services/data/v66.0/composite/batch"
    calls = [{"method": "POST", "path": path, "status": 200, "count": 1}]
    assert org.control("GET", "requests") == calls


@pytest.mark.parametrize("url", ["v66.0/composite", "v66.0/composite/sobjects", "v66.0/tooling/query?q=x"])
def test_other_resources_are_not_there(org: Organization, url: str) -> None:
    answer = batch(org, {"method": "POST", "url": url, "richInput": {}})
    assert answer["results"][0]["statusCode"] == 404


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({}, "JSON_PARSER_ERROR", "batchRequests must be"),
        ({"batchRequests": []}, "JSON_PARSER_ERROR", "batchRequests must be"),
        ({"batchRequests": [create()], "haltOnError": 1}, "JSON_PARSER_ERROR", "haltOnError must be"),
        ({"batchRequests": [create()], "allOrNone": True}, "JSON_PARSER_ERROR", '"allOrNone"'),
        ({"batchRequests": [create()] * 26}, "LIMIT_EXCEEDED", "25"),
        ({"batchRequests": [create(), {"method": "GET"}]}, "JSON_PARSER_ERROR", "url must begin"),
        ({"batchRequests": [create(), FIND | {"method": "FETCH"}]}, "JSON_PARSER_ERROR", "method must be"),
        ({"batchRequests": [create(), FIND | {"referenceId": "r"}]}, "JSON_PARSER_ERROR", '"referenceId"'),
        (
            {"batchRequests": [create(), FIND | {"url": "/services/data/v66.0/limits"}]},
            "JSON_PARSER_ERROR",
            "url must begin",
        ),
        ({"batchRequests": [create(), FIND | {"url": "v67.0/limits"}]}, "JSON_PARSER_ERROR", "66.0"),
        ({"batchRequests": [create(), FIND | {"url": "v33.0/limits"}]}, "JSON_PARSER_ERROR", "34.0"),
    ],
)
def test_a_malformed_batch_does_nothing_at_all(org: Organization, body: Any, code: str, said: str) -> None:
    answer = org.call("POST", "/composite/batch", json=body)
    assert error_of(answer) == (400, code)
    assert said in answer.json()[0]["message"]
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0
