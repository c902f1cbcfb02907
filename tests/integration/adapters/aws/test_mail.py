"""Mails through SES: what is sent, and whose fault it is when nothing is (N1)."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from muster import bootstrap
from muster.adapters.aws.mail import Mail
from muster.errors import Misconfigured, MusterError, Rejected, Unavailable
from tests.simulation.harness.faults import Fault, Wire, these

SENDER, GRACE = "muster@acme.example", "grace@acme.example"
CONTENT = {"subject": "Zoë has joined", "text": "- Zoë\n", "html": "<b>Zoë</b>"}


@pytest.fixture
def client(aws: SimpleNamespace) -> Any:
    """Return a client of an SES that has verified the sender's domain; it tries once."""
    client = boto3.client("sesv2", config=Config(retries={"total_max_attempts": 1}))
    client.create_email_identity(EmailIdentity="acme.example")
    return client


def sent() -> list[Any]:
    """Return what SES has sent."""
    messages: list[Any] = get_backend("ses")[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages
    return messages


def test_a_mail_goes_from_mail_from_to_one_address(client: Any) -> None:
    wire = Wire(client)
    Mail(client, SENDER).send(GRACE, **CONTENT)
    [message] = sent()
    assert (message.source, message.destinations) == (SENDER, {"ToAddresses": [GRACE]})
    assert (message.subject, message.body) == (CONTENT["subject"], CONTENT["html"])
    # moto forgets the text beside the HTML.
    [call] = wire.calls
    assert call.parameters["Content"]["Simple"]["Body"]["Text"] == {
        "Data": CONTENT["text"],
        "Charset": "UTF-8",
    }


def test_an_unverified_sender_is_refused_without_quoting_anyone(client: Any) -> None:
    with pytest.raises(Rejected) as caught:
        Mail(client, "muster@other.example").send(GRACE, **CONTENT)
    assert "MessageRejected" in str(caught.value)
    assert "@" not in str(caught.value)
    assert "Verify MailFrom" in caught.value.problems[0].remedy
    assert not sent()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("MessageRejected", Rejected),
        ("BadRequestException", Rejected),
        ("MailFromDomainNotVerifiedException", Misconfigured),
        ("AccountSuspendedException", Misconfigured),
        ("SendingPausedException", Misconfigured),
        ("NotFoundException", Misconfigured),
        ("AccessDeniedException", Misconfigured),
        ("TooManyRequestsException", Unavailable),
        ("LimitExceededException", Unavailable),
        ("InternalFailure", Unavailable),
    ],
)
def test_refusals_are_told_apart_and_quote_nobody(client: Any, code: str, error: type[MusterError]) -> None:
    def refuse(**_: object) -> object:
        message = {"Error": {"Code": code, "Message": f"{GRACE} is refused"}, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=400), message

    client.meta.events.register("before-call", refuse)
    with pytest.raises(error, match=code) as caught:
        Mail(client, SENDER).send(GRACE, **CONTENT)
    assert type(caught.value) is error
    assert GRACE not in str(caught.value)


@pytest.mark.parametrize(("kind", "arrives"), [("down", 0), ("mute", 1)])
def test_without_an_answer_it_may_have_been_sent(client: Any, kind: str, arrives: int) -> None:
    Wire(client).plan = these(Fault(1, kind))
    with pytest.raises(Unavailable):
        Mail(client, SENDER).send(GRACE, **CONTENT)
    assert len(sent()) == arrives


@pytest.mark.parametrize("sender", [None, ""])
def test_without_mail_from_there_are_no_mails(
    aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, sender: str | None
) -> None:
    monkeypatch.delenv("MAIL_FROM", raising=False)
    if sender is not None:
        monkeypatch.setenv("MAIL_FROM", sender)
    assert bootstrap.mail() is None


def test_mails_come_from_the_templates_mail_from(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_FROM", SENDER)
    mail = bootstrap.mail()
    assert mail is not None
    mail.send(GRACE, **CONTENT)
    assert [message.source for message in sent()] == [SENDER]
