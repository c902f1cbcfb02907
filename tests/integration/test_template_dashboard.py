"""The dashboard shows what there is, and nothing that nobody tells; each check is shown to bite."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from tests.integration.template_reading import (
    GONE,
    ROOT,
    Check,
    Mutant,
    Properties,
    Template,
    functions,
    mutated,
    name_of,
    of_type,
    widgets,
)
from tests.integration.told_metrics import GAUGES, SERVICE, STACK, Shape, counted

# What AWS itself tells, by namespace, and the dimensions it is told under.
OF_AWS = {
    "AWS/ApiGateway": (
        {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
        ("ApiName", "Stage"),
    ),
    "AWS/Lambda": ({"Duration", "Errors", "Invocations", "IteratorAge", "Throttles"}, ("FunctionName",)),
    "AWS/SQS": ({"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}, ("QueueName",)),
    "AWS/States": ({"ExecutionsFailed", "ExecutionsStarted", "ExecutionsTimedOut"}, ("StateMachineArn",)),
}
# Values of dimensions that are no resource's.
FIXED = {"muster", "v2"}
# Every search is in this stack's metrics: its name is a dimension of all of them.
SEARCH = re.compile(
    r"SEARCH\('\{Muster,([\w,]+),stack\} stack=\"\$\{AWS::StackName\}\""
    r" MetricName=\"(\w+)\"', '(\w+)', (\d+)\)"
)
COLUMNS = 24


def shown(widget: Properties) -> Iterator[list[Any]]:
    """Yield the rows of a widget's metrics that are no expressions: namespace, metric, dimensions."""
    for row in widget["properties"].get("metrics", []):
        if isinstance(row[0], str):
            yield [each for each in row if isinstance(each, str)]


def searched(widget: Properties) -> Iterator[str]:
    """Yield a widget's expressions."""
    for row in widget["properties"].get("metrics", []):
        if isinstance(row[0], dict):
            yield row[0]["expression"]


def shapes(template: Template) -> set[Shape]:
    """Return the metrics of ours that are shown, with the names of their dimensions."""
    found: set[Shape] = set()
    for widget in widgets(template):
        found |= {
            (row[1], tuple(sorted({*row[2::2]} - {STACK}))) for row in shown(widget) if row[0] == "Muster"
        }
        for match in map(SEARCH.fullmatch, searched(widget)):
            if match:
                found.add((match[2], tuple(sorted(match[1].split(",")))))
    return found


def graphs_show_what_is_told(template: Template) -> Iterator[str]:
    for name, under in shapes(template) - GAUGES - counted():
        yield f"nobody tells {name} under {under}"
    for widget in widgets(template):
        for expression in searched(widget):
            if not SEARCH.fullmatch(expression):
                yield f"this is no search in what is told: {expression}"
        for namespace, metric, *dimensions in shown(widget):
            if namespace == "Muster" and STACK not in dimensions[::2]:
                yield f"{metric} is that of all stacks"
            known, names = OF_AWS.get(namespace, (set[str](), ()))
            if namespace != "Muster" and (metric not in known or tuple(dimensions[::2]) != names):
                yield f"AWS tells no {namespace} {metric} under {dimensions[::2]}"


def every_gauge_is_shown(template: Template) -> Iterator[str]:
    """What alarms watch is shown by organization; `SeatsRunningOut` says nothing of one."""
    by_organization = {name for name, dimensions in GAUGES if dimensions != SERVICE}
    wanted = {each for each in GAUGES if each[1] != SERVICE or each[0] not in by_organization}
    for name, dimensions in wanted - shapes(template):
        yield f"nobody sees {name} under {dimensions}"


def graphs_are_of_this_stack(template: Template) -> Iterator[str]:
    known = {f"${{{name}}}" for name in template["Resources"]} | {"${AWS::StackName}"}
    known |= {f"${{{name}.QueueName}}" for name in of_type(template, "AWS::SQS::Queue")}
    for widget in widgets(template):
        for row in shown(widget):
            for value in row[3::2]:
                if value not in known | FIXED:
                    yield f"{value} is not in the template"
        if widget["properties"].get("region", "${AWS::Region}") != "${AWS::Region}":
            yield f"{widget['properties']['title']} shows another region"


def everything_filled_in_is_there(template: Template) -> Iterator[str]:
    """What `sam validate` cannot see, because it does not open included files."""
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    body, variables = dashboard["DashboardBody"]["Fn::Sub"]
    known = template["Resources"].keys() | variables.keys()
    for name in set(re.findall(r"\$\{([^}!.]+)", body + json.dumps(variables))):
        if name not in known | {"AWS::StackName", "AWS::Region"}:
            yield f"{name} is not in the template"


def every_function_is_shown(template: Template) -> Iterator[str]:
    rows = [row for widget in widgets(template) for row in shown(widget)]
    for metric in ("Errors", "Throttles"):
        of = {row[3] for row in rows if row[:2] == ["AWS/Lambda", metric]}
        for name in functions(template):
            if f"${{{name}}}" not in of:
                yield f"nobody sees {metric} of {name}"


def every_queue_is_shown(template: Template) -> Iterator[str]:
    rows = [row for widget in widgets(template) for row in shown(widget)]
    of = {row[3] for row in rows if row[:2] == ["AWS/SQS", "ApproximateNumberOfMessagesVisible"]}
    for name in of_type(template, "AWS::SQS::Queue"):
        if f"${{{name}.QueueName}}" not in of:
            yield f"nobody sees what is in {name}"


def every_alarm_is_shown(template: Template) -> Iterator[str]:
    listed = {
        arn
        for widget in widgets(template)
        if widget["type"] == "alarm"
        for arn in widget["properties"]["alarms"]
    }
    for arn in listed ^ {f"${{{name}.Arn}}" for name in of_type(template, "AWS::CloudWatch::Alarm")}:
        yield f"{arn} is not both there and shown"


def alarms_that_are_not_there_are_not_shown(template: Template) -> Iterator[str]:
    """An alarm under a condition is named only under the same one; else the stack could not be made."""
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    body, variables = dashboard["DashboardBody"]["Fn::Sub"]
    for name in of_type(template, "AWS::CloudWatch::Alarm"):
        condition = template["Resources"][name].get("Condition")
        named = f"${{{name}.Arn}}"
        under = {value["Fn::If"][0] for value in variables.values() if named in value["Fn::If"][1]["Fn::Sub"]}
        if (condition and named in body) or under != ({condition} if condition else set()):
            yield f"{name} is shown where it is not, or not shown where it is"


def every_graph_says_what_it_is(template: Template) -> Iterator[str]:
    titles = [each["properties"].get("title", "") for each in widgets(template) if each["type"] != "text"]
    if not all(titles) or len({*titles}) != len(titles):
        yield f"graphs have no title, or the same: {titles}"
    for widget in widgets(template):
        rows = widget["properties"].get("metrics", [])
        if not all(isinstance(row[-1], dict) and row[-1].get("label") for row in rows):
            yield f"{widget['properties']['title']} has a line without a label"
        ids = [row[0]["id"] for row in rows if isinstance(row[0], dict)]
        if len({*ids}) != len(ids):
            yield f"{widget['properties']['title']} has two expressions of one id"


def graphs_lie_side_by_side(template: Template) -> Iterator[str]:
    cells = []
    for widget in widgets(template):
        across = range(widget["x"], widget["x"] + widget["width"])
        down = range(widget["y"], widget["y"] + widget["height"])
        cells.append({(x, y) for x in across for y in down})
        if across.stop > COLUMNS:
            yield f"{widget} is wider than the dashboard"
    if any(one & other for one, other in combinations(cells, 2)):
        yield "graphs lie upon each other"


def two_dashboards_fit_one_account(template: Template) -> Iterator[str]:
    """All regions of an account share the names of dashboards."""
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard").items():
        said = str(dashboard.get("DashboardName"))
        if not ("${AWS::StackName}" in said and "${AWS::Region}" in said):
            yield f"{name} may have the name of another stack's"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

DASHBOARD = ("Resources", "Dashboard", "Properties")
BODY = (*DASHBOARD, "DashboardBody", "Fn::Sub", 0)
COUNTED = ("Resources", "Fn::ForEach::CountAlarms", 2, "${Alarm}")
NEW_FUNCTION = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "new.handler"}}

# A check, what stands in the dashboard's body, and what it is replaced by.
REPLACED: list[tuple[Check, str, str]] = [
    (graphs_show_what_is_told, r"MetricName=\"SeatsHeld\"", r"MetricName=\"SeatsHold\""),
    (
        graphs_show_what_is_told,
        "{Muster,organization,seat,service,stack}",
        "{Muster,organization,service,stack}",
    ),
    (graphs_show_what_is_told, r" stack=\"${AWS::StackName}\"", ""),
    (graphs_show_what_is_told, ",service,stack} stack=", ",service} stack="),
    (
        graphs_show_what_is_told,
        '"RunsFailed", "service", "muster", "stack", "${AWS::StackName}"',
        '"RunsFailed", "service", "muster"',
    ),
    (graphs_are_of_this_stack, '"muster", "stack", "${AWS::StackName}"', '"muster", "stack", "other"'),
    (graphs_show_what_is_told, '"Muster", "RunsFailed"', '"Muster", "RunFailed"'),
    (graphs_show_what_is_told, '"RunsFailed", "service", "muster"', '"RunsFailed", "organization", "acme"'),
    (graphs_show_what_is_told, "SEARCH('{Muster,kind,", "SEARCH('{Other,kind,"),
    (graphs_show_what_is_told, '"AWS/Lambda", "Errors"', '"AWS/Lambda", "Error"'),
    (
        graphs_show_what_is_told,
        '"AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"',
        '"AWS/SQS", "Age", "Queue"',
    ),
    (every_gauge_is_shown, r"MetricName=\"MembersActive\"", r"MetricName=\"HoursSinceLastPush\""),
    (every_gauge_is_shown, '"Muster", "SeatsRunningOut"', '"Muster", "RunsFailed"'),
    (graphs_are_of_this_stack, "${ChangeDeadLetterQueue.QueueName}", "${ChangeDeadLetters.QueueName}"),
    (graphs_are_of_this_stack, '"FunctionName", "${PreflightFunction}"', '"FunctionName", "preflight"'),
    (graphs_are_of_this_stack, '"region": "${AWS::Region}"', '"region": "us-east-1"'),
    (everything_filled_in_is_there, "${ScheduledPush}) failed", "${ScheduledPushing}) failed"),
    (everything_filled_in_is_there, "${AlarmsOfSilence}", "${AlarmsOfNoise}"),
    (
        every_function_is_shown,
        '"Errors", "FunctionName", "${WebhookSetupFunction}"',
        '"Errors", "FunctionName", "x"',
    ),
    (every_queue_is_shown, "${ScheduleDeadLetterQueue.QueueName}", "${ChangeQueue.QueueName}"),
    (every_alarm_is_shown, '"${RunsParkedAlarm.Arn}",', ""),
    (every_alarm_is_shown, "${RunsParkedAlarm.Arn}", "${RunsArkedAlarm.Arn}"),
    (alarms_that_are_not_there_are_not_shown, "${RunsParkedAlarm.Arn}", "${ImportsSilentAlarm.Arn}"),
    (every_graph_says_what_it_is, '"title": "Function errors"', '"title": "Days until credentials end"'),
    (every_graph_says_what_it_is, '{"label": "imports failed"}', '{"stat": "Sum"}'),
    (every_graph_says_what_it_is, '"id": "e2"', '"id": "e1"'),
    (graphs_lie_side_by_side, '"x": 16, "y": 40', '"x": 15, "y": 40'),
    (graphs_lie_side_by_side, '"x": 16, "y": 40', '"x": 17, "y": 40'),
]
MUTANTS: list[Mutant] = [
    (every_function_is_shown, ("Resources", "NobodySeesFunction"), NEW_FUNCTION),
    (every_queue_is_shown, ("Resources", "NobodySeesQueue"), {"Type": "AWS::SQS::Queue"}),
    (every_alarm_is_shown, ("Resources", "NobodySeesAlarm"), {"Type": "AWS::CloudWatch::Alarm"}),
    (every_alarm_is_shown, ("Resources", "PushesSilentAlarm"), GONE),
    (alarms_that_are_not_there_are_not_shown, (*COUNTED, "Condition"), "SchedulesRun"),
    (alarms_that_are_not_there_are_not_shown, ("Resources", "PushesSilentAlarm", "Condition"), GONE),
    (two_dashboards_fit_one_account, (*DASHBOARD, "DashboardName"), "Muster"),
    (two_dashboards_fit_one_account, (*DASHBOARD, "DashboardName"), {"Fn::Sub": "${AWS::StackName}"}),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in [*REPLACED, *MUTANTS]))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []


@pytest.mark.parametrize(
    ("check", "said", "instead"),
    REPLACED,
    ids=[f"{check.__name__}: {said}" for check, said, _ in REPLACED],
)
def test_a_fault_in_a_graph_is_found(check: Check, said: str, instead: str, source: Template) -> None:
    place: Any = source
    for step in BODY:
        place = place[step]
    assert said in place
    mutant = mutated(source, BODY, place.replace(said, instead, 1))
    assert list(check(mutant)) != []


def test_a_body_that_is_no_json_is_found(source: Template) -> None:
    with pytest.raises(ValueError, match="Expecting"):
        widgets(mutated(source, BODY, '{"widgets": [}'))


def test_the_included_file_is_ascii() -> None:
    """JSON can write any character so, and then nobody who hands the file on can garble it."""
    assert (ROOT / "dashboard.yaml").read_text().isascii()
