"""Writing to a vault: what became of each record, and never again what may have happened (P2, P4, P5)."""

from collections.abc import Iterator

import orjson
import pytest

from muster.crm.vault_records import Outcome, Written
from muster.errors import Misconfigured, OutcomeUnknown, Problem, Rejected, TooLarge, Unavailable
from sandbox.serving import serve
from sandbox.vault_crm import RunningSandbox
from tests.doubles.clocks import MonotonicClock
from tests.doubles.sandbox_doors import assert_calls, calls, control, misbehave
from tests.doubles.vault_host import Admin, VaultHost, client_at, client_of, failure

USERS = "/api/v26.1/vobjects/user__sys"
REQUEST = "engage_group_request__v"
SUCCESS = {"responseStatus": "SUCCESS"}


@pytest.fixture
def vault(vault: RunningSandbox) -> RunningSandbox:
    control(vault.url, "PUT", "engage/settle", {"delay_s": 0})
    control(vault.url, "PUT", "engage/engage/groups/Field", {"licenses": 10})
    return vault


@pytest.fixture
def admin(vault: RunningSandbox) -> Iterator[Admin]:
    admin = Admin(vault)
    yield admin
    admin.close()


def misbehave_at_writes(vault: RunningSandbox, **fault: object) -> None:
    misbehave(vault.url, {"path": USERS, "method": "PUT"} | fault)


def asked(vault: RunningSandbox) -> list[str]:
    """Return the users whom the Engage server was asked about, in order, each time they were."""
    return [each["user"] for each in control(vault.url, "GET", "engage/requests")]


def entry(id_: str, status: str = "SUCCESS", **more: object) -> dict[str, object]:
    return {"responseStatus": status, "data": {"id": id_, "url": f"{USERS}/{id_}"}} | more


def nothing_changed(id_: str) -> dict[str, object]:
    return entry(id_, "WARNING", warnings=[{"warning_type": "NO_DATA_CHANGES", "message": "Same."}])


def problem_of(written: Written) -> Problem:
    assert written.problem is not None
    return written.problem


TWO = [{"id": "1", REQUEST: "Field"}, {"id": "2", REQUEST: "Field"}]


# ── What becomes of records ─────────────────────────────────────────────────────────────────────────


def test_each_record_says_what_became_of_it(vault: RunningSandbox, admin: Admin) -> None:
    written, same = admin.create(2)
    client = client_of(vault)
    assert client.update("user__sys", [{"id": same, REQUEST: "Field"}]) == [Written(same, Outcome.WRITTEN)]
    records = [{"id": each, REQUEST: "Field"} for each in (written, same, "99999999")]
    found = client.update("user__sys", records)
    assert [each.id for each in found] == [written, same, "99999999"]
    assert [each.outcome for each in found] == [Outcome.WRITTEN, Outcome.NO_CHANGES, Outcome.REFUSED]
    assert [each.problem is None for each in found] == [True, True, False]
    problem = problem_of(found[2])
    assert (problem.where, problem.message) == (
        "99999999",
        "INVALID_DATA: The resource [99999999] does not exist",
    )
    assert asked(vault) == [same, written]


def test_what_is_emptied_reads_back_empty(vault: RunningSandbox, admin: Admin) -> None:
    (user,) = admin.create(1)
    client = client_of(vault)
    for value in ("Field", None):
        (written,) = client.update("user__sys", [{"id": user, REQUEST: value}])
        assert written.outcome is Outcome.WRITTEN
        assert admin.row(user, REQUEST)[REQUEST] == value


def test_a_record_without_permission_is_refused_with_what_to_do(vault: RunningSandbox, admin: Admin) -> None:
    (user,) = admin.create(1)
    control(vault.url, "PUT", "permissions", {"fields": {"user__sys": {REQUEST: False}}})
    (written,) = client_of(vault).update("user__sys", [{"id": user, REQUEST: "Field"}])
    assert written.outcome is Outcome.REFUSED
    assert problem_of(written).message.startswith("INSUFFICIENT_ACCESS")
    assert "preflight" in problem_of(written).remedy


def test_some_refused_rows_do_not_hide_the_others(vault: RunningSandbox, admin: Admin) -> None:
    users = admin.create(3)
    misbehave_at_writes(vault, fault="fail_rows", rows=2)
    found = client_of(vault).update("user__sys", [{"id": each, REQUEST: "Field"} for each in users])
    assert [each.outcome for each in found] == [Outcome.REFUSED, Outcome.REFUSED, Outcome.WRITTEN]
    assert problem_of(found[0]).message.startswith("SDK_ERROR")
    assert asked(vault) == users[2:]


def test_500_records_are_one_call(vault: RunningSandbox, admin: Admin) -> None:
    users = admin.create(500)
    found = client_of(vault).update("user__sys", [{"id": each, "city__v": "Bath"} for each in users])
    assert {each.outcome for each in found} == {Outcome.WRITTEN}
    assert calls(vault.url, USERS, "PUT") == 1


# ── What is sent ────────────────────────────────────────────────────────────────────────────────────


def test_a_write_is_a_bare_array_without_what_saves_past_triggers(host: VaultHost) -> None:
    host.say(SUCCESS | {"data": [entry("1"), entry("2")]})
    client_at(host.url).update("user__sys", [{"id": "1", REQUEST: None}, {"id": "2", REQUEST: "Åland 😀"}])
    (call,) = host.calls
    assert (call.method, call.path, call.mimetype) == ("PUT", USERS, "application/json")
    assert orjson.loads(call.get_data()) == [{"id": "1", REQUEST: None}, {"id": "2", REQUEST: "Åland 😀"}]
    vault_headers = {name.lower() for name, _ in call.headers if name.lower().startswith("x-vaultapi-")}
    assert vault_headers == {"x-vaultapi-clientid"}


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([{"id": str(each)} for each in range(501)], TooLarge),
        ([{"id": "1"}, {"id": "2"}, {"id": "1"}], Rejected),
        ([{"id": "1"}, {REQUEST: "Field"}], Rejected),
        ([{"id": ""}], Rejected),
    ],
)
def test_what_the_vault_would_confuse_is_not_sent(
    host: VaultHost, records: list[dict[str, str]], fault: type[Rejected]
) -> None:
    with pytest.raises(fault):
        client_at(host.url).update("user__sys", records)
    assert not host.logins


def test_nothing_to_write_is_no_call(host: VaultHost) -> None:
    assert client_at(host.url).update("user__sys", []) == []
    assert not host.logins


# ── Answers that do not tell ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        ({"fault": "lose_answer"}, True),
        ({"fault": "truncate"}, True),
        ({"fault": "delay", "delay_s": 60}, None),
        ({"fault": "fewer_rows"}, True),
        ({"fault": "swap_rows"}, True),
        ({"fault": "status", "status": 503}, False),
        ({"fault": "status", "status": 500}, False),
        ({"fault": "html"}, False),
        ({"fault": "empty"}, False),
        ({"fault": "failure", "error": "EXCEPTION"}, False),
    ],
    ids=lambda value: str(value["fault"]) if isinstance(value, dict) else "",
)
def test_a_write_whose_answer_does_not_tell_is_sent_once(
    vault: RunningSandbox, admin: Admin, fault: dict[str, object], happened: bool | None
) -> None:
    users = admin.create(2)
    client = client_of(vault, timeout=(5, 0.5 if fault["fault"] == "delay" else 10))
    misbehave_at_writes(vault, count=9, **fault)
    with pytest.raises(OutcomeUnknown):
        client.update("user__sys", [{"id": each, REQUEST: "Field"} for each in users])
    misbehave(vault.url)
    assert_calls(vault.url, 1, USERS, "PUT")
    if happened is not None:
        # It did happen, or it did not: only reading back can tell.
        assert [admin.row(each, REQUEST)[REQUEST] for each in users] == [("Field" if happened else None)] * 2
        assert asked(vault) == (users if happened else [])


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [entry("1")],
        [entry("1"), entry("2"), entry("3")],
        [entry("2"), entry("1")],
        [entry("1"), entry("3")],
        [entry("1"), SUCCESS],
        [entry("1"), SUCCESS | {"data": {}}],
        [entry("1"), entry("2", "EXCEPTION")],
        [entry("1"), entry("2", "FAILURE")],
        [entry("1"), entry("2", "WARNING")],
        [entry("1"), entry("2", "WARNING", warnings="x")],
        [entry("1"), entry("2", "WARNING", warnings=[{"warning_type": "SOMETHING_NEW"}])],
        [entry("1"), {"responseStatus": "WARNING", "warnings": [{"warning_type": "NO_DATA_CHANGES"}]}],
        [entry("1"), entry("3", "FAILURE", errors=[{"type": "INVALID_DATA", "message": "x"}])],
        [entry("1"), {"data": {"id": "2"}}],
        [entry("1"), None],
    ],
)
def test_results_that_do_not_match_are_not_guessed_at(host: VaultHost, data: object) -> None:
    host.say(SUCCESS | {"data": data})
    with pytest.raises(OutcomeUnknown):
        client_at(host.url).update("user__sys", TWO)
    assert len(host.calls) == 1


def test_a_refusal_under_a_servers_error_is_no_word_of_the_api(host: VaultHost) -> None:
    host.say(failure("INVALID_DATA"), status=502)
    with pytest.raises(OutcomeUnknown):
        client_at(host.url).update("user__sys", TWO)


def test_results_are_matched_by_place_and_ids_may_be_numbers(host: VaultHost) -> None:
    refused = {"responseStatus": "FAILURE", "errors": [{"type": "INVALID_DATA", "message": "No."}]}
    host.say(
        {"responseStatus": "WARNING", "data": [refused, SUCCESS | {"data": {"id": 2}}, nothing_changed("3")]}
    )
    found = client_at(host.url).update("user__sys", [*TWO, {"id": "3"}])
    assert [(each.id, each.outcome.value) for each in found] == [
        ("1", "refused"),
        ("2", "written"),
        ("3", "no_changes"),
    ]


# ── Answers that tell that nothing was written ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("INVALID_DATA", Rejected),
        ("PARAMETER_REQUIRED", Rejected),
        ("OPERATION_NOT_ALLOWED", Rejected),
        ("SOMETHING_NEW", Rejected),
        ("INSUFFICIENT_ACCESS", Misconfigured),
        ("CONFIGURATION_MODE_ENABLED", Misconfigured),
        ("MALFORMED_URL", Misconfigured),
        ("RACE_CONDITION", Unavailable),
        ("OPERATION_IN_PROGRESS", Unavailable),
        ("API_LIMIT_EXCEEDED", Unavailable),
    ],
)
def test_a_write_that_is_refused_as_a_whole_wrote_nothing_and_is_not_repeated(
    host: VaultHost, kind: str, fault: type[Exception]
) -> None:
    host.say(failure(kind))
    with pytest.raises(fault) as error:
        client_at(host.url).update("user__sys", TWO)
    assert not isinstance(error.value, OutcomeUnknown)
    assert len(host.calls) == 1


def test_a_top_level_failure_wrote_nothing(vault: RunningSandbox, admin: Admin) -> None:
    users = admin.create(2)
    misbehave_at_writes(vault, fault="failure", error="INVALID_DATA", count=9)
    with pytest.raises(Rejected, match="INVALID_DATA"):
        client_of(vault).update("user__sys", [{"id": each, REQUEST: "Field"} for each in users])
    assert asked(vault) == []
    assert calls(vault.url, USERS, "PUT") == 1


def test_too_many_calls_wrote_nothing(host: VaultHost) -> None:
    host.say("", status=429, headers={"Retry-After": "30"})
    with pytest.raises(Unavailable) as error:
        client_at(host.url).update("user__sys", TWO)
    assert not isinstance(error.value, OutcomeUnknown)
    assert (len(host.calls), error.value.retry_after) == (1, 30)


def test_a_write_after_the_session_ended_is_made_once_more(vault: RunningSandbox, admin: Admin) -> None:
    users = admin.create(2)
    client = client_of(vault)
    client.me()
    control(vault.url, "POST", "sessions/expire")
    found = client.update("user__sys", [{"id": each, REQUEST: "Field"} for each in users])
    assert {each.outcome for each in found} == {Outcome.WRITTEN}
    assert asked(vault) == users


def test_a_session_that_is_never_known_writes_nothing_and_does_not_loop(host: VaultHost) -> None:
    host.say(failure("INVALID_SESSION_ID"))
    with pytest.raises(Misconfigured, match="api_version"):
        client_at(host.url).update("user__sys", TWO)
    assert (len(host.calls), len(host.logins)) == (2, 2)


def test_what_is_lost_in_the_second_session_is_unknown_all_the_same(host: VaultHost) -> None:
    host.say(failure("INVALID_SESSION_ID"), "<html></html>")
    with pytest.raises(OutcomeUnknown):
        client_at(host.url).update("user__sys", TWO)
    assert len(host.calls) == 2


def test_without_a_login_nothing_was_written(host: VaultHost) -> None:
    host.login = host.session(sessionId=None)
    with pytest.raises(Unavailable) as error:
        client_at(host.url).update("user__sys", TWO)
    assert not isinstance(error.value, OutcomeUnknown)
    assert not host.calls


def test_without_a_connection_nothing_was_written() -> None:
    """A host that is gone after the login: nothing was sent, so there is nothing to read back."""
    host = VaultHost()
    with serve(host, threads=2) as host.url:
        host.say(SUCCESS | {"data": []})
        client = client_at(host.url)
        with pytest.raises(Unavailable):
            client.me()
    with pytest.raises(Unavailable, match="ConnectionError") as error:
        client.update("user__sys", TWO)
    assert not isinstance(error.value, OutcomeUnknown)


def test_while_the_vault_is_to_be_left_in_peace_nothing_is_written(host: VaultHost) -> None:
    host.say(SUCCESS | {"data": [entry("1"), entry("2")]}, headers={"X-VaultAPI-BurstLimitRemaining": "0"})
    client = client_at(host.url, clock=MonotonicClock())
    client.update("user__sys", TWO)
    with pytest.raises(Unavailable) as error:
        client.update("user__sys", TWO)
    assert not isinstance(error.value, OutcomeUnknown)
    assert (len(host.calls), error.value.retry_after) == (1, 300)
