"""The sandbox vault's door: logins, sessions, versions, and what every answer says in its headers."""

from typing import Any

import pytest

from sandbox.vault_crm.login import OTHER_VAULT
from tests.doubles.vault_in_process import VaultInProcess

WRONG, ANOTHER = "wrong", "another"  # passwords


def kinds(answer: Any) -> list[str]:
    return [error["type"] for error in answer["errors"]]


def test_a_login_says_which_vault_was_entered_and_where_it_is(vault: VaultInProcess) -> None:
    answer = vault.log_in()
    (entered,) = [each for each in answer["vaultIds"] if each["id"] == answer["vaultId"]]
    assert entered["url"] == "http://localhost/api"
    assert answer["vaultId"] == vault.vault.id
    assert vault.call("GET", "/objects/users/me")["users"][0]["user"]["id"] == answer["userId"]


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_a_session_is_sent_bare_or_as_a_bearer(vault: VaultInProcess, prefix: str) -> None:
    answer = vault.call("POST", "/keep-alive", headers={"Authorization": prefix + vault.session})
    assert answer == {"responseStatus": "SUCCESS"}


@pytest.mark.parametrize("credentials", [{"username": "else@acme.example"}, {"password": WRONG}])
def test_wrong_credentials_are_refused_with_200(vault: VaultInProcess, credentials: dict[str, str]) -> None:
    answer = vault.log_in(**credentials)
    assert answer["responseStatus"] == "FAILURE"
    assert kinds(answer) == ["USERNAME_OR_PASSWORD_INCORRECT"]
    assert answer["errorType"] == "AUTHENTICATION_FAILED"


def test_five_wrong_passwords_lock_the_account(vault: VaultInProcess) -> None:
    for _ in range(5):
        vault.log_in(password=WRONG)
    assert kinds(vault.log_in()) == ["USER_LOCKED_OUT"]
    vault.control("PUT", "vault", {"locked": False})
    assert vault.log_in()["responseStatus"] == "SUCCESS"


def test_a_right_password_starts_the_count_anew(vault: VaultInProcess) -> None:
    for _ in range(2):
        for _ in range(4):
            vault.log_in(password=WRONG)
        assert vault.log_in()["responseStatus"] == "SUCCESS"


@pytest.mark.parametrize(
    ("setting", "kind"),
    [({"password_change_required": True}, "PASSWORD_CHANGE_REQUIRED"), ({"locked": True}, "USER_LOCKED_OUT")],
)
def test_an_admin_can_bar_the_login(vault: VaultInProcess, setting: dict[str, bool], kind: str) -> None:
    vault.control("PUT", "vault", setting)
    assert kinds(vault.log_in()) == [kind]


def test_no_password_is_an_error_of_its_own(vault: VaultInProcess) -> None:
    assert kinds(vault.log_in(password="")) == ["NO_PASSWORD_PROVIDED"]


def test_an_inactive_user_cannot_log_in(vault: VaultInProcess) -> None:
    vault.update("10000", status__v="inactive__v")
    assert kinds(vault.log_in()) == ["INACTIVE_USER"]


def test_the_wrong_vault_answers_success_and_a_session_that_is_no_use_here(vault: VaultInProcess) -> None:
    vault.control("PUT", "vault", {"wrong_vault": True})
    answer = vault.log_in()
    assert answer["responseStatus"] == "SUCCESS"
    assert answer["vaultId"] == OTHER_VAULT["id"]
    assert OTHER_VAULT in answer["vaultIds"]
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]


def test_another_vaults_host_in_the_form_leads_there(vault: VaultInProcess) -> None:
    assert vault.log_in(vaultDNS="localhost")["vaultId"] == vault.vault.id
    assert vault.log_in(vaultDNS="elsewhere.veevavault.com")["vaultId"] == OTHER_VAULT["id"]


def test_a_changed_password_ends_sessions_until_the_reset(vault: VaultInProcess) -> None:
    first = vault.vault.password
    vault.control("PUT", "vault", {"password": ANOTHER})
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]
    assert kinds(vault.log_in(password=first)) == ["USERNAME_OR_PASSWORD_INCORRECT"]
    assert vault.log_in(password=ANOTHER)["responseStatus"] == "SUCCESS"
    vault.control("POST", "reset")
    assert vault.log_in(password=first)["responseStatus"] == "SUCCESS"


def test_an_access_token_is_accepted_as_a_bearer_until_the_reset(vault: VaultInProcess) -> None:
    vault.control("PUT", "vault", {"access_tokens": ["veeva-vault-1"]})
    for session, outcome in (
        ("Bearer veeva-vault-1", "SUCCESS"),
        ("veeva-vault-1", "FAILURE"),
        ("Bearer veeva-vault-2", "FAILURE"),
    ):
        vault.session = session
        assert vault.call("GET", "/objects/users/me")["responseStatus"] == outcome
    vault.control("PUT", "vault", {"access_tokens": ["a password"]}, status=400)
    vault.control("POST", "reset")
    vault.session = "Bearer veeva-vault-1"
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]


def test_an_idle_session_ends_and_a_used_one_ends_after_two_days(vault: VaultInProcess) -> None:
    for _ in range(3):
        vault.clock.pass_s(19 * 60)
        assert vault.call("POST", "/keep-alive") == {"responseStatus": "SUCCESS"}
    vault.clock.pass_s(20 * 60)
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]
    vault.log_in()
    answers = []
    for _ in range(48 * 4):
        vault.clock.pass_s(15 * 60)
        answers.append(vault.call("POST", "/keep-alive")["responseStatus"])
    assert answers == ["SUCCESS"] * (48 * 4 - 1) + ["FAILURE"]


def test_a_session_ends_alone_or_with_all_others(vault: VaultInProcess) -> None:
    first = vault.session
    vault.log_in()
    vault.call("DELETE", "/session")
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]
    vault.session = first
    assert vault.call("POST", "/keep-alive") == {"responseStatus": "SUCCESS"}
    vault.control("POST", "sessions/expire")
    assert kinds(vault.call("POST", "/keep-alive")) == ["INVALID_SESSION_ID"]


def test_the_versions_are_listed_and_others_are_answered_like_an_unknown_session(
    vault: VaultInProcess,
) -> None:
    headers = {"Authorization": vault.session}
    values = vault.http.get("/api/", headers=headers).get_json()["values"]
    assert values["v26.1"] == "http://localhost/api/v26.1"
    assert "v22.3" not in values
    answer = vault.http.get("/api/v22.3/objects/users/me", headers=headers)
    assert answer.status_code == 200
    assert kinds(answer.get_json()) == ["INVALID_SESSION_ID"]


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("GET", "/nowhere", "MALFORMED_URL"), ("DELETE", "/query", "METHOD_NOT_SUPPORTED")],
)
def test_an_unknown_path_or_method_is_answered_with_200(
    vault: VaultInProcess, method: str, path: str, kind: str
) -> None:
    assert kinds(vault.call(method, path)) == [kind]


def test_without_access_to_the_api_only_the_login_works(vault: VaultInProcess) -> None:
    vault.control("PUT", "permissions", {"api_access": False})
    assert vault.log_in()["responseStatus"] == "SUCCESS"
    assert kinds(vault.query("SELECT id FROM user__sys")) == ["INSUFFICIENT_ACCESS"]


def test_every_answer_names_its_execution_and_never_the_whole_session(vault: VaultInProcess) -> None:
    answers = [vault.send("POST", "/keep-alive"), vault.send("POST", "/query", data={"q": "SELEC"})]
    assert [answer.headers["X-VaultAPI-Status"] for answer in answers] == ["SUCCESS", "FAILURE"]
    assert len({answer.headers["X-VaultAPI-ExecutionId"] for answer in answers}) == 2
    for answer in answers:
        assert answer.headers["X-VaultAPI-VaultId"] == str(vault.vault.id)
        assert answer.headers["X-VaultAPI-UserId"] == "10000"
        assert vault.session not in str(answer.headers)
        assert answer.headers["X-VaultAPI-TruncatedSessionId"].startswith(vault.session[:3])


def test_calls_beyond_the_burst_limit_are_delayed_and_counted_anew_in_the_next_window(
    vault: VaultInProcess,
) -> None:
    vault.control("PUT", "burst", {"limit": 2, "window_s": 300, "delay_s": 0.01})
    vault.vault.burst.reset()
    answers = [vault.send("POST", "/keep-alive") for _ in range(3)]
    assert [answer.headers["X-VaultAPI-BurstLimitRemaining"] for answer in answers] == ["1", "0", "0"]
    assert [answer.headers.get("X-VaultAPI-ResponseDelay") for answer in answers] == [None, None, "10"]
    assert answers[2].get_json() == {"responseStatus": "SUCCESS"}
    vault.clock.pass_s(300)
    assert vault.send("POST", "/keep-alive").headers["X-VaultAPI-BurstLimitRemaining"] == "1"


def test_logins_have_a_limit_of_their_own_and_beyond_it_fail(vault: VaultInProcess) -> None:
    vault.control("PUT", "burst", {"login_limit": 2, "delay_s": 0.01})
    vault.vault.burst.reset()
    assert [vault.log_in()["responseStatus"] for _ in range(3)] == ["SUCCESS", "SUCCESS", "FAILURE"]
    assert vault.call("POST", "/keep-alive") == {"responseStatus": "SUCCESS"}
    vault.clock.pass_s(60)
    assert vault.log_in()["responseStatus"] == "SUCCESS"
