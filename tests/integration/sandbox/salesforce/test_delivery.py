import math
import socket
from threading import Event

import pytest

from sandbox.salesforce import DeliverySettings
from tests.doubles.receiver import ACK, Answer, Receiver
from tests.doubles.salesforce_over_http import Organization, wait_for

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"


def ack(
    value: str = "true",
    *,
    soap: str = SOAP,
    outbound: str = OUTBOUND,
    response: str = "notificationsResponse",
    start: str = "",
) -> bytes:
    return (
        f'{start}<e:Envelope xmlns:e="{soap}"><e:Body><{response} xmlns="{outbound}">'
        f"<Ack>{value}</Ack></{response}></e:Body></e:Envelope>"
    ).encode()


FAULT = (
    f'<e:Envelope xmlns:e="{SOAP}"><e:Body><e:Fault><faultcode>e:Server</faultcode>'
    "<faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>"
).encode()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer("503 Service Unavailable", ack("false")), "status 503"),
        (Answer("500 Internal Server Error"), "status 500"),
        (Answer("202 Accepted"), "status 202"),
        (Answer("204 No Content", b""), "status 204"),
        (Answer("302 Found", b"", (("Location", "/"),)), "status 302"),
        (Answer("404 Not Found"), "status 404"),
        (Answer(body=b""), "Content is not allowed in prolog"),
        (Answer(body=b"OK"), "Content is not allowed in prolog"),
        (Answer(body=b'{"Ack": true}'), "Content is not allowed in prolog"),
        (Answer(body=b"\n" + ACK), "Content is not allowed in prolog"),
        (Answer(body=b"\xef\xbb\xbf" + ACK), "Content is not allowed in prolog"),
        (Answer(body=HTML), "the answer is not well-formed XML"),
        (Answer(body=ACK[:-1]), "the answer is not well-formed XML"),
        (Answer(body=b"<Ack>true</Ack>"), "no notificationsResponse with an Ack in the answer"),
        (Answer(body=ack(soap=SOAP + "x")), "no notificationsResponse with an Ack in the answer"),
        (Answer(body=ack(outbound=OUTBOUND + "x")), "no notificationsResponse with an Ack in the answer"),
        (Answer(body=ack(response="notifications")), "no notificationsResponse with an Ack in the answer"),
        (Answer(body=FAULT), "SOAP fault"),
        (Answer(body=ack("false")), "Ack is not true"),
        (Answer(body=ack("")), "Ack is not true"),
        (Answer(body=ack("True")), "Ack is not true"),
    ],
)
def test_anything_but_an_acknowledgement_is_tried_again(
    org: Organization, receiver: Receiver, receiver_url: str, answer: Answer, reason: str
) -> None:
    receiver.answers = [answer]
    org.install(receiver_url, "LastName")
    org.create()
    first, second = receiver.messages(2)
    assert first == second
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    report = org.deliveries()
    assert [(each["outcome"], each["reason"]) for each in report["attempts"]] == [
        ("failed", reason),
        ("delivered", None),
    ]
    assert report["attempts"][0]["status"] == int(answer.status[:3])
    assert report["pending"] == 0


@pytest.mark.parametrize("body", [ACK, ack(), ack("1"), ack(" true\n"), ack(start="<!-- hello -->")])
def test_an_acknowledgement_may_be_written_in_any_valid_way(
    org: Organization, receiver: Receiver, receiver_url: str, body: bytes
) -> None:
    receiver.answers = [Answer(body=body)]
    org.install(receiver_url)
    org.create()
    receiver.messages(1)
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    assert len(org.deliveries()["attempts"]) == 1


def test_one_refusal_sends_the_whole_batch_again_under_the_same_ids(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    receiver.answers = [Answer(body=ack("false")), Answer("500 Internal Server Error")]
    org.install(receiver_url)
    org.deliver(hold=True)
    users = [org.create() for _ in range(3)]
    org.deliver(hold=False)
    first, second, third = receiver.messages(3)
    assert first.ids == second.ids == third.ids
    assert [fields["Id"] for fields in first.fields] == users


def test_a_retry_carries_what_is_latest_then(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    user = org.create(Title="Rep")

    def change() -> None:
        org.update(user, Title="Head")

    receiver.answers = [Answer("503 Service Unavailable", before=change)]
    org.install(receiver_url, "Title")
    org.update(user, Title="Lead")
    messages = receiver.wait_for_notifications(3)
    titles = [fields["Title"] for message in messages for fields in message.fields]
    assert titles[0] == "Lead"
    assert set(titles[1:]) == {"Head"}


def test_a_lost_acknowledgement_means_the_same_notifications_again(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    answered = Event()
    # The receiver has the message, but its answer comes too late.
    receiver.answers = [Answer(before=answered.wait)]
    org.deliver(timeout_s=0.5)
    org.install(receiver_url, "LastName")
    org.create()
    first, second = receiver.messages(2)
    answered.set()
    assert first == second
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    assert [each["reason"] for each in org.deliveries()["attempts"]] == ["timed out", None]


def test_an_absent_receiver_is_tried_until_it_is_back(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/?token=secret"
        org.install(nobody)
        org.create()
        wait_for(lambda: len(org.deliveries()["attempts"]) >= 2)
    attempt = org.deliveries()["attempts"][0]
    assert (attempt["status"], attempt["reason"]) == (None, "no answer: ConnectionError")
    org.install(receiver_url)
    receiver.messages(1)
    wait_for(lambda: org.deliveries()["delivered"] == 1)


def test_what_is_too_old_is_dropped(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    receiver.answers = [Answer("503 Service Unavailable")] * 1000
    org.install(receiver_url)
    org.create()
    receiver.wait(2)
    org.deliver(drop_after_s=0)
    wait_for(lambda: org.deliveries()["dropped"] == 1)
    report = org.deliveries()
    assert (report["pending"], report["delivered"]) == (0, 0)
    assert {each["outcome"] for each in report["attempts"]} == {"failed"}


def test_what_is_held_too_long_is_dropped_unsent(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.deliver(hold=True, drop_after_s=0.1)
    org.install(receiver_url)
    org.create()
    wait_for(lambda: org.deliveries()["dropped"] == 1)
    assert receiver.received == []


def test_the_gap_between_tries_grows_up_to_a_maximum() -> None:
    real = DeliverySettings()
    assert [real.retry_gap(attempts) for attempts in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert real.retry_gap(11) == 5120
    assert real.retry_gap(12) == real.retry_gap(10_000) == 2 * 60 * 60
    quick = DeliverySettings(first_retry_s=1, retry_factor=10, max_retry_s=50)
    assert [quick.retry_gap(attempts) for attempts in (1, 2, 3)] == [1, 10, 50]
    assert math.isfinite(DeliverySettings(retry_factor=10, max_retry_s=1e300).retry_gap(10_000))


def test_the_defaults_are_the_real_ones() -> None:
    real = DeliverySettings()
    assert (real.timeout_s, real.max_retry_s, real.drop_after_s, real.batch_size) == (60, 7200, 86400, 100)


def test_a_failed_message_does_not_hold_up_the_others(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    receiver.answers = [Answer("503 Service Unavailable")]
    org.deliver(first_retry_s=3600, max_retry_s=3600, batch_size=1)
    org.install(receiver_url)
    first = org.create()
    receiver.messages(1)
    second = org.create()
    messages = receiver.messages(2)
    assert [message.fields[0]["Id"] for message in messages] == [first, second]
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    assert org.deliveries()["pending"] == 1


def test_the_report_shows_bodies_only_when_asked(
    org: Organization, receiver: Receiver, receiver_url: str
) -> None:
    org.install(receiver_url, "LastName")
    user = org.create(LastName="Hopper")
    (received,) = receiver.wait(1)
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    (attempt,) = org.deliveries()["attempts"]
    assert "Hopper" not in str(attempt)
    assert "secret" not in str(attempt)
    assert attempt["records"] == [user]
    assert attempt["notifications"] == received.message.ids
    (attempt,) = org.control("GET", "outbound-message/deliveries?bodies=true")["attempts"]
    assert attempt["body"].encode() == received.body


def test_a_reset_forgets_what_is_under_way(org: Organization, receiver: Receiver, receiver_url: str) -> None:
    answered = Event()
    receiver.answers = [Answer("503 Service Unavailable", before=answered.wait)]
    org.install(receiver_url)
    org.create()
    receiver.messages(1)
    org.control("POST", "reset")
    answered.set()
    user = org.create()
    messages = receiver.messages(2)
    assert messages[1].fields == [{"Id": user}]
    wait_for(lambda: org.deliveries()["delivered"] == 1)
    assert [each["outcome"] for each in org.deliveries()["attempts"]] == ["delivered"]
