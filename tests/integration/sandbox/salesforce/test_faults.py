import json
from threading import Event, Thread
from typing import Any

import pytest
import requests

from tests.doubles.salesforce_over_http import Organization, error_of, new_user, wait_for

QUERY = {"q": "SELECT Id FROM User"}
DATA = "/services/data"


def switch_on(org: Organization, *faults: dict[str, object]) -> Any:
    return org.control("POST", "faults", list(faults))


def ask(org: Organization) -> requests.Response:
    return org.call("GET", "/query", params=QUERY)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "INVALID_SESSION_ID"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (500, "UNKNOWN_EXCEPTION"),
        (503, "SERVER_UNAVAILABLE"),
    ],
)
def test_a_status_comes_with_an_error_of_salesforce(org: Organization, status: int, code: str) -> None:
    switch_on(org, {"path": DATA, "fault": "status", "status": status})
    assert error_of(ask(org)) == (status, code)
    assert ask(org).status_code == 200


def test_a_status_is_503_unless_given_and_takes_no_effect(org: Organization) -> None:
    switch_on(org, {"path": f"{DATA}/v66.0/sobjects", "fault": "status"})
    assert org.call("POST", "/sobjects/User", json=new_user()).status_code == 503
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0


def test_a_status_of_the_token_endpoint_is_an_object(org: Organization) -> None:
    switch_on(org, {"path": "/services/oauth2", "fault": "status", "status": 500})
    answer = requests.post(f"{org.url}/services/oauth2/token", timeout=10)
    assert (answer.status_code, set(answer.json())) == (500, {"error", "error_description"})


def test_an_html_page_and_an_empty_body(org: Organization) -> None:
    switch_on(
        org,
        {"path": DATA, "fault": "html"},
        {"path": DATA, "fault": "html", "status": 502, "after": 1},
        {"path": DATA, "fault": "empty", "after": 2},
    )
    page, gateway, nothing = ask(org), ask(org), ask(org)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!DOCTYPE html>")
    assert gateway.status_code == 502
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert ask(org).json()["done"] is True


def test_a_truncated_answer_breaks_off_in_the_middle(org: Organization) -> None:
    whole = ask(org)
    switch_on(org, {"path": DATA, "fault": "truncate"})
    with org.call("GET", "/query", params=QUERY, stream=True) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(len(whole.content))
        assert answer.raw.read(len(whole.content) // 2) == whole.content[: len(whole.content) // 2]
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            next(answer.iter_content(1))


def test_a_truncated_answer_without_a_body_is_lost(org: Organization) -> None:
    user = org.create()
    switch_on(org, {"path": DATA, "fault": "truncate"})
    with pytest.raises(requests.exceptions.ConnectionError):
        org.call("PATCH", f"/sobjects/User/{user}", json={"Title": "Rep"})
    assert org.user(user)["Title"] == "Rep"


def test_a_lost_answer_takes_effect(org: Organization) -> None:
    switch_on(org, {"path": f"{DATA}/v66.0/sobjects", "fault": "lose_answer"})
    body = new_user(LastName="Hopper")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(
            f"{org.url}{DATA}/v66.0/sobjects/User",
            json=body,
            headers={"Authorization": str(org.http.headers["Authorization"])},
            timeout=10,
        )
    assert org.found("LastName = 'Hopper'") == ["Hopper"]
    again = org.call("POST", "/sobjects/User", json=body)
    assert error_of(again) == (400, "DUPLICATE_USERNAME")


def test_expiry_ends_every_session_before_the_call(org: Organization) -> None:
    other = Organization(org.sandbox)
    switch_on(org, {"path": DATA, "fault": "expire"})
    assert error_of(ask(org)) == (401, "INVALID_SESSION_ID")
    assert error_of(ask(other)) == (401, "INVALID_SESSION_ID")
    org.log_in()
    assert ask(org).status_code == 200
    other.http.close()


def test_a_delayed_answer_is_the_true_one_and_comes_at_once_when_the_fault_is_cleared(
    org: Organization,
) -> None:
    switch_on(org, {"path": DATA, "fault": "delay", "delay_s": 60})
    answers: list[requests.Response] = []
    done = Event()

    def ask_late() -> None:
        answers.append(ask(org))
        done.set()

    thread = Thread(target=ask_late)
    thread.start()
    wait_for(lambda: org.control("GET", "faults")[0]["hit"] == 1)
    assert not done.is_set()
    switch_on(org)
    assert done.wait(10)
    thread.join()
    assert answers[0].json()["done"] is True


def test_a_delay_ends_by_itself(org: Organization) -> None:
    switch_on(org, {"path": DATA, "fault": "delay", "delay_s": 0.01})
    assert ask(org).status_code == 200


def test_after_and_count_choose_the_calls(org: Organization) -> None:
    switch_on(org, {"path": DATA, "fault": "status", "after": 2, "count": 3})
    assert [ask(org).status_code for _ in range(7)] == [200, 200, 503, 503, 503, 200, 200]


def test_the_first_rule_that_is_due_hits(org: Organization) -> None:
    switch_on(
        org,
        {"path": DATA, "fault": "status", "status": 500},
        {"path": DATA, "fault": "status", "status": 403, "count": 2},
    )
    assert [ask(org).status_code for _ in range(4)] == [500, 403, 403, 200]


def test_only_paths_with_the_prefix_are_hit(org: Organization) -> None:
    switch_on(org, {"path": f"{DATA}/v66.0/query", "fault": "status", "count": 9})
    assert org.call("GET", "/sobjects/User/describe").status_code == 200
    assert org.token()["access_token"]
    assert ask(org).status_code == 503


def test_an_empty_list_clears(org: Organization) -> None:
    shown = switch_on(org, {"path": DATA, "fault": "status", "count": 9})
    assert shown == [
        {"path": DATA, "fault": "status", "status": None, "delay_s": 2, "after": 0, "count": 9, "hit": 0}
    ]
    assert switch_on(org) == []
    assert ask(org).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "list of faults"),
        ({"path": DATA, "fault": "status"}, "list of faults"),
        (["status"], "a fault is an object"),
        ([{"path": DATA}], "lose_answer"),
        ([{"path": DATA, "fault": "explode"}], "lose_answer"),
        ([{"path": DATA, "fault": "status", "method": "GET"}], "delay_s"),
        ([{"fault": "status"}], "path is"),
        ([{"path": "services", "fault": "status"}], "path is"),
        ([{"path": "/sandbox/reset", "fault": "status"}], "path is"),
        ([{"path": DATA, "fault": "status", "status": 42}], "status is"),
        ([{"path": DATA, "fault": "status", "status": 600}], "status is"),
        ([{"path": DATA, "fault": "status", "status": "503"}], "status is"),
        ([{"path": DATA, "fault": "status", "count": 0}], "count is"),
        ([{"path": DATA, "fault": "status", "after": -1}], "after is"),
        ([{"path": DATA, "fault": "status", "after": True}], "after is"),
        ([{"path": DATA, "fault": "delay", "delay_s": "2"}], "delay_s is"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_is_allowed(org: Organization, body: object, said: str) -> None:
    switch_on(org, {"path": DATA, "fault": "status"})
    answer = requests.post(f"{org.url}/sandbox/faults", data=json.dumps(body), timeout=10)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert len(org.control("GET", "faults")) == 1  # what was there stays


def test_calls_are_counted_by_method_path_and_status(org: Organization) -> None:
    switch_on(org, {"path": f"{DATA}/v66.0/query", "fault": "status", "after": 2})
    for _ in range(3):
        ask(org)
    org.call("GET", "/sobjects/Nothing/describe")
    org.control("GET", "faults")
    assert org.control("GET", "requests") == [
        {"method": "GET", "path": f"{DATA}/v66.0/query", "status": 200, "count": 2},
        {"method": "GET", "path": f"{DATA}/v66.0/query", "status": 503, "count": 1},
        {"method": "GET", "path": f"{DATA}/v66.0/sobjects/Nothing/describe", "status": 404, "count": 1},
    ]


def test_a_lost_answer_is_counted_without_a_status(org: Organization) -> None:
    switch_on(org, {"path": DATA, "fault": "lose_answer"})
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{org.url}{DATA}/", timeout=10)
    assert org.control("GET", "requests") == [
        {"method": "GET", "path": f"{DATA}/", "status": None, "count": 1}
    ]


def test_a_reset_clears_data_faults_and_counts_and_keeps_the_session(org: Organization) -> None:
    org.create()
    switch_on(org, {"path": DATA, "fault": "status", "count": 9})
    ask(org)
    org.control("POST", "reset")
    assert org.control("GET", "requests") == []
    assert org.control("GET", "faults") == []
    assert org.query("SELECT COUNT() FROM User")["totalSize"] == 0
    assert org.query("SELECT COUNT() FROM Profile")["totalSize"] == 7
