"""What an admin is told of a set-up that fails, and what it leaves behind: nothing that is worse (U7, W3)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import requests

from muster import bootstrap
from muster.adapters.aws.webhook_journal import WebhookJournal
from muster.errors import Misconfigured, MusterError, Rejected
from muster.webhook import tokens
from tests.doubles.aws import forget_clients
from tests.doubles.metadata_packages import flow, manifest
from tests.integration.webhook_setup.webhook_setup_world import (
    NAME,
    Acme,
    Answer,
    amiss,
    links,
)
from tests.simulation.harness.faults import Call, Wire

DATA = "/services/data"
DEPLOYS = f"{DATA}/v66.0/metadata/deployRequest"
LOGIN = "/services/oauth2/token"
UNREACHABLE = [{"path": "/services", "fault": "lose_answer", "count": 9_999}]


class Heard:
    """Everything that was said, and every token that was ever issued."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.issued: list[str] = []

    def ask(self, acme: Acme, action: str, **event: Any) -> Answer:
        """Invoke the function; an exception of ours is an answer with the status "raised"."""
        try:
            said = acme.ask(action, **event)
        except MusterError as error:
            said = {"status": "raised", "kind": type(error).__name__, "message": str(error)}
        self.said.append(json.dumps(said))
        assert len(said["message"].split()) > 3, said
        assert "Traceback" not in said["message"]
        return said


@pytest.fixture
def heard(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> Iterator[Heard]:
    """Yield what is heard; in the end no token is in it, nor in what was logged and printed (T6)."""
    heard, issue = Heard(), tokens.issue

    def remembered() -> str:
        heard.issued.append(issue())
        return heard.issued[-1]

    monkeypatch.setattr(tokens, "issue", remembered)
    yield heard
    printed = capsys.readouterr()
    everything = "\n".join([*heard.said, caplog.text, printed.out, printed.err])
    assert heard.said
    for token in heard.issued:
        assert token not in everything
        assert tokens.digest(token) not in everything


@pytest.fixture
def acme(heard: Heard, acme: Acme) -> Acme:
    """Return Acme, of whom everything is heard from before the first token on."""
    return acme


def well(said: Answer) -> Answer:
    assert said["status"] == "succeeded", said
    assert not amiss(said) if "checks" in said else True
    return said


def sends(acme: Acme) -> None:
    """Whatever Salesforce sends with is accepted."""
    assert acme.message() is None or acme.accepts(acme.token())


# ── Deployments that Salesforce refuses ──────────────────────────────────────────────────────────────


def _endpoint_of_nowhere(acme: Acme, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("WEBHOOK_BASE_URL", "nowhere at all")


def _login_refused(acme: Acme, patch: pytest.MonkeyPatch) -> None:
    def inactive(request: requests.PreparedRequest, answer: requests.Response) -> None:
        if LOGIN in str(request.url):
            answer.status_code = 400
            answer._content = b'{"error": "inactive_user", "error_description": "user is inactive"}'

    patch.setattr(acme.salesforce.wire, "after", inactive)
    forget_clients()


@pytest.mark.parametrize("action", ["install", "rotate_token"])
# What is wrong, the status of the answer, and words that an admin needs.
@pytest.mark.parametrize(
    ("happens", "status", "words"),
    [
        pytest.param(
            lambda acme, _: acme.control("deploys", {"problem": "The label is taken."}),
            "rejected",
            ("The label is taken.", "nothing was changed", "Setup > Deployment Status", "0Af"),
            id="a component is wrong",
        ),
        pytest.param(
            lambda acme, _: acme.control("deploys", {"error_message": "An internal error: 17"}),
            "rejected",
            ("An internal error: 17",),
            id="the deployment fails as a whole",
        ),
        pytest.param(
            lambda acme, _: acme.control("organization", {"modify_metadata": False}),
            "raised",
            ("403 INSUFFICIENT_ACCESS", "Modify Metadata Through Metadata API Functions"),
            id="the integration user may not deploy",
        ),
        pytest.param(
            lambda acme, _: acme.control(
                "deploys", {"problem": "In field: integrationUser - no User named i found"}
            ),
            "rejected",
            ("WorkflowOutboundMessage User.Muster_acme: In field: integrationUser",),
            id="the integration user is not active for the message",
        ),
        pytest.param(
            _login_refused,
            "raised",
            ("the integration user is not active; activate it",),
            id="the integration user may not log in",
        ),
        pytest.param(
            lambda acme, _: acme.put(auto_provision={"custom_fields": ["Nope__c"]}),
            "rejected",
            ("no CustomField named User.Nope__c found", "take it out of auto_provision"),
            id="a field of the settings is not there",
        ),
        pytest.param(
            _endpoint_of_nowhere, "rejected", ("Invalid endpoint URL",), id="the endpoint is no URL"
        ),
    ],
)
def test_what_salesforce_refuses_is_told_and_leaves_all_as_it_was(
    acme: Acme,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    happens: Callable[[Acme, pytest.MonkeyPatch], object],
    status: str,
    words: tuple[str, ...],
) -> None:
    if action == "rotate_token":
        well(acme.ask("install"))
    before = acme.registration().tokens, acme.message(), acme.versions()
    happens(acme, monkeypatch)
    said = heard.ask(acme, action)
    assert said["status"] == status, said
    assert all(word in json.dumps(said) for word in words), said
    assert (acme.registration().tokens, acme.message(), acme.versions()) == before


def test_a_flow_with_as_many_versions_as_there_may_be_loses_some(installed: Acme, heard: Heard) -> None:
    action = {"actionName": f"User.{NAME}", "nameSegment": f"User.{NAME}"}
    for number in range(2, 51):
        draft = flow(action=action, label=f"Draft {number}", status="Draft")
        installed.deploy({"package.xml": manifest(("Flow", NAME)), f"flows/{NAME}.flow": draft})
    assert len(installed.versions()) == 50
    installed.put(assignments=[{"name": "Sales", "filter": "Division = 'Sales'"}])
    well(heard.ask(installed, "refresh"))
    versions = installed.versions()
    assert (1, "Active") not in versions
    assert versions[-1] == (51, "Active")
    assert len(versions) < 20


@pytest.mark.parametrize("by_api", [True, False])
def test_a_flow_whose_removal_is_refused_runs_on_or_an_admin_is_told(
    installed: Acme, heard: Heard, by_api: bool
) -> None:
    installed.control("organization", {"production": True, "activate_flows_by_api": by_api})
    installed.control("deploys", {"error_message": "Not now."})
    said = heard.ask(installed, "remove")
    assert said["status"] == "rejected"
    assert "Not now." in said["errors"][0]["message"]
    assert installed.versions() == [(1, "Active" if by_api else "Obsolete")]
    told = [problem["remedy"] for problem in said["errors"] if problem["where"] == "flow"]
    assert told == ([] if by_api else ["Setup > Flows > Muster acme > version 1: Activate; or remove again."])
    sends(installed)


def test_a_removal_that_may_not_be_deployed_leaves_the_flow_running(installed: Acme, heard: Heard) -> None:
    installed.control("organization", {"modify_metadata": False})
    assert heard.ask(installed, "remove")["status"] == "raised"
    assert installed.versions() == [(1, "Active")]
    sends(installed)


# ── Slow deployments ─────────────────────────────────────────────────────────────────────────────────


def _out_of_time(acme: Acme, looks: int = 3) -> None:
    """Have the next invocation's time be up after so many looks at it."""
    left = [300_000] * looks
    acme.context.get_remaining_time_in_millis = lambda: left.pop() if left else 61_000  # type: ignore[method-assign]  # it is a test's


def test_a_deployment_that_waits_its_turn_is_waited_for(acme: Acme, heard: Heard) -> None:
    acme.control("deploys", {"pending_polls": 3, "in_progress_polls": 3})
    well(heard.ask(acme, "install"))
    assert acme.slept == [0.5, 1, 2, 4, 8, 8]
    assert acme.deploys() == 1


@pytest.mark.parametrize("action", ["refresh", "rotate_token"])
def test_one_that_outlasts_the_time_is_gone_on_with(installed: Acme, heard: Heard, action: str) -> None:
    if action == "refresh":
        installed.put(auto_provision={"custom_fields": ["Area__c"]})
        installed.control("custom-fields", {"name": "Area__c", "type": "Text", "length": 20}, "POST")
    old = installed.token()
    installed.control("deploys", {"pending_polls": 1, "in_progress_polls": 9_999})
    _out_of_time(installed)
    said = heard.ask(installed, action)
    assert said["status"] == "continue"
    assert f"Salesforce has not finished deployment {said['deployment']} yet (InProgress)" in said["message"]
    assert said["deployment"].startswith("0Af")
    _out_of_time(installed)
    again = heard.ask(installed, action)
    assert (again["status"], again["deployment"]) == ("continue", said["deployment"])
    assert installed.accepts(old)
    installed.control("deploys", {"pending_polls": 0, "in_progress_polls": 0})
    well(heard.ask(installed, action))
    assert installed.deploys() == 1
    assert installed.accepts(installed.token())
    assert (installed.token() == old) is (action == "refresh")
    assert heard.ask(installed, "status")["setup"]["outcome"] == "succeeded"


def _canceled_by_an_admin(acme: Acme) -> None:
    [deployment] = {
        path for method, path in acme.salesforce.wire.calls if method == "GET" and path.startswith(DEPLOYS)
    }
    acme.salesforce.call("PATCH", deployment, {"deployResult": {"status": "Canceling"}})


def test_one_that_an_admin_cancels_is_told_and_done_anew(acme: Acme, heard: Heard) -> None:
    acme.control("deploys", {"pending_polls": 9_999})
    before = acme.registration().tokens
    _out_of_time(acme)
    heard.ask(acme, "install")
    _canceled_by_an_admin(acme)
    acme.control("deploys", {"pending_polls": 0})
    well(heard.ask(acme, "install"))
    assert acme.deploys() == 2
    assert {token.sha256 for token in before} < {token.sha256 for token in acme.registration().tokens}


def test_one_that_is_cancelled_while_it_is_waited_for_is_told(
    acme: Acme, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.control("deploys", {"pending_polls": 9_999})
    before = acme.registration().tokens
    monkeypatch.setattr("webhook_setup.time.sleep", lambda _: _canceled_by_an_admin(acme))
    said = heard.ask(acme, "install")
    assert said["status"] == "rejected"
    assert "the deployment ended as Canceled" in said["errors"][0]["message"]
    assert (acme.registration().tokens, acme.message()) == (before, None)
    acme.control("deploys", {"pending_polls": 0})
    well(heard.ask(acme, "install"))


def test_a_removal_cancels_what_goes_on(acme: Acme, heard: Heard) -> None:
    acme.control("deploys", {"pending_polls": 9_999})
    _out_of_time(acme)
    heard.ask(acme, "install")
    said = well(heard.ask(acme, "remove"))
    assert said["message"] == "There was nothing to remove."
    acme.control("deploys", {"pending_polls": 0})
    assert (acme.message(), acme.versions()) == (None, [])
    [left] = acme.registration().tokens
    assert left.sha256 == tokens.digest("first" * 8)


def test_a_removal_copes_with_what_is_done_before_it_is_cancelled(
    acme: Acme, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.control("deploys", {"pending_polls": 9_999})
    _out_of_time(acme)
    heard.ask(acme, "install")
    acme.context.get_remaining_time_in_millis = lambda: 300_000  # type: ignore[method-assign]  # it is a test's

    def done_by_now(request: requests.PreparedRequest) -> None:
        if request.method == "PATCH" and DEPLOYS in str(request.url):
            acme.control("deploys", {"pending_polls": 0})

    monkeypatch.setattr(acme.salesforce.wire, "before", done_by_now)
    assert well(heard.ask(acme, "remove"))["message"].startswith("Removed the outbound message")
    assert (acme.message(), acme.versions()) == (None, [])


# ── Calls that fail ──────────────────────────────────────────────────────────────────────────────────


def _calls(acme: Acme, path: str) -> int:
    """Return how many calls under a path a rotation makes."""
    acme.salesforce.wire.calls.clear()
    well(acme.ask("rotate_token"))
    return sum(each.startswith(path) for _, each in acme.salesforce.wire.calls)


def test_a_session_that_ends_at_any_call_is_begun_anew(installed: Acme, heard: Heard) -> None:
    for call in range(_calls(installed, DATA)):
        installed.salesforce.faults({"path": DATA, "fault": "expire", "after": call})
        well(heard.ask(installed, "rotate_token"))
    sends(installed)


FAULTS: list[Answer] = [
    {"fault": "status", "status": 401},
    {"fault": "status", "status": 403},
    {"fault": "status", "status": 404},
    {"fault": "status", "status": 503},
    {"fault": "html"},
    {"fault": "empty"},
    {"fault": "truncate"},
    {"fault": "lose_answer"},
]


# Each call fails in some of these ways in the gate, and in every way in `make simulate`.
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
def test_a_call_that_fails_is_told_and_the_next_set_up_mends_it(
    installed: Acme, heard: Heard, fault: Answer, every: int
) -> None:
    told = set()
    for call in range(FAULTS.index(fault) % every, _calls(installed, DATA), every):
        # From this call on, two: the second is the one that is made in a new session.
        installed.salesforce.faults({"path": DATA, **fault, "after": call, "count": 2})
        said = heard.ask(installed, "rotate_token")
        assert said["status"] in ("succeeded", "succeeded_with_errors", "continue", "rejected", "raised")
        told.add(said["status"])
        installed.salesforce.faults()
        sends(installed)
        well(heard.ask(installed, "refresh"))
        sends(installed)
    assert told - {"succeeded"}
    lasting = {token.sha256 for token in installed.registration().tokens if token.expires_at is None}
    assert lasting == {tokens.digest(installed.token())}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "Salesforce answered 401"),
        (403, "the org's API calls of 24 hours are used up"),
        (404, "connections.salesforce.api_version"),
        (503, "Salesforce answered 503"),
    ],
)
def test_what_status_cannot_check_it_says(installed: Acme, heard: Heard, status: int, words: str) -> None:
    installed.salesforce.faults({"path": DATA, "fault": "status", "status": status, "count": 9_999})
    said = heard.ask(installed, "status")
    assert said["status"] == "succeeded_with_errors"
    assert links(said)["flow"] == links(said)["outbound message"] == "could_not_check"
    assert links(said)["auto-provisioning"] == "passed"
    assert words in said["checks"][0]["found"]


def test_status_answers_whichever_call_fails(installed: Acme, heard: Heard) -> None:
    installed.salesforce.wire.calls.clear()
    installed.ask("status")
    for call in range(len(installed.salesforce.wire.calls)):
        for kind in ("lose_answer", "html", "empty", "truncate"):
            installed.salesforce.faults({"path": "/services", "fault": kind, "after": call, "count": 3})
            forget_clients()
            said = heard.ask(installed, "status")
            assert said["status"] in ("succeeded", "succeeded_with_errors")
            assert links(said)["endpoint"] in ("passed", "could_not_check")
    installed.salesforce.faults(*UNREACHABLE)
    forget_clients()
    assert links(heard.ask(installed, "status"))["flow"] == "could_not_check"


@pytest.mark.parametrize("action", ["install", "refresh", "rotate_token", "remove"])
def test_without_its_secret_nothing_is_done_and_the_secret_is_named(
    installed: Acme, heard: Heard, action: str
) -> None:
    boto3.client("secretsmanager").delete_secret(
        SecretId="muster/acme/salesforce", ForceDeleteWithoutRecovery=True
    )
    forget_clients()
    before = installed.registration(), installed.message()
    said = heard.ask(installed, action)
    assert (said["status"], said["kind"]) == ("raised", Misconfigured.__name__)
    assert "muster/acme/salesforce" in said["message"]
    status = heard.ask(installed, "status")
    assert links(status)["flow"] == "could_not_check"
    assert (installed.registration(), installed.message()) == before


def test_whichever_call_dynamodb_throttles_the_next_set_up_mends_it(installed: Acme, heard: Heard) -> None:
    wire = Wire(bootstrap._dynamodb())
    well(heard.ask(installed, "rotate_token"))
    for call in range(1, len(wire.calls) + 1):
        wire.calls.clear()

        def plan(made: Call, hit: int = call) -> str | None:
            return "busy" if made.number == hit else None

        wire.plan = plan
        said = heard.ask(installed, "rotate_token")
        assert said["status"] == "succeeded" or "ProvisionedThroughputExceeded" in said["message"], said
        sends(installed)
        well(heard.ask(installed, "refresh"))
        sends(installed)


# ── What is recorded ─────────────────────────────────────────────────────────────────────────────────


def test_a_set_up_that_another_version_recorded_is_followed_by_the_next(
    installed: Acme, heard: Heard, aws: SimpleNamespace
) -> None:
    key = {"pk": {"S": "ORG#acme"}, "sk": {"S": "WEBHOOK_SETUP"}}
    stored = json.loads(aws.dynamodb.get_item(TableName="roster", Key=key)["Item"]["doc"]["S"])
    for other in ({**stored, "of_a_newer_version": 1}, {k: v for k, v in stored.items() if k != "replaced"}):
        aws.dynamodb.put_item(TableName="roster", Item={**key, "doc": {"S": json.dumps(other)}})
        well(heard.ask(installed, "refresh"))


def test_a_rotation_after_a_removal_that_was_refused_is_made(installed: Acme, heard: Heard) -> None:
    installed.control("deploys", {"error_message": "Not now."})
    assert heard.ask(installed, "remove")["status"] == "rejected"
    installed.control("deploys", {"error_message": ""})
    old = installed.token()
    assert "outbound message" in heard.ask(installed, "rotate_token")["changed"]
    assert installed.token() != old


def test_who_was_overtaken_cannot_record(aws: SimpleNamespace) -> None:
    from muster.webhook_setup.deploying import claimed
    from muster.webhook_setup.setup_record import Outcome

    journal: WebhookJournal = bootstrap.webhook_journal()
    long_ago, now = datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)
    with claimed(journal, "acme", "install", "jane", long_ago, 300) as first:
        with claimed(journal, "acme", "install", "joe", now, 300) as second:
            second.record(outcome=Outcome.SUCCEEDED)
        with pytest.raises(Rejected, match="now being set up by someone else"):
            first.record(token="0" * 64)
    assert journal.setup("acme") == replace(second.setup, outcome=Outcome.SUCCEEDED)
