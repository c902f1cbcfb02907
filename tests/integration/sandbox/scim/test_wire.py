"""Apps whose answers look different, or that want calls to."""

import pytest
import requests

from sandbox.scim import running
from tests.doubles.scim_in_process import ScimInProcess, new_user

ADA = "ada@acme.example"


def test_calls_are_limited(scim: ScimInProcess) -> None:
    scim.quirks(rate={"calls": 2, "per_s": 10})
    answers = [scim.send("GET", "/Users") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "10"
    scim.clock.pass_s(10)
    assert scim.send("GET", "/Users").status_code == 200


@pytest.mark.parametrize(("quirk", "says"), [("date", " GMT"), ("none", None)])
def test_when_to_come_back_is_a_date_or_unsaid(scim: ScimInProcess, quirk: str, says: str | None) -> None:
    scim.quirks(rate={"calls": 1, "per_s": 10}, retry_after=quirk)
    scim.send("GET", "/Users")
    answer = scim.send("GET", "/Users")
    header = answer.headers.get("Retry-After")
    assert answer.status_code == 429
    assert header is None if says is None else str(header).endswith(says)


def test_ids_have_signs_in_them(scim: ScimInProcess) -> None:
    scim.quirks(ids="awkward")
    ada = scim.create(ADA)
    assert {"&", "+", "="} <= set(ada)
    found = scim.user(ada)
    assert found["id"] == ada
    assert found["meta"]["location"].endswith("%2Bx%3D1")
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204


def test_ids_are_numbers(scim: ScimInProcess) -> None:
    scim.quirks(ids="numbers")
    ada = scim.post(ADA).get_json()["id"]
    assert isinstance(ada, int)
    assert scim.user(str(ada))["id"] == ada
    assert scim.call("GET", "/Users")["Resources"][0]["id"] == ada


@pytest.mark.parametrize(
    ("shape", "change"),
    [
        ("no_scim_type", {"scimType": None}),
        ("no_status", {"status": None}),
        ("number", {"status": 409}),
        ("invented", {"scimType": "somethingWentWrong"}),
    ],
)
def test_errors_say_less_or_something_else(
    scim: ScimInProcess, shape: str, change: dict[str, object]
) -> None:
    scim.create(ADA)
    usual = scim.post(ADA).get_json()
    scim.quirks(errors=shape)
    answer = scim.post(ADA)
    assert answer.status_code == 409
    assert answer.get_json() == {key: value for key, value in (usual | change).items() if value is not None}


@pytest.mark.parametrize(
    ("shape", "mimetype", "text"),
    [
        ("text", "text/plain", "userName is already in use"),
        ("html", "text/html", "<!DOCTYPE html><html><body><h1>409</h1></body></html>"),
        ("empty", "", ""),
    ],
)
def test_errors_are_no_json(scim: ScimInProcess, shape: str, mimetype: str, text: str) -> None:
    scim.create(ADA)
    scim.quirks(errors=shape)
    answer = scim.post(ADA)
    assert (answer.status_code, answer.text) == (409, text)
    assert answer.mimetype == mimetype or not text


def test_an_error_is_inside_another_object(scim: ScimInProcess) -> None:
    scim.quirks(errors="nested")
    assert scim.user("nobody", status=404)["response"]["status"] == "404"


@pytest.mark.parametrize(
    ("quirk", "given", "status"),
    [
        ({"request_type": "scim_only"}, "application/json", 415),
        ({"request_type": "scim_only"}, "application/scim+json; charset=utf-8", 201),
        ({"request_type": "json_only"}, "application/scim+json", 415),
        ({"request_type": "json_only"}, "application/json", 201),
    ],
)
def test_the_type_of_a_body_counts(
    scim: ScimInProcess, quirk: dict[str, str], given: str, status: int
) -> None:
    scim.quirks(**quirk)
    assert scim.send("POST", "/Users", new_user(ADA), {"Content-Type": given}).status_code == status


def test_the_accepted_type_counts(scim: ScimInProcess) -> None:
    ada = scim.create(ADA)
    scim.quirks(accept="scim_only")
    assert scim.send("GET", "/Users", headers={"Accept": "application/json"}).status_code == 406
    assert scim.send("GET", "/Users").status_code == 200
    scim.quirks(accept="none_on_delete")
    assert scim.send("DELETE", f"/Users/{ada}").status_code == 400
    assert scim.send("DELETE", f"/Users/{ada}", headers={"Accept": "*/*"}).status_code == 204


def test_answers_look_odd(scim: ScimInProcess) -> None:
    scim.quirks(bom=True, lower_case_resources=True, leaves_out=["meta", "schemas"], no_location=True)
    answer = scim.post(ADA)
    assert answer.data.startswith(b"\xef\xbb\xbf{")
    assert "Location" not in answer.headers
    assert scim.control("GET", "directory")["users"][0]["meta"]
    scim.quirks(lower_case_resources=True, leaves_out=["meta", "schemas"])
    listed = scim.call("GET", "/Users")
    assert "Resources" not in listed
    assert not {"meta", "schemas"} & ({*listed} | {*listed["resources"][0]})


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
def test_answers_are_of_another_type(scim: ScimInProcess, content_type: str) -> None:
    scim.quirks(answer_type=content_type)
    assert scim.send("GET", "/Users").mimetype == content_type


def test_answers_are_of_no_type() -> None:
    with running(quirks={"answer_type": ""}) as app:
        bearer = {"Authorization": f"Bearer {app.token}"}
        answer = requests.get(f"{app.url}{app.path}/Users", headers=bearer, timeout=10)
    assert answer.json()["totalResults"] == 0
    assert "Content-Type" not in answer.headers


def test_a_caller_must_say_who_it_is(scim: ScimInProcess) -> None:
    scim.quirks(needs_user_agent=True)
    assert scim.send("GET", "/Users", headers={"User-Agent": ""}).status_code == 403
    assert scim.send("GET", "/Users", headers={"User-Agent": "Muster"}).status_code == 200


def test_successes_and_unknown_ids_have_another_status(scim: ScimInProcess) -> None:
    scim.quirks(create_status=202, delete_status=200, unknown_id_status=400)
    answer = scim.post(ADA)
    assert answer.status_code == 202
    assert scim.send("POST", "/Users/.search", {"filter": 'title eq "x"'}).status_code == 200
    assert scim.send("DELETE", f"/Users/{answer.get_json()['id']}").status_code == 200
    assert scim.user("nobody", status=400)["status"] == "400"


@pytest.mark.parametrize("status", [301, 308])
def test_the_host_moved(scim: ScimInProcess, status: int) -> None:
    scim.quirks(moved_to="https://new.example", moved_status=status)
    answer = scim.post(ADA)
    assert (answer.status_code, answer.headers["Location"]) == (status, "https://new.example/scim/v2/Users")
    assert scim.truth() == {}
