"""What becomes of each call to Salesforce's setup when something fails: reads again, writes once (U7, P5)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from muster.adapters.http_calls import Unreached
from muster.errors import OutcomeUnknown, Unavailable
from sandbox.salesforce import running
from tests.doubles.metadata_packages import NAME, flow
from tests.doubles.salesforce_host import TOKEN_PATH, setup_client_of
from tests.doubles.salesforce_over_http import Organization
from tests.doubles.sandbox_doors import calls
from tests.integration.adapters.salesforce.setup_examples import REQUESTS, flow_of, installed, package

DATA = "/services/data/v66.0"
QUERY = f"{DATA}/tooling/query"
FLOWS = f"{DATA}/tooling/sobjects/FlowDefinition"
USER = f"{DATA}/sobjects/User/"


class Installed:
    """An organization with message and active flow, and a deployment that is done."""

    def __init__(self, org: Organization) -> None:
        self.org = org
        self.client = setup_client_of(org)
        installed(self.client, package(org))
        self.flow_id = flow_of(self.client).id
        self.deployment = ""

    def reset(self) -> None:
        """Forget faults, counts, limits and how deployments go; what is deployed stays."""
        self.org.control("POST", "reset")
        self.client = setup_client_of(self.org)
        self.client.activate(self.flow_id, 1)
        self.deployment = self.client.deploy(package(self.org), check_only=True)

    def fault(self, path: str, kind: str, **more: object) -> None:
        self.org.control("POST", "faults", [{"path": path, "fault": kind, **more}])


@pytest.fixture(scope="module")
def module_org() -> Iterator[Installed]:
    with running() as sandbox:
        organization = Organization(sandbox)
        yield Installed(organization)
        organization.http.close()


@pytest.fixture
def there(module_org: Installed) -> Installed:
    module_org.reset()
    return module_org


READS: dict[str, tuple[str, Callable[[Installed], object]]] = {
    "me": (USER, lambda there: there.client.me()),
    "described": (f"{USER}describe", lambda there: there.client.described()),
    "message": (QUERY, lambda there: there.client.message(NAME)),
    "messages": (QUERY, lambda there: there.client.messages()),
    "flow": (QUERY, lambda there: there.client.flow(NAME)),
    "deployment": (REQUESTS, lambda there: there.client.deployment(there.deployment)),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(("fault", "more"), [("status", 1), ("lose_answer", 1), ("expire", 1)])
def test_a_read_gets_over_a_passing_fault(there: Installed, read: str, fault: str, more: int) -> None:
    path, ask = READS[read]
    before = calls(there.org.url, path, "GET")
    whole = ask(there)
    needed = calls(there.org.url, path, "GET") - before
    assert whole
    there.fault(path, fault)
    assert ask(there) == whole
    assert calls(there.org.url, path, "GET") - before == 2 * needed + more


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("fault", "tries"),
    [("status", 3), ("lose_answer", 3), ("expire", 2), ("html", 1), ("empty", 1), ("truncate", 1)],
)
def test_a_lasting_fault_ends_a_read(there: Installed, read: str, fault: str, tries: int) -> None:
    path, ask = READS[read]
    before = calls(there.org.url, path, "GET")
    there.fault(path, fault, count=tries)
    with pytest.raises(Unavailable) as down:
        ask(there)
    assert not isinstance(down.value, OutcomeUnknown)
    assert calls(there.org.url, path, "GET") - before == tries


@pytest.mark.parametrize("fault", ["html", "empty", "truncate", "status", "lose_answer"])
def test_no_part_of_a_flow_is_taken_for_the_whole(there: Installed, fault: str) -> None:
    before = calls(there.org.url, QUERY, "GET")
    there.client.flow(NAME)
    needed = calls(there.org.url, QUERY, "GET") - before
    assert needed == 3
    for after in range(needed):
        there.fault(QUERY, fault, after=after, count=3)
        with pytest.raises(Unavailable):
            there.client.flow(NAME)


@pytest.mark.parametrize(
    ("fault", "queued"),
    [("status", False), ("html", False), ("empty", False), ("truncate", True), ("lose_answer", True)],
)
def test_a_deployment_is_sent_once_and_its_outcome_is_unknown_where_the_answer_is_lost(
    there: Installed, fault: str, queued: bool
) -> None:
    client, org = there.client, there.org
    before = calls(org.url, REQUESTS, "POST"), flow_of(client).versions
    there.fault(REQUESTS, fault)
    with pytest.raises(OutcomeUnknown):
        client.deploy(package(org, flow=flow(description=f"{fault} {len(before[1])}")))
    assert calls(org.url, REQUESTS, "POST") - before[0] == 1
    # Reading back tells it.
    assert (flow_of(client).versions != before[1]) is queued


def test_a_deployment_in_a_session_that_has_ended_is_sent_again_once(there: Installed) -> None:
    client, org = there.client, there.org
    before = calls(org.url, REQUESTS, "POST"), flow_of(client).versions
    there.fault(REQUESTS, "expire")
    deployment_id = client.deploy(package(org, flow=flow(description=f"expired {len(before[1])}")))
    assert client.deployment(deployment_id).success
    assert calls(org.url, REQUESTS, "POST") - before[0] == 2
    assert len(flow_of(client).versions) == len(before[1]) + 1
    there.fault(REQUESTS, "expire", count=9)
    with pytest.raises(Unavailable, match="401") as down:
        client.deploy(package(org))
    assert not isinstance(down.value, OutcomeUnknown)
    assert calls(org.url, REQUESTS, "POST") - before[0] == 4


@pytest.mark.parametrize("fault", ["status", "html", "empty", "lose_answer"])
def test_a_deployment_is_not_sent_where_nobody_logs_in(there: Installed, fault: str) -> None:
    client = setup_client_of(there.org)
    before = calls(there.org.url, REQUESTS, "POST")
    there.fault(TOKEN_PATH, fault, count=2)
    with pytest.raises(Unavailable) as down:
        client.deploy(package(there.org))
    assert not isinstance(down.value, OutcomeUnknown)
    assert calls(there.org.url, REQUESTS, "POST") == before


def test_a_deployment_that_reached_nobody_is_not_unknown() -> None:
    with running() as sandbox:
        org = Organization(sandbox)
        client, archive = setup_client_of(org), package(org)
        client.log_in()
        org.http.close()
    with pytest.raises(Unreached):
        client.deploy(archive)


def test_a_deployment_over_a_broken_connection_is_sent_once(
    there: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def broken(pool: object, connection: object, method: str, url: str, *_: Any, **__: Any) -> Any:
        tried.append(method)
        raise urllib3.exceptions.SSLError("bad record mac")

    there.client.log_in()
    monkeypatch.setattr("urllib3.connectionpool.HTTPConnectionPool._make_request", broken)
    with pytest.raises(OutcomeUnknown):
        there.client.deploy(package(there.org))
    assert tried == ["POST"]


def test_the_last_api_calls_are_left_to_others(there: Installed) -> None:
    client = setup_client_of(there.org)
    there.org.control("PUT", "limits", {"api_requests_per_day": 1})
    before = calls(there.org.url, REQUESTS, "POST")
    for _ in range(2):
        with pytest.raises(Unavailable, match="API calls of 24 hours") as spared:
            client.deploy(package(there.org))
        assert not isinstance(spared.value, OutcomeUnknown)
    assert calls(there.org.url, REQUESTS, "POST") - before == 1


@pytest.mark.parametrize(
    ("fault", "cancelled"),
    [("status", False), ("html", False), ("empty", False), ("truncate", True), ("lose_answer", True)],
)
def test_a_cancellation_is_sent_once(there: Installed, fault: str, cancelled: bool) -> None:
    client, org = there.client, there.org
    org.control("PUT", "deploys", {"pending_polls": 1})
    deployment_id = client.deploy(package(org))
    before = calls(org.url, REQUESTS, "PATCH")
    there.fault(f"{REQUESTS}/", fault)
    with pytest.raises(OutcomeUnknown):
        client.cancel(deployment_id)
    assert calls(org.url, REQUESTS, "PATCH") - before == 1
    org.control("PUT", "deploys", {"pending_polls": 0})
    assert client.deployment(deployment_id).status == ("Canceled" if cancelled else "Succeeded")


def test_a_cancellation_in_a_session_that_has_ended_is_sent_again(there: Installed) -> None:
    there.org.control("PUT", "deploys", {"pending_polls": 9})
    deployment_id = there.client.deploy(package(there.org))
    there.fault(f"{REQUESTS}/", "expire")
    there.client.cancel(deployment_id)
    there.org.control("PUT", "deploys", {"pending_polls": 0})
    assert there.client.deployment(deployment_id).status == "Canceled"


@pytest.mark.parametrize("fault", ["status", "html", "empty", "truncate", "lose_answer", "expire"])
def test_an_activation_is_sent_again_once(there: Installed, fault: str) -> None:
    client = there.client
    before = calls(there.org.url, FLOWS, "PATCH")
    there.fault(FLOWS, fault)
    client.activate(there.flow_id, 0)
    assert flow_of(client).active_version is None
    assert calls(there.org.url, FLOWS, "PATCH") - before == 2
    there.fault(FLOWS, fault, count=2)
    unknown = fault != "expire"
    with pytest.raises(OutcomeUnknown if unknown else Unavailable) as down:
        client.activate(there.flow_id, 1)
    assert isinstance(down.value, OutcomeUnknown) is unknown
    assert calls(there.org.url, FLOWS, "PATCH") - before == 4


@pytest.mark.parametrize("first", ["status", "lose_answer"])
def test_an_activation_that_may_have_taken_effect_stays_unknown(there: Installed, first: str) -> None:
    faults = [
        {"path": FLOWS, "fault": first},
        {"path": FLOWS, "fault": "expire", "after": 1},
        {"path": TOKEN_PATH, "fault": "status", "after": 1},
    ]
    there.org.control("POST", "faults", faults)
    with pytest.raises(OutcomeUnknown):
        setup_client_of(there.org).activate(there.flow_id, 0)
