"""What an admin has to know is told (N2): the alarms of template.yaml; each check is shown to bite."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from muster.reporting.reporting_runs import LOOKBACK
from tests.conftest import ROOT
from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Properties,
    Template,
    called,
    events,
    failed_calls_go_to,
    functions,
    mutated,
    name_of,
    of_type,
    referred,
    statements,
    told_queues,
)
from tests.integration.told_metrics import GAUGES, SERVICE, STACK, counted

HOUR_S, DAY_S = 60 * 60, 24 * 60 * 60
# What nobody may have to find out by themselves, and the value that is still fine.
MUST_BE_TOLD = {
    "NotificationsParked": 0,
    "MessagesWaitForCalls": 0,
    "CallsThrottled": 20,
    "ChangesHeld": 0,
    "MessagesRefuted": 0,
    "RunsParked": 0,
    "RunsFailed": 0,
    "PushesParked": 0,
    "PushesFailed": 0,
    "MailsFailed": 0,
    "LeaversLeftToPush": 0,
    "AccessEndedSeconds": 60,
    "ConnectionsQuarantined": 0,
    "SeatsRunningOut": 0,
    "LicencesOfNobody": 0,
}
# After how many minutes that a function of the stream is behind: what it does not do waits.
STREAM_MINUTES = {"MemberEventsFunction": 15, "DeprovisioningFunction": 5}
# Who is told: somebody has to act now, or it can wait until the next morning.
PAGE, INFORM = "AlarmTopic", "InformTopic"
CAN_WAIT = {
    *("NotificationsParkedAlarm", "MessagesWaitForCallsAlarm", "SendersRefusedAlarm", "CallsThrottledAlarm"),
    # The next schedule tries again; an organization that was not imported or pushed rings another alarm.
    *("RunsFailedAlarm", "PushesFailedAlarm"),
    # They are closed by then, or the push says why not.
    *("LeaversLeftToPushAlarm", "AccessEndsLateAlarm"),
    *("MailsFailedAlarm", "CredentialsExpiringAlarm", "SeatsRunningOutAlarm", "LicencesOfNobodyAlarm"),
}
# All that an alarm's text is filled in with: nothing of it came from outside (T2).
FILLED_IN = {"RunbookUrl", "AWS::Region", "AWS::StackName"}
DASHBOARD = (
    "https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}"
    "#dashboards/dashboard/"
)
# What CloudWatch takes of a text.
LONGEST_TEXT = 1024
# The schedules whose own silence is told: by what they bring about, or by their being started.
SILENT = {"ImportsSilentAlarm": "RunsSucceeded", "PushesSilentAlarm": "ExecutionsStarted"}
OVERDUE = {
    "ImportsOverdueAlarm": "HoursSinceLastImport",
    "PushesOverdueAlarm": "HoursSinceLastPush",
    "ConnectionsStaleAlarm": "HoursSinceLastGoodCall",
}


def alarms(template: Template) -> dict[str, Properties]:
    """Return the alarms' properties by logical id."""
    return of_type(template, "AWS::CloudWatch::Alarm")


def watched(template: Template, namespace: str, metric: str) -> set[str]:
    """Return the logical ids of what alarms watch a metric of, however little of it there is."""
    return {
        referred(alarm["Dimensions"][0]["Value"])
        for alarm in alarms(template).values()
        if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    }


# ── Every alarm ──────────────────────────────────────────────────────────────────────────────────


def every_row_becomes_an_alarm(template: Template) -> Iterator[str]:
    """A loop has a list of its own: a row that is not in it would be read by people and by nobody else."""
    for table, rows in template["Mappings"].items():
        for name in rows.keys() - alarms(template).keys():
            yield f"{name} is in the table {table}, and no alarm"


def every_alarm_tells_someone(template: Template) -> Iterator[str]:
    """Whoever has to act, when it rings and when it is over."""
    for name, alarm in alarms(template).items():
        told = [referred(action) for action in alarm.get("AlarmActions", [])]
        if told != [INFORM if name in CAN_WAIT else PAGE]:
            yield f"{name} tells {told}"
        if alarm.get("OKActions") != alarm.get("AlarmActions"):
            yield f"{name} does not say when it is over"


def alarms_say_what_was_written_beforehand(template: Template) -> Iterator[str]:
    """A mail of an alarm has nothing in it that came from outside, personal data included (T2)."""
    for name, alarm in alarms(template).items():
        for unknown in {*re.findall(r"\$\{([^}]+)\}", text_of(alarm))} - FILLED_IN:
            yield f"{name} has {unknown} in its text"


def alarms_say_where_to_read_on(template: Template) -> Iterator[str]:
    """In one sentence what it is, then the part of the page, as a link names it, and the dashboard."""
    named = template["Resources"]["Dashboard"]["Properties"]["DashboardName"]["Fn::Sub"]
    for name, alarm in alarms(template).items():
        text = text_of(alarm)
        says, _, links = text.partition(" Runbook: ")
        if links != f"${{RunbookUrl}}#{name.lower()} Dashboard: {DASHBOARD}{named}":
            yield f"{name} links to {links}"
        if not says.split(" OK means")[0].endswith("."):
            yield f"{name} does not say what it is: {says}"
        # What is filled in takes more room than its name: an address of the page, a long name of a stack.
        if len(text) + 400 > LONGEST_TEXT:
            yield f"{name} says more than CloudWatch takes"


def text_of(alarm: Properties) -> str:
    """Return an alarm's text; what CloudFormation fills in still stands there as `${…}`."""
    return _text(alarm.get("AlarmDescription", ""))


def _text(part: Any) -> str:
    match part:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(map(_text, parts))
    return str(part)


def every_alarm_is_explained(template: Template) -> Iterator[str]:
    page = (ROOT / "docs" / "operations.md").read_text()
    parts = dict(re.findall(r"^### (\w+Alarm)\n(.+?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    for name in alarms(template).keys() ^ parts.keys():
        yield f"docs/operations.md and the template do not both have {name}"
    for name, part in parts.items():
        for what in ("*Means*:", "*First look*:", "*Fix*:"):
            if what not in part:
                yield f"docs/operations.md says of {name} no {what}"


def alarms_look_no_further_than_they_can(template: Template) -> Iterator[str]:
    """CloudWatch looks back a day, and a week where the steps are of an hour or more."""
    for name, alarm in alarms(template).items():
        longest = 7 * DAY_S if alarm.get("Period", 60) >= HOUR_S else DAY_S
        if alarm.get("Period", 60) * alarm.get("EvaluationPeriods", 1) > longest:
            yield f"{name} looks back further than CloudWatch does"


def alarms_watch_what_is_told(template: Template) -> Iterator[str]:
    for name, alarm in alarms(template).items():
        if alarm["Namespace"] != "Muster":
            continue
        under = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        if under.pop(STACK, None) != {"Ref": "AWS::StackName"}:
            yield f"{name} watches other stacks too"
        shape = alarm["MetricName"], tuple(sorted(under))
        if shape not in GAUGES | counted():
            yield f"{name} watches what nobody tells: {shape}"
        if shape[1] == SERVICE and under["service"] != "muster":
            yield f"{name} watches another service"


# ── What is told ─────────────────────────────────────────────────────────────────────────────────


def someone_is_told_of(template: Template) -> Iterator[str]:
    rings = {
        (alarm["MetricName"], alarm["Threshold"])
        for alarm in alarms(template).values()
        if alarm["Namespace"] == "Muster" and alarm["ComparisonOperator"] == "GreaterThanThreshold"
    }
    for metric in sorted(MUST_BE_TOLD.items() - rings):
        yield f"nobody is told of {metric[0]}"


def every_failing_function_is_told_of(template: Template) -> Iterator[str]:
    """By whoever calls it: API Gateway, the queue, a workflow; or a person, who sees the fault."""
    by_people = {
        name
        for statement in of_type(template, "AWS::IAM::ManagedPolicy")["Administrators"]["PolicyDocument"][
            "Statement"
        ]
        for name in called(statement)
    }
    machines = of_type(template, "AWS::Serverless::StateMachine")
    by_workflows = {
        name: machine
        for machine, properties in machines.items()
        for statement in statements(template, properties)
        if statement["Action"] == "lambda:InvokeFunction"
        for name in called(statement)
    }
    failing_workflows = watched(template, "AWS/States", "ExecutionsFailed")
    broken_off = watched(template, "AWS/Lambda", "Errors")
    behind_api = {name for name, _, _ in events(template, "Api")}
    api_fails = any(alarm["MetricName"] == "5XXError" for alarm in alarms(template).values())
    for name in functions(template):
        if name in by_workflows:
            if by_workflows[name] not in failing_workflows:
                yield f"nobody is told when {by_workflows[name]} fails"
        elif name in behind_api:
            if not api_fails:
                yield f"nobody is told when {name} fails"
        elif events_of(template, name) == {"ScheduleV2"}:
            if failed_calls_go_to(functions(template)[name]) not in told_queues(template):
                yield f"nobody is told when {name} fails"
        elif name not in broken_off | (by_people - read_from_streams(template)):
            yield f"nobody is told when {name} fails"


def read_from_streams(template: Template) -> set[str]:
    """Return the functions that streams call, whoever else does."""
    mappings = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    return {referred(each["FunctionName"]) for each in mappings}


def events_of(template: Template, name: str) -> set[str]:
    """Return what kinds of events a function is called by."""
    return {event["Type"] for event in functions(template)[name].get("Events", {}).values()}


def throttles_are_told(template: Template) -> Iterator[str]:
    """Of functions that wait for nobody: people see that they are turned away, workflows fail."""
    turned_away = watched(template, "AWS/Lambda", "Throttles")
    for kind in ("Api", "SQS"):
        for name, _, _ in events(template, kind):
            if name not in turned_away:
                yield f"nobody is told that Lambda has no room for {name}"


def a_stream_that_is_not_followed_is_told(template: Template) -> Iterator[str]:
    """Well before what it keeps is gone: a day."""
    told = {
        referred(alarm["Dimensions"][0]["Value"]): alarm["Threshold"]
        for alarm in alarms(template).values()
        if (alarm["MetricName"], alarm.get("Statistic")) == ("IteratorAge", "Maximum")
        and alarm["ComparisonOperator"] == "GreaterThanThreshold"
    }
    for name in read_from_streams(template):
        if told.get(name) != STREAM_MINUTES[name] * 60_000:
            yield f"nobody is told in time that {name} is behind"


def half_of_the_leavers_are_out_within_a_minute(template: Template) -> Iterator[str]:
    """At the median, whatever it was for one (W10)."""
    alarm = alarms(template).get("AccessEndsLateAlarm", {})
    if alarm.get("ExtendedStatistic") != "p50" or "Statistic" in alarm:
        yield "nobody is told that leavers are let in for more than a minute"


def silence_is_told(template: Template) -> Iterator[str]:
    for name, metric in SILENT.items():
        alarm = alarms(template).get(name, {})
        if alarm.get("MetricName") != metric:
            yield f"nobody is told that {metric} has stopped"
            continue
        if (alarm["TreatMissingData"], alarm["ComparisonOperator"]) != ("breaching", "LessThanThreshold"):
            yield f"{name} takes silence for health"
        # CloudWatch looks back more than a day only in steps of an hour or more.
        if alarm["Period"] < HOUR_S or alarm["Period"] * alarm["EvaluationPeriods"] <= DAY_S:
            yield f"{name} rings before what is done daily is due"
        if alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) != alarm["EvaluationPeriods"]:
            yield f"{name} rings for a part of the time"
        yield from _is_off_without_schedules(template, name)


def silence_of_one_organization_is_told(template: Template) -> Iterator[str]:
    for name, metric in OVERDUE.items():
        alarm = alarms(template).get(name, {})
        if alarm.get("MetricName") != metric:
            yield f"nobody is told of one organization's {metric}"
            continue
        if (alarm["Statistic"], alarm["ComparisonOperator"]) != ("Maximum", "GreaterThanThreshold"):
            yield f"{name} does not ring for the one that has waited longest"
        if not DAY_S < alarm["Threshold"] * HOUR_S < LOOKBACK.total_seconds():
            yield f"{name} rings before what is done daily is due, or later than is known"
        if alarm["TreatMissingData"] != "ignore":
            yield f"{name} is over, or rings, when nothing is told"
        yield from _is_off_without_schedules(template, name)


def _is_off_without_schedules(template: Template, name: str) -> Iterator[str]:
    if template["Resources"][name].get("Condition") != "SchedulesRun":
        yield f"{name} rings where nothing is scheduled"


def expiring_credentials_are_told_in_time(template: Template) -> Iterator[str]:
    alarm = alarms(template).get("CredentialsExpiringAlarm", {})
    if alarm.get("MetricName") != "CredentialsExpireInDays":
        yield "nobody is told that credentials end"
        return
    if (alarm["Statistic"], alarm["ComparisonOperator"]) != ("Minimum", "LessThanThreshold"):
        yield "the first that ends is not the one that rings"
    if alarm["Threshold"] < 14:
        yield "there is no time to get a certificate"
    # It is told once a day: one value has to be enough, and it has to be found until the next one comes.
    if alarm.get("DatapointsToAlarm") != 1 or alarm["Period"] * alarm["EvaluationPeriods"] <= DAY_S:
        yield "it rings for a part of the day only"
    if alarm["TreatMissingData"] != "notBreaching":
        yield "it never ends where the day is taken out of the secret"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

RESOURCES = ("Resources",)
# A table's rows, the list of those that become alarms, and what all of them have in common.
COUNTED, FAILING, WAITING = (
    (("Mappings", table), (*loop, 1), (*loop, 2, "${Alarm}", "Properties"))
    for table in ("CountAlarms", "FailureAlarms", "QueueAlarms")
    for loop in [(*RESOURCES, f"Fn::ForEach::{table}")]
)
QUIET, STILL = (*RESOURCES, "ImportsSilentAlarm"), (*RESOURCES, "PushesSilentAlarm")
BEHIND = ("Mappings", "StreamAlarms")
ALL_BEHIND = (*RESOURCES, "Fn::ForEach::StreamAlarms")
LATE, LATER = (*RESOURCES, "ImportsOverdueAlarm"), (*RESOURCES, "PushesOverdueAlarm")
EXPIRING = (*RESOURCES, "CredentialsExpiringAlarm")
PARKED = (*COUNTED[0], "RunsParkedAlarm")
NEW_FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "new.handler"}}

MUTANTS: list[Mutant] = [
    *(
        (every_row_becomes_an_alarm, (*table[1], name), GONE)
        for table, name in (
            (COUNTED, "SendersRefusedAlarm"),
            (FAILING, "WorkerFailsAlarm"),
            (WAITING, "ChangesWaitTooLongAlarm"),
        )
    ),
    (every_alarm_tells_someone, (*COUNTED[2], "AlarmActions"), GONE),
    (every_alarm_tells_someone, (*WAITING[2], "AlarmActions"), []),
    (every_alarm_tells_someone, (*COUNTED[2], "OKActions"), GONE),
    (every_alarm_tells_someone, (*FAILING[2], "OKActions"), GONE),
    (every_alarm_tells_someone, (*QUIET, "Properties", "OKActions"), GONE),
    (every_alarm_tells_someone, (*EXPIRING, "Properties", "OKActions", 0), {"Ref": PAGE}),
    (every_alarm_tells_someone, (*PARKED, "Topic"), INFORM),
    (every_alarm_tells_someone, (*COUNTED[0], "MailsFailedAlarm", "Topic"), PAGE),
    (alarms_say_what_was_written_beforehand, (*WAITING[2], "AlarmDescription"), {"Fn::Sub": "${Api}"}),
    (alarms_say_what_was_written_beforehand, (*PARKED, "Says"), "A run of ${AWS::AccountId} waits."),
    (alarms_say_where_to_read_on, (*WAITING[2], "AlarmDescription"), "Somebody waits."),
    (alarms_say_where_to_read_on, (*PARKED, "Part"), "runsfailedalarm"),
    (alarms_say_where_to_read_on, (*PARKED, "Says"), ""),
    (alarms_say_where_to_read_on, (*PARKED, "Says"), "A run waits. " * 60),
    (alarms_say_where_to_read_on, (*RESOURCES, "Dashboard", "Properties", "DashboardName", "Fn::Sub"), "x"),
    (every_alarm_is_explained, (*RESOURCES, "NobodyKnowsAlarm"), {"Type": "AWS::CloudWatch::Alarm"}),
    (every_alarm_is_explained, (*COUNTED[1], "RunsParkedAlarm"), GONE),
    (alarms_look_no_further_than_they_can, (*WAITING[0], "ChangesWaitTooLongAlarm", "Periods"), 24 * 60 + 1),
    (alarms_look_no_further_than_they_can, (*EXPIRING, "Properties", "EvaluationPeriods"), 7 * 24 + 1),
    (alarms_watch_what_is_told, (*PARKED, "Metric"), "RunsPark"),
    (alarms_watch_what_is_told, (*COUNTED[2], "Dimensions"), []),
    (alarms_watch_what_is_told, (*COUNTED[2], "Dimensions", 0, "Value"), "other"),
    (alarms_watch_what_is_told, (*COUNTED[2], "Dimensions", 1, "Value"), "muster"),
    (alarms_watch_what_is_told, (*LATE, "Properties", "Dimensions", 1), GONE),
    (
        alarms_watch_what_is_told,
        (*LATE, "Properties", "Dimensions"),
        [{"Name": "service", "Value": "muster"}, {"Name": "seat", "Value": "gong"}],
    ),
    *(
        (someone_is_told_of, (*COUNTED[1], name), GONE)
        for name in (
            *("NotificationsParkedAlarm", "CallsThrottledAlarm", "RunsParkedAlarm", "RunsFailedAlarm"),
            *("MailsFailedAlarm", "ChangesHeldAlarm", "MessagesRefutedAlarm"),
            *("PushesParkedAlarm", "PushesFailedAlarm", "ConnectionQuarantinedAlarm"),
        )
    ),
    (someone_is_told_of, (*RESOURCES, "SeatsRunningOutAlarm"), GONE),
    (someone_is_told_of, (*RESOURCES, "LicencesOfNobodyAlarm"), GONE),
    (someone_is_told_of, (*PARKED, "Over"), 1),
    (someone_is_told_of, (*COUNTED[2], "ComparisonOperator"), "LessThanThreshold"),
    (every_failing_function_is_told_of, (*FAILING[1], "ScheduledImportFailsAlarm"), GONE),
    (every_failing_function_is_told_of, (*FAILING[1], "ScheduledPushFailsAlarm"), GONE),
    (every_failing_function_is_told_of, (*RESOURCES, "WebhookFailsAlarm"), GONE),
    (every_failing_function_is_told_of, (*FAILING[1], "WorkerFailsAlarm"), GONE),
    (every_failing_function_is_told_of, (*FAILING[2], "Threshold"), 5),
    (every_failing_function_is_told_of, (*RESOURCES, "NewFunction"), NEW_FUNCTION),
    (
        every_failing_function_is_told_of,
        (*RESOURCES, "MorningDigestFunction", "Properties", "EventInvokeConfig"),
        GONE,
    ),
    (throttles_are_told, (*FAILING[1], "WebhookThrottledAlarm"), GONE),
    (throttles_are_told, (*FAILING[1], "WorkerThrottledAlarm"), GONE),
    (throttles_are_told, (*FAILING[0], "WorkerThrottledAlarm", "Metric"), "Errors"),
    (
        every_failing_function_is_told_of,
        (*FAILING[0], "MemberEventsFailAlarm", "Metric"),
        "Throttles",
    ),
    (a_stream_that_is_not_followed_is_told, (*ALL_BEHIND, 1, "LeaversWaitAlarm"), GONE),
    (a_stream_that_is_not_followed_is_told, (*BEHIND, "MemberEventsLateAlarm", "Over"), 900),
    (
        a_stream_that_is_not_followed_is_told,
        (*ALL_BEHIND, 2, "${Alarm}", "Properties", "Statistic"),
        "Minimum",
    ),
    (a_stream_that_is_not_followed_is_told, (*BEHIND, "LeaversWaitAlarm", "Of"), "RosterQueryFunction"),
    (
        half_of_the_leavers_are_out_within_a_minute,
        (*RESOURCES, "AccessEndsLateAlarm", "Properties", "ExtendedStatistic"),
        "p90",
    ),
    (silence_is_told, QUIET, GONE),
    (silence_is_told, (*QUIET, "Properties", "TreatMissingData"), "notBreaching"),
    (silence_is_told, (*QUIET, "Properties", "EvaluationPeriods"), 24),
    (silence_is_told, (*QUIET, "Properties", "Period"), 900),
    (silence_is_told, (*QUIET, "Properties", "DatapointsToAlarm"), 1),
    (silence_is_told, (*QUIET, "Condition"), GONE),
    (silence_is_told, STILL, GONE),
    (silence_is_told, (*STILL, "Condition"), GONE),
    (silence_is_told, (*STILL, "Properties", "TreatMissingData"), "notBreaching"),
    (silence_of_one_organization_is_told, LATE, GONE),
    (silence_of_one_organization_is_told, LATER, GONE),
    (silence_of_one_organization_is_told, (*LATE, "Properties", "Statistic"), "Minimum"),
    (silence_of_one_organization_is_told, (*LATE, "Properties", "Threshold"), 24),
    (silence_of_one_organization_is_told, (*LATER, "Properties", "Threshold"), 48),
    (silence_of_one_organization_is_told, (*LATER, "Properties", "TreatMissingData"), "breaching"),
    (silence_of_one_organization_is_told, (*LATER, "Condition"), GONE),
    (expiring_credentials_are_told_in_time, EXPIRING, GONE),
    (expiring_credentials_are_told_in_time, (*EXPIRING, "Properties", "Statistic"), "Maximum"),
    (expiring_credentials_are_told_in_time, (*EXPIRING, "Properties", "Threshold"), 7),
    (expiring_credentials_are_told_in_time, (*EXPIRING, "Properties", "DatapointsToAlarm"), GONE),
    (expiring_credentials_are_told_in_time, (*EXPIRING, "Properties", "EvaluationPeriods"), 24),
    (expiring_credentials_are_told_in_time, (*EXPIRING, "Properties", "TreatMissingData"), "ignore"),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
