from typing import Any

import pytest
import requests

from tests.doubles.salesforce_over_http import Organization, error_of, new_user

FIND = {"q": "SELECT Id FROM User"}


def test_beyond_the_limit_every_call_is_refused(org: Organization) -> None:
    shown = org.control("PUT", "limits", {"api_requests_per_day": 2})
    assert shown == {"api_requests_per_day": 2, "used": 0}
    answers = [org.call("GET", "/query", params=FIND) for _ in range(4)]
    assert [each.headers["Sforce-Limit-Info"] for each in answers] == [
        f"api-usage={used}/2" for used in (1, 2, 2, 2)
    ]
    assert [each.status_code for each in answers] == [200, 200, 403, 403]
    assert answers[2].json() == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    for method, path, body in (
        ("GET", "/sobjects/User/describe", None),
        ("GET", "/limits", None),
        ("POST", "/sobjects/User", new_user()),
        ("POST", "/composite", {"compositeRequest": []}),
        ("POST", "/composite/batch", {"batchRequests": []}),
        ("POST", "/composite/sobjects", {"records": []}),
    ):
        assert error_of(org.call(method, path, json=body)) == (403, "REQUEST_LIMIT_EXCEEDED")
    org.control("PUT", "limits", {"api_requests_per_day": 3})
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0  # not created above


def test_logging_in_and_listing_versions_are_free(org: Organization) -> None:
    org.control("PUT", "limits", {"api_requests_per_day": 0})
    assert org.token()["access_token"]
    assert requests.get(f"{org.url}/services/data/", timeout=10).status_code == 200
    assert org.call("GET", "/query", params=FIND).status_code == 403


def test_a_wrong_session_is_no_use_of_the_limit(org: Organization) -> None:
    headers = {"Authorization": "Bearer 00D!made.up"}
    assert org.call("GET", "/query", params=FIND, headers=headers).status_code == 401
    assert org.control("GET", "limits")["used"] == 0


def test_the_limit_can_be_read_as_in_salesforce(org: Organization) -> None:
    org.control("PUT", "limits", {"api_requests_per_day": 15000})
    assert org.call("GET", "/limits").json()["DailyApiRequests"] == {"Max": 15000, "Remaining": 14999}


def test_a_reset_gives_the_calls_back(org: Organization) -> None:
    org.control("PUT", "limits", {"api_requests_per_day": 0})
    org.control("POST", "reset")
    assert org.control("GET", "limits") == {"api_requests_per_day": 100_000, "used": 0}


@pytest.mark.parametrize(
    "body", [{}, {"api_requests_per_day": -1}, {"api_requests_per_day": True}, {"max": 1}]
)
def test_a_wrong_limit_is_refused_with_what_is_allowed(org: Organization, body: Any) -> None:
    assert "api_requests_per_day" in org.control("PUT", "limits", body, status=400)["error"]
    assert org.control("GET", "limits")["api_requests_per_day"] == 100_000
