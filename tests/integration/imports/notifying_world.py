"""A roster whose managers are told: the real table and SES, both in moto, and everything that happens."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from muster import bootstrap
from muster.adapters.aws.mail import Mail
from muster.adapters.aws.mail_outbox import MailOutbox
from muster.adapters.aws.roster_keys import to_member
from muster.adapters.aws.roster_table import RosterTable
from muster.crm import salesforce_ids
from muster.imports.notifying_managers import MailSummary, ManagerNotifier
from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.writing_user_changes import UserChangeWriter
from muster.settings import Settings
from muster.webhook.applying_changes import apply_message
from muster.webhook.messages import QueuedChange, QueuedMessage
from muster.webhook.ports import Ports
from tests.examples import NOW, settings, user
from tests.examples import change as example
from tests.simulation.harness.faults import Wire
from tests.simulation.harness.strict_aws import StrictAws, rows_of, strict

RECORDING = {"name": "Sales", "data_capture": {"record_web_conferences": "enabled"}}
RECORDED = settings(assignments=[RECORDING], managers={"notify": True})
UNRECORDED = settings(assignments=[{"name": "Sales"}], managers={"notify": True})
RUN, NEXT_RUN = "20261120T081600-00000001", "20261120T083100-00000002"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE = ("Grace", "Henry", "Ada", "Bob", "Cleo", "Dora", "Ewa", "Nobody")


def crm_id(name: str) -> str:
    """Return the CRM id of one of `PEOPLE`."""
    return salesforce_ids.to_18(f"005{PEOPLE.index(name):012d}")


def person(name: str, manager: str | None, second: int, **fields: Any) -> dict[str, str]:
    """Return someone as Salesforce sends them, as of that second."""
    address = f"{name.lower()}@acme.example"
    known = {
        "Id": crm_id(name),
        "FirstName": name,
        "Username": address,
        "Email": address,
        "ManagerId": crm_id(manager) if manager else None,
    }
    return user(second, **known | fields)


@dataclass
class World:
    """The table, SES and everything that happens between them."""

    wire: Wire
    outbox: MailOutbox
    roster: RosterTable
    mail: Mail
    rules: StrictAws
    _seconds: Iterator[int] = field(default_factory=lambda: iter(range(1, 60)))

    def join(
        self, *names: str, manager: str | None = "Grace", to: Settings = RECORDED, **fields: Any
    ) -> None:
        """Let people join, or change, by webhook; all of them with these fields."""
        second = next(self._seconds)
        changes = tuple(
            QueuedChange(f"04l{second:012d}{index:03d}", person(name, manager, second, **fields))
            for index, name in enumerate(names)
        )
        message = QueuedMessage(to.organization, "salesforce", NOW, changes, ())
        apply_message(message, to, Ports(self.roster, bootstrap.loss_table()), NOW)

    def full_import(self, name: str, manager: str) -> None:
        """Bring someone in as a full import does, which knows the whole hierarchy."""
        second = next(self._seconds)
        read = example(second, RECORDED, **person(name, manager, second))
        change = replace(read, in_loop=False, matches=frozenset({"Sales"}))
        assert not UserChangeWriter(RECORDED, self.roster, NOW).write([change])

    def join_at_once(self, numbers: range, capture: str) -> None:
        """Let people join Grace's team, past the rules; `capture` is the effect of their recording."""
        recording = Capture("enabled", capture, "gong", "assignment:Sales")
        joined = Member(
            id="",
            organization="acme",
            active=True,
            manager=self.members()["Grace"].id,
            data_capture={"record_web_conferences": recording},
        )
        decisions = [
            Decision(
                outcome=Outcome.CREATED,
                after=replace(joined, id=f"p{number}", name=f"P{number} Lovelace"),
                newcomer=True,
            )
            for number in numbers
        ]
        assert not self.roster.write("acme", decisions, NOW.timestamp())

    def notify(
        self, run: str = RUN, to: Settings = RECORDED, at: datetime = NOW, remaining: float = 900
    ) -> MailSummary:
        """Tell managers, as the end of a run does."""
        return ManagerNotifier(self.outbox, self.mail, self.roster, at, lambda: remaining).notify(to, run)

    def members(self) -> dict[str, Member]:
        """Return the members by first name."""
        found = [to_member(row) for row in rows_of("roster") if row["sk"]["S"].startswith("MEMBER#")]
        return {member.first_name or "": member for member in found}

    def newcomers(self) -> set[str]:
        """Return the first names of those who are newcomers still."""
        names = {member.id: name for name, member in self.members().items()}
        return {names[newcomer] for newcomer in self.outbox.newcomers("acme")}


@dataclass(frozen=True)
class Sent:
    """One mail as it left."""

    to: str
    subject: str
    names: tuple[str, ...]
    more: int


@contextmanager
def opened(table: str) -> Iterator[World]:
    """Open a world in which Grace and Henry are known already; moto must be there."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    dynamodb, ses = boto3.client("dynamodb", config=config), boto3.client("sesv2", config=config)
    ses.create_email_identity(EmailIdentity="acme.example")
    outbox, roster = MailOutbox(dynamodb, table), RosterTable(dynamodb, table)
    with strict() as rules, patch("botocore.endpoint.time.sleep"):
        rules.page_size = 2
        world = World(Wire(dynamodb, ses), outbox, roster, Mail(ses, "muster@acme.example"), rules)
        world.join("Grace", "Henry", manager=None, to=UNRECORDED)
        outbox.forget("acme", outbox.newcomers("acme"))
        yield world


def sent() -> list[Sent]:
    """Return the mails that SES has sent."""
    messages = get_backend("ses")[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    return [
        Sent(
            message.destinations["ToAddresses"][0].partition("@")[0].title(),
            message.subject,
            tuple(re.findall(r"<b>(\w+) Lovelace</b>", message.body)),
            sum(map(int, re.findall(r"<li>and (\d+) more</li>", message.body))),
        )
        for message in messages
    ]


def rows(kind: str) -> list[tuple[str, str]]:
    """Return the keys of acme's rows of a kind."""
    keys = [(row["pk"]["S"], row["sk"]["S"]) for row in rows_of("roster")]
    return sorted(key for key in keys if key[0].startswith(f"ORG#acme#{kind}"))


def errors() -> list[dict[str, Any]]:
    """Return the error log."""
    return [json.loads(row["doc"]["S"]) for row in rows_of("roster") if row["pk"]["S"].endswith("#ERRORS")]


def forget_sent() -> None:
    """Let SES have sent nothing."""
    get_backend("ses")[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages.clear()
