"""What imports read, and what they log in with, is in no log, metric or exception (T2, I11)."""

import json

import pytest

from tests.simulation.harness import quick_moto
from tests.simulation.harness.canaries import Told, hire_canaries, leaked
from tests.simulation.harness.faults import Fault, these
from tests.simulation.harness.http_wire import ELSEWHERE
from tests.simulation.harness.sweeping import points
from tests.simulation.harness.world import World
from tests.simulation.imports.company import Company
from tests.simulation.imports.subject import telling


@pytest.fixture
def loud_company(loud_world: World) -> Company:
    """Return a company of people whose every value is a canary, in a world where functions log.

    They come after everyone was imported once: of those who were there before, nobody is told.
    """
    company = Company(loud_world)
    company.begin()
    company.hire("zoe", Department="Kitchen")
    company.run_import()
    hire_canaries(company)
    return company


def secrets_of(company: Company) -> list[str]:
    """Return what Salesforce lets somebody in with."""
    organization = company.world.salesforce.organization
    return [organization.client.client_secret, *organization.sessions._ends, company.world.tokens["acme"]]


def test_nothing_is_told_of_whom_an_import_a_message_and_a_mail_are_about(
    loud_company: Company, told: Told
) -> None:
    company = loud_company
    assert company.run_import()["counts"] == {"created": 4}
    company.leave("canary-ada")
    company.tell("canary-ada", "canary-bob")
    company.world.work()
    told.note_failures()
    text = told.text()
    # It did speak, and it did mail.
    assert "managers told" in text
    assert "followed" in text
    assert len(quick_moto.ses().sent_messages) == 1
    assert leaked(text, ["canary", *secrets_of(company)]) == []


def test_nothing_is_told_when_calls_of_an_import_fail(loud_company: Company, told: Told) -> None:
    company = loud_company
    start = company.moment()
    company.run_import()
    calls = list(company.world.wire.calls)
    raised = 0
    for fault in points(telling, 7)(calls):
        start()
        company.world.wire.plan = these(Fault(fault.call, fault.kind))
        said = company.run_import()
        if said["status"] == "raised":
            raised += 1
            told.exceptions.append(said["message"])
    text = told.text()
    assert raised > 5
    assert "import failed" in text
    assert leaked(text, ["canary", *secrets_of(company)]) == []


def test_nothing_is_told_when_reading_back_fails(loud_company: Company, told: Told) -> None:
    company = loud_company
    company.run_import()
    start = company.moment()
    for kind in ("mute", "busy", "html", "cut", "short", "ended", "after"):
        for call in range(1, 16, 2):
            start()
            company.leave("canary-ada")
            company.world.wire.plan = these(Fault(call, kind))
            company.tell("canary-ada", "canary-bob")
            company.world.work()
            told.note_failures()
    text = told.text()
    assert told.exceptions
    assert "not followed" in text
    assert leaked(text, ["canary", *secrets_of(company)]) == []


def test_credentials_are_neither_stored_nor_archived_nor_mailed(loud_company: Company) -> None:
    company = loud_company
    company.run_import()
    assert company.world.rules.archive is not None
    archived = b"".join(company.world.rules.archive.objects.values()).decode()
    stored = json.dumps(company.world.rows())
    mailed = "".join(mail.body for mail in quick_moto.ses().sent_messages)
    for text in (archived, stored, mailed):
        assert "canary" in text
        assert leaked(text, secrets_of(company)) == []


def test_whatever_a_page_says_comes_next_no_other_host_is_called(loud_company: Company) -> None:
    company = loud_company
    company.world.salesforce.faults({"path": "/services/data", "fault": "foreign_next", "count": 1})
    try:
        assert company.run_import()["status"] == "raised"
    finally:
        company.world.salesforce.faults()
    assert ELSEWHERE not in {call.service for call in company.world.wire.calls}
