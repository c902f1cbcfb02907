"""template.yaml as data: reading and expanding it, finding things in it, and making a copy with a fault.

`source` is what is deployed: the file with what it includes. `expanded` is what CloudFormation makes of its
tables of alarms. Checks read the expanded form; faults are put into the source.
"""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).parents[2]

type Template = dict[str, Any]
type Properties = dict[str, Any]
# What a check yields are faults; none in the template, some in each mutant.
type Check = Callable[[Template], Iterator[str]]
# A check, the place of the fault that it must find, and what stands there instead.
type Mutant = tuple[Check, tuple[Any, ...], Any]

GONE = object()


def source(folder: Path = ROOT) -> Template:
    """Return a folder's template.yaml with what it includes, functions as `{"Ref": …}` and `{"Fn::…": …}`."""
    return dict(_with_included(_plain(folder / "template.yaml"), folder))


def _plain(file: Path) -> Any:
    return json.loads(json.dumps(yaml_parse(file.read_text())))


def _with_included(part: Any, folder: Path) -> Any:
    match part:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": str(location)}}}:
            return _plain(folder / location)
        case dict():
            return {key: _with_included(value, folder) for key, value in part.items()}
        case list():
            return [_with_included(each, folder) for each in part]
    return part


def expanded(source: Template) -> Template:
    """Return a template with every `Fn::ForEach` expanded, as the local stack's emulator does it.

    The table is the stack's own, as it is unless the stack is given another (`test_template` looks at that).
    """
    # Imported here because it takes a third of a second, and most tests read no template.
    from ministack.services.cloudformation import language_extensions  # type: ignore[import-untyped]  # no types

    made: Template = _with_own_table(language_extensions.apply(source, {}))
    assert "Fn::ForEach" not in json.dumps(made["Resources"])
    return made


def _with_own_table(part: Any) -> Any:
    match part:
        case {"Fn::If": ["UsesOwnTable", own, _]}:
            return own
        case dict():
            return {key: _with_own_table(value) for key, value in part.items()}
        case list():
            return [_with_own_table(each) for each in part]
    return part


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


def told_queues(template: Template) -> set[str]:
    """Return the queues that an alarm rings about as soon as there is anything in them."""
    return {
        referred(alarm["Dimensions"][0]["Value"])
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" and alarm["Threshold"] == 0
    }


def failed_calls_go_to(function: Properties) -> str | None:
    """Return the queue of the calls that nobody waited for and that failed each time."""
    match function.get("EventInvokeConfig"):
        case {"DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": queue}}}:
            return referred(queue)
    return None


def statements(template: Template, resource: Properties) -> Iterator[Properties]:
    """Yield what a function or state machine may do, also what it may under a condition.

    Follows a reference to a role of the template, and from there or from `Policies` to its managed policies.
    Raises `ValueError` for any other role, for any other policy that is not written out, and for one that
    is there in either case.
    """
    managed = of_type(template, "AWS::IAM::ManagedPolicy")
    for policy in _policies(template, resource):
        match policy:
            case {"Fn::If": [_, dict(written), {"Ref": "AWS::NoValue"}]}:
                yield from _written(written)
            case {"Ref": name} if name in managed:
                yield from managed[name]["PolicyDocument"]["Statement"]
            case _:
                yield from _written(policy)


def _policies(template: Template, resource: Properties) -> list[Any]:
    """Return the policies of a function or state machine: its role's, or those that SAM makes a role of."""
    if "Role" not in resource:
        return list(resource.get("Policies", []))
    name = referred(resource["Role"]) if isinstance(resource["Role"], dict) else ""
    role = of_type(template, "AWS::IAM::Role").get(name)
    if role is None:
        raise ValueError("has a role that is not the template's")
    return [*role.get("ManagedPolicyArns", []), *role.get("Policies", [])]


def _written(policy: Any) -> list[Properties]:
    match policy:
        case {"PolicyDocument": {"Statement": list(written)}} | {"Statement": list(written)}:
            return written
    raise ValueError("has a policy that is not written out")


def shared_policies(template: Template) -> dict[str, list[str]]:
    """Return the managed policies that roles, state machines and chats refer to, each with who does."""
    found: dict[str, list[str]] = {}
    machines = of_type(template, "AWS::Serverless::StateMachine")
    for name, resource in (of_type(template, "AWS::IAM::Role") | machines | chats(template)).items():
        keys = ("ManagedPolicyArns", "Policies", "GuardrailPolicies")
        for policy in [each for key in keys for each in resource.get(key, [])]:
            if isinstance(policy, dict) and "Ref" in policy:
                found.setdefault(policy["Ref"], []).append(name)
    return found


def chats(template: Template) -> dict[str, Properties]:
    """Return the chat channels that alarms are shown in, by logical id."""
    kinds = ("AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration")
    return {name: each for kind in kinds for name, each in of_type(template, kind).items()}


def translated(template: Template, **parameters: str) -> Template:
    """Return what SAM makes of an expanded template and parameters: what CloudFormation is given."""
    # Imported here because it takes a second, and few tests look.
    import boto3
    from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # ships no types
    from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # likewise

    plain = copy.deepcopy(template)
    plain["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    for resource in plain["Resources"].values():
        match resource["Type"]:
            case "AWS::Serverless::StateMachine":
                resource["Properties"]["DefinitionUri"] = "s3://bucket/key"
            case "AWS::Serverless::LayerVersion":
                resource["Properties"]["ContentUri"] = "s3://bucket/key"
    # It is asked for a region, not for credentials.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    made: Template = translator.translate(sam_template=plain, parameter_values=parameters)
    return made


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
    return {
        referred(each) if isinstance(each, dict) and each.keys() & {"Ref", "Fn::GetAtt"} else "*"
        for each in resources(statement)
    }


def resources(statement: Properties) -> list[Any]:
    """Return a statement's resources, also where it is one."""
    said = statement["Resource"]
    return said if isinstance(said, list) else [said]


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


def mutated(source: Template, path: tuple[Any, ...], value: Any) -> Template:
    """Return a source, expanded, in which something else stands at a place, or nothing (`GONE`)."""
    return expanded(replaced(source, path, value))


def replaced(source: Template, path: tuple[Any, ...], value: Any) -> Template:
    """Return a source in which something else stands at a place, or nothing (`GONE`).

    A path may end in a string of a list: an alarm is gone when it is taken out of the list of its loop.
    """
    mutant = copy.deepcopy(source)
    *way, last = path
    place: Any = mutant
    for step in way:
        place = place[step]
    if isinstance(place, list) and isinstance(last, str):
        last = place.index(last)
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
