"""template.yaml as data: finding things in it, and making a copy with a fault."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

type Template = dict[str, Any]
type Properties = dict[str, Any]
# What a check yields are faults; none in the template, some in each mutant.
type Check = Callable[[Template], Iterator[str]]
# A check, the place of the fault that it must find, and what stands there instead.
type Mutant = tuple[Check, tuple[Any, ...], Any]

GONE = object()


def of_type(template: Template, kind: str) -> dict[str, Properties]:
    """Return the properties of all resources of a type, by logical id."""
    resources = template["Resources"].items()
    return {name: each.get("Properties", {}) for name, each in resources if each["Type"] == kind}


def functions(template: Template) -> dict[str, Properties]:
    """Return the functions' properties, what `Globals` says included."""
    shared = template["Globals"]["Function"]
    return {name: shared | own for name, own in of_type(template, "AWS::Serverless::Function").items()}


def events(template: Template, kind: str) -> Iterator[tuple[str, Properties, Properties]]:
    """Yield the function or state machine, its properties, and the event, for every event of a type."""
    machines = of_type(template, "AWS::Serverless::StateMachine")
    for name, target in (functions(template) | machines).items():
        for event in target.get("Events", {}).values():
            if event["Type"] == kind:
                yield name, target, event["Properties"]


def statements(resource: Properties) -> Iterator[Properties]:
    """Yield what a function or state machine may do, also what it may under a condition.

    Raises `ValueError` for a policy that is not written out.
    """
    for policy in resource.get("Policies", []):
        written = policy.get("Fn::If", ["", policy])[1] if isinstance(policy, dict) else policy
        if not isinstance(written, dict) or "Statement" not in written:
            raise ValueError("has a policy that is not written out")
        yield from written["Statement"]


def actions(statement: Properties) -> list[str]:
    """Return a statement's actions, also where it is one."""
    said = statement["Action"]
    return [said] if isinstance(said, str) else said


def leading_keys(statement: Properties) -> list[str]:
    """Return the patterns of DynamoDB partition keys that a statement is limited to."""
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    keys: list[str] = condition.get("dynamodb:LeadingKeys", [])
    return keys


def referred(value: Any) -> str:
    """Return the logical id that a `Ref` or `Fn::GetAtt` names."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def called(statement: Properties) -> set[str]:
    """Return the logical ids of the resources that a statement names; `*` for any other."""
    said = statement["Resource"]
    named = said if isinstance(said, list) else [said]
    return {
        referred(each) if isinstance(each, dict) and each.keys() & {"Ref", "Fn::GetAtt"} else "*"
        for each in named
    }


def widgets(template: Template) -> list[Properties]:
    """Return the dashboard's widgets; what CloudFormation fills in still stands there as `${…}`.

    Raises `ValueError` where its body is no JSON.
    """
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    body, variables = dashboard["DashboardBody"]["Fn::Sub"]
    for name, value in variables.items():
        # What is there under a condition of the template counts.
        body = body.replace("${" + name + "}", value["Fn::If"][1]["Fn::Sub"])
    found: list[Properties] = json.loads(body)["widgets"]
    return found


def mutated(template: Template, path: tuple[Any, ...], value: Any) -> Template:
    """Return a copy in which something else stands at a place, or nothing (`GONE`)."""
    mutant = copy.deepcopy(template)
    *way, last = path
    place: Any = mutant
    for step in way:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        assert not (isinstance(place, dict) and place.get(last) == value)
        place[last] = value
    return mutant


def name_of(mutant: Mutant) -> str:
    """Return what to call the test of a mutant."""
    check, path, _ = mutant
    return f"{check.__name__}: {'.'.join(map(str, path[1:]))}"
