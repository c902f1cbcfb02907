"""What a vault says of itself: users, permissions, fields, picklists, versions, policies (G5, U2, U3)."""

import json
from typing import Any

import pytest
from werkzeug.wrappers import Response

from muster.crm.vault_records import BaseLicence, SecurityPolicy
from muster.errors import Misconfigured, Rejected, Unavailable
from sandbox.vault_crm import RunningSandbox
from tests.doubles.sandbox_doors import control
from tests.doubles.vault_host import VaultHost, client_at, client_of, failure, result

REPS = "SELECT id, email__sys FROM user__sys WHERE company__sys = 'Acme'"


def test_who_is_logged_in(vault: RunningSandbox) -> None:
    me = client_of(vault).me()
    assert (me.username, me.language, me.active) == (vault.username, "en", True)
    assert me.id.isdigit()
    assert client_of(vault).security_policy(me.security_policy_id) == SecurityPolicy("Password", 0)


def test_fields_tell_what_the_integration_user_may_set(vault: RunningSandbox) -> None:
    request, status = "engage_group_request__v", "engage_group_provisioning_status__v"
    control(vault.url, "PUT", "permissions", {"fields": {"user__sys": {request: False}}})
    fields = {field.name: field for field in client_of(vault).fields("user__sys")}
    assert (fields[request].editable, fields[status].editable) == (False, True)
    assert fields[request].label == "Engage Group Request"
    assert (fields[request].active, fields[request].picklist) == (True, None)
    values = client_of(vault).picklist(str(fields[status].picklist))
    assert values["success__v"] == "Success"


def test_permissions_are_what_is_allowed(vault: RunningSandbox) -> None:
    control(vault.url, "PUT", "permissions", {"objects": {"user__sys": {"create": False}}})
    assert client_of(vault).permissions("user__sys") == {"read", "edit"}
    assert client_of(vault).permissions("account__v") >= {"read"}
    assert client_of(vault).permissions("nothing__v") == frozenset()


def test_versions_are_in_the_order_of_their_numbers(host: VaultHost, vault: RunningSandbox) -> None:
    assert "v26.1" in client_of(vault).versions()
    host.say(
        {"responseStatus": "SUCCESS", "values": dict.fromkeys(["v26.1", "v9.3", "v25.10", "v25.2", "beta"])}
    )
    assert client_at(host.url).versions() == ["v9.3", "v25.2", "v25.10", "v26.1"]


@pytest.mark.parametrize(
    "said",
    [
        lambda client: client.me(),
        lambda client: client.fields("user__sys"),
        lambda client: client.permissions("user__sys"),
        lambda client: client.picklist("x__v"),
        lambda client: client.versions(),
        lambda client: client.security_policy(1),
        lambda client: client.base_licences(),
        lambda client: next(client.query(REPS)),
    ],
)
@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": [{}]}, {"object": {"fields": [{}]}}, {"values": 1}]
)
def test_an_answer_of_another_shape_is_not_taken_for_a_no(
    host: VaultHost, said: Any, body: dict[str, Any]
) -> None:
    host.say({"responseStatus": "SUCCESS"} | body)
    with pytest.raises(Unavailable):
        said(client_at(host.url))


@pytest.mark.parametrize("name", ["", "user__sys/../x", "user__sys?x", "üser", "user__sys\n"])
def test_only_names_are_asked_about(host: VaultHost, name: str) -> None:
    client = client_at(host.url)
    for ask in (client.fields, client.permissions, client.picklist):
        with pytest.raises(Rejected):
            ask(name)
    assert not host.logins


def test_a_login_anew_opens_another_session_whatever_is_open(host: VaultHost) -> None:
    host.say(result(), headers={"X-VaultAPI-BurstLimit": "2000", "X-VaultAPI-BurstLimitRemaining": "1990"})
    client = client_at(host.url)
    assert not list(next(client.query(REPS)).records)
    left = [client.calls_left]
    client.log_in()
    assert [*left, client.calls_left] == [(1990, 2000), None]
    assert len(host.logins) == 2
    assert not list(next(client.query(REPS)).records)
    assert [call.headers["Authorization"] for call in host.calls] == ["session-1", "session-2"]


def test_a_new_session_is_refused_with_a_password_that_was_refused(host: VaultHost) -> None:
    client = client_at(host.url)
    host.login = Response(json.dumps(failure("USERNAME_OR_PASSWORD_INCORRECT")))
    for _ in range(5):
        with pytest.raises(Misconfigured, match="USERNAME_OR_PASSWORD_INCORRECT"):
            client.log_in()
    assert len(host.logins) == 1


def test_licences_for_users_are_those_of_full_users(host: VaultHost, vault: RunningSandbox) -> None:
    [licence] = client_of(vault).base_licences()
    assert (licence.application, licence.licensed, licence.left) == (
        "vault_crm__v",
        100_000,
        100_000 - licence.used,
    )
    full, none = ({"licensed": number, "used": 7, "shared": False} for number in (5, 0))
    host.say(
        {
            "responseStatus": "SUCCESS",
            "doc_count": {"licensed": 4000, "used": 2380},
            "applications": [
                {"application_name": "b__v", "user_licensing": {"full__v": full, "external__v": none}},
                {"application_name": "a__v", "user_licensing": {"full__v": none}},
                {"application_name": "c__v", "user_licensing": {}},
            ],
        }
    )
    [licence] = client_at(host.url).base_licences()
    assert (licence, licence.left) == (BaseLicence("b__v", 5, 7), 0)
