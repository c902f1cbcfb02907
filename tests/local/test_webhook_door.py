"""The webhook through the real API: who is let in, and what strangers and broken messages get (W1-W3)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack
from tests.local.conftest import People, Roster

MESSAGE = (Path(__file__).parents[2] / "events/outbound_user_webhook.xml").read_bytes()
HEADERS = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}


def post(url: str, body: bytes = MESSAGE) -> requests.Response:
    """Post as Salesforce does."""
    return requests.post(url, data=body, headers=HEADERS, timeout=60)


@pytest.fixture(scope="module")
def own_message(stack: LocalStack) -> bytes:
    """A message that says it is from the organization's own Salesforce."""
    settings = stack.invoke("OrganizationSettingsFunction", action="get")["effective"]
    organization_id = settings["connections"]["salesforce"]["organization_id"].encode()
    return re.sub(rb"<OrganizationId>\w+<", b"<OrganizationId>" + organization_id + b"<", MESSAGE)


@pytest.fixture
def by_the_name_provider(salesforce: SalesforceAdmin) -> Iterator[None]:
    """Have Salesforce post to the address as the documentation spells it, with the literal `provider`."""
    [installed] = salesforce.outbound_messages()
    name, url, fields = installed["name"], installed["url"], installed["fields"]
    literal = url.replace("/integrations/salesforce/", "/integrations/provider/")
    salesforce.put_outbound_message(name, literal, fields)
    yield
    salesforce.put_outbound_message(name, url, fields)
    salesforce.activate_flow(name, 1)  # Muster's own


@pytest.mark.usefixtures("by_the_name_provider")
def test_the_provider_may_be_called_provider(people: People, roster: Roster) -> None:
    ada = people.new()
    assert roster.once_settled(ada.username, active=True)


def test_a_forged_call_gets_the_same_404_whatever_is_wrong_with_it(
    stack: LocalStack, own_message: bytes
) -> None:
    url = stack.webhook_url
    address = url.partition("?")[0]
    forged = [
        post(url.replace("/organizations/acme/", "/organizations/nobody/"), own_message),
        post(url.replace("/integrations/salesforce/", "/integrations/hubspot/"), own_message),
        post(f"{address}?token=guess", own_message),
        post(address, own_message),
        post(f"{url}&token=guess", own_message),
        post(url, MESSAGE),  # of another Salesforce organization
    ]
    assert {answer.status_code for answer in forged} == {404}
    assert len({answer.content for answer in forged}) == 1
    headers = [dict(answer.headers) for answer in forged]
    for each in headers:
        for changing in ("date", "x-amzn-requestid", "x-amz-request-id"):
            each.pop(changing, None)
    assert all(each == headers[0] for each in headers)


NOTIFICATION = re.search(rb"<Notification>.*?</Notification>", MESSAGE, re.DOTALL)
assert NOTIFICATION


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"hello", 400, id="no XML"),
        pytest.param(b"<soapenv:Envelope", 400, id="cut off"),
        pytest.param(MESSAGE.replace(b"Grace", b"Gr\xe4ce"), 400, id="not UTF-8"),
        pytest.param(MESSAGE.replace(b"<soapenv:Env", b"<!DOCTYPE x><soapenv:Env", 1), 400, id="a DTD"),
        pytest.param(
            MESSAGE.replace(NOTIFICATION[0], NOTIFICATION[0] * 101), 400, id="more than 100 notifications"
        ),
        pytest.param(b"<x>" * 200_000, 400, id="too deep"),
        pytest.param(MESSAGE + b" " * 2**20, 413, id="over 1 MiB"),
    ],
)
def test_a_broken_message_is_refused_and_changes_nothing(
    stack: LocalStack, roster: Roster, body: bytes, status: int
) -> None:
    answer = post(stack.webhook_url, body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/xml; charset=utf-8")
    assert b"<Ack>true</Ack>" not in answer.content
    assert roster.once_settled("ada@acme.example") == []
