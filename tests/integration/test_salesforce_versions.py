"""The versions that an org serves, asked before anybody logs in; and logging in anew (U4)."""

from collections.abc import Iterator

import pytest

from muster.errors import NotServed, Unavailable
from sandbox.salesforce import RunningSandbox, running
from sandbox.serving import serve
from tests.integration.sandbox.organization import Organization
from tests.integration.test_salesforce_client import calls, client_at, client_of
from tests.integration.test_salesforce_login import TOKEN_PATH, Host


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running() as found:
        yield found


@pytest.fixture
def org(sandbox: RunningSandbox) -> Iterator[Organization]:
    organization = Organization(sandbox)
    yield organization
    organization.http.close()


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()
    with serve(found, threads=2) as found.url:
        yield found


def test_versions_take_no_login(org: Organization) -> None:
    before = calls(org, TOKEN_PATH)
    versions = client_of(org).versions()
    assert {"65.0", "66.0"} <= set(versions)
    assert calls(org, TOKEN_PATH) == before


def test_a_login_anew_opens_another_session(org: Organization) -> None:
    before = calls(org, TOKEN_PATH)
    client = client_of(org)
    client.describe()
    used = [client.calls_used]
    client.log_in()
    assert [each is None for each in (*used, client.calls_used)] == [False, True]
    assert calls(org, TOKEN_PATH) - before == 2


@pytest.mark.parametrize("body", ["<html>", {}, [], None, [1], [{"label": "x"}], {"versions": []}])
def test_an_answer_of_another_shape_is_not_taken_for_none(host: Host, body: object) -> None:
    host.say(body)
    with pytest.raises(Unavailable):
        client_at(host).versions()


def test_a_host_without_an_api_serves_none(host: Host) -> None:
    host.say([{"errorCode": "NOT_FOUND", "message": "x"}], 404)
    with pytest.raises(NotServed):
        client_at(host).versions()
