"""A stack can be given the table that was restored from a backup; the checks of that are shown to bite."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.template_reading import Template, replaced

OWN = (
    "Resources",
    "OutboundUserWebhookFunctionRole",
    "Properties",
    "Policies",
    0,
    "PolicyDocument",
    "Statement",
    0,
)
SHARED_VARIABLES = ("Globals", "Function", "Environment", "Variables")
A_TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/muster-restored"
A_POOL = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbC123dEf"
STREAM = {"Fn::Sub": "${RestoredTableArn}/stream/${RestoredTableStreamLabel}"}
ALWAYS = {"Fn::GetAtt": ["RosterTable", "Arn"]}


def the_table_is_the_one_in_use(source: Template) -> Iterator[str]:
    """What is restored from a backup is another table; all that reads or writes one has to go over to it.

    Told by the source, in which both stand.
    """
    name = {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "RestoredTableArn"}]}]}
    instead: list[tuple[Any, Any]] = [
        ({"Ref": "RosterTable"}, name),
        ({"Fn::GetAtt": ["RosterTable", "Arn"]}, {"Ref": "RestoredTableArn"}),
        ({"Fn::GetAtt": ["RosterTable", "StreamArn"]}, STREAM),
        ({"Fn::GetAtt": ["RosterTable", "StreamArn"]}, {"Fn::Sub": "${RestoredTableArn}/stream/*"}),
        *(
            (
                {"Fn::Sub": f"${{RosterTable.Arn}}/index/{index}"},
                {"Fn::Sub": f"${{RestoredTableArn}}/index/{index}"},
            )
            for index in ("by_state", "by_due", "by_recorded")
        ),
    ]
    swapped = [{"Fn::If": ["UsesOwnTable", own, other]} for own, other in instead]
    yield from _own_table_alone(
        {each: source[each] for each in ("Globals", "Resources", "Outputs")}, swapped, ""
    )
    if source["Conditions"]["UsesOwnTable"] != {"Fn::Equals": [{"Ref": "RestoredTableArn"}, ""]}:
        yield "another table is in use than the one that is given"


def _own_table_alone(part: Any, swapped: list[Any], where: str) -> Iterator[str]:
    if part in swapped:
        return
    match part:
        case {"Ref": "RosterTable"} | {"Fn::GetAtt": ["RosterTable", *_]}:
            yield f"{where} is always the stack's own table"
        case {"Fn::Sub": written} if "${RosterTable" in str(written):
            yield f"{where} is always of the stack's own table"
        case dict():
            for key, value in part.items():
                yield from _own_table_alone(value, swapped, f"{where}.{key}")
        case list():
            for position, each in enumerate(part):
                yield from _own_table_alone(each, swapped, f"{where}.{position}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*OWN, "Resource"), ALWAYS),
        ((*SHARED_VARIABLES, "ROSTER_TABLE_NAME"), {"Ref": "RosterTable"}),
        ((*SHARED_VARIABLES, "ROSTER_TABLE_NAME", "Fn::If", 0), "IsOnAws"),
        (("Outputs", "RosterTable", "Value"), {"Ref": "RosterTable"}),
        (
            ("Resources", "MemberEventsMapping", "Properties", "EventSourceArn"),
            {"Fn::GetAtt": ["RosterTable", "StreamArn"]},
        ),
        (("Conditions", "UsesOwnTable", "Fn::Equals", 1), "x"),
    ],
    ids=str,
)
def test_a_use_of_the_own_table_alone_is_found(path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(the_table_is_the_one_in_use(replaced(source, path, value))) != []


def test_a_restored_table_is_used_by_all(source: Template) -> None:
    assert list(the_table_is_the_one_in_use(source)) == []


@pytest.mark.parametrize(
    ("parameter", "given", "accepted"),
    [
        ("WebhookAllowedAddresses", "", True),
        ("WebhookAllowedAddresses", "192.0.2.0/24", True),
        ("WebhookAllowedAddresses", "192.0.2.7,2001:db8::/32", True),
        ("WebhookAllowedAddresses", "192.0.2.0/24, 198.51.100.0/24", False),
        ("WebhookAllowedAddresses", "salesforce.com", False),
        ("RestoredTableArn", "", True),
        ("RestoredTableArn", "arn:aws:dynamodb:eu-west-1:123456789012:table/muster-restored", True),
        ("RestoredTableArn", "arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/a.b_c-1", True),
        ("RestoredTableArn", "muster-restored", False),
        ("RestoredTableArn", "arn:aws:dynamodb:eu-west-1:123456789012:table/a/index/by_due", False),
        ("RestoredTableStreamLabel", "", True),
        ("RestoredTableStreamLabel", "2026-11-30T08:15:31.123", True),
        ("RestoredTableStreamLabel", f"{A_TABLE}/stream/2026-11-30T08:15:31.123", False),
        ("UserPoolArns", "", True),
        ("UserPoolArns", A_POOL, True),
        ("UserPoolArns", f"{A_POOL},{A_POOL}", True),
        ("UserPoolArns", f"{A_POOL}, {A_POOL}", False),
        ("UserPoolArns", f"{A_POOL},*", False),
        ("UserPoolArns", "eu-central-1_AbC123dEf", False),
        ("UserPoolArns", "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/*", False),
        ("MemberEventsBus", "", True),
        ("MemberEventsBus", "default", True),
        ("MemberEventsBus", "arn:aws:events:eu-west-1:123456789012:event-bus/default", False),
    ],
)
def test_a_parameter_that_cannot_work_is_refused(
    parameter: str, given: str, accepted: bool, template: Template
) -> None:
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.search(pattern, given)) is accepted
