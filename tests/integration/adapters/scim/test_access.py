"""The token, pace and way to a SCIM target: nothing goes elsewhere, nothing refused goes again (U5, T2)."""

import traceback

import pytest

from muster.crm.scim_attributes import GROUP
from muster.errors import ApiCallsUsedUp, Misconfigured, MusterError, PasswordRefused, Unavailable
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import CANARY, Shelf
from tests.doubles.host import Host
from tests.doubles.login_journal import JournalInMemory
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_target import NAME, ScimTarget, client_at


def test_a_token_that_is_refused_is_sent_once_by_all_processes(target: ScimTarget) -> None:
    """Each client has a process of its own: nothing is shared but the table."""
    shelf, journal = target.shelf(token=CANARY), JournalInMemory()
    for _ in range(5):
        with pytest.raises(PasswordRefused, match=f"401 .* the token in the secret {NAME}") as caught:
            target.client(shelf=shelf, journal=journal).get("Users", "1")
        assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert target.calls() == 1
    assert target.client(shelf=shelf, journal=journal).refusal()
    # Another version of the secret is sent at once.
    assert target.client(journal=journal).get("Users", "1") is None
    assert target.client(journal=journal).refusal() is None


def test_a_token_that_was_renewed_while_it_was_in_use_is_read_once(target: ScimTarget) -> None:
    shelf = target.shelf(token=CANARY)
    client = target.client(shelf=shelf)
    client._calls.token.authorization()
    shelf.secret = {"token": target.token}
    assert client.get("Users", "1") is None
    assert target.calls() == 2


def test_a_token_that_has_become_right_is_sent_again_when_an_admin_asks(target: ScimTarget) -> None:
    shelf, journal = target.shelf(token=CANARY), JournalInMemory()
    with pytest.raises(PasswordRefused):
        target.client(shelf=shelf, journal=journal).get("Users", "1")
    with pytest.raises(PasswordRefused):
        target.client(shelf=shelf, journal=journal).retry_login()
    assert target.calls() == 2
    with pytest.raises(PasswordRefused):
        target.client(shelf=shelf, journal=journal).get("Users", "1")
    assert target.calls() == 2
    control(target.url, "PUT", "token", {"token": CANARY})
    try:
        target.client(shelf=shelf, journal=journal).retry_login()
        assert target.client(shelf=shelf, journal=journal).get("Users", "1") is None
    finally:
        control(target.url, "PUT", "token", {"token": target.token})


def test_a_token_that_expires_on_the_way_is_told(target: ScimTarget) -> None:
    client = target.client()
    assert client.get("Users", "1") is None
    control(target.url, "POST", "token/expire")
    with pytest.raises(PasswordRefused):
        client.get("Users", "1")


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ({"password": "x"}, "lacks token"),
        ({"token": "Bearer abc"}, "holds a blank"),
        ({"token": "a\nb"}, "holds a blank"),
    ],
)
def test_a_secret_that_holds_no_token_is_not_sent(
    target: ScimTarget, secret: dict[str, str], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        target.client(shelf=Shelf(NAME, **secret)).get("Users", "1")
    assert target.calls() == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(target: ScimTarget, host: Host, status: int) -> None:
    host.say({})
    target.quirks(moved_to=host.url, moved_status=status)
    with pytest.raises(MusterError, match=f"{status}, a redirect"):
        target.client().get("Users", "1")
    assert host.calls == []


def test_what_is_sent_says_who_sends_it_and_what_it_takes(host: Host, target: ScimTarget) -> None:
    host.say({"id": "u 1&+/ü"})
    client_at(host.url, target.shelf()).get("Users", "u 1&+/ü")
    (call,) = host.calls
    assert call.environ["REQUEST_URI"] == "/scim/v2/Users/u%201%26%2B%2F%C3%BC"
    assert call.headers["Authorization"] == f"Bearer {target.token}"
    assert call.headers["Accept"] == "application/scim+json"
    assert call.headers["User-Agent"] == "Muster"


# ── Pace ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("quirks", "waits"),
    [({"retry_after": "seconds"}, [3.0]), ({"retry_after": "none"}, [1.0])],
    ids=str,
)
def test_a_call_that_was_one_too_many_is_made_later(
    target: ScimTarget, quirks: dict[str, object], waits: list[float]
) -> None:
    target.quirks(**quirks)
    target.fault("throttle", method="POST", delay_s=3)
    clock = MonotonicClock()
    body = {"schemas": [GROUP], "displayName": "Sales"}
    written = target.client(clock=clock).create("Groups", body)
    assert written.resource is not None
    assert clock.slept == waits


def test_a_date_says_when_to_call_again(target: ScimTarget, host: Host) -> None:
    host.say({}, status=429, headers={"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"})
    with pytest.raises(ApiCallsUsedUp) as caught:
        client_at(host.url, target.shelf()).get("Users", "1")
    assert (caught.value.retry_after or 0) > 3_600
    assert len(host.calls) == 1


@pytest.mark.parametrize("header", ["", "soon", "-1", "1e9", "9999999", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_a_limit_that_stays_used_up_ends_the_tries(target: ScimTarget, host: Host, header: str) -> None:
    host.say("slow down", status=429, headers={"Retry-After": header})
    clock = MonotonicClock()
    with pytest.raises(ApiCallsUsedUp):
        client_at(host.url, target.shelf(), clock=clock).get("Users", "1")
    assert len(host.calls) == 3
    assert all(wait <= 20 for wait in clock.slept)


def test_a_profile_that_knows_a_limit_keeps_its_calls_apart(target: ScimTarget) -> None:
    clock = MonotonicClock()
    client = target.client("github_emu", clock=clock)
    for _ in range(3):
        client.get("Users", "1")
    assert clock.slept == [60 / 16] * 2


def test_a_read_is_tried_again_and_a_target_that_is_down_is_told(target: ScimTarget) -> None:
    client = target.client()
    target.fault("status", status=503, count=2)
    assert client.get("Users", "1") is None
    target.fault("status", status=503, count=9)
    with pytest.raises(Unavailable):
        client.get("Users", "1")
    assert target.calls("/Users") == 6
