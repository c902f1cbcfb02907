"""What runs rely on in template.yaml: archive, schedules; each check is shown to bite."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from muster.adapters.aws import export_files, snapshot_files
from tests.integration.template_reading import (
    GONE,
    Check,
    Mutant,
    Properties,
    Template,
    actions,
    events,
    mutated,
    name_of,
    of_type,
    referred,
    translated,
)

DAY_S = 24 * 60 * 60


# ── The archive ──────────────────────────────────────────────────────────────────────────────────


def buckets_are_safe(template: Template) -> Iterator[str]:
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        resource, private = template["Resources"][name], bucket.get("PublicAccessBlockConfiguration", {})
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        for what, holds in {
            "privacy": all(private.get(block) is True for block in blocks),
            "encryption": "BucketEncryption" in bucket,
            "versions": bucket.get("VersioningConfiguration", {}).get("Status") == "Enabled",
            "retention with the stack": resource.get("DeletionPolicy") == "Retain",
            "retention in replacement": resource.get("UpdateReplacePolicy") == "Retain",
        }.items():
            if not holds:
                yield f"{name} lacks {what}"


def buckets_forget(template: Template) -> Iterator[str]:
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        whole = [each for each in rules if each.get("Status") == "Enabled" and "Prefix" not in each]
        for what in ("ExpirationInDays", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
            if not any(what in rule for rule in whole):
                yield f"{name} keeps personal data for ever: it has no {what}"


def folders_of_their_own_forget_sooner(template: Template) -> Iterator[str]:
    rules = template["Resources"]["RunArchive"]["Properties"]["LifecycleConfiguration"]["Rules"]
    for folder in (export_files.FOLDER, snapshot_files.FOLDER):
        own = [each for each in rules if each.get("Prefix") == folder and each["Status"] == "Enabled"]
        for what in ("ExpirationInDays", "NoncurrentVersionExpiration"):
            if not any(what in rule for rule in own):
                yield f"{folder} is kept as long as everything: it has no {what} of its own"


def nothing_goes_over_plain_http(template: Template) -> Iterator[str]:
    covered: set[str] = set()
    for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"):
        for policy in of_type(template, kind).values():
            [statement] = policy["PolicyDocument"]["Statement"]
            if (statement["Effect"], statement["Principal"], statement["Condition"]) == (
                "Deny",
                "*",
                {"Bool": {"aws:SecureTransport": "false"}},
            ):
                denied = [referred(each) for each in statement["Resource"] if "Fn::GetAtt" in each]
                attached = policy.get("Queues") or [policy["Bucket"]]
                covered |= {*denied} & {referred(each) for each in attached}
    for kind in ("AWS::SQS::Queue", "AWS::S3::Bucket"):
        for name in of_type(template, kind).keys() - covered:
            yield f"{name} answers over plain HTTP"


def indexes_are_small(template: Template) -> Iterator[str]:
    [table] = of_type(template, "AWS::DynamoDB::Table").values()
    found = {}
    for index in table.get("GlobalSecondaryIndexes", []):
        name = index["IndexName"]
        found[name] = [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]]
        # What is written once may be whole in an index; members are written again and again.
        whole = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["doc"]}
        if index.get("Projection") != (whole if name == "by_recorded" else {"ProjectionType": "KEYS_ONLY"}):
            yield f"every write of a member is written once more, for {name}, or what is read there is not"
    if found.get("by_state") != [("pk", "HASH"), ("state", "RANGE")]:
        yield "the import does not find the members it has read before"
    if found.get("by_due") != [("pk", "HASH"), ("due", "RANGE")]:
        yield "the push does not find whom it has something to do about"
    if found.get("by_recorded") != [("pk", "HASH"), ("recorded", "RANGE")]:
        yield "nobody is told what changed lately"
    yield from (f"nobody reads {name}" for name in found.keys() - {"by_state", "by_due", "by_recorded"})


# ── Schedules ────────────────────────────────────────────────────────────────────────────────────


def late_starts_are_left_to_the_next(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "ScheduleV2"):
        expression = template["Parameters"][parameter_of(event)]["Default"]
        minutes = minutes_of(expression)
        period = int(60 / len(minutes)) * 60 if minutes else DAY_S
        retries = event.get("RetryPolicy", {})
        if retries.get("MaximumRetryAttempts", 185) > 2:
            yield f"{name}: {expression} is tried again and again"
        if retries.get("MaximumEventAgeInSeconds", DAY_S) >= period:
            yield f"{name}: {expression} may start when the next one does"


def parameter_of(event: Properties) -> str:
    """Return the parameter that has an event's schedule, also where it may be empty."""
    match event["ScheduleExpression"]:
        case {"Fn::If": [_, {"Ref": str(name)}, _]} | {"Ref": str(name)}:
            return name
    raise ValueError("has a schedule of its own")


def imports_and_pushes_keep_apart(template: Template) -> Iterator[str]:
    """Only one of an organization's runs works at a time, and the other one is skipped (I7)."""
    defaults = {name: each.get("Default", "") for name, each in template["Parameters"].items()}
    imports, pushes = (minutes_of(defaults[name]) for name in ("ImportIncrementalSchedule", "PushSchedule"))
    if not imports or not pushes:
        yield "nothing is imported, or pushed, several times an hour"
    elif min((later - earlier) % 60 for later in pushes for earlier in imports) < 5:
        yield "pushes begin while imports are at work"
    elif min((later - earlier) % 60 for later in imports for earlier in pushes) < 5:
        yield "imports begin while pushes are at work"


def minutes_of(expression: str) -> list[int]:
    """Return the minutes at which something is done every hour; none where it is not every hour."""
    every = re.fullmatch(r"cron\((\d+)/(\d+) \* \* \* \? \*\)", expression)
    return [*range(int(every[1]), 60, int(every[2]))] if every else []


def schedules_can_be_switched_off(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "ScheduleV2"):
        state = {"Ref": "ScheduleState"}
        if event.get("State") not in (state, {"Fn::If": ["SendsDigest", state, "DISABLED"]}):
            yield f"{name} runs on the local stack too"
        if event.get("FlexibleTimeWindow", {}).get("Mode") not in ("OFF", "FLEXIBLE"):
            yield f"{name} has no window"


def two_stacks_fit_one_account(template: Template) -> Iterator[str]:
    for name, _, event in events(template, "ScheduleV2"):
        if event.get("OmitName") is not True:
            yield f"{name}'s schedule has a name that another stack's has too"


def everything_is_scheduled(template: Template) -> Iterator[str]:
    scheduled = sorted(
        (name, json.loads(event["Input"]).get("mode", ""))
        for name, _, event in events(template, "ScheduleV2")
    )
    if scheduled != [
        ("MorningDigestFunction", ""),
        ("ScheduledImport", "full"),
        ("ScheduledImport", "incremental"),
        ("ScheduledPush", ""),
    ]:
        yield f"scheduled are {scheduled}"


def the_digest_is_sent_where_somebody_gets_it(template: Template) -> Iterator[str]:
    """Once a day, by the moment that Scheduler means, and nowhere without an address or a schedule."""
    [(_, _, event)] = [each for each in events(template, "ScheduleV2") if each[0] == "MorningDigestFunction"]
    if json.loads(event["Input"]) != {"action": "send", "scheduled_at": "<aws.scheduler.scheduled-time>"}:
        yield f"the digest is asked for as {event['Input']}"
    if event["State"]["Fn::If"][0] != "SendsDigest" or template["Conditions"]["SendsDigest"] != {
        "Fn::And": [{"Condition": "HasDigestSchedule"}, {"Condition": "InformsByMail"}]
    }:
        yield "the digest is made where nobody gets it"


def schedules_may_only_start(template: Template) -> Iterator[str]:
    """What SAM makes of a schedule without a role of its own."""
    for name, role in of_type(translated(template), "AWS::IAM::Role").items():
        if role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] != [
            "scheduler.amazonaws.com"
        ]:
            continue
        allowed = {
            (action, referred(statement["Resource"]))
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            for action in actions(statement)
        }
        started = next(
            (action, target)
            for target, action in {
                "ScheduledPush": "states:StartExecution",
                "ScheduledImport": "states:StartExecution",
                "MorningDigestFunction": "lambda:InvokeFunction",
            }.items()
            if name.startswith(target)
        )
        if allowed != {started, ("sqs:SendMessage", "ScheduleDeadLetterQueue")}:
            yield f"{name} may do {sorted(allowed)}"


# ── Each check, and a template it must find fault with ───────────────────────────────────────────

RESOURCES = ("Resources",)
ARCHIVE, TABLE = (*RESOURCES, "RunArchive"), (*RESOURCES, "RosterTable", "Properties")
RULES = (*ARCHIVE, "Properties", "LifecycleConfiguration", "Rules")
RULE = (*RULES, 0)
INDEX, DUE, RECORDED = ((*TABLE, "GlobalSecondaryIndexes", number) for number in range(3))
MACHINE = (*RESOURCES, "ScheduledImport", "Properties")
FULL = (*MACHINE, "Events", "FullImport", "Properties")
INCREMENTAL = (*MACHINE, "Events", "IncrementalImport", "Properties")
DIGEST = (*RESOURCES, "MorningDigestFunction", "Properties")
MORNING = (*DIGEST, "Events", "Morning", "Properties")
PUSHING = (*RESOURCES, "ScheduledPush", "Properties")
PUSH = (*PUSHING, "Events", "Push", "Properties")

MUTANTS: list[Mutant] = [
    (buckets_are_safe, (*ARCHIVE, "Properties", "PublicAccessBlockConfiguration", "BlockPublicPolicy"), GONE),
    (buckets_are_safe, (*ARCHIVE, "Properties", "BucketEncryption"), GONE),
    (buckets_are_safe, (*ARCHIVE, "Properties", "VersioningConfiguration", "Status"), "Suspended"),
    (buckets_are_safe, (*ARCHIVE, "DeletionPolicy"), GONE),
    (buckets_are_safe, (*ARCHIVE, "UpdateReplacePolicy"), "Delete"),
    (buckets_forget, (*RULE, "ExpirationInDays"), GONE),
    (buckets_forget, (*RULE, "NoncurrentVersionExpiration"), GONE),
    (buckets_forget, (*RULE, "AbortIncompleteMultipartUpload"), GONE),
    (buckets_forget, (*RULE, "Status"), "Disabled"),
    (buckets_forget, (*RULE, "Prefix"), "acme/"),
    (folders_of_their_own_forget_sooner, (*RULES, 1, "Prefix"), "exports/"),
    (folders_of_their_own_forget_sooner, (*RULES, 2), GONE),
    (folders_of_their_own_forget_sooner, (*RULES, 2, "NoncurrentVersionExpiration"), GONE),
    (nothing_goes_over_plain_http, (*RESOURCES, "RunArchiveOverTlsOnly"), GONE),
    (
        nothing_goes_over_plain_http,
        (*RESOURCES, "QueuesOverTlsOnly", "Properties", "Queues", 2),
        {"Ref": "Api"},
    ),
    (
        nothing_goes_over_plain_http,
        (*RESOURCES, "RunArchiveOverTlsOnly", "Properties", "PolicyDocument", "Statement", 0, "Effect"),
        "Allow",
    ),
    (indexes_are_small, (*INDEX, "Projection", "ProjectionType"), "ALL"),
    (indexes_are_small, (*DUE, "Projection", "ProjectionType"), "ALL"),
    (indexes_are_small, (*INDEX, "KeySchema", 1, "AttributeName"), "sk"),
    (indexes_are_small, (*DUE, "KeySchema", 1, "AttributeName"), "state"),
    (indexes_are_small, (*DUE, "IndexName"), "by_day"),
    (indexes_are_small, (*TABLE, "GlobalSecondaryIndexes"), GONE),
    (indexes_are_small, DUE, GONE),
    (indexes_are_small, (*RECORDED, "Projection"), {"ProjectionType": "KEYS_ONLY"}),
    (indexes_are_small, (*RECORDED, "KeySchema", 1, "AttributeName"), "sk"),
    (indexes_are_small, RECORDED, GONE),
    (late_starts_are_left_to_the_next, (*FULL, "RetryPolicy"), GONE),
    (late_starts_are_left_to_the_next, (*FULL, "RetryPolicy", "MaximumRetryAttempts"), 185),
    (late_starts_are_left_to_the_next, (*INCREMENTAL, "RetryPolicy", "MaximumEventAgeInSeconds"), 900),
    (late_starts_are_left_to_the_next, (*PUSH, "RetryPolicy", "MaximumEventAgeInSeconds"), 900),
    (imports_and_pushes_keep_apart, ("Parameters", "PushSchedule", "Default"), "cron(5/15 * * * ? *)"),
    (imports_and_pushes_keep_apart, ("Parameters", "PushSchedule", "Default"), "cron(9/15 * * * ? *)"),
    (imports_and_pushes_keep_apart, ("Parameters", "PushSchedule", "Default"), "cron(1/15 * * * ? *)"),
    (imports_and_pushes_keep_apart, ("Parameters", "PushSchedule", "Default"), "rate(15 minutes)"),
    (schedules_can_be_switched_off, (*FULL, "State"), "ENABLED"),
    (schedules_can_be_switched_off, (*PUSH, "State"), "ENABLED"),
    (schedules_can_be_switched_off, (*INCREMENTAL, "FlexibleTimeWindow", "Mode"), False),
    (two_stacks_fit_one_account, (*FULL, "OmitName"), GONE),
    (two_stacks_fit_one_account, (*PUSH, "OmitName"), GONE),
    (everything_is_scheduled, (*FULL, "Input"), '{"mode": "incremental"}'),
    (everything_is_scheduled, (*PUSH, "Input"), '{"mode": "full"}'),
    (everything_is_scheduled, (*MACHINE, "Events", "FullImport"), GONE),
    (everything_is_scheduled, (*PUSHING, "Events"), GONE),
    (schedules_may_only_start, (*FULL, "DeadLetterConfig", "Arn"), {"Fn::GetAtt": ["ChangeQueue", "Arn"]}),
    (schedules_may_only_start, (*FULL, "DeadLetterConfig"), GONE),
    (schedules_may_only_start, (*PUSH, "DeadLetterConfig"), GONE),
    (schedules_may_only_start, (*MORNING, "DeadLetterConfig"), GONE),
    (late_starts_are_left_to_the_next, (*MORNING, "RetryPolicy"), GONE),
    (schedules_can_be_switched_off, (*MORNING, "State"), "ENABLED"),
    (everything_is_scheduled, (*DIGEST, "Events"), GONE),
    (the_digest_is_sent_where_somebody_gets_it, (*MORNING, "Input"), '{"action": "send"}'),
    (
        the_digest_is_sent_where_somebody_gets_it,
        ("Conditions", "SendsDigest", "Fn::And", 1),
        {"Condition": "HasInformEmail"},
    ),
    (the_digest_is_sent_where_somebody_gets_it, (*MORNING, "State", "Fn::If", 0), "HasDigestSchedule"),
]
CHECKS = list(dict.fromkeys(check for check, _, _ in MUTANTS))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_the_template(check: Check, template: Template) -> None:
    assert list(check(template)) == []


@pytest.mark.parametrize(("check", "path", "value"), MUTANTS, ids=map(name_of, MUTANTS))
def test_a_fault_is_found(check: Check, path: tuple[Any, ...], value: Any, source: Template) -> None:
    assert list(check(mutated(source, path, value))) != []
