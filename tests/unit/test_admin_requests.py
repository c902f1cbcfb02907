"""The envelope: what is let through to an action, and what every answer holds."""

import json
import re
from io import StringIO
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import Field

from muster import __version__, bootstrap
from muster.admin_requests import Action, Asked, Request, SignedRequest, WholeRequest, answer
from muster.errors import Misconfigured, NotFound, Problem, Rejected, Stale, Unavailable
from muster.observability import logger


@pytest.fixture(autouse=True)
def organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be acme and globex, as far as anybody asks."""

    def current(name: str) -> object:
        return name if name in ("acme", "globex") else None

    def listed(limit: int, after: str | None) -> object:
        return [{"organization": "acme"}, {"organization": "globex"}], None

    table = SimpleNamespace(current=current, organizations=listed)
    monkeypatch.setattr(bootstrap, "settings_table", lambda: table)


class Listing(Request):
    """A request with parameters of its own."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    filter: dict[str, str | bool] = Field(default_factory=dict)
    members: tuple[str, ...] = ()


def echo(request: Asked) -> dict[str, Any]:
    return {"message": "Done.", "got": request.model_dump(exclude={"action", "detail"})}


ACTIONS: dict[str, Action[Any]] = {
    "list": Action(Listing, echo),
    "get": Action(Request, echo),
    "change": Action(SignedRequest, echo),
    "begin": Action(Request, echo, begins=True),
    "all": Action(WholeRequest, echo),
}


def rejection(event: object) -> Problem:
    """Return the one problem of a rejected event."""
    said = answer(event, ACTIONS)
    assert said["status"] == "rejected"
    [error] = said["errors"]
    assert said["message"] == f"{error['where']} {error['message']}."
    return Problem(**error)


def test_an_answer_has_status_organization_and_message() -> None:
    assert answer({"organization": "acme", "action": "get"}, ACTIONS) == {
        "muster_version": __version__,
        "status": "succeeded",
        "organization": "acme",
        "message": "Done.",
        "got": {"organization": "acme", "by": None},
    }


@pytest.mark.parametrize(("name", "close"), [("acmee", "acme"), ("globx", "globex"), ("initech", None)])
def test_an_organization_there_is_none_of_is_told_the_one_it_is_close_to(name: str, close: str) -> None:
    for action in ("get", "list"):
        said = answer({"organization": name, "action": action}, ACTIONS)
        assert (said["status"], said["organization"]) == ("rejected", name)
        [error] = said["errors"]
        assert (error["where"], error["message"]) == ("organization", f"{name} has no settings")
        assert error["remedy"].startswith(
            f"Did you mean {close!r}? " if close else "RosterQueryFunction lists"
        )


def test_what_begins_an_organization_and_what_is_about_all_need_none() -> None:
    assert answer({"organization": "initech", "action": "begin"}, ACTIONS)["status"] == "succeeded"
    for event in ({"action": "all"}, {"action": "all", "organization": "initech"}):
        assert answer(event, ACTIONS)["status"] == "succeeded"
    assert answer({"action": "all"}, ACTIONS)["organization"] is None


def test_an_action_may_say_another_status() -> None:
    actions: dict[str, Action[Any]] = {
        "get": Action(Request, lambda _: {"status": "continue", "message": "Go on."})
    }
    assert answer({"organization": "acme", "action": "get"}, actions)["status"] == "continue"


def test_an_action_gets_the_parameters_it_declares() -> None:
    event = {
        "organization": "acme",
        "action": "list",
        "limit": 5,
        "filter": {"active": True},
        "members": ["a", "b"],
    }
    assert answer(event, ACTIONS)["got"] == {
        "organization": "acme",
        "by": None,
        "limit": 5,
        "filter": {"active": True},
        "members": ("a", "b"),
    }


@pytest.mark.parametrize(
    ("event", "where", "remedy"),
    [
        (None, "event", "Send one like"),
        ([], "event", "Send one like"),
        ("get", "event", "Send one like"),
        ({}, "action", "Known are all, begin, change, get, list."),
        ({"organization": "acme"}, "action", "Known are"),
        ({"organization": "acme", "action": "lst"}, "action", "Did you mean 'list'?"),
        ({"organization": "acme", "action": "List"}, "action", "Did you mean 'list'?"),
        ({"organization": "acme", "action": ["get"]}, "action", "Known are"),
        ({"organization": "acme", "action": 1}, "action", "Known are"),
        ({"action": "get"}, "organization", "for example acme"),
        ({"organization": None, "action": "get"}, "organization", "Write one"),
        ({"organization": 7, "action": "get"}, "organization", "quotes"),
        ({"organization": "Acme", "action": "get"}, "organization", "lower-case"),
        ({"organization": "acme#x", "action": "get"}, "organization", "lower-case"),
        ({"organization": "acme", "action": "get", "limit": 5}, "limit", "Known are"),
        ({"organization": "acme", "action": "list", "limt": 5}, "limt", "Did you mean 'limit'?"),
        ({"organization": "acme", "action": "list", "limit": 0}, "limit", "Correct"),
        ({"organization": "acme", "action": "list", "limit": "5"}, "limit", "without quotes"),
        ({"organization": "acme", "action": "change"}, "by", "for example jane@acme.example"),
        ({"organization": "acme", "action": "change", "by": None}, "by", "Write one"),
        ({"organization": "acme", "action": "change", "by": " "}, "by", "one line"),
        ({"organization": "acme", "action": "change", "by": "a\nb"}, "by", "one line"),
        ({"organization": "acme", "action": "change", "by": "x" * 201}, "by", "Correct"),
        ({"organization": "acme", "action": "get", "by": "a\u202eb"}, "by", "one line"),
        ({"organization": "acme", "action": "change", "by": "schedule"}, "by", "Say who asks"),
        ({"organization": "acme", "action": "change", "by": " Schedule "}, "by", "Say who asks"),
        ({"organization": "initech", "action": "get"}, "organization", "organizations"),
        ({"organization": "acme", "action": "change", "by": "\ud800"}, "event", "half a character"),
        ({"organization": "acme", "action": "list", "filter": {1, 2}}, "event", "Send JSON"),
    ],
)
def test_what_does_not_fit_is_rejected_with_place_and_remedy(event: object, where: str, remedy: str) -> None:
    found = rejection(event)
    assert found.where == where
    assert remedy in found.remedy


def test_several_faults_are_reported_together() -> None:
    said = answer({"organization": "A", "action": "change", "x": 1}, ACTIONS)
    assert {error["where"] for error in said["errors"]} == {"organization", "by", "x"}
    assert said["message"] == "3 things are wrong; nothing was changed."


@pytest.mark.parametrize("organization", ["acme", "A", 7, None])
def test_a_rejection_names_the_organization_as_far_as_the_event_does(organization: Any) -> None:
    said = answer({"organization": organization, "action": "nothing"}, ACTIONS)
    assert said["organization"] == (organization if isinstance(organization, str) else None)


@pytest.mark.parametrize("kind", [Rejected, NotFound])
def test_what_an_action_rejects_becomes_an_answer(kind: type[Rejected]) -> None:
    def reject(_: Request) -> dict[str, Any]:
        raise kind(Problem("member", "is not there", "Look at the list."))

    assert answer({"organization": "acme", "action": "get"}, {"get": Action(Request, reject)}) == {
        "muster_version": __version__,
        "status": "rejected",
        "organization": "acme",
        "message": "member is not there.",
        "errors": [{"where": "member", "message": "is not there", "remedy": "Look at the list."}],
    }


@pytest.mark.usefixtures("on_a_screen")
def test_as_many_faults_are_told_as_fit_on_a_screen_and_all_in_detail() -> None:
    event = {"organization": "acme", "action": "get", **{f"x{n}": 1 for n in range(20)}}
    few, all_of_them = (answer({**event, **more}, ACTIONS)["errors"] for more in ({}, {"detail": True}))

    assert (len(few), len(all_of_them)) == (6, 20)
    assert few == all_of_them[:6]


@pytest.mark.parametrize("fault", [Unavailable("x"), Misconfigured("x"), Stale("x"), KeyError("x")])
def test_faults_are_raised(fault: Exception) -> None:
    def fail(_: Request) -> dict[str, Any]:
        raise fault

    with pytest.raises(type(fault)):
        answer({"organization": "acme", "action": "get"}, {"get": Action(Request, fail)})


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            Unavailable("Salesforce answered 503"),
            "Salesforce answered 503. Send the event again in some minutes:",
        ),
        (Unavailable("it is busy.", retry_after=5), "it is busy. Send the event again in 1 minute:"),
        (Unavailable("down", retry_after=14_400), "down. Send the event again in 240 minutes:"),
    ],
)
def test_a_fault_says_what_to_do(fault: Exception, says: str) -> None:
    def fail(_: Request) -> dict[str, Any]:
        raise fault

    with pytest.raises(Unavailable, match=re.escape(says)):
        answer({"organization": "acme", "action": "get"}, {"get": Action(Request, fail)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@profile(deadline=None, database=None)
@given(
    JSON
    | st.fixed_dictionaries(
        {"action": st.sampled_from([*ACTIONS])},
        optional={
            "organization": JSON | st.just("acme"),
            "by": JSON,
            "limit": JSON,
            "filter": JSON,
            "members": JSON,
            "x": JSON,
        },
    )
)
def test_any_json_gets_an_answer(event: object) -> None:
    said = answer(event, ACTIONS)
    assert said["status"] in ("succeeded", "rejected")
    assert said["message"]
    json.dumps(said).encode()


def test_an_event_nested_beyond_measure_gets_an_answer() -> None:
    event: dict[str, Any] = {"organization": "acme", "action": "list"}
    inner = event
    for _ in range(100_000):
        inner["filter"] = {}
        inner = inner["filter"]
    assert rejection(event).where == "event"
    while "filter" in event:  # Taken apart from the outside: freeing it at once would recurse as deep.
        event = event.pop("filter")


def test_the_log_says_what_was_done_and_nothing_of_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    log = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    event = {"organization": "acme", "action": "list", "by": "canary\ud800", "filter": {"email": "canary"}}
    answer(event, ACTIONS)
    answer({"organization": "acme", "action": "list", "by": "canary", "filter": {"email": "canary"}}, ACTIONS)
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first["status"] == "rejected"
    assert {key: second[key] for key in ("organization", "action", "status")} == {
        "organization": "acme",
        "action": "list",
        "status": "succeeded",
    }
    assert "canary" not in json.dumps([first, second])
