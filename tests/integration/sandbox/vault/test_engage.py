"""The Engage server behind the sandbox vault: what a save asks for, and what becomes of it."""

from typing import Any

import pytest

from sandbox.vault_crm.engage import RETRY_REQUEST
from tests.doubles.vault_in_process import VaultInProcess

REQUEST, STATUS = "engage_group_request__v", "engage_group_provisioning_status__v"
CONNECT_REQUEST, CONNECT_STATUS = "engage_connect_group_request__v", "engage_connect_group_status__v"


@pytest.fixture
def vault(vault: VaultInProcess) -> VaultInProcess:
    vault.group("UK", 2)
    vault.group("US", 1)
    vault.group("Reps", None, "engage_connect")
    return vault


def engage(vault: VaultInProcess, user: str) -> tuple[Any, ...]:
    """Return a user's request, status and group once nothing is under way any more."""
    vault.settle()
    row = vault.user(user)
    return row[REQUEST], row[STATUS][0] if row[STATUS] else None, row["engage_group__v"]


def connect(vault: VaultInProcess, user: str) -> tuple[Any, ...]:
    vault.settle()
    row = vault.user(user)
    status = row[CONNECT_STATUS]
    return row[CONNECT_REQUEST], status[0] if status else None, row["engage_connect_group__v"]


def processed(vault: VaultInProcess) -> list[tuple[Any, ...]]:
    return [tuple(each.values()) for each in vault.control("GET", "engage/requests")]


def test_a_request_is_sent_at_once_and_settles_after_the_delay(vault: VaultInProcess) -> None:
    user = vault.create()
    vault.update(user, **{REQUEST: "UK"})
    sent = vault.user(user)
    assert (sent[STATUS], sent["engage_group__v"]) == (["request_sent__v"], None)
    assert processed(vault) == []
    vault.clock.pass_s(0.19)
    assert vault.user(user) == sent
    vault.clock.pass_s(0.01)
    settled = vault.user(user)
    assert (settled[STATUS], settled["engage_group__v"]) == (["success__v"], "UK")
    assert settled["remote_meeting_host_id__v"]
    assert settled["remote_meeting_host_token__v"]
    assert settled["modified_date__v"] > sent["modified_date__v"]
    assert processed(vault) == [("engage", user, "UK", "success__v")]
    assert vault.used() == {"UK": 1, "US": 0}


def test_a_request_on_creation_is_sent_too(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK", CONNECT_REQUEST: "Reps"})
    assert engage(vault, user) == ("UK", "success__v", "UK")
    assert connect(vault, user) == ("Reps", "success__v", "Reps")


def test_the_same_value_again_is_no_request(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.settle()
    assert vault.update(user, **{REQUEST: "UK"})["responseStatus"] == "WARNING"
    vault.update(user, title__sys="Rep")
    vault.settle()
    assert len(processed(vault)) == 1


@pytest.mark.parametrize("also", [{}, {REQUEST: "UK"}])
def test_retry_request_asks_again_for_what_is_requested(vault: VaultInProcess, also: dict[str, str]) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.settle()
    assert vault.update(user, **{STATUS: RETRY_REQUEST}, **also)["responseStatus"] == "SUCCESS"
    assert vault.user(user)[STATUS] == ["request_sent__v"]
    assert engage(vault, user) == ("UK", "success__v", "UK")
    assert len(processed(vault)) == 2
    assert vault.used()["UK"] == 1


def test_without_triggers_nothing_is_asked_for(vault: VaultInProcess) -> None:
    user = vault.create()
    headers = {"X-VaultAPI-NoTriggers": "true"}
    vault.write("PUT", [{"id": user, REQUEST: "UK", STATUS: RETRY_REQUEST}], headers=headers)
    assert engage(vault, user) == ("UK", RETRY_REQUEST, None)
    assert processed(vault) == []


def test_licences_run_out_and_come_back(vault: VaultInProcess) -> None:
    first, second = vault.create_many([{REQUEST: "US"}, {REQUEST: "US"}])
    assert engage(vault, first) == ("US", "success__v", "US")
    assert engage(vault, second) == ("US", "no_licenses_remaining__v", None)
    vault.update(first, **{REQUEST: None})
    assert engage(vault, first) == (None, "success__v", None)
    assert vault.user(first)["remote_meeting_host_id__v"] is None
    assert vault.user(first)["remote_meeting_host_token__v"] is None
    vault.update(second, **{STATUS: RETRY_REQUEST})
    assert engage(vault, second) == ("US", "success__v", "US")


def test_a_group_that_is_not_there_is_an_invalid_name(vault: VaultInProcess) -> None:
    assert engage(vault, vault.create(**{REQUEST: "uk"})) == ("uk", "invalid_group_name__v", None)
    assert engage(vault, vault.create(**{REQUEST: "Reps"})) == ("Reps", "invalid_group_name__v", None)


def test_a_move_frees_the_old_group_only_if_it_succeeds(vault: VaultInProcess) -> None:
    mover, other = vault.create_many([{REQUEST: "UK"}, {REQUEST: "US"}])
    vault.settle()
    vault.update(mover, **{REQUEST: "US"})
    assert engage(vault, mover) == ("US", "no_licenses_remaining__v", "UK")
    assert vault.used() == {"UK": 1, "US": 1}
    vault.update(other, **{REQUEST: None})
    vault.settle()
    vault.update(mover, **{STATUS: RETRY_REQUEST})
    assert engage(vault, mover) == ("US", "success__v", "US")
    assert vault.used() == {"UK": 0, "US": 1}


def test_inactivating_a_user_frees_nothing_by_itself(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.settle()
    vault.update(user, status__v="inactive__v")
    assert engage(vault, user) == ("UK", "success__v", "UK")
    assert vault.used()["UK"] == 1
    vault.update(user, **{REQUEST: ""})
    assert engage(vault, user) == (None, "success__v", None)
    assert vault.used()["UK"] == 0


def test_a_removal_of_nothing_succeeds(vault: VaultInProcess) -> None:
    user = vault.create()
    vault.update(user, **{STATUS: RETRY_REQUEST})
    assert engage(vault, user) == (None, "success__v", None)
    assert processed(vault) == [("engage", user, None, "success__v")]


def test_requests_are_processed_in_the_order_of_their_saves(vault: VaultInProcess) -> None:
    ids = vault.create_many([{REQUEST: "UK"}] * 4)
    vault.update(ids[3], **{REQUEST: "US"})
    vault.settle()
    assert processed(vault) == [
        ("engage", ids[0], "UK", "success__v"),
        ("engage", ids[1], "UK", "success__v"),
        ("engage", ids[2], "UK", "no_licenses_remaining__v"),
        ("engage", ids[3], "UK", "no_licenses_remaining__v"),
        ("engage", ids[3], "US", "success__v"),
    ]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("missing", "user_not_in_connect__v"),
        ("create_fails", "user_create_failed__v"),
        ("update_fails", "user_update_failed__v"),
        ("ok", "success__v"),
    ],
)
def test_connect_answers_by_the_state_of_its_user(vault: VaultInProcess, state: str, status: str) -> None:
    user = vault.create()
    vault.control("PUT", f"engage/connect-users/{user}", {"state": state})
    vault.update(user, **{CONNECT_REQUEST: "Reps", REQUEST: "UK"})
    assert connect(vault, user)[1] == status
    assert engage(vault, user) == ("UK", "success__v", "UK")


@pytest.mark.parametrize(
    "lacking", [{"country_code__v": None}, {"user_type__v": None}, {"status__v": "inactive__v"}]
)
def test_connect_needs_an_active_and_complete_user(vault: VaultInProcess, lacking: dict[str, Any]) -> None:
    user = vault.create(**lacking)
    vault.update(user, **{CONNECT_REQUEST: "Reps"})
    assert connect(vault, user) == ("Reps", "user_not_in_connect__v", None)


def test_connect_removes_no_user_who_is_inactive_by_then(vault: VaultInProcess) -> None:
    user = vault.create(**{CONNECT_REQUEST: "Reps"})
    vault.settle()
    vault.update(user, **{CONNECT_REQUEST: None})
    vault.update(user, status__v="inactive__v")
    assert connect(vault, user) == (None, "user_not_in_connect__v", "Reps")
    assert vault.used("engage_connect") == {"Reps": 1}


def test_connect_never_tells_that_licences_ran_out(vault: VaultInProcess) -> None:
    vault.group("Full", 0, "engage_connect")
    assert connect(vault, vault.create(**{CONNECT_REQUEST: "Full"}))[1] == "request_failed__v"


def test_requests_of_a_session_that_its_user_ended_fail(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.call("DELETE", "/session")
    vault.log_in()
    assert engage(vault, user) == ("UK", "request_failed__v", None)


def test_a_renamed_group_keeps_its_members_and_leaves_their_fields(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.settle()
    vault.control("POST", "engage/engage/groups/UK/rename", {"name": "Britain"})
    assert vault.used() == {"Britain": 1, "US": 0}
    assert engage(vault, user) == ("UK", "success__v", "UK")
    vault.update(user, **{STATUS: RETRY_REQUEST})
    assert engage(vault, user) == ("UK", "invalid_group_name__v", "UK")
    vault.control("POST", "engage/engage/groups/US/rename", {"name": "Britain"}, status=400)
    vault.control("POST", "engage/engage/groups/UK/rename", {"name": "X"}, status=400)


def test_a_removed_group_takes_its_members_along(vault: VaultInProcess) -> None:
    user = vault.create(**{REQUEST: "UK"})
    vault.settle()
    assert vault.control("DELETE", "engage/engage/groups/UK")["removed"] is True
    assert vault.used() == {"US": 0}
    vault.update(user, **{REQUEST: "US"})
    assert engage(vault, user) == ("US", "success__v", "US")


def test_the_delay_can_hold_requests_and_let_them_go(vault: VaultInProcess) -> None:
    vault.control("PUT", "engage/settle", {"delay_s": 3600})
    user = vault.create(**{REQUEST: "UK"})
    assert engage(vault, user)[1] == "request_sent__v"
    vault.control("PUT", "engage/settle", {"delay_s": 0})
    assert vault.control("GET", "engage/settle") == {"delay_s": 0}
    assert engage(vault, user)[1] == "success__v"


def test_fewer_licences_than_members_keep_the_members(vault: VaultInProcess) -> None:
    ids = vault.create_many([{REQUEST: "UK"}] * 2)
    vault.settle()
    vault.group("UK", 1)
    (group,) = [each for each in vault.control("GET", "engage/engage/groups") if each["name"] == "UK"]
    assert group == {"name": "UK", "licenses": 1, "used": 2, "members": ids}
    assert engage(vault, vault.create(**{REQUEST: "UK"}))[1] == "no_licenses_remaining__v"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "engage/engage/groups/UK", {"licenses": None}),
        ("PUT", "engage/engage/groups/UK", {"licenses": -1}),
        ("PUT", "engage/engage/groups/UK", {"licenses": True}),
        ("PUT", "engage/meeting/groups/UK", {"licenses": 1}),
        ("GET", "engage/meeting/groups", None),
        ("POST", "engage/engage/groups/UK/rename", {}),
        ("PUT", "engage/connect-users/1", {"state": "gone"}),
        ("PUT", "engage/settle", {"delay_s": -1}),
        ("PUT", "engage/settle", {"delay": 1}),
        ("PUT", "engage/settle", [1]),
    ],
)
def test_wrong_input_is_answered_with_what_is_allowed(
    vault: VaultInProcess, method: str, path: str, body: object
) -> None:
    assert vault.control(method, path, body, status=400)["error"]


def test_the_groups_of_a_feature_can_share_their_licences(vault: VaultInProcess) -> None:
    vault.control("PUT", "engage/licenses", {"per_feature": True})
    users = [vault.create(**{REQUEST: "US"}) for _ in range(4)]
    found = [engage(vault, user)[1] for user in users]
    assert found == ["success__v", "success__v", "success__v", "no_licenses_remaining__v"]
    # Whoever moves takes the licence along; whoever leaves frees one for any group.
    vault.update(users[0], **{REQUEST: "UK"})
    assert engage(vault, users[0]) == ("UK", "success__v", "UK")
    vault.update(users[0], **{REQUEST: None})
    vault.update(users[3], **{STATUS: RETRY_REQUEST})
    assert engage(vault, users[3]) == ("US", "success__v", "US")
