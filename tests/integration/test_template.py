"""template.yaml holds what the code relies on and what keeps data safe; each check is shown to bite."""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Template,
    events,
    failed_calls_go_to,
    functions,
    mutated,
    name_of,
    of_type,
    referred,
    told_queues,
    translated,
)
from tests.simulation.harness import world

FOURTEEN_DAYS = 14 * 24 * 60 * 60
# What Lambda hands the function of member events.
OF_HISTORY = '{"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "HISTORY#"}]}}}}'
LEAVERS = (
    '{"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "MEMBER#"}]}},'
    ' "NewImage": {"active": {"BOOL": [false]}}}}'
)
# How many batches of a shard at a time (a member's history is many items, the member is one), for how many
# seconds what fails is tried, and which records.
READ_AS = {
    "MemberEventsFunction": (1, 12 * 60 * 60, OF_HISTORY),
    "DeprovisioningFunction": (4, 15 * 60, LEAVERS),
}
# What Lambda gives a function at most.
LONGEST_S = 900


# ── Queues ───────────────────────────────────────────────────────────────────────────────────────


def a_slow_batch_is_not_handed_out_twice(template: Template) -> Iterator[str]:
    for name, function, event in events(template, "SQS"):
        queue = of_type(template, "AWS::SQS::Queue")[referred(event["Queue"])]
        least = 6 * function["Timeout"] + event.get("MaximumBatchingWindowInSeconds", 0)
        if queue.get("VisibilityTimeout", 30) < least:
            yield f"{name}: the visibility timeout is under {least}"


def one_failure_does_not_return_a_batch(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "SQS"):
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} does not report failures one by one"


def failures_do_not_speed_up(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "SQS"):
        if not 2 <= event.get("ScalingConfig", {}).get("MaximumConcurrency", 0) <= 50:
            yield f"{name} has no bound on how much of it runs at once"


def every_queue_has_a_dead_letter_queue(template: Template) -> Iterator[str]:
    queues = of_type(template, "AWS::SQS::Queue")
    dead = {
        referred(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for queue in queues.values()
        if "RedrivePolicy" in queue
    } | {referred(event["DeadLetterConfig"]["Arn"]) for _, _, event in events(template, "ScheduleV2")}
    dead |= {referred(each["DestinationConfig"]["OnFailure"]["Destination"]) for each in mappings(template)}
    for name, queue in queues.items():
        if name not in dead and queue.get("RedrivePolicy", {}).get("maxReceiveCount", 0) < 5:
            yield f"{name} has no dead-letter queue after at least five tries"
        if queue.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
            yield f"{name} does not keep messages for 14 days"
    for name in dead - told_queues(template):
        yield f"nobody is told of what is in {name}"


def queues_are_encrypted(template: Template) -> Iterator[str]:
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"


def queues_are_as_simulated(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "SQS"):
        queue = of_type(template, "AWS::SQS::Queue")[referred(event["Queue"])]
        if event.get("BatchSize") != world.BATCH_SIZE:
            yield f"{name} gets another number of messages than tests/simulation hands out"
        if queue.get("RedrivePolicy", {}).get("maxReceiveCount") != world.MOST_RECEIVES:
            yield f"{name}'s messages are tried another number of times than in tests/simulation"


# ── The stream ───────────────────────────────────────────────────────────────────────────────────


def mappings(template: Template) -> list[dict[str, Any]]:
    """Return what says how Lambda reads the table's stream."""
    return [*of_type(template, "AWS::Lambda::EventSourceMapping").values()]


def readers(template: Template) -> dict[str, dict[str, Any]]:
    """Return the same by the function that reads: no more than two, says AWS."""
    return {referred(each["FunctionName"]): each for each in mappings(template)}


def the_stream_is_read_whole_and_in_order(template: Template) -> Iterator[str]:
    """A member's versions are items of their own: several batches of a shard at once lose their order."""
    if readers(template).keys() != {"MemberEventsFunction", "DeprovisioningFunction"}:
        yield "the stream has other readers"
        return
    for name, mapping in readers(template).items():
        at_once, age_s, pattern = READ_AS[name]
        filters = mapping.get("FilterCriteria", {}).get("Filters", [{"Pattern": "null"}])
        for what, holds in {
            "so many batches of a shard at a time": mapping.get("ParallelizationFactor") == at_once,
            "the oldest that is there": mapping.get("StartingPosition") == "TRIM_HORIZON",
            "reports of how far it came": mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"],
            "smaller batches after a crash": mapping.get("BisectBatchOnFunctionError") is True,
            # A number of tries would throw away what an outage delays.
            "tries for so long": "MaximumRetryAttempts" not in mapping
            and mapping.get("MaximumRecordAgeInSeconds") == age_s,
            "that alone": [json.loads(each["Pattern"]) for each in filters] == [json.loads(pattern)],
        }.items():
            if not holds:
                yield f"{name} does not read the stream with: {what}"
    [table] = of_type(template, "AWS::DynamoDB::Table").values()
    if table.get("StreamSpecification") != {"StreamViewType": "NEW_IMAGE"}:
        yield "the table has no stream of what was written"


def leavers_are_closed_at_once_unless_somebody_says_no(template: Template) -> Iterator[str]:
    """Where there is a stream: a restored table may have none."""
    if template["Parameters"]["CloseLeaversAtOnce"]["Default"] != "ENABLED":
        yield "leavers wait for a push"
    if template["Resources"]["DeprovisioningMapping"].get("Condition") != "ClosesLeaversAtOnce":
        yield "nobody can switch it off"
    if {"Condition": "ReadsStream"} not in template["Conditions"]["ClosesLeaversAtOnce"]["Fn::And"]:
        yield "a stream is read that is not there"
    if readers(template)["DeprovisioningFunction"].get("MaximumBatchingWindowInSeconds") != 0:
        yield "leavers wait for others"


def member_events_are_off_unless_asked_for(template: Template) -> Iterator[str]:
    """Off, nothing reads the stream, there is no bus, and the function may not use one."""
    if template["Parameters"]["MemberEvents"]["Default"] != "DISABLED":
        yield "member events are on by default"
    under = {
        name: template["Resources"].get(name, {}).get("Condition")
        for name in ("MemberEventsMapping", "OwnEventBus", "OwnEventArchive")
    }
    # The emulator knows no archives, and refuses a template with one.
    if [*under.values()] != ["PublishesMemberEvents", "HasOwnEventBus", "ArchivesMemberEvents"]:
        yield f"these are there under other conditions: {under}"
    if {"Condition": "IsOnAws"} not in template["Conditions"]["ArchivesMemberEvents"]["Fn::And"]:
        yield "the local stack is given an archive"
    policy = template["Resources"]["MemberEventsFunctionRole"]["Properties"]["Policies"][1]
    if policy.get("Fn::If", [None])[0] != "PublishesMemberEvents":
        yield "the function may put events where there are none"


# ── Data ─────────────────────────────────────────────────────────────────────────────────────────


def tables_are_safe(template: Template) -> Iterator[str]:
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        resource = template["Resources"][name]
        for what, holds in {
            "point-in-time recovery": table.get("PointInTimeRecoverySpecification", {}).get(
                "PointInTimeRecoveryEnabled"
            ),
            "encryption": table.get("SSESpecification", {}).get("SSEEnabled"),
            "protection from deletion": table.get("DeletionProtectionEnabled"),
            "retention with the stack": resource.get("DeletionPolicy") == "Retain",
            "retention in replacement": resource.get("UpdateReplacePolicy") == "Retain",
            "expiry": table.get("TimeToLiveSpecification")
            == {"AttributeName": "expires_at", "Enabled": True},
        }.items():
            if holds is not True:
                yield f"{name} lacks {what}"


def logs_do_not_stay_for_ever(template: Template) -> Iterator[str]:
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name} has no retention"
    for name, function in functions(template).items():
        if referred(function.get("LoggingConfig", {}).get("LogGroup", {"Ref": ""})) not in groups:
            yield f"{name} logs where nothing says how long"


# ── Functions ────────────────────────────────────────────────────────────────────────────────────


def functions_have_bounds(template: Template) -> Iterator[str]:
    for name, function in functions(template).items():
        if not 0 < function.get("Timeout", 0) <= LONGEST_S or "MemorySize" not in function:
            yield f"{name} has no time or memory of its own"


def functions_take_no_share_they_cannot_use(template: Template) -> Iterator[str]:
    """None has concurrency reserved: API and queue bound them, and a new account has none to give away."""
    for name, function in functions(template).items():
        reserved = function.get("ReservedConcurrentExecutions")
        if reserved is None:
            continue
        yield f"{name} takes {reserved} of the account's concurrency for itself"


def every_call_is_waited_for(template: Template) -> Iterator[str]:
    """Lambda gives asynchronous events up after two tries, and drops them without a word (T3).

    API Gateway and workflows wait for the answer, the queue keeps what failed. What a schedule calls has
    somewhere for what failed to go, and an alarm on that.
    """
    for name, function in functions(template).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "ScheduleV2" and failed_calls_go_to(function) in told_queues(template):
                continue
            if event["Type"] not in ("Api", "SQS"):
                yield f"{name} is called by {event['Type']}, and nobody knows of what was dropped"


def nothing_is_traced(template: Template) -> Iterator[str]:
    """Traces would hold what was called with what; the logs' ids are enough to follow a change (T2)."""
    for name, function in functions(template).items():
        if function.get("Tracing", "Disabled") not in ("Disabled", "PassThrough"):
            yield f"{name} is traced"
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        if api.get("TracingEnabled"):
            yield f"{name} is traced"


def every_handler_is_there(template: Template) -> Iterator[str]:
    for name, function in functions(template).items():
        module, _, attribute = function["Handler"].rpartition(".")
        try:
            found = callable(getattr(importlib.import_module(module), attribute))
        except (ImportError, AttributeError):
            found = False
        if not found:
            yield f"{name} has no {function['Handler']}"
        if "".join(part.title() for part in module.split("_")) + "Function" != name:
            yield f"{name} is not named after {module}"


def every_function_is_documented(template: Template) -> Iterator[str]:
    pages = "".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
    for name, function in functions(template).items():
        module = function["Handler"].rpartition(".")[0]
        if name not in pages and module not in pages:
            yield f"neither README.md nor docs/ mentions {name}"
        if not list((ROOT / "events").glob(f"{module}*.json")):
            yield f"events/ has no event for {name}"


def only_the_local_stack_calls_this_machine(template: Template) -> Iterator[str]:
    """Connections to 127.0.0.1 over plain HTTP are for the sandboxes; on AWS nothing says so (T2)."""
    for name, function in of_type(translated(template), "AWS::Lambda::Function").items():
        said = function["Environment"]["Variables"].get("ON_LOCAL_STACK")
        if said != {"Fn::If": ["IsOnAws", {"Ref": "AWS::NoValue"}, "true"]}:
            yield f"{name} is told {said}"


def variables_are_those_that_are_read(template: Template) -> Iterator[str]:
    """Powertools reads its own variables, and Lambda sets the AWS_ ones."""
    source = (ROOT / "functions/muster/environment.py").read_text()
    read = set(re.findall(r'_(?:required|optional)\("(\w+)"\)', source))
    declared = {
        variable
        for function in [
            template["Globals"]["Function"],
            *of_type(template, "AWS::Serverless::Function").values(),
        ]
        for variable in function.get("Environment", {}).get("Variables", {})
    }
    for variable in {each for each in declared if not each.startswith("POWERTOOLS_")} ^ read:
        yield f"{variable} is {'declared and not read' if variable in declared else 'read and not declared'}"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

QUEUE, DEAD = ("Resources", "ChangeQueue", "Properties"), ("Resources", "ChangeDeadLetterQueue", "Properties")
TABLE, API = ("Resources", "RosterTable", "Properties"), ("Resources", "Api", "Properties")
WORKER = ("Resources", "UserChangeWorkerFunction", "Properties")
DIGEST = ("Resources", "MorningDigestFunction", "Properties")
SHARED_VARIABLES = ("Globals", "Function", "Environment", "Variables")
LOCALLY = {"Variables": {"ON_LOCAL_STACK": "true"}}
EVENT = (*WORKER, "Events", "Changes", "Properties")
ALARM, RINGING = (
    ("Mappings", "QueueAlarms", "ChangesInDeadLetterQueueAlarm"),
    ("Resources", "Fn::ForEach::QueueAlarms", 1),
)

STREAM, LEFT = (
    ("Resources", name, "Properties") for name in ("MemberEventsMapping", "DeprovisioningMapping")
)

MUTANTS: list[Mutant] = [
    (every_queue_has_a_dead_letter_queue, (*RINGING, "MemberEventsGivenUpAlarm"), GONE),
    *(
        (the_stream_is_read_whole_and_in_order, (*STREAM, name), value)
        for name, value in (
            ("ParallelizationFactor", 2),
            ("ParallelizationFactor", GONE),
            ("StartingPosition", "LATEST"),
            ("FunctionResponseTypes", GONE),
            ("BisectBatchOnFunctionError", False),
            ("MaximumRetryAttempts", 3),
            ("MaximumRecordAgeInSeconds", GONE),
            ("FilterCriteria", GONE),
        )
    ),
    (the_stream_is_read_whole_and_in_order, (*TABLE, "StreamSpecification", "StreamViewType"), "KEYS_ONLY"),
    *(
        (the_stream_is_read_whole_and_in_order, (*LEFT, name), value)
        for name, value in (
            ("ParallelizationFactor", 1),
            ("StartingPosition", "LATEST"),
            ("MaximumRecordAgeInSeconds", GONE),
            ("FilterCriteria", {"Filters": [{"Pattern": OF_HISTORY}]}),
            ("FunctionName", {"Ref": "RosterQueryFunction"}),
        )
    ),
    (
        leavers_are_closed_at_once_unless_somebody_says_no,
        ("Parameters", "CloseLeaversAtOnce", "Default"),
        "DISABLED",
    ),
    (leavers_are_closed_at_once_unless_somebody_says_no, (*LEFT[:2], "Condition"), "UsesOwnTable"),
    (leavers_are_closed_at_once_unless_somebody_says_no, (*LEFT, "MaximumBatchingWindowInSeconds"), 5),
    (
        leavers_are_closed_at_once_unless_somebody_says_no,
        ("Conditions", "ClosesLeaversAtOnce", "Fn::And", 0),
        {"Condition": "IsOnAws"},
    ),
    (member_events_are_off_unless_asked_for, ("Parameters", "MemberEvents", "Default"), "ENABLED"),
    (member_events_are_off_unless_asked_for, (*STREAM[:2], "Condition"), GONE),
    (
        member_events_are_off_unless_asked_for,
        ("Resources", "OwnEventArchive", "Condition"),
        "HasOwnEventBus",
    ),
    (
        member_events_are_off_unless_asked_for,
        ("Conditions", "ArchivesMemberEvents", "Fn::And", 0),
        {"Condition": "HasOwnEventBus"},
    ),
    (
        member_events_are_off_unless_asked_for,
        ("Resources", "MemberEventsFunctionRole", "Properties", "Policies", 1, "Fn::If", 0),
        "IsOnAws",
    ),
    (a_slow_batch_is_not_handed_out_twice, (*QUEUE, "VisibilityTimeout"), 539),
    (a_slow_batch_is_not_handed_out_twice, (*QUEUE, "VisibilityTimeout"), GONE),
    (a_slow_batch_is_not_handed_out_twice, (*EVENT, "MaximumBatchingWindowInSeconds"), 5),
    (one_failure_does_not_return_a_batch, (*EVENT, "FunctionResponseTypes"), GONE),
    (failures_do_not_speed_up, (*EVENT, "ScalingConfig"), GONE),
    (every_queue_has_a_dead_letter_queue, (*QUEUE, "RedrivePolicy"), GONE),
    (every_queue_has_a_dead_letter_queue, (*QUEUE, "RedrivePolicy", "maxReceiveCount"), 1),
    (every_queue_has_a_dead_letter_queue, (*DEAD, "MessageRetentionPeriod"), GONE),
    (every_queue_has_a_dead_letter_queue, (*RINGING, "ScheduleDeadLettersAlarm"), GONE),
    (every_queue_has_a_dead_letter_queue, (*ALARM, "Metric"), "NumberOfMessagesSent"),
    (every_queue_has_a_dead_letter_queue, (*ALARM, "Over"), 1),
    (every_queue_has_a_dead_letter_queue, (*ALARM, "Of"), "ChangeQueue"),
    (queues_are_encrypted, (*DEAD, "SqsManagedSseEnabled"), False),
    (queues_are_as_simulated, (*EVENT, "BatchSize"), 100),
    (queues_are_as_simulated, (*QUEUE, "RedrivePolicy", "maxReceiveCount"), 5),
    (tables_are_safe, (*TABLE, "PointInTimeRecoverySpecification"), GONE),
    (tables_are_safe, (*TABLE, "SSESpecification", "SSEEnabled"), False),
    (tables_are_safe, (*TABLE, "DeletionProtectionEnabled"), GONE),
    (tables_are_safe, (*TABLE[:2], "DeletionPolicy"), GONE),
    (tables_are_safe, (*TABLE[:2], "UpdateReplacePolicy"), "Delete"),
    (tables_are_safe, (*TABLE, "TimeToLiveSpecification", "AttributeName"), "ttl"),
    (logs_do_not_stay_for_ever, ("Resources", "ServiceLogGroup", "Properties", "RetentionInDays"), GONE),
    (logs_do_not_stay_for_ever, ("Globals", "Function", "LoggingConfig"), GONE),
    (functions_have_bounds, (*WORKER, "Timeout"), 0),
    (functions_have_bounds, (*WORKER, "Timeout"), 901),
    (functions_have_bounds, ("Globals", "Function", "MemorySize"), GONE),
    (functions_take_no_share_they_cannot_use, (*WORKER, "ReservedConcurrentExecutions"), 4),
    (every_call_is_waited_for, (*EVENT[:-1], "Type"), "SNS"),
    (
        every_call_is_waited_for,
        (*WORKER, "Events", "Nightly"),
        {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}},
    ),
    (every_call_is_waited_for, (*DIGEST, "EventInvokeConfig"), GONE),
    (
        every_call_is_waited_for,
        (*DIGEST, "EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"),
        {"Fn::GetAtt": ["ChangeQueue", "Arn"]},
    ),
    (every_call_is_waited_for, (*RINGING, "ScheduleDeadLettersAlarm"), GONE),
    (nothing_is_traced, ("Globals", "Function", "Tracing"), "Active"),
    (nothing_is_traced, (*API, "TracingEnabled"), True),
    (every_handler_is_there, (*WORKER, "Handler"), "user_change_worker.handle"),
    (every_handler_is_there, (*WORKER, "Handler"), "roster_query.handler"),
    (every_function_is_documented, (*WORKER, "Handler"), "no_such_module.handler"),
    (only_the_local_stack_calls_this_machine, (*SHARED_VARIABLES, "ON_LOCAL_STACK"), "true"),
    (
        only_the_local_stack_calls_this_machine,
        (*SHARED_VARIABLES, "ON_LOCAL_STACK", "Fn::If", 0),
        "SendsMail",
    ),
    (only_the_local_stack_calls_this_machine, (*WORKER, "Environment"), LOCALLY),
    (variables_are_those_that_are_read, (*SHARED_VARIABLES, "UNREAD"), "x"),
    (
        variables_are_those_that_are_read,
        (*SHARED_VARIABLES, "ROSTER_TABLE_NAME"),
        GONE,
    ),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(
    ("check", "path", "value"),
    MUTANTS,
    ids=map(name_of, MUTANTS),
)
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
