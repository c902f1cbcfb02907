"""A running organization and a receiver of its messages, for each test as good as new."""

from collections.abc import Iterator

import pytest

from sandbox.salesforce import DeliverySettings, RunningSandbox, running
from sandbox.serving import serve
from tests.doubles.clocks import Clock
from tests.doubles.metadata_packages import Metadata
from tests.doubles.receiver import Receiver
from tests.doubles.salesforce_over_http import Organization

# Retries so quick that a test can wait for them.
QUICK = DeliverySettings(window_s=0.02, first_retry_s=0.02, max_retry_s=0.05)


@pytest.fixture(scope="session")
def session_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def session_sandbox(session_clock: Clock) -> Iterator[RunningSandbox]:
    with running(delivery=QUICK, clock=session_clock) as sandbox:
        yield sandbox


@pytest.fixture
def clock(session_clock: Clock) -> Clock:
    session_clock.now = Clock().now
    return session_clock


@pytest.fixture
def sandbox(session_sandbox: RunningSandbox, clock: Clock) -> RunningSandbox:
    return session_sandbox


@pytest.fixture
def org(sandbox: RunningSandbox) -> Iterator[Organization]:
    organization = Organization(sandbox)
    for message in organization.control("GET", "outbound-message"):
        organization.control("DELETE", "outbound-message", {"name": message["name"]})
    organization.control("POST", "reset")
    yield organization
    organization.http.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def receiver_url(receiver: Receiver) -> Iterator[str]:
    with serve(receiver) as url:
        yield f"{url}/webhook?token=secret"


@pytest.fixture
def metadata(org: Organization) -> Metadata:
    """Packages whose message goes nowhere."""
    return Metadata(org)
