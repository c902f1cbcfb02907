"""The morning digest on the deployed stack: mailed to who subscribes to the topic, once."""

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster


def test_what_happened_is_mailed_once_to_who_is_informed(
    stack: LocalStack, people: People, roster: Roster
) -> None:
    sqs: Any = stack.client("sqs")
    mailbox = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    policy = {"Statement": [{**allowed, "Principal": {"Service": "sns.amazonaws.com"}}]}
    sqs.set_queue_attributes(QueueUrl=mailbox, Attributes={"Policy": json.dumps(policy)})
    stack.client("sns").subscribe(TopicArn=stack.resource("InformTopic"), Protocol="sqs", Endpoint=arn)
    person = people.new()
    assert roster.once_settled(person.username)

    at = datetime.now(UTC).isoformat(timespec="seconds")
    said = stack.invoke("MorningDigestFunction", action="send", scheduled_at=at)
    assert said["status"] == "succeeded", said
    assert stack.invoke("MorningDigestFunction", action="send", scheduled_at=at)["status"] == "skipped"

    def mails() -> Any:
        return sqs.receive_message(QueueUrl=mailbox, MaxNumberOfMessages=10).get("Messages")

    (mail,) = (json.loads(each["Body"]) for each in wait_until(mails, "the digest", seconds=PATIENCE_S))
    assert " joined" in mail["Subject"]
    assert "\nacme\n" in mail["Message"]
    assert person.username not in mail["Message"]
    assert "#dashboards/dashboard/" in mail["Message"]


def test_alarms_are_deployed_with_their_texts_filled_in(stack: LocalStack) -> None:
    """What `template_reading` leaves to CloudFormation: joins and names of the region and the stack."""
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    assert alarms
    for alarm in alarms:
        text = alarm["AlarmDescription"]
        assert "${" not in text, text
        assert "Runbook: docs/operations.md#" in text
        assert text.endswith(f"-{stack.facts['region']}")
        assert alarm["OKActions"] == alarm["AlarmActions"] != []
