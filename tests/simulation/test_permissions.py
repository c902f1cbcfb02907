"""Each function makes the calls its role allows, all of them, and no others (T2)."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import deprovisioning
import member_events
import organization_settings
import roster_query
import scheduled_push
from muster import bootstrap
from muster.crm import engage_features
from muster.errors import MusterError
from muster.roster import engage_groups
from muster.roster.decisions import Decision, Outcome, Wanted
from muster.roster.engage_state import Engage
from muster.webhook.deliveries import CallsUsed
from tests.conftest import ROOT
from tests.doubles.aws import forget_clients
from tests.simulation.harness import scim_wire, vault_wire
from tests.simulation.harness.faults import Call
from tests.simulation.harness.strict_aws import rows_of
from tests.simulation.harness.subject import Moment
from tests.simulation.harness.world import ACME, World
from tests.simulation.imports.company import Company
from tests.simulation.imports.scenarios import IMPORTS
from tests.simulation.permissions import granted, used
from tests.simulation.pushes.company import PushCompany
from tests.simulation.pushes.scenarios import PUSHES
from tests.simulation.undo.scenarios import UNDOS, UNDOS_OF_PUSHES
from tests.simulation.webhook.scenarios import SCENARIOS
from tests.simulation.webhook_setup.company import SetupCompany
from tests.simulation.webhook_setup.scenarios import SETUPS

# One worker of a parallel run does it all, and plays the scenarios once.
pytestmark = pytest.mark.xdist_group("permissions")
FUNCTIONS = {
    "OutboundUserWebhookFunction": "outbound_user_webhook",
    "UserChangeWorkerFunction": "user_change_worker",
    "ScheduledImportFunction": "scheduled_import",
    "ScheduledPushFunction": "scheduled_push",
    "MemberSettingsFunction": "member_settings",
    "GroupAssignmentFunction": "group_assignment",
    "OrganizationSettingsFunction": "organization_settings",
    "RosterQueryFunction": "roster_query",
    "PreflightFunction": "preflight",
    "WebhookSetupFunction": "webhook_setup",
    "MorningDigestFunction": "morning_digest",
    "MemberEventsFunction": "member_events",
    "DeprovisioningFunction": "deprovisioning",
}
ASKED_BY_PEOPLE = (
    "MemberSettingsFunction",
    "GroupAssignmentFunction",
    "OrganizationSettingsFunction",
    "RosterQueryFunction",
    "PreflightFunction",
    "WebhookSetupFunction",
    "MorningDigestFunction",
    "MemberEventsFunction",
)
# What is asked of an organization there is none of, but for the name.
_OF_NOBODY: dict[str, dict[str, Any]] = {
    "ScheduledImportFunction": {"mode": "full"},
    "ScheduledPushFunction": {},
    "MemberSettingsFunction": {"changes": [{"member": "ada@acme.example", "seats": []}]},
    "GroupAssignmentFunction": {
        "requests": [{"member": "ada@acme.example", "action": "remove", "feature": "engage"}]
    },
    "OrganizationSettingsFunction": {"action": "get"},
    "RosterQueryFunction": {"action": "list"},
    "PreflightFunction": {},
    "WebhookSetupFunction": {"action": "status"},
    "MemberEventsFunction": {"action": "resend_events", "since": "yesterday"},
}
VAULT_CRM = {"host": "acme-crm.veevavault.com", "manage_features": ["engage", "engage_connect"]}


@pytest.fixture(scope="module")
def calls(_world: World) -> dict[str, list[Call]]:
    """Return every call each function makes in all scenarios and for all events of `events/`."""
    made: dict[str, list[Call]] = {function: [] for function in FUNCTIONS}
    for scenario in SCENARIOS:
        _world.reset(*scenario.documents)
        scenario.play(_world)
        _world.settle()
        _note(_world, made)
    company = Company(_world)
    begun: dict[object, Moment] = {}
    for played in (*IMPORTS, UNDOS[0]):
        _begin(company, played.before, begun)
        forget_clients()
        played.act(company)
        _note(_world, made)
    pushing = PushCompany(_world)
    begun.clear()
    for pushed in (*PUSHES, *UNDOS_OF_PUSHES):
        _begin(pushing, pushed.before, begun)
        pushing.new_environment()
        pushed.act(pushing)
        _note(_world, made)
    # Preflight and health log in to Vault CRM, each as the first to do so.
    for function, event in (("PreflightFunction", {}), ("RosterQueryFunction", {"action": "health"})):
        pushing.new_environment()
        handler = importlib.import_module(FUNCTIONS[function]).handler
        _world.invoke(function, handler, {"organization": "acme", **event})
        _note(_world, made)
    # Gone on with, which reads what was planned.
    PUSHES[0].before(pushing)
    looks, said = 1, {"status": "continue"}
    while said["status"] == "continue":
        company.world.looks = looks = looks + 3
        said = pushing.push(**({"run_id": said["run_id"]} if "run_id" in said else {}))
    company.world.looks = None
    _note(_world, made)
    _start(_world)
    _note(_world, made)
    setup = SetupCompany(_world)
    for asked in SETUPS:
        asked.before(setup)
        forget_clients()
        setup.ask(asked.action)
        _note(_world, made)
    _close_leavers(company)
    _note(_world, made)
    _ask_for_more(company)
    _note(_world, made)
    _tell_outward(company)
    _note(_world, made)
    for function, event in _OF_NOBODY.items():
        handler = importlib.import_module(FUNCTIONS[function]).handler
        said = _world.invoke(function, handler, {"organization": "acne", "by": "jane", **event})
        assert said["errors"][0]["remedy"].startswith("Did you mean 'acme'?"), (function, said)
    _note(_world, made)
    for function in ASKED_BY_PEOPLE:
        handler = importlib.import_module(FUNCTIONS[function]).handler
        for event in _events(FUNCTIONS[function], company):
            # What an event is about need not be there, nor its Salesforce: only the calls count.
            _world.invoke(function, handler, event, MusterError)
        _note(_world, made)
    return made


def _begin[C: Company](company: C, before: Callable[[C], object], begun: dict[object, Moment]) -> None:
    """Bring about what a scenario presupposes; what several do is brought about once."""
    if before in begun:
        begun[before]()
    else:
        before(company)
        begun[before] = company.moment()


def _start(world: World) -> None:
    """Start runs, for a workflow to go on with; there is none, and only the call counts."""
    for function, machine in (("ScheduledImportFunction", "imports"), ("ScheduledPushFunction", "pushes")):
        module = FUNCTIONS[function]
        event = json.loads((ROOT / "events" / f"{module}_start.json").read_text())
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WORKFLOW_ARN", f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine}")
            bootstrap.workflow.cache_clear()
            world.invoke(function, importlib.import_module(module).handler, event, MusterError)


def _ask_for_more(company: Company) -> None:
    """Ask for what no scenario does.

    Another manager for somebody; what the settings in force would do by now; a run, and why somebody
    is in, and somebody else is not; and a message while the org's calls are nearly used up.
    """
    company.begin(ignore_organizational_structure=True)
    company.hire("ada", Department="Sales")
    company.hire("bob", Department="Sales")
    said = company.run_import()
    company.edit({"member": "ada", "manager": company.people["bob"]})
    company.change("bob", Department="Support")
    asked = {"organization": "acme", "action": "preview", "by": "jane", "settings": company.document}
    company.world.invoke("OrganizationSettingsFunction", organization_settings.handler, asked)
    stranger = company.hire("eve")
    forget_clients()
    for event in (
        {"action": "run", "run_id": said["run_id"]},
        {"action": "explain", "member": stranger},
        {"action": "explain", "member": company.people["ada"], "live": True},
    ):
        company.world.invoke("RosterQueryFunction", roster_query.handler, {"organization": "acme", **event})
    company.world.invoke("another worker", _spend_calls, {"at": company.world.clock.now()})
    company.tell("ada")
    company.world.work()


def _tell_outward(company: Company) -> None:
    """Hand over the table's stream with an entry that nobody can read; have somebody's events sent again."""
    images = [item for item in rows_of("roster") if item["sk"]["S"].startswith("HISTORY#")]
    assert images
    images.append({**images[0], "doc": {"S": "{"}})
    records = [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "SequenceNumber": str(number),
                "Keys": {name: image[name] for name in ("pk", "sk")},
                "NewImage": image,
            },
        }
        for number, image in enumerate(images)
    ]
    told = company.world.invoke("MemberEventsFunction", member_events.handler, {"Records": records})
    assert told == {"batchItemFailures": []}
    asked = {"organization": "acme", "action": "resend_events", "member": company.people["ada"]}
    said = company.world.invoke("MemberEventsFunction", member_events.handler, {**asked, "by": "jane"})
    assert said["events"] > 0


def _close_leavers(company: Company) -> None:
    """Close who leaves: an account is deleted, another not, and then the token is refused."""
    app = company.world.scim
    token = app.app.token
    # Nobody is there from what was played before.
    app.control("POST", "reset")
    app.control("POST", "faults", [])
    app.app.renew_token(token)
    section = {"host": scim_wire.HOST, "who": "everyone", "on_leave": "delete"}
    company.begin()
    company.put(connections={**company.document["connections"], "scim": {"app": section}})
    for name in ("ada", "bob", "eve"):
        company.hire(name, Department="Sales")
    company.run_import()
    forget_clients()
    asked = {"organization": "acme", "by": "jane", "connections": ["scim.app"]}
    said = company.world.invoke("ScheduledPushFunction", scheduled_push.handler, asked)
    assert said["counts"] == {"made": 3}, said
    for name, what in (
        ("ada", []),
        ("bob", [{"path": "/scim/v2", "fault": "status", "status": 400, "method": "DELETE"}]),
        ("eve", None),
    ):
        company.change(name, IsActive=False)
        company.run_import()
        if what is None:
            app.control("POST", "token/expire")
        else:
            app.control("POST", "faults", what)
        forget_clients()
        records = [
            {
                "eventName": "MODIFY",
                "dynamodb": {
                    "SequenceNumber": "1",
                    "ApproximateCreationDateTime": 0,
                    "Keys": {each: row[each] for each in ("pk", "sk")},
                    "NewImage": row,
                },
            }
            for row in rows_of("roster")
            if row["sk"]["S"].startswith("MEMBER#") and not row["active"]["BOOL"]
        ]
        done = company.world.invoke("DeprovisioningFunction", deprovisioning.handler, {"Records": records})
        assert done == {"batchItemFailures": []}
    app.control("POST", "reset")
    app.app.renew_token(token)


def _spend_calls(event: dict[str, Any], _: object) -> None:
    """Note that the calls of the day are nearly used up, as a worker does that was told so."""
    bootstrap.delivery_journal().note_calls("acme", CallsUsed(900, 1000, event["at"]))


def _note(world: World, made: dict[str, list[Call]]) -> None:
    for function, noted in made.items():
        noted += world.calls_of(function)
    world.callers.clear()
    world.wire.calls.clear()


def _events(module: str, company: Company) -> Iterator[dict[str, Any]]:
    if module == "organization_settings":
        # A first version, and then another: the events are for an organization that has neither.
        yield {
            "organization": "initech",
            "action": "put",
            "by": "jane",
            "settings": ACME | {"organization": "initech"},
        }
    if module == "member_settings":
        change = {"member": company.people["ada"], "end_date": "2026-12-31"}
        yield {"organization": "acme", "by": "jane", "changes": [change]}
    if module == "group_assignment":
        company.put(connections={**company.document["connections"], "vault_crm": VAULT_CRM})
        ada = company.people["ada"]
        company.world.invoke("the import from Vault CRM", _stand_in_line, {"member": ada})
        request = {"member": ada, "action": "assign", "feature": "engage", "group": "US"}
        yield {"organization": "acme", "by": "jane", "requests": [request]}
    if module == "preflight":
        # With a vault that answers, for the events' one has no host here.
        reachable = {**VAULT_CRM, "host": vault_wire.HOST}
        company.put(connections={**company.document["connections"], "vault_crm": reachable})
    for path in sorted((ROOT / "events").glob(f"{module}_*.json")):
        yield json.loads(path.read_text())


def _stand_in_line(event: dict[str, Any], _: object) -> None:
    """Have somebody wait for a licence, as an import from Vault CRM leaves it."""
    table = bootstrap.roster_table()
    before = table.gather("acme", {event["member"]: Wanted()})[event["member"]].member
    assert before
    linked = replace(
        before,
        crm={**before.crm, engage_features.CONNECTION: {"id": "10042"}},
        engage=Engage("UK", engage_features.REQUEST_SENT, None),
    )
    seen = engage_features.Seen("UK", engage_features.NO_LICENSES_REMAINING)
    after = replace(
        linked, **engage_groups.observed(linked, engage_features.ENGAGE, seen, "2026-11-20T08:16:00.000Z")
    )
    void = table.write("acme", [Decision(outcome=Outcome.UPDATED, before=before, after=after)], 0)
    assert not void


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_does_nothing_its_role_does_not_allow(
    function: str, calls: dict[str, list[Call]], template: dict[str, Any]
) -> None:
    allowed = granted(template, function)
    seen = used(calls[function])
    assert seen
    assert [use for use in seen if not any(permission.covers(use) for permission in allowed)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_nothing_its_function_does_not_do(
    function: str, calls: dict[str, list[Call]], template: dict[str, Any]
) -> None:
    seen = used(calls[function])
    for permission in granted(template, function):
        assert any(permission.covers(use) for use in seen), permission
        for pattern in permission.partitions:
            # Of every kind of key that the statement opens, some is used, if not by each action.
            assert (
                any(key.startswith(pattern.rstrip("*")) for use in seen for key in use.partitions)
                or pattern == "*"
            )


@pytest.mark.parametrize(
    "taken", ["dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:BatchGetItem"]
)
def test_a_missing_permission_shows(
    taken: str, calls: dict[str, list[Call]], template: dict[str, Any]
) -> None:
    allowed = [each for each in granted(template, "UserChangeWorkerFunction") if each.action != taken]
    uses = used(calls["UserChangeWorkerFunction"])
    assert {use.action for use in uses if not any(each.covers(use) for each in allowed)} == {taken}


def test_a_key_of_another_kind_shows(calls: dict[str, list[Call]], template: dict[str, Any]) -> None:
    allowed = granted(template, "OutboundUserWebhookFunction")
    worker = used(calls["UserChangeWorkerFunction"])
    reads = [use for use in worker if use.action == "dynamodb:GetItem"]
    assert reads
    assert not any(permission.covers(use) for permission in allowed for use in reads)


def test_every_function_of_the_template_is_looked_at(template: dict[str, Any]) -> None:
    resources = template["Resources"].items()
    assert set(FUNCTIONS) == {name for name, each in resources if each["Type"] == "AWS::Serverless::Function"}
