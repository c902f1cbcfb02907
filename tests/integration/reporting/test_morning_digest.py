"""MorningDigestFunction: what happened in Acme since yesterday, as one mail to all who are informed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import member_settings
import morning_digest
import roster_query
from muster import bootstrap
from muster.adapters.aws.inform_topic import InformTopic
from muster.errors import Unavailable
from muster.insight import listing_changes
from muster.reporting.last_digest import AT_WORK
from muster.times import timestamp
from tests.integration.company import Company

type Json = dict[str, Any]
type PassTime = Callable[[timedelta], None]

# Whoever is in a mail by name, address or id.
NAMES = ("Lovelace", "Ada", "@acme.example", "005")
DAY = timedelta(days=1)


class Mailbox(SimpleNamespace):
    """What is mailed to who subscribes to the topic, as SNS hands it on."""

    sqs: Any
    url: str

    def mails(self) -> list[Json]:
        """Return the mails that came since the last time."""
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for each in found:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(each["Body"]) for each in found]


@pytest.fixture
def mailbox(guarded: Company, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="informs")["TopicArn"]
    url = sqs.create_queue(QueueName="mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("INFORM_TOPIC_ARN", topic)
    monkeypatch.setenv("DASHBOARD_URL", "https://console.example/dashboard")
    monkeypatch.setenv("STACK_NAME", "muster")
    return Mailbox(sqs=sqs, url=url)


@pytest.fixture
def acme(guarded: Company, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return Acme two days after its first import; the digest has the functions' clock."""
    pass_time(2 * DAY)
    monkeypatch.setattr(morning_digest, "datetime", vars(roster_query)["datetime"])
    return guarded


def now() -> datetime:
    moment: datetime = roster_query.datetime.now(UTC)  # type: ignore[attr-defined]
    return moment


def send(company: Company, at: str | None = None) -> Json:
    return morning_digest.handler({"action": "send", "scheduled_at": at or timestamp(now())}, company.context)


def let_it_happen(company: Company) -> None:
    company.salesforce.create(Department="Sales", FirstName="Ada", LastName="Lovelace")
    company.run("incremental", by="schedule")
    [left] = company.change("Support", 1, Title="Head")
    company.hear({"Id": left})
    company.salesforce.update(left, IsActive=False)
    company.hear({"Id": left})


def test_what_imports_and_messages_brought_is_one_mail_without_names(
    acme: Company, mailbox: Mailbox, log: StringIO
) -> None:
    let_it_happen(acme)
    assert send(acme)["status"] == "succeeded"
    [mail] = mailbox.mails()
    assert mail["Subject"].startswith("Muster: 1 joined, 1 left")
    assert "\nacme\n  1 person joined, 1 person left" in mail["Message"]
    assert '{"organization": "acme", "action": "changes", "since": "20' in mail["Message"]
    assert not [name for name in NAMES if name in json.dumps(mail["Message"])]
    assert not [name for name in NAMES if name in log.getvalue()]


def test_a_quiet_day_is_told_in_a_line(acme: Company, mailbox: Mailbox) -> None:
    acme.run(by="schedule")
    acme.hear({"Id": next(iter(acme.active()))})
    send(acme)
    [mail] = mailbox.mails()
    assert mail["Subject"] == "Muster: a quiet day (muster)"
    assert mail["Message"].splitlines()[2:] == ["Nothing happened and nothing is wrong: acme."]


def test_what_waits_and_what_failed_is_told_with_its_run(acme: Company, mailbox: Mailbox) -> None:
    acme.change("Sales", 3, IsActive=False)
    said = acme.run("incremental", by="schedule")
    assert said["status"] == "parked"
    send(acme)
    [mail] = mailbox.mails()
    assert f"! An import waits for a word: run {said['run_id']}" in mail["Message"]


def test_what_ends_soon_is_told(acme: Company, mailbox: Mailbox) -> None:
    secrets = boto3.client("secretsmanager")
    secret = json.loads(secrets.get_secret_value(SecretId="muster/acme/salesforce")["SecretString"])
    ends = (now() + 5 * DAY).date().isoformat()
    secrets.put_secret_value(
        SecretId="muster/acme/salesforce", SecretString=json.dumps({**secret, "expires_on": ends})
    )
    bootstrap._secrets.cache_clear()
    some = [member["username"] for member in acme.roster().values()][:2]
    changes = [
        {"member": some[0], "end_date": (now() + 3 * DAY).date().isoformat()},
        {"member": some[1], "end_date": (now() + 30 * DAY).date().isoformat()},
    ]
    edited = member_settings.handler({"organization": "acme", "by": "jane", "changes": changes}, acme.context)
    assert edited["status"] == "succeeded", edited
    send(acme)
    [mail] = mailbox.mails()
    assert "~ The credentials of Salesforce end in 5 days." in mail["Message"]
    assert "~ 1 person has an end date within 7 days." in mail["Message"]


def test_a_second_start_of_the_same_moment_mails_nothing(acme: Company, mailbox: Mailbox) -> None:
    at = timestamp(now())
    assert send(acme, at)["status"] == "succeeded"
    assert send(acme, at)["status"] == "skipped"
    assert len(mailbox.mails()) == 1


def test_the_next_one_begins_where_the_last_ended(
    acme: Company, mailbox: Mailbox, pass_time: PassTime
) -> None:
    send(acme)
    mailbox.mails()
    let_it_happen(acme)
    pass_time(3 * DAY)
    send(acme)
    [mail] = mailbox.mails()
    assert "1 person joined, 1 person left" in mail["Message"]


def test_what_sns_does_not_take_is_sent_by_the_next_try(
    acme: Company, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timestamp(now())

    def down(*_: object) -> None:
        raise Unavailable("SNS answered Throttled")

    with monkeypatch.context() as patch:
        patch.setattr(InformTopic, "publish", down)
        with pytest.raises(Unavailable):
            send(acme, at)
    assert send(acme, at)["status"] == "succeeded"
    assert len(mailbox.mails()) == 1


def test_who_died_on_the_way_is_followed(
    acme: Company, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, pass_time: PassTime
) -> None:
    at = timestamp(now())

    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(InformTopic, "publish", dies)
        with pytest.raises(SystemExit):
            send(acme, at)
    with pytest.raises(Unavailable, match="another invocation"):
        send(acme, at)
    pass_time(AT_WORK)
    assert send(acme, at)["status"] == "succeeded"
    assert len(mailbox.mails()) == 1


def test_one_organization_that_cannot_be_looked_at_stops_no_other(
    acme: Company, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise Unavailable("the roster table answered Throttled")

    monkeypatch.setattr(listing_changes, "list_changes", down)
    assert send(acme)["status"] == "succeeded"
    [mail] = mailbox.mails()
    assert "acme\n  nothing changed\n  ! It could not be looked at: the roster table" in mail["Message"]


def test_what_there_is_no_time_for_is_named(acme: Company, mailbox: Mailbox) -> None:
    acme.have_seconds(1)
    assert send(acme)["unseen"] == 1
    [mail] = mailbox.mails()
    assert "There was no time to look at acme." in mail["Message"]


def test_a_preview_mails_nothing_and_takes_no_turn(acme: Company, mailbox: Mailbox) -> None:
    let_it_happen(acme)
    said = morning_digest.handler({"action": "preview"}, acme.context)
    assert said["message"].startswith("Muster: 1 joined, 1 left")
    assert said["summary"][0].startswith("From ")
    assert len(json.dumps(said, indent=2).splitlines()) <= 40
    assert not mailbox.mails()
    assert send(acme)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        ("yesterday", "is no moment"),
        ("2026-11-30T07:00:00", "is no moment"),
        ("<aws.scheduler.scheduled-time>", "is no moment"),
        ("2126-11-30T07:00:00Z", "lies ahead"),
    ],
)
def test_a_moment_that_is_none_is_refused(acme: Company, mailbox: Mailbox, at: str, problem: str) -> None:
    said = send(acme, at)
    assert said["status"] == "rejected"
    assert problem in said["errors"][0]["message"]
    assert not mailbox.mails()
