"""What keeps the door of template.yaml: who may call, how often, and what is logged of it (W2, T4).

Each check is shown to bite.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Template,
    mutated,
    name_of,
    of_type,
    referred,
    translated,
)
from tests.integration.told_metrics import COUNTED_IN_THE_LOG, SERVICE, STACK

# What an access log line may hold: nothing of the path, the query, the headers or the body (T15).
LOGGABLE = {
    "$context.requestId",
    "$context.requestTime",
    "$context.httpMethod",
    "$context.resourcePath",
    "$context.status",
    "$context.identity.sourceIp",
    "$context.responseLatency",
    "$context.responseLength",
}


def the_door_is_throttled(template: Template) -> Iterator[str]:
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        settings = [
            each
            for each in api.get("MethodSettings", [])
            if (each["ResourcePath"], each["HttpMethod"]) == ("/*", "*")
        ]
        if not settings or not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= settings[0].keys():
            yield f"{name} is not throttled"


def the_door_logs_no_secret(template: Template) -> Iterator[str]:
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        written = api["AccessLogSetting"]["Format"]["Fn::Sub"].replace("${AWS::StackName}", "muster")
        logged = set(re.findall(r"\$\{?[A-Za-z][\w.]*(?:\([^)]*\))?", written))
        if not logged or not logged <= LOGGABLE:
            yield f"{name} logs {sorted(logged - LOGGABLE)}"
        for settings in api.get("MethodSettings", []):
            if settings.get("DataTraceEnabled") is not False or settings.get("LoggingLevel") != "OFF":
                yield f"{name} may log whole requests"


def the_log_is_counted_as_it_is_written(template: Template) -> Iterator[str]:
    """A filter that finds no field counts nothing, and nobody would know."""
    [api] = of_type(template, "AWS::Serverless::Api").values()
    fields = json.loads(api["AccessLogSetting"]["Format"]["Fn::Sub"]).items()
    told = set()
    for name, counted in of_type(template, "AWS::Logs::MetricFilter").items():
        group = api["AccessLogSetting"]["DestinationArn"]
        if referred(counted["LogGroupName"]) != referred(group):
            yield f"{name} counts in another log"
        if counted["FilterPattern"] != '{ $.status = "429" }' or ("status", "$context.status") not in fields:
            yield f"{name} does not count the calls that are turned away"
        for metric in counted["MetricTransformations"]:
            under = {
                each["Key"]: dict(fields).get(each["Value"].removeprefix("$."))
                for each in metric["Dimensions"]
            }
            if metric["MetricNamespace"] != "Muster" or under != {
                "service": "muster",
                STACK: "${AWS::StackName}",
            }:
                yield f"{name} tells {metric['MetricNamespace']} under {under}"
            told.add((metric["MetricName"], SERVICE))
    if told != COUNTED_IN_THE_LOG:
        yield f"counted in the log is {told}"


def only_named_addresses_may_call(template: Template) -> Iterator[str]:
    """And everybody, where none are named."""
    given = {"Fn::Split": [",", {"Ref": "WebhookAllowedAddresses"}]}
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        policy = api.get("Auth", {}).get("ResourcePolicy", {}).get("CustomStatements", [])
        everybody = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
        elsewhere = {"Effect": "Deny", **everybody, "Condition": {"NotIpAddress": {"aws:SourceIp": given}}}
        if policy != [
            {"Effect": "Allow", **everybody},
            {"Fn::If": ["LimitsAddresses", elsewhere, {"Ref": "AWS::NoValue"}]},
        ]:
            yield f"{name} is open to other addresses: {policy}"
    if template["Conditions"]["LimitsAddresses"] != _given("WebhookAllowedAddresses", ""):
        yield "addresses count where none are named, or do not where some are"
    if template["Parameters"]["WebhookAllowedAddresses"]["Default"] != "":
        yield "who says nothing is limited to somebody's addresses"


def new_addresses_are_in_force_at_once(template: Template) -> Iterator[str]:
    """A policy is in force with the next deployment of the API, which SAM makes when it sees another one."""
    deployed = [
        next(
            iter(of_type(translated(template, WebhookAllowedAddresses=given), "AWS::ApiGateway::Deployment"))
        )
        for given in ("192.0.2.0/24", "198.51.100.0/24")
    ]
    if deployed[0] == deployed[1]:
        yield "the stage goes on with the policy before"


def one_caller_can_be_kept_from_using_up_all(template: Template) -> Iterator[str]:
    """A firewall that is asked for limits each address, and shows nobody the token of the query."""
    [stage] = of_type(translated(template), "AWS::ApiGateway::Stage")
    firewalls = of_type(template, "AWS::WAFv2::WebACL")
    behind = {
        referred(each["WebACLArn"]): each["ResourceArn"]["Fn::Sub"]
        for each in of_type(translated(template), "AWS::WAFv2::WebACLAssociation").values()
    }
    if not firewalls:
        yield "nobody is kept from calling all the time"
    for name, firewall in firewalls.items():
        arn = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${" + stage + "}"
        if behind.get(name) != arn:
            yield f"{name} is before {behind.get(name)}"
        [rule] = firewall["Rules"]
        limit = {"Ref": "WebhookLimitPerAddress"}
        if rule["Statement"] != {
            "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": limit}
        } or rule["Action"] != {"Block": {}}:
            yield f"{name} does not block who calls too often"
        if firewall["DefaultAction"] != {"Allow": {}}:
            yield f"{name} blocks who does not"
        for shown in (firewall["VisibilityConfig"], rule["VisibilityConfig"]):
            if shown["SampledRequestsEnabled"] is not False:
                yield f"{name} keeps samples of calls, with the token"
    if of_type(template, "AWS::WAFv2::LoggingConfiguration"):
        yield "calls are logged with the token"


def a_firewall_is_paid_for_only_if_asked_for(template: Template) -> Iterator[str]:
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::WAFv2::") and resource.get("Condition") != "LimitsEachAddress":
            yield f"{name} is always there"
    if template["Conditions"]["LimitsEachAddress"] != _given("WebhookLimitPerAddress", "0"):
        yield "the firewall is there although no limit is given, or is not although one is"
    if template["Parameters"]["WebhookLimitPerAddress"]["Default"] != 0:
        yield "who says nothing pays for a firewall"


def _given(parameter: str, nothing: Any) -> Any:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, nothing]}]}


def the_door_waits_for_the_role_of_its_log(template: Template) -> Iterator[str]:
    """API Gateway refuses a stage with an access log in an account that has no role for it yet."""
    made = translated(template)["Resources"]
    for name, resource in made.items():
        if resource["Type"] == "AWS::ApiGateway::Stage" and "ApiGatewayAccount" not in _before(made, name):
            yield f"{name} may be made before the role"


def _before(resources: dict[str, Any], name: str) -> set[str]:
    """Return what CloudFormation makes before a resource, however many others are in between."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = resources[waiting.pop()]
        text = json.dumps(resource)
        named = set(re.findall(r'"(?:Ref|Fn::GetAtt)": (?:\[)?"(\w+)"', text))
        needed = resource.get("DependsOn", [])
        named |= {needed} if isinstance(needed, str) else {*needed}
        new = (named & resources.keys()) - found
        found |= new
        waiting += new
    return found


def the_door_takes_no_old_tls(template: Template) -> Iterator[str]:
    """Policies of the old kind are TLS_1_0, the default, and TLS_1_2; a new one's name says the oldest."""
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        if not re.match(r"SecurityPolicy_TLS13_1_[23]_", api.get("SecurityPolicy", "")):
            yield f"{name} takes TLS older than 1.2"
        if api.get("EndpointAccessMode") not in ("BASIC", "STRICT"):
            yield f"{name} has no access mode, and API Gateway wants one with such a policy"


def bodies_arrive_as_sent(template: Template) -> Iterator[str]:
    for name, api in of_type(template, "AWS::Serverless::Api").items():
        if api.get("BinaryMediaTypes") != ["*~1*"]:
            yield f"{name} would repair what is not UTF-8"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

API = ("Resources", "Api", "Properties")
FORMAT = (*API, "AccessLogSetting", "Format", "Fn::Sub")
ADDRESSES = (*API, "Auth", "ResourcePolicy", "CustomStatements")
THROTTLED = ("Resources", "CallsThrottled", "Properties")
TURNED_AWAY = (*THROTTLED, "MetricTransformations", 0)
FIREWALL = ("Resources", "WebhookFirewall", "Properties")
RULE = (*FIREWALL, "Rules", 0)

MUTANTS: list[Mutant] = [
    (the_door_is_throttled, (*API, "MethodSettings", 0, "ThrottlingRateLimit"), GONE),
    (the_door_is_throttled, (*API, "MethodSettings", 0, "ResourcePath"), "/other"),
    (the_door_logs_no_secret, FORMAT, "$context.status $context.path"),
    (the_door_logs_no_secret, FORMAT, "$context.status $input.params('token')"),
    (the_door_logs_no_secret, FORMAT, "$context.requestOverride.querystring.token"),
    (the_door_logs_no_secret, FORMAT, "no variable at all"),
    (the_door_logs_no_secret, FORMAT, "$context.status ${RosterTable}"),
    (the_door_logs_no_secret, (*API, "MethodSettings", 0, "DataTraceEnabled"), True),
    (the_door_logs_no_secret, (*API, "MethodSettings", 0, "LoggingLevel"), "INFO"),
    (the_door_takes_no_old_tls, (*API, "SecurityPolicy"), GONE),
    (the_door_takes_no_old_tls, (*API, "SecurityPolicy"), "TLS_1_0"),
    (the_door_takes_no_old_tls, (*API, "EndpointAccessMode"), GONE),
    (the_log_is_counted_as_it_is_written, (*THROTTLED, "LogGroupName"), {"Ref": "ServiceLogGroup"}),
    (the_log_is_counted_as_it_is_written, (*THROTTLED, "FilterPattern"), "{ $.status = 429 }"),
    (the_log_is_counted_as_it_is_written, (*TURNED_AWAY, "Dimensions", 1, "Value"), "$.stock"),
    (the_log_is_counted_as_it_is_written, (*TURNED_AWAY, "Dimensions", 1), GONE),
    (the_log_is_counted_as_it_is_written, (*TURNED_AWAY, "MetricName"), "CallsTurnedAway"),
    (the_log_is_counted_as_it_is_written, FORMAT, '{"code": "$context.status"}'),
    (the_log_is_counted_as_it_is_written, THROTTLED[:2], GONE),
    (only_named_addresses_may_call, (*API, "Auth"), GONE),
    (only_named_addresses_may_call, (*ADDRESSES, 1), GONE),
    (only_named_addresses_may_call, (*ADDRESSES, 1, "Fn::If", 1, "Effect"), "Allow"),
    (only_named_addresses_may_call, (*ADDRESSES, 1, "Fn::If", 1, "Resource"), "execute-api:/v1/*"),
    (only_named_addresses_may_call, (*ADDRESSES, 1, "Fn::If", 0), "IsOnAws"),
    (only_named_addresses_may_call, ("Conditions", "LimitsAddresses", "Fn::Not", 0, "Fn::Equals", 1), "x"),
    (only_named_addresses_may_call, ("Parameters", "WebhookAllowedAddresses", "Default"), "192.0.2.0/24"),
    (new_addresses_are_in_force_at_once, (*API, "Auth"), GONE),
    (one_caller_can_be_kept_from_using_up_all, FIREWALL[:2], GONE),
    (one_caller_can_be_kept_from_using_up_all, ("Resources", "WebhookBehindFirewall"), GONE),
    (one_caller_can_be_kept_from_using_up_all, (*FIREWALL, "DefaultAction"), {"Block": {}}),
    (one_caller_can_be_kept_from_using_up_all, (*RULE, "Action"), {"Count": {}}),
    (one_caller_can_be_kept_from_using_up_all, (*RULE, "VisibilityConfig", "SampledRequestsEnabled"), True),
    (
        one_caller_can_be_kept_from_using_up_all,
        (*FIREWALL, "VisibilityConfig", "SampledRequestsEnabled"),
        True,
    ),
    (
        one_caller_can_be_kept_from_using_up_all,
        ("Resources", "FirewallLog"),
        {"Type": "AWS::WAFv2::LoggingConfiguration"},
    ),
    (a_firewall_is_paid_for_only_if_asked_for, (*FIREWALL[:2], "Condition"), GONE),
    (a_firewall_is_paid_for_only_if_asked_for, ("Parameters", "WebhookLimitPerAddress", "Default"), 1000),
    (
        a_firewall_is_paid_for_only_if_asked_for,
        ("Conditions", "LimitsEachAddress", "Fn::Not", 0, "Fn::Equals", 1),
        1,
    ),
    (the_door_waits_for_the_role_of_its_log, ("Resources", "Api", "DependsOn"), GONE),
    (the_door_waits_for_the_role_of_its_log, ("Resources", "Api", "DependsOn"), "AccessLogGroup"),
    (bodies_arrive_as_sent, (*API, "BinaryMediaTypes"), GONE),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
