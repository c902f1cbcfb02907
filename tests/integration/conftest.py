"""What tests of several rooms begin with: Acme, its Salesforce, clocks that a test moves, and the log."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import deprovisioning
import roster_query
import scheduled_import
import scheduled_push
import user_change_worker
from muster.observability import logger
from tests.doubles.salesforce_in_process import SalesforceInProcess, salesforce_in_process
from tests.integration.beginnings import Built, Connected, begin, data_of, renew
from tests.integration.company import SALES, SUPPORT, Company
from tests.simulation.harness.quick_archive import QuickArchive
from tests.simulation.harness.replays import differing
from tests.simulation.harness.strict_aws import StrictAws, strict


@pytest.fixture
def context(context: LambdaContext) -> LambdaContext:
    """Return the context of an invocation that has a quarter of an hour left."""
    context.get_remaining_time_in_millis = lambda: 900_000  # type: ignore[method-assign]  # a test's own
    return context


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Return what functions write to their log."""
    written = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    return written


@pytest.fixture
def rules(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictAws]:
    """Make moto as strict as AWS, which is quicker, too."""
    # Bodies go to S3 as they are.
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    with strict() as rules:
        rules.page_size = 1_000
        rules.archive = QuickArchive()
        yield rules
        assert not list(differing(rules.archive))


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return what moves the functions' clock on; Salesforce's stays where it is."""
    passed = timedelta()
    clock = SimpleNamespace(now=lambda zone: datetime.now(zone) + passed)

    def move(by: timedelta) -> None:
        nonlocal passed
        passed += by

    for function in (deprovisioning, roster_query, scheduled_import, scheduled_push, user_change_worker):
        monkeypatch.setattr(function, "datetime", clock)
    return move


@pytest.fixture(scope="module")
def now() -> SimpleNamespace:
    """Return Salesforce's clock; a test moves it."""
    return SimpleNamespace(time=datetime.now(UTC))


@pytest.fixture(scope="module")
def opened(now: SimpleNamespace) -> Iterator[tuple[SalesforceInProcess, bytes]]:
    """Open an organization for the tests of a module, one after the other; with what it holds at first."""
    with salesforce_in_process(lambda: now.time) as salesforce:
        yield salesforce, data_of(salesforce.organization.store)


@pytest.fixture
def salesforce(opened: tuple[SalesforceInProcess, bytes], now: SimpleNamespace) -> SalesforceInProcess:
    """Return a Salesforce organization in which nobody works yet."""
    now.time = datetime.now(UTC)
    renew(*opened)
    return opened[0]


@pytest.fixture
def connected(salesforce: SalesforceInProcess, rules: StrictAws, context: LambdaContext) -> Connected:
    """Return a Salesforce whose credentials lie where Acme's settings say, AWS, and a function's context."""
    boto3.client("secretsmanager").create_secret(
        Name="muster/acme/salesforce", SecretString=salesforce.secret
    )
    return salesforce, rules, context


@pytest.fixture(scope="module")
def built() -> Built:
    """Return what the tests of a module have built to begin with."""
    return {}


@pytest.fixture
def company(connected: Connected, built: Built) -> Company:
    """Return Acme, with two assignments and five seats; nobody works there yet."""
    company = Company(*connected)
    begin(company, built, put_first_settings)
    return company


def put_first_settings(company: Company) -> None:
    said = company.put(
        organization="acme",
        connections={"salesforce": company.salesforce.connection},
        auto_provision={"require_call_center": False},
        seats={"gong": {"limit": 5}},
        seat_required={"record_web_conferences": "gong"},
        assignments=[SALES, SUPPORT],
    )
    assert said["status"] == "succeeded", said
