"""Logging in to a vault: the right one only, a wrong password once, one session for all (T21, U5, P5)."""

import traceback
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from werkzeug.wrappers import Response

from muster.adapters.vault.login import OF_THIS_PROCESS, Sessions
from muster.errors import Misconfigured, MusterError, PasswordRefused, Unavailable
from sandbox.serving import serve
from sandbox.vault_crm import RunningSandbox
from tests.doubles.credentials import CANARY, Shelf
from tests.doubles.host import answer
from tests.doubles.login_journal import JournalInMemory
from tests.doubles.sandbox_doors import calls, control
from tests.doubles.vault_host import (
    AUTH,
    NAME,
    USERNAME,
    VaultHost,
    client_at,
    credentials,
    failure,
    login_at,
    result,
    shelf_of,
    token,
)

REFUSED = failure("USERNAME_OR_PASSWORD_INCORRECT") | {"errorType": "AUTHENTICATION_FAILED"}


# ── Against the sandbox ─────────────────────────────────────────────────────────────────────────────


def test_a_username_and_a_password_open_a_session(vault: RunningSandbox) -> None:
    assert client_at(vault.url, shelf_of(vault)).me().username == vault.username
    assert calls(vault.url, AUTH) == 1


def test_a_wrong_password_is_sent_once_by_all_processes(vault: RunningSandbox) -> None:
    """Each client has a process of its own: nothing is shared but the table."""
    shelf, journal = credentials(vault.username, "wrong"), JournalInMemory()
    for _ in range(10):
        client = client_at(vault.url, shelf, journal=journal)
        with pytest.raises(PasswordRefused, match=f"secret {NAME}: .*USERNAME_OR_PASSWORD_INCORRECT"):
            client.me()
    assert calls(vault.url, AUTH) == 1
    # Five in a row would have locked the account.
    assert client_at(vault.url, shelf_of(vault), journal=journal).me().username == vault.username


def test_a_password_that_has_become_right_is_sent_again_when_an_admin_asks(vault: RunningSandbox) -> None:
    shelf, journal = credentials(vault.username, "new"), JournalInMemory()
    client = client_at(vault.url, shelf, journal=journal)
    client.retry_login()
    assert calls(vault.url, AUTH) == 0, "nothing was refused yet"
    for _ in range(2):
        with pytest.raises(PasswordRefused):
            client.me()
    with pytest.raises(PasswordRefused):
        client.retry_login()
    assert calls(vault.url, AUTH) == 2
    with pytest.raises(PasswordRefused):
        client.me()
    assert calls(vault.url, AUTH) == 2
    control(vault.url, "PUT", "vault", {"password": "new"})
    client.retry_login()
    assert client.refusal() is None
    assert client_at(vault.url, shelf, journal=journal).me().username == vault.username


def test_a_changed_password_is_tried_at_once(vault: RunningSandbox) -> None:
    shelf = credentials(vault.username, "wrong")
    client = client_at(vault.url, shelf)
    with pytest.raises(Misconfigured):
        client.me()
    shelf.secret["password"] = vault.password
    assert client.me().username == vault.username
    assert calls(vault.url, AUTH) == 2


def test_who_is_let_into_another_vault_is_misconfigured(vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "vault", {"wrong_vault": True})
    with pytest.raises(Misconfigured, match=r"another vault than connections\.vault_crm\.host"):
        client_at(vault.url, shelf_of(vault)).me()
    assert calls(vault.url) == calls(vault.url, AUTH) == 1


def test_a_session_is_opened_anew_after_it_ended(vault: RunningSandbox) -> None:
    client = client_at(vault.url, shelf_of(vault))
    client.me()
    control(vault.url, "POST", "sessions/expire")
    assert client.me().username == vault.username
    assert calls(vault.url, AUTH) == 2


@pytest.mark.parametrize("fault", ["status", "html", "empty", "truncate", "lose_answer"])
def test_a_login_without_an_answer_is_not_made_again(vault: RunningSandbox, fault: str) -> None:
    control(vault.url, "POST", "faults", [{"path": AUTH, "fault": fault}])
    client = client_at(vault.url, shelf_of(vault))
    with pytest.raises(Unavailable):
        client.me()
    assert calls(vault.url, AUTH) == 1
    assert client.me().username == vault.username


# ── Against a host that answers as it is told ───────────────────────────────────────────────────────


def test_a_login_sends_the_credentials_in_the_body_and_says_who_calls(host: VaultHost) -> None:
    host.say(result("1"))
    list(client_at(host.url, client_id="acme-muster").query("SELECT id FROM user__sys"))
    (login,), (call,) = host.logins, host.calls
    assert login.form.to_dict() == {"username": USERNAME, "password": CANARY}
    assert login.content_type == "application/x-www-form-urlencoded"
    assert not login.query_string
    assert login.headers["X-VaultAPI-ClientID"] == call.headers["X-VaultAPI-ClientID"] == "acme-muster"
    assert call.headers["Authorization"] == "session-1"


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("USERNAME_OR_PASSWORD_INCORRECT", "five wrong passwords"),
        ("USER_LOCKED_OUT", "unlock"),
        ("PASSWORD_CHANGE_REQUIRED", "change its password"),
        ("INACTIVE_USER", "activate"),
        ("NO_PASSWORD_PROVIDED", "password into the secret"),
        ("INSUFFICIENT_ACCESS", "API access"),
        ("MALFORMED_URL", "api_version"),
        ("INVALID_SESSION_ID", "api_version"),
        ("CONFIGURATION_MODE_ENABLED", "configuration mode"),
        ("SOMETHING_NEW", "check the integration user"),
    ],
)
def test_a_refused_login_is_made_once_and_says_what_to_do(host: VaultHost, kind: str, remedy: str) -> None:
    host.login = answer(failure(kind))
    shelf = credentials()
    with pytest.raises(Misconfigured, match=f"secret {NAME}: .*{kind}.*{remedy}"):
        login_at(host.url, shelf).authorization()
    assert (len(host.logins), shelf.reads) == (1, 2)


@pytest.mark.parametrize(("kind", "logins"), [("USERNAME_OR_PASSWORD_INCORRECT", 1), ("USER_LOCKED_OUT", 2)])
def test_only_what_locks_an_account_is_remembered(host: VaultHost, kind: str, logins: int) -> None:
    host.login = answer(failure(kind))
    login = login_at(host.url)
    assert login.refusal() is None
    for _ in range(2):
        with pytest.raises(Misconfigured):
            login.authorization()
    assert len(host.logins) == logins
    words = login.refusal()
    assert (words is not None) is (logins == 1)
    assert words is None or "2026-11-21T12:00:00Z" in words


def test_a_refused_password_says_nothing_of_another_users(host: VaultHost) -> None:
    host.login = answer(REFUSED)
    sessions, journal = Sessions(), JournalInMemory()
    for username in (USERNAME, "other@acme.example"):
        with pytest.raises(Misconfigured):
            login_at(host.url, credentials(username), sessions, journal).authorization()
    assert len(host.logins) == 2


@pytest.mark.parametrize("key", ["username", "password"])
def test_credentials_that_changed_are_tried_once_more_and_then_given_up(host: VaultHost, key: str) -> None:
    host.login = answer(REFUSED)
    shelf = credentials()
    login = login_at(host.url, shelf)
    with pytest.raises(Misconfigured):
        login.authorization()
    shelf.secret[key] = "changed"
    with pytest.raises(Misconfigured):
        login.authorization()
    assert (len(host.logins), shelf.reads) == (2, 3)


def test_a_change_of_something_else_in_the_secret_is_no_reason_to_try_again(host: VaultHost) -> None:
    host.login = answer(failure("USER_LOCKED_OUT"))
    shelf = credentials(note="old")
    login = login_at(host.url, shelf)
    with pytest.raises(Misconfigured):
        login.authorization()
    shelf.secret["note"] = "new"
    with pytest.raises(Misconfigured):
        login.authorization()
    assert len(host.logins) == 2


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (answer(failure("API_LIMIT_EXCEEDED")), 60),
        (answer(failure("API_LIMIT_EXCEEDED"), headers={"Retry-After": "7"}), 7),
        (answer("slow down", 429), 60),
        (answer(failure("UNEXPECTED_ERROR", status="EXCEPTION")), None),
        (answer(failure("UNEXPECTED_ERROR")), None),
        (answer("busy", 503, {"X-VaultAPI-DowntimeExpectedDurationMinutes": "30"}), 1_800),
        (answer("busy", 503, {"Retry-After": "9"}), 9),
        (answer({"responseStatus": "SUCCESS"}), None),
        (answer({"responseStatus": "SUCCESS", "sessionId": "a b", "vaultId": 1, "vaultIds": []}), None),
    ],
)
def test_a_login_that_may_pass_later_is_unavailable(
    host: VaultHost, said: Response, wait: float | None
) -> None:
    host.login = said
    with pytest.raises(Unavailable) as error:
        login_at(host.url).authorization()
    assert (len(host.logins), error.value.retry_after) == (1, wait)


def vaults(*urls: str) -> list[dict[str, object]]:
    return [{"id": 2001 + index, "name": "V", "url": url} for index, url in enumerate(urls)]


@pytest.mark.parametrize(
    "changes",
    [
        {"vaultIds": vaults("https://other-crm.veevavault.com/api")},
        {"vaultId": 2002},
        {"vaultIds": []},
        {"vaultIds": [{"id": 2001, "name": "V"}]},
        {"vaultIds": ["2001"]},
        {"vaultIds": vaults("HOST.evil.example/api")},
        {"vaultIds": vaults("https://evil.example/HOST/api")},
    ],
)
def test_only_the_vault_of_the_settings_is_let_through(host: VaultHost, changes: dict[str, Any]) -> None:
    host.login = host.session(**changes)
    with pytest.raises(Misconfigured, match="another vault"):
        login_at(host.url).authorization()
    assert len(host.logins) == 1


def test_the_vault_among_others_is_found_by_its_id(host: VaultHost) -> None:
    others = vaults("https://other-crm.veevavault.com/api", f"{host.url.upper()}/api")
    host.login = host.session(vaultIds=others, vaultId=2002)
    assert login_at(host.url).authorization() == "session-0"


@pytest.mark.parametrize("missing", [{"username": ""}, {"password": " "}])
def test_a_secret_that_lacks_something_says_what(host: VaultHost, missing: dict[str, str]) -> None:
    shelf = credentials()
    shelf.secret |= missing
    with pytest.raises(Misconfigured, match=f"secret {NAME} lacks {next(iter(missing))}; write"):
        login_at(host.url, shelf).authorization()
    assert not host.logins


def test_without_the_name_of_a_secret_nothing_is_called(host: VaultHost) -> None:
    with pytest.raises(Misconfigured, match=r"connections\.vault_crm\.secret names"):
        login_at(host.url, secret=None).authorization()
    assert not host.logins


def test_clients_with_one_version_of_one_secret_share_a_session(host: VaultHost) -> None:
    sessions = Sessions()
    first, second = (login_at(host.url, credentials(), sessions) for _ in range(2))
    other = login_at(host.url, credentials("other@acme.example"), sessions)
    assert first.authorization() == second.authorization() == "session-1"
    assert other.authorization() == "session-2"


@pytest.mark.parametrize("username", [USERNAME, USERNAME.upper()])
@pytest.mark.parametrize("name", ["muster/globex/vault_crm", "muster/acme/another"])
def test_who_knows_a_username_alone_is_not_let_in_on_a_session(
    host: VaultHost, name: str, username: str
) -> None:
    """Any organization may name any host, and any user in a secret of its own (U5)."""
    sessions = Sessions()
    assert login_at(host.url, sessions=sessions).authorization() == "session-1"
    host.login = answer(REFUSED)
    eve = login_at(host.url, Shelf(name, username=username, password="-"), sessions, secret=name)  # noqa: S106
    with pytest.raises(Misconfigured, match="USERNAME_OR_PASSWORD_INCORRECT"):
        eve.authorization()
    assert len(host.logins) == 2


def test_organizations_share_no_session_even_by_the_same_credentials(host: VaultHost) -> None:
    sessions, name = Sessions(), "muster/globex/vault_crm"
    acme = login_at(host.url, sessions=sessions)
    globex = login_at(host.url, Shelf(name, username=USERNAME, password=CANARY), sessions, secret=name)
    assert (acme.authorization(), globex.authorization()) == ("session-1", "session-2")
    assert (acme.authorization(), globex.authorization()) == ("session-1", "session-2")


def test_a_session_ends_with_the_version_of_the_secret_that_opened_it(host: VaultHost) -> None:
    """A password that is wrong by now is noticed, not outlived (U5)."""
    shelf, sessions = credentials(), Sessions()
    login = login_at(host.url, shelf, sessions)
    assert login.authorization() == login.authorization() == "session-1"
    host.login = answer(REFUSED)
    shelf.secret["password"] = "a typo"  # noqa: S105 - of a test
    with pytest.raises(Misconfigured, match="USERNAME_OR_PASSWORD_INCORRECT"):
        login_at(host.url, shelf, sessions).authorization()


def test_each_version_of_a_secret_is_sent_once(host: VaultHost) -> None:
    """Whoever writes the same password again says so, for it may have become right in the vault (U5)."""
    host.login = answer(REFUSED)
    shelf, journal = credentials(), JournalInMemory()
    for note in ("old", "new", "new"):
        shelf.secret["note"] = note
        with pytest.raises(Misconfigured):
            login_at(host.url, shelf, journal=journal).authorization()
    assert len(host.logins) == 2
    assert {refused.connection for refused in journal.refusals} == {"vault_crm"}
    assert not journal.under_way


def test_a_client_uses_the_sessions_of_its_process(host: VaultHost) -> None:
    host.say(result())
    for _ in range(2):
        list(
            client_at(host.url, credentials("process@acme.example"), sessions=OF_THIS_PROCESS).query(
                "SELECT id"
            )
        )
    assert len(host.logins) == 1


def test_only_the_session_that_ended_is_forgotten(host: VaultHost) -> None:
    sessions = Sessions()
    first, second = login_at(host.url, sessions=sessions), login_at(host.url, sessions=sessions)
    ended = first.authorization()
    assert second.authorization() == ended
    first.forget(ended)
    assert first.authorization() == "session-2"
    second.forget(ended)  # it learns later; the new session is not touched
    assert second.authorization() == "session-2"
    assert len(host.logins) == 2


@pytest.mark.parametrize("refused", [False, True])
def test_who_comes_while_another_logs_in_waits_for_that(refused: bool) -> None:
    """Four at once, while the first one's answer is held back: one login, whether it succeeds or not."""
    let_go, asked = Event(), Event()

    class Slow(VaultHost):
        def __call__(self, environ: Any, start_response: Any) -> Any:
            asked.set()
            assert let_go.wait(30)
            self.login = answer(REFUSED) if refused else None
            return super().__call__(environ, start_response)

    host, sessions, journal = Slow(), Sessions(), JournalInMemory()

    def session_id(number: int) -> str:
        try:
            return login_at(host.url, sessions=sessions, journal=journal).authorization()
        except Misconfigured as error:
            return str(error)

    with serve(host, threads=8) as host.url, ThreadPoolExecutor(4) as pool:
        found = [pool.submit(session_id, number) for number in range(4)]
        assert asked.wait(30)
        let_go.set()
        said = {each.result(30) for each in found}
    assert len(host.logins) == 1
    # Who sent it quotes the answer, the others when it came.
    assert len(said) == (2 if refused else 1)
    assert all(("USERNAME_OR_PASSWORD_INCORRECT" in each) is refused for each in said)


@pytest.mark.parametrize(
    "said",
    [
        answer(failure("USERNAME_OR_PASSWORD_INCORRECT", f"{USERNAME} {CANARY}")),
        answer(failure("SOMETHING_NEW", f"{USERNAME} {CANARY}")),
        answer(f"{USERNAME} {CANARY}", 500),
        answer({"responseStatus": "SUCCESS", "sessionId": CANARY, "vaultId": 1, "vaultIds": []}),
        answer({"responseStatus": "SUCCESS", "sessionId": [CANARY]}),
    ],
)
def test_no_credential_is_told(host: VaultHost, said: Response, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    host.login = said
    login = login_at(host.url)
    with pytest.raises(MusterError) as error:
        login.authorization()
    told = "".join(traceback.format_exception(error.value)) + caplog.text + repr(vars(login))
    assert CANARY not in told
    assert USERNAME not in told


def test_a_host_that_is_down_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"ConnectionError.*connections\.vault_crm\.host"):
        login_at("http://127.0.0.1:1").authorization()


# ── Access tokens ───────────────────────────────────────────────────────────────────────────────────


def test_an_access_token_is_sent_in_place_of_a_session(vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "vault", {"access_tokens": [f"veeva-vault-{CANARY}"]})
    client = client_at(vault.url, token())
    client.log_in()
    assert client.me().username == vault.username
    assert client.refusal() is None
    assert calls(vault.url, AUTH) == 0


def test_an_access_token_that_has_ended_is_looked_for_anew_once(vault: RunningSandbox) -> None:
    shelf = token()
    client = client_at(vault.url, shelf)
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"does not accept the access token.*v26\.1"):
            client.me()
    assert (calls(vault.url), shelf.reads) == (2, 3)
    control(vault.url, "PUT", "vault", {"access_tokens": ["veeva-vault-new"]})
    shelf.secret["access_token"] = "veeva-vault-new"  # noqa: S105 - of a test
    assert client.me().username == vault.username


def test_from_a_refused_password_to_an_access_token(vault: RunningSandbox) -> None:
    shelf = credentials(vault.username, "wrong")
    client = client_at(vault.url, shelf)
    with pytest.raises(PasswordRefused):
        client.me()
    control(vault.url, "PUT", "vault", {"access_tokens": ["veeva-vault-new"]})
    shelf.secret["access_token"] = "veeva-vault-new"  # noqa: S105 - of a test
    assert client.me().username == vault.username
    assert calls(vault.url, AUTH) == 1


def test_what_is_no_access_token_is_sent_nowhere_and_told_nowhere(host: VaultHost) -> None:
    login = login_at(host.url, token(f"session {CANARY}"))
    with pytest.raises(Misconfigured, match="begin with veeva-vault-") as error:
        login.authorization()
    assert CANARY not in str(error.value) + repr(vars(login))
    with pytest.raises(Misconfigured, match="lacks access_token"):
        login_at(host.url, token("")).authorization()
    assert not host.logins


def test_a_login_by_token_says_so(host: VaultHost) -> None:
    login = login_at(host.url, token())
    assert login.by_token
    assert login.authorization() == f"Bearer veeva-vault-{CANARY}"
    assert not login_at(host.url).by_token
