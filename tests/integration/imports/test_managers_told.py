"""Managers told by an import, through the function's handler: the run is the same whatever SES does (N1)."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import boto3
import pytest
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from muster import bootstrap
from tests.integration.company import SALES, Company
from tests.integration.told_metrics import metrics
from tests.simulation.harness.faults import Wire, these


@pytest.fixture
def telling(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """Return a company that tells managers, from an address that SES has verified."""
    monkeypatch.setenv("MAIL_FROM", "muster@acme.example")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    bootstrap.mail.cache_clear()
    boto3.client("sesv2").create_email_identity(EmailIdentity="acme.example")
    assignment = {name: value for name, value in SALES.items() if name != "filter"}
    assert company.put(assignments=[assignment], managers={"notify": True})["status"] == "succeeded"
    yield company
    bootstrap.mail.cache_clear()


def sent() -> list[Any]:
    messages: list[Any] = get_backend("ses")[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    return messages


def mails(printed: str) -> dict[str, float]:
    """Return the numbers of mails among the metrics that were printed."""
    return {name: value for name, value in metrics(printed).items() if name.startswith("Mails")}


def test_an_import_tells_the_manager_of_those_it_created(
    telling: Company, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    boss = telling.salesforce.create(FirstName="Grace")
    for name in ("Ada", "Bob"):
        telling.salesforce.create(FirstName=name, ManagerId=boss)
    assert telling.run()["status"] == "succeeded"
    [mail] = sent()
    assert mail.destinations == {"ToAddresses": [telling.roster()[boss]["email"]]}
    assert mail.subject == "2 people have joined your team"
    assert mail.body.count("web conferences are recorded</li>") == 2
    assert mails(capsys.readouterr().out) == {"MailsSent": 1}
    assert "Ada" not in log.getvalue()
    assert "@" not in log.getvalue()
    assert telling.run()["status"] == "succeeded"
    assert len(sent()) == 1


def test_a_run_ends_as_well_while_ses_is_down_and_the_next_one_sends_the_mail(
    telling: Company, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    boss = telling.salesforce.create(FirstName="Grace")
    telling.salesforce.create(FirstName="Ada", ManagerId=boss)
    mail = bootstrap.mail()
    assert mail is not None
    wire = Wire(mail._client)
    wire.plan = lambda call: "down"
    said = telling.run()
    assert (said["status"], said["counts"]) == ("succeeded", {"created": 2})
    assert mails(capsys.readouterr().out) == {"MailsFailed": 1}
    [line] = [json.loads(line) for line in log.getvalue().splitlines() if "managers told" in line]
    assert (line["sent"], line["waiting"]) == (0, 1)
    assert "@" not in log.getvalue()
    assert not sent()
    wire.plan = these()
    assert telling.run("incremental")["status"] == "succeeded"
    assert [mail.subject for mail in sent()] == [
        f"{telling.roster()[report(telling, boss)]['name']} has joined your team"
    ]


def report(company: Company, boss: str) -> str:
    """Return the CRM id of the one who reports to the boss."""
    manager = company.roster()[boss]["id"]
    [crm_id] = [crm_id for crm_id, member in company.roster().items() if member["manager"] == manager]
    return crm_id


def test_without_mail_from_nobody_is_told_and_the_log_says_why(
    telling: Company, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setenv("MAIL_FROM", "")
    boss = telling.salesforce.create(FirstName="Grace")
    telling.salesforce.create(FirstName="Ada", ManagerId=boss)
    assert telling.run()["status"] == "succeeded"
    assert "MailFrom is empty" in log.getvalue()
    assert not [item for item in telling.items() if "#NEWCOMERS" in item["pk"]["S"]]
    assert not sent()
