"""A vault that is misconfigured, busy or ill: told apart, tried again or not, and never told on (P5, T2)."""

import traceback

import pytest

from muster.errors import Misconfigured, MusterError, Unavailable
from sandbox.vault_crm import RunningSandbox
from tests.doubles.clocks import MonotonicClock
from tests.doubles.credentials import CANARY
from tests.doubles.sandbox_doors import calls, control
from tests.doubles.vault_host import VaultHost, client_at, client_of, failure, ids_of, result

QUERY = "/api/v26.1/query"
ME = "/api/v26.1/objects/users/me"
REPS = "SELECT id, email__sys FROM user__sys WHERE company__sys = 'Acme'"


# ── Faults of the connection ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("INSUFFICIENT_ACCESS", "API access"),
        ("INACTIVE_USER", "activate"),
        ("CONFIGURATION_MODE_ENABLED", "configuration mode"),
        ("MALFORMED_URL", "api_version"),
        ("METHOD_NOT_SUPPORTED", "api_version"),
    ],
)
def test_what_an_admin_has_to_mend_is_not_tried_again(host: VaultHost, kind: str, remedy: str) -> None:
    host.say(failure(kind), headers={"X-VaultAPI-ExecutionId": "e-4711"})
    with pytest.raises(Misconfigured, match=rf"Vault CRM answered {kind} \(execution e-4711\): .*{remedy}"):
        client_at(host.url).me()
    assert len(host.calls) == 1


def test_without_api_access_every_call_says_so(vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "permissions", {"api_access": False})
    with pytest.raises(Misconfigured, match=r"INSUFFICIENT_ACCESS.*API access"):
        client_of(vault).me()


def test_a_session_that_is_never_known_is_a_hint_about_the_version_and_no_loop(host: VaultHost) -> None:
    host.say(failure("INVALID_SESSION_ID"))
    with pytest.raises(Misconfigured, match=r"connections\.vault_crm\.api_version, v26\.1"):
        client_at(host.url).me()
    assert (len(host.calls), len(host.logins)) == (2, 2)


@pytest.mark.parametrize("ended", [1, 2])
def test_a_session_that_ended_at_a_later_call_is_opened_anew(host: VaultHost, ended: int) -> None:
    following = f"{QUERY}/x"
    answers = [result("1", total=2, following=following), result("2", total=2)]
    answers.insert(ended - 1, failure("INVALID_SESSION_ID"))
    host.say(*answers)
    assert ids_of(client_at(host.url).query(REPS)) == ["1", "2"]
    sent = [call.headers["Authorization"] for call in host.calls]
    assert sent == ["session-1"] * ended + ["session-2"] * (3 - ended)
    # The call that is made again is the same call, form and all.
    assert host.calls[ended - 1].full_path == host.calls[ended].full_path
    assert host.calls[ended - 1].form == host.calls[ended].form


def test_tries_are_three_with_growing_waits(host: VaultHost) -> None:
    host.say("", status=503)
    clock = MonotonicClock()
    with pytest.raises(Unavailable, match="answered 503"):
        client_at(host.url, clock=clock, backoff_s=4).me()
    assert len(host.calls) == 3
    first, second = clock.slept
    assert 4 <= first <= 12
    assert 8 <= second <= 20


@pytest.mark.parametrize(
    ("headers", "slept", "tries", "wait"),
    [
        ({"Retry-After": "15"}, [15, 15], 3, 15),
        ({"Retry-After": "21"}, [], 1, 21),
        ({"X-VaultAPI-DowntimeExpectedDurationMinutes": "45"}, [], 1, 2_700),
    ],
)
def test_a_wait_that_is_asked_for_is_kept_or_left_to_the_caller(
    host: VaultHost, headers: dict[str, str], slept: list[float], tries: int, wait: float
) -> None:
    host.say("", status=503, headers=headers)
    clock = MonotonicClock()
    with pytest.raises(Unavailable) as error:
        client_at(host.url, clock=clock, backoff_s=0).me()
    assert (clock.slept, len(host.calls), error.value.retry_after) == (slept, tries, wait)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<html>Sign in</html>", 200),
        ("", 200),
        ("null", 200),
        ("[]", 200),
        ("{}", 200),
        ({"responseStatus": "FAILURE"}, 200),
        ({"responseStatus": "FAILURE", "errors": []}, 200),
        ({"responseStatus": "FAILURE", "errors": [{"type": "ada@acme.example"}]}, 200),
        ({"responseStatus": "EXCEPTION"}, 200),
        ({"responseStatus": "DONE"}, 200),
        ({"responseStatus": "SUCCESS"}, 500),
        ({"responseStatus": "SUCCESS"}, 403),
        ("<html>Forbidden</html>", 403),
        ({"responseStatus": "SUCCESS", "users": []}, 200),
    ],
)
def test_what_is_no_answer_of_the_api_is_unavailable(host: VaultHost, body: object, status: int) -> None:
    host.say(body, status=status)
    with pytest.raises(Unavailable) as error:
        client_at(host.url).me()
    assert "ada" not in str(error.value)


def test_an_address_that_is_not_there_is_misconfigured(host: VaultHost) -> None:
    host.say("<html>Not found</html>", status=404)
    with pytest.raises(Misconfigured, match="api_version and host"):
        client_at(host.url).me()


def test_neither_session_nor_password_nor_query_is_told(
    host: VaultHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    asked = "SELECT id FROM user__sys WHERE email__sys = 'ada@acme.example'"
    for body, status in (
        ("", 500),
        ("<html>ada@acme.example</html>", 200),
        (failure("INVALID_DATA", asked), 200),
    ):
        host.say(body, status=status)
        client = client_at(host.url)
        with pytest.raises(MusterError) as error:
            list(client.query(asked))
        told = "".join(traceback.format_exception(error.value)) + caplog.text
        for secret in (CANARY, "session-", "ada@acme.example"):
            assert secret not in told


# ── The burst limit ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"X-VaultAPI-BurstLimit": "2000", "X-VaultAPI-BurstLimitRemaining": "200"}, []),
        ({"X-VaultAPI-BurstLimit": "2000", "X-VaultAPI-BurstLimitRemaining": "150"}, [2.0]),
        ({"x-vaultapi-burstlimit": "2000", "x-vaultapi-burstlimitremaining": "20"}, [15.0]),
        ({"X-VaultAPI-BurstLimitRemaining": "30"}, [10.0]),
        ({"X-VaultAPI-BurstLimitRemaining": "1900", "X-VaultAPI-ResponseDelay": "500"}, [0.5]),
        ({"X-VaultAPI-BurstLimitRemaining": "many", "X-VaultAPI-BurstLimit": "-1"}, []),
        ({}, []),
    ],
)
def test_calls_are_paced_by_what_is_left(
    host: VaultHost, headers: dict[str, str], slept: list[float]
) -> None:
    host.say(result(), headers=headers)
    clock = MonotonicClock()
    client = client_at(host.url, clock=clock)
    list(client.query(REPS))
    assert not clock.slept
    list(client.query(REPS))
    assert clock.slept == slept


def test_time_that_passed_anyway_is_no_time_to_wait(host: VaultHost) -> None:
    host.say(result(), headers={"X-VaultAPI-BurstLimit": "2000", "X-VaultAPI-BurstLimitRemaining": "20"})
    clock = MonotonicClock()
    client = client_at(host.url, clock=clock)
    list(client.query(REPS))
    clock.now += 14
    list(client.query(REPS))
    clock.now += 15
    list(client.query(REPS))
    assert clock.slept == [1.0]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-VaultAPI-BurstLimit": "2000", "X-VaultAPI-BurstLimitRemaining": "0"},
        {"X-VaultAPI-ResponseDelay": "500"},
    ],
)
def test_a_long_wait_is_the_callers_and_nothing_is_called_meanwhile(
    host: VaultHost, headers: dict[str, str]
) -> None:
    host.say(result(), headers=headers)
    clock = MonotonicClock()
    client = client_at(host.url, clock=clock)
    list(client.query(REPS))
    clock.now += 100
    with pytest.raises(Unavailable, match="five minutes") as error:
        list(client.query(REPS))
    assert (len(host.calls), error.value.retry_after, clock.slept) == (1, 200, [])
    clock.now += 200
    list(client.query(REPS))
    assert len(host.calls) == 2


def test_the_limit_on_logins_is_another(host: VaultHost) -> None:
    host.login = host.session()
    host.login.headers["X-VaultAPI-BurstLimit"] = "20"
    host.login.headers["X-VaultAPI-BurstLimitRemaining"] = "0"
    host.say(result())
    clock = MonotonicClock()
    list(client_at(host.url, clock=clock).query(REPS))
    assert not clock.slept


def test_a_vault_that_has_begun_to_delay_is_left_in_peace(vault: RunningSandbox) -> None:
    client = client_of(vault)
    client.me()
    control(vault.url, "PUT", "burst", {"limit": 1})
    client.me()
    before = calls(vault.url, ME)
    with pytest.raises(Unavailable, match="Vault CRM"):
        client.me()
    assert calls(vault.url, ME) == before
