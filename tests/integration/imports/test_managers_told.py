"""Managers told by an import, through the function's handler: the run is the same whatever SES does (N1)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from muster import bootstrap
from muster.adapters.aws.mail_outbox import MailOutbox
from muster.errors import Unavailable
from tests.integration.company import SALES, Company
from tests.integration.told_metrics import metrics
from tests.simulation.harness.faults import Wire, these


@pytest.fixture
def telling(beginning: Company) -> Company:
    """Return a company that tells managers of whoever comes from now on."""
    beginning.salesforce.create(FirstName="Henry")
    assert beginning.run()["counts"] == {"created": 1}
    return beginning


@pytest.fixture
def beginning(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """Return a company that will tell managers, from an address that SES has verified; nobody is in yet."""
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
    [told] = sent()
    assert told.subject == "1 person has joined your team"
    assert told.body.count("Ada ") == 1


# ── Who is there when an organization begins ─────────────────────────────────────────────────────


def newcomers(company: Company) -> list[Any]:
    return [item for item in company.items() if "#NEWCOMERS" in item["pk"]["S"]]


@pytest.mark.parametrize("way", ["at once", "gone on with", "named before", "heard of before"])
def test_nobody_is_told_of_those_who_are_there_when_an_organization_begins(
    beginning: Company, way: str
) -> None:
    boss = beginning.salesforce.create(FirstName="Grace")
    ada = beginning.salesforce.create(FirstName="Ada", ManagerId=boss)
    if way == "named before":
        assert beginning.run(None, members=[boss, ada])["counts"] == {"created": 2}
    if way == "heard of before":
        assert beginning.hear({"Id": boss}) == beginning.hear({"Id": ada}) == 0
        assert len(beginning.active()) == len(newcomers(beginning)) == 2
    if way == "gone on with":
        beginning.have_seconds(1)
    said = beginning.run()
    beginning.have_seconds(900)
    if way == "gone on with":
        assert said["status"] == "continue"
        said = beginning.run(None, run_id=said["run_id"], by="schedule")
    assert said["status"] == "succeeded"
    assert beginning.active() == {boss, ada}
    assert newcomers(beginning) == []
    beginning.salesforce.create(FirstName="Bob", ManagerId=boss)
    beginning.run("incremental")
    [mail] = sent()
    assert mail.subject == "1 person has joined your team"
    assert "Bob" in mail.body


def test_nobody_is_told_of_those_who_come_with_another_salesforce_org(telling: Company) -> None:
    former = "00D000000000999"
    bootstrap.run_table().change_state(
        "acme", lambda state: replace(state, salesforce=replace(state.salesforce, system=former))
    )
    boss = telling.salesforce.create(FirstName="Grace")
    telling.salesforce.create(FirstName="Ada", ManagerId=boss)
    assert telling.run("incremental")["counts"] == {"created": 2}
    assert telling.run()["status"] == "succeeded"
    assert not sent()
    telling.salesforce.create(FirstName="Bob", ManagerId=boss)
    telling.run()
    assert len(sent()) == 1


def test_nobody_is_told_later_either_where_they_could_not_be_forgotten_at_once(
    beginning: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss = beginning.salesforce.create(FirstName="Grace")
    beginning.salesforce.create(FirstName="Ada", ManagerId=boss)
    with monkeypatch.context() as down:
        down.setattr(MailOutbox, "newcomers", Mock(side_effect=Unavailable("the roster table is down")))
        assert beginning.run()["status"] == "succeeded"
    assert len(newcomers(beginning)) == 2
    beginning.run("incremental")
    assert (newcomers(beginning), sent()) == ([], [])


def test_after_an_upgrade_nothing_begins_anew(telling: Company) -> None:
    bootstrap.run_table().change_state(
        "acme",
        lambda state: replace(state, salesforce=replace(state.salesforce, system=None), new_since=None),
    )
    boss = telling.salesforce.create(FirstName="Grace")
    telling.salesforce.create(FirstName="Ada", ManagerId=boss)
    telling.run()
    assert len(sent()) == 1


def test_without_mail_from_nobody_is_told_and_the_log_says_why(
    telling: Company, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    monkeypatch.setenv("MAIL_FROM", "")
    bootstrap.mail.cache_clear()
    boss = telling.salesforce.create(FirstName="Grace")
    telling.salesforce.create(FirstName="Ada", ManagerId=boss)
    assert telling.run()["status"] == "succeeded"
    assert "MailFrom is empty" in log.getvalue()
    assert not [item for item in telling.items() if "#NEWCOMERS" in item["pk"]["S"]]
    assert not sent()
