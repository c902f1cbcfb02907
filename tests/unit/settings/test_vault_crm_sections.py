"""What the settings of Vault CRM accept: names of statuses, the client id, the maps each way (G2, G3, G5)."""

from typing import Any

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.errors import Problem, Rejected
from muster.settings import Settings, digests, mappings
from muster.settings.document import read
from muster.settings.sections import VaultCrmConnection


def accepted(vault: dict[str, Any] | None = None, maps: dict[str, Any] | None = None) -> Settings:
    connection = {"host": "acme.veevavault.com"} | (vault or {})
    document = {"connections": {"vault_crm": connection}, "field_maps": {"vault_crm": maps or {}}}
    return read(document, "acme")[1]


def problem(vault: dict[str, Any] | None = None, maps: dict[str, Any] | None = None) -> Problem:
    with pytest.raises(Rejected) as caught:
        accepted(vault, maps)
    [only] = caught.value.problems
    return only


def connection(**keys: Any) -> VaultCrmConnection:
    found = accepted(keys).connections.vault_crm
    assert found is not None
    return found


# ── Statuses ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("feature", engage_features.FEATURES)
def test_every_status_of_a_feature_has_a_name_by_default_and_no_other_has(feature: Feature) -> None:
    vault = connection()
    assert set(dict(getattr(vault.statuses, feature))) == set(engage_features.STATUSES[feature])
    for code in engage_features.STATUSES[feature]:
        assert vault.api_name(feature, code) == f"{code}__v"
        assert vault.status_code(feature, f"{code}__v") == vault.status_code(feature, f"{code}__V") == code


@pytest.mark.parametrize(
    ("feature", "foreign"),
    [("engage", "user_not_in_connect"), ("engage_connect", "no_licenses_remaining")],
)
def test_a_status_that_a_feature_does_not_have_is_kept_raw(feature: Feature, foreign: str) -> None:
    assert connection().status_code(feature, f"{foreign}__v") == f"{foreign}__v"
    assert connection().status_code(feature, "Something__C") == "Something__C"
    with pytest.raises(KeyError):
        connection().api_name(feature, foreign)
    found = problem({"statuses": {feature: {foreign: "x__c"}}})
    assert (found.where, found.message) == (
        f"connections.vault_crm.statuses.{feature}.{foreign}",
        "is not a known key",
    )


def test_a_name_is_overridden_on_its_own() -> None:
    vault = connection(statuses={"engage": {"success": "done__c"}})
    assert vault.status_code("engage", "Done__c") == "success"
    assert vault.status_code("engage", "success__v") == "success__v"
    assert vault.api_name("engage", "success") == "done__c"
    assert vault.api_name("engage", "request_sent") == "request_sent__v"
    assert vault.api_name("engage_connect", "success") == "success__v"


def test_two_statuses_may_swap_names_but_not_share_one() -> None:
    swapped = {"success": "request_sent__v", "request_sent": "success__v"}
    assert connection(statuses={"engage": swapped}).status_code("engage", "success__v") == "request_sent"
    found = problem({"statuses": {"engage_connect": {"success": "request_sent__v"}}})
    assert found.where == "connections.vault_crm.statuses.engage_connect"
    assert found.message == "gives request_sent and success one name, request_sent__v"


@pytest.mark.parametrize("name", ["", "Success", "success", "Success__v", "success__v ", "a" * 78 + "__v"])
def test_a_status_is_named_by_its_api_name(name: str) -> None:
    assert problem({"statuses": {"engage": {"success": name}}}).where.endswith("statuses.engage.success")


# ── The connection ────────────────────────────────────────────────────────────────────────────────


def test_the_rest_of_the_connection_has_defaults() -> None:
    assert (connection().always_send_status, connection().client_id) == (False, "muster")
    assert connection(always_send_status=True).always_send_status


@pytest.mark.parametrize("client_id", ["a", "acme-it_Muster.1", "x" * 100])
def test_a_client_id_is_one_that_vault_takes(client_id: str) -> None:
    assert connection(client_id=client_id).client_id == client_id


@pytest.mark.parametrize("client_id", ["", "acme muster", "müster", "a/b", "x" * 101, "a\n"])
def test_another_client_id_is_refused(client_id: str) -> None:
    assert problem({"client_id": client_id}).where == "connections.vault_crm.client_id"


def test_one_connection_is_one_client() -> None:
    same = connection(statuses={"engage": {"success": "done__c"}}, manage_features=["engage"])
    again = connection(statuses={"engage": {"success": "done__c"}}, manage_features=["engage"])
    assert len({same, again, connection()}) == 2


# ── Maps ──────────────────────────────────────────────────────────────────────────────────────────

INBOUND = "field_maps.vault_crm.inbound"


OUTBOUND = "field_maps.vault_crm.outbound"


def outbound(custom: dict[str, Any]) -> dict[str, Any]:
    return {"outbound": {"custom": custom}}


def inbound(**keys: Any) -> dict[str, Any]:
    return {"inbound": keys}


def test_custom_mappings_come_on_top_of_the_default() -> None:
    written = {"custom.Country": "country_code__v", "engage.request": None}
    assert accepted(maps=inbound(custom=written)).field_maps.vault_crm.inbound.custom == {
        "engage.request": None,
        "engage_connect.request": "engage_connect_group_request__v",
        "custom.Country": "country_code__v",
    }


@pytest.mark.parametrize(
    ("maps", "where", "message"),
    [
        (
            inbound(custom={"engage.status": "mine__c"}),
            f'{INBOUND}.custom["engage.status"]',
            "is a system mapping, which cannot be edited",
        ),
        (
            inbound(custom={"engage.requst": "mine__c"}),
            f'{INBOUND}.custom["engage.requst"]',
            "is not what a field of Vault CRM can be mapped to",
        ),
        (
            inbound(custom={"custom.": "mine__c"}),
            f'{INBOUND}.custom["custom."]',
            "is not what a field of Vault CRM can be mapped to",
        ),
        (
            inbound(custom={"custom.Profile": "security_profile__sysr.name__v"}),
            f'{INBOUND}.custom["custom.Profile"]',
            "is not the API name of a field of user__sys",
        ),
        (
            inbound(custom={"custom.Host": "remote_meeting_host_id__v"}),
            f'{INBOUND}.custom["custom.Host"]',
            "lets into somebody's meetings, so Muster never reads it",
        ),
        (
            inbound(custom={"engage.request": "remote_meeting_host_token__v"}),
            f'{INBOUND}.custom["engage.request"]',
            "lets into somebody's meetings, so Muster never reads it",
        ),
        (
            inbound(system=["engage.group", "engage.group"]),
            f"{INBOUND}.system",
            "holds engage.group twice",
        ),
        (inbound(system=["engage.request"]), f"{INBOUND}.system[0]", "is not one of engage.group, "),
        (
            {"outbound": {"system": ["engage.group"]}},
            "field_maps.vault_crm.outbound.system[0]",
            "is not one of engage.request, ",
        ),
        (
            outbound({"remote_meeting_host_token__v": "title__sys"}),
            f"{OUTBOUND}.custom.remote_meeting_host_token__v",
            "is no attribute of a member that can be written to Vault CRM",
        ),
        (
            outbound({"engage.status": "mine__c"}),
            f'{OUTBOUND}.custom["engage.status"]',
            "is a system mapping, which cannot be edited",
        ),
        (
            outbound({"title": "engage_group__v"}),
            f"{OUTBOUND}.custom.title",
            "is a field of Engage, which the system mappings write",
        ),
        (
            outbound({"title": "remote_meeting_host_id__v"}),
            f"{OUTBOUND}.custom.title",
            "lets into somebody's meetings",
        ),
        (
            outbound({"email": "email__sys"}),
            f"{OUTBOUND}.custom.email",
            "says who the user is, or what the user may do in Vault CRM",
        ),
        (
            outbound({"title": {"field": "status__v", "map": {"Rep": "active__v"}}}),
            f"{OUTBOUND}.custom.title.field",
            "says who the user is, or what the user may do in Vault CRM",
        ),
        (
            outbound({"title": {"field": "role__c", "map": {}}}),
            f"{OUTBOUND}.custom.title.map",
            "is empty",
        ),
        (
            inbound(custom={f"custom.F{number}": f"f{number}__c" for number in range(101)}),
            f"{INBOUND}.custom",
            "holds more than 100",
        ),
    ],
)
def test_what_cannot_be_mapped_is_refused_at_its_place(
    maps: dict[str, Any], where: str, message: str
) -> None:
    found = problem(maps=maps)
    assert found.where == where
    assert found.message.startswith(message)
    assert found.remedy


def test_the_nearest_name_is_offered() -> None:
    found = problem(maps=outbound({"titel": "title__sys"}))
    assert found.remedy.startswith("Did you mean 'title'?")
    found = problem(maps={"outbound": {"system": ["engage.requst"]}})
    assert found.remedy == "Did you mean 'engage.request'?"


def test_custom_mappings_outbound_have_no_default() -> None:
    assert accepted().field_maps.vault_crm.outbound.custom == {}
    value_map = {"field": "role__c", "map": {"Rep": "rep__c", "": "none__c"}}
    written = accepted(maps=outbound({"title": "title__sys", "assignment": value_map}))
    found = mappings.custom_outbound(written)
    assert (found["title"].of("Rep"), found["title"].of(None)) == ("Rep", None)
    values = [found["assignment"].of(value) for value in ("Rep", None, "rep")]
    assert values == ["rep__c", "none__c", None]
    assert {"title__sys", "role__c"} <= set(mappings.vault_fields_to_read(written))
    assert mappings.custom_fields_to_write(written) == ("title__sys", "role__c")
    assert mappings.is_pushed(written)
    assert not mappings.is_pushed(accepted())


def test_settings_without_them_have_the_digest_that_they_had() -> None:
    """Or everybody would be evaluated again for a key that nobody has written."""
    plain = digests.vault_deciding_settings(accepted())["field_maps"]
    assert set(plain["outbound"]) == {"system"}
    mapped = digests.vault_deciding_settings(accepted(maps=outbound({"title": "title__sys"})))["field_maps"]
    assert mapped["outbound"]["custom"] == {"title": "title__sys"}
