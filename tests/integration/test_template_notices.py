"""Where alarms go, by mail and into a chat, as template.yaml says; each check is shown to bite."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Template,
    actions,
    chats,
    mutated,
    name_of,
    of_type,
    referred,
    resources,
)

# What shows an alarm with a picture of its metric.
A_CHAT_MAY = {"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricWidgetImage"}
ALARMS_OF_THE_STACK = {
    "Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${AWS::StackName}-*"
}


def each_topic_is_mailed(template: Template) -> Iterator[str]:
    """To the address for it; what can wait goes to AlarmEmail too where it has no address of its own."""
    found = {
        referred(each["TopicArn"]): (template["Resources"][name].get("Condition"), each["Endpoint"])
        for name, each in of_type(template, "AWS::SNS::Subscription").items()
        if each["Protocol"] == "email"
    }
    where = {"Fn::If": ["HasInformEmail", {"Ref": "InformEmail"}, {"Ref": "AlarmEmail"}]}
    wanted = {
        "AlarmTopic": ("HasAlarmEmail", {"Ref": "AlarmEmail"}),
        "InformTopic": ("InformsByMail", where),
    }
    for topic in of_type(template, "AWS::SNS::Topic"):
        if found.get(topic) != wanted[topic]:
            yield f"{topic} is mailed to {found.get(topic)}"


def each_topic_can_be_subscribed_to(template: Template) -> Iterator[str]:
    outputs = [output["Value"] for output in template["Outputs"].values()]
    for topic in of_type(template, "AWS::SNS::Topic"):
        if {"Ref": topic} not in outputs:
            yield f"no output says where {topic} is"


def chats_are_there_only_if_asked_for(template: Template) -> Iterator[str]:
    """They have to be connected by hand before, and the emulator knows none."""
    asked = {
        "SlackChannel": ("SlackWorkspaceId", "SlackChannelId"),
        "TeamsChannel": ("TeamsTenantId", "TeamsTeamId", "TeamsChannelId"),
    }
    for name in chats(template):
        all_given = [{"Fn::Not": [{"Fn::Equals": [{"Ref": each}, ""]}]} for each in asked.get(name, ())]
        condition = template["Resources"][name].get("Condition")
        if template["Conditions"].get(condition) != {"Fn::And": all_given}:
            yield f"{name} is there whether or not it is asked for"
        for each in asked.get(name, ()):
            if template["Parameters"][each].get("Default") != "":
                yield f"{name} is asked for unless somebody says no"


def chats_show_everything(template: Template) -> Iterator[str]:
    for name, chat in chats(template).items():
        if {referred(each) for each in chat.get("SnsTopicArns", [])} != {"AlarmTopic", "InformTopic"}:
            yield f"{name} does not show all alarms"


def chats_may_look_at_alarms_and_no_more(template: Template) -> Iterator[str]:
    """By the role, and by the guardrail, in whose place AWS puts all that there is to be allowed."""
    for name, chat in chats(template).items():
        role = of_type(template, "AWS::IAM::Role").get(referred(chat["IamRoleArn"]), {})
        trusted = [each["Principal"] for each in role["AssumeRolePolicyDocument"]["Statement"]]
        if trusted != [{"Service": "chatbot.amazonaws.com"}] or role.get("Policies"):
            yield f"{name} has a role for others, or for more"
        if not chat.get("GuardrailPolicies") or chat["GuardrailPolicies"] != role["ManagedPolicyArns"]:
            yield f"{name} has no guardrail, or another than its role"
        for policy in role["ManagedPolicyArns"]:
            document = of_type(template, "AWS::IAM::ManagedPolicy")[referred(policy)]["PolicyDocument"]
            may = {action for each in document["Statement"] for action in actions(each)}
            if may != A_CHAT_MAY:
                yield f"{name} may do {sorted(may ^ A_CHAT_MAY)}, or may not"
            for each in document["Statement"]:
                if "cloudwatch:DescribeAlarms" in actions(each) and resources(each) != [ALARMS_OF_THE_STACK]:
                    yield f"{name} shows alarms of others"


def the_page_is_where_somebody_says(template: Template) -> Iterator[str]:
    """No host is made up; an address is one that https takes people to, without a part of its own."""
    parameter = template["Parameters"]["RunbookUrl"]
    if parameter["Default"] != "docs/operations.md":
        yield "the page is somewhere before anybody has said where"
    allowed = re.compile(parameter.get("AllowedPattern", ".*"))
    for given, fits in {
        parameter["Default"]: True,
        "https://git.acme.example/muster/docs/operations.md": True,
        "http://git.acme.example/operations.md": False,
        "https://git.acme.example/operations.md#alarms": False,
        "": False,
    }.items():
        if bool(allowed.fullmatch(given)) != fits:
            yield f"{given!r} is {'not ' if fits else ''}taken"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

RESOURCES = ("Resources",)
SLACK, TEAMS = ((*RESOURCES, name) for name in ("SlackChannel", "TeamsChannel"))
ROLE = (*RESOURCES, "ChatRole", "Properties")
MAY = (*RESOURCES, "SeesAlarms", "Properties", "PolicyDocument", "Statement")
INFORMED = (*RESOURCES, "InformSubscription")
ANYBODY = {"AWS": "*"}

MUTANTS: list[Mutant] = [
    (each_topic_is_mailed, INFORMED, GONE),
    (each_topic_is_mailed, (*INFORMED, "Condition"), "HasInformEmail"),
    (each_topic_is_mailed, (*INFORMED, "Properties", "Endpoint"), {"Ref": "InformEmail"}),
    (
        each_topic_is_mailed,
        (*RESOURCES, "AlarmSubscription", "Properties", "Endpoint"),
        {"Ref": "InformEmail"},
    ),
    (each_topic_can_be_subscribed_to, ("Outputs", "InformTopic"), GONE),
    (chats_are_there_only_if_asked_for, (*SLACK, "Condition"), GONE),
    (chats_are_there_only_if_asked_for, (*TEAMS, "Condition"), "HasSlack"),
    (chats_are_there_only_if_asked_for, ("Parameters", "TeamsChannelId", "Default"), "19:x"),
    (chats_show_everything, (*SLACK, "Properties", "SnsTopicArns", 1), GONE),
    (chats_show_everything, (*TEAMS, "Properties", "SnsTopicArns"), GONE),
    (chats_may_look_at_alarms_and_no_more, (*SLACK, "Properties", "GuardrailPolicies"), GONE),
    (chats_may_look_at_alarms_and_no_more, (*TEAMS, "Properties", "GuardrailPolicies"), []),
    (chats_may_look_at_alarms_and_no_more, (*ROLE, "ManagedPolicyArns", 0), {"Ref": "Readers"}),
    (
        chats_may_look_at_alarms_and_no_more,
        (*ROLE, "AssumeRolePolicyDocument", "Statement", 0, "Principal"),
        ANYBODY,
    ),
    (chats_may_look_at_alarms_and_no_more, (*MAY, 0, "Resource"), "*"),
    (chats_may_look_at_alarms_and_no_more, (*MAY, 1, "Action"), ["cloudwatch:*"]),
    (the_page_is_where_somebody_says, ("Parameters", "RunbookUrl", "Default"), "https://muster.example/"),
    (the_page_is_where_somebody_says, ("Parameters", "RunbookUrl", "AllowedPattern"), GONE),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
