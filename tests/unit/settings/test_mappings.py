"""Which fields of a Vault CRM user are read and written, under the maps of the settings."""

from typing import Any, get_args

import pytest

from muster.crm import vault_fields
from muster.crm.engage_features import FEATURES
from muster.settings import Settings, mappings
from muster.settings.document import read
from muster.settings.vault_field_maps import InboundTarget, OutboundTarget

IDENTITY = {"id", "username__sys", "email__sys", "status__v", "modified_date__v"}
# The lists of the documentation this follows.
SYSTEM_IN = {
    "engage_group__v",
    "engage_group_provisioning_status__v",
    "engage_connect_group__v",
    "engage_connect_group_status__v",
}
CUSTOM_IN = {"engage_group_request__v", "engage_connect_group_request__v"}
OUT = {
    "engage_group_request__v",
    "engage_connect_group_request__v",
    "engage_group_provisioning_status__v",
    "engage_connect_group_status__v",
}
ENGAGE_FIELDS = ("engage_group_request__v", "engage_group_provisioning_status__v", "engage_group__v")
OFF: dict[str, Any] = {
    "inbound": {"system": [], "custom": dict.fromkeys(("engage.request", "engage_connect.request"))}
}


def settings(*features: str, **maps: Any) -> Settings:
    """Return settings that manage these features, with these maps between members and Vault CRM."""
    vault = {"host": "acme.veevavault.com", "manage_features": list(features)}
    document = {"connections": {"vault_crm": vault}, "field_maps": {"vault_crm": maps}}
    return read(document, "acme")[1]


def test_by_default_every_mapping_of_the_documentation_is_active() -> None:
    inbound = mappings.inbound(settings())
    assert set(inbound.values()) == SYSTEM_IN | CUSTOM_IN
    assert set(mappings.outbound(settings()).values()) == OUT
    assert inbound["engage_connect.status"] == "engage_connect_group_status__v"
    assert inbound["engage.request"] == "engage_group_request__v"


def test_each_feature_has_a_field_for_request_status_and_group() -> None:
    kinds = (vault_fields.request_field, vault_fields.status_field, vault_fields.group_field)
    assert tuple(field_of("engage") for field_of in kinds) == ENGAGE_FIELDS
    assert {field_of(feature) for feature in FEATURES for field_of in kinds} == SYSTEM_IN | CUSTOM_IN


def test_editors_are_offered_the_system_mappings_there_are() -> None:
    assert get_args(InboundTarget.__value__) == tuple(vault_fields.SYSTEM_INBOUND)
    assert get_args(OutboundTarget.__value__) == tuple(vault_fields.SYSTEM_OUTBOUND)


def test_without_settings_about_it_everything_mapped_is_read_once() -> None:
    for each in (settings(), settings("engage"), read({}, "acme")[1]):
        names = mappings.vault_fields_to_read(each)
        assert len(names) == len(set(names))
        assert set(names) == IDENTITY | SYSTEM_IN | CUSTOM_IN


def test_what_is_switched_off_is_not_read() -> None:
    maps = {
        "inbound": {
            "system": ["engage.group"],
            "custom": {"engage.request": "wished__c", "engage_connect.request": None, "custom.A": "id__sys"},
        },
        "outbound": {"system": ["engage_connect.status"]},
    }
    found = settings(**maps)
    assert mappings.inbound(found) == {
        "engage.group": "engage_group__v",
        "engage.request": "wished__c",
        "custom.A": "id__sys",
    }
    assert set(mappings.vault_fields_to_read(found)) == IDENTITY | {
        "engage_group__v",
        "wished__c",
        "id__sys",
        "engage_connect_group_status__v",
    }


def test_what_is_pushed_is_read_whatever_is_taken_over() -> None:
    pushing = settings("engage", "engage_connect", **OFF, outbound={"system": ["engage.request"]})
    assert set(mappings.vault_fields_to_read(pushing)) == IDENTITY | set(ENGAGE_FIELDS)
    silent = settings("engage", **OFF, outbound={"system": []})
    assert set(mappings.vault_fields_to_read(silent)) == IDENTITY


@pytest.mark.parametrize(
    ("features", "outbound", "pushed", "written"),
    [
        ((), None, (), ()),
        (("engage",), None, ("engage",), ENGAGE_FIELDS[:2]),
        (("engage_connect", "engage"), [], (), ()),
        (("engage_connect", "engage"), ["engage.status", "engage_connect.status"], (), ()),
        (
            ("engage_connect", "engage"),
            ["engage_connect.request", "engage.request", "engage.status"],
            ("engage", "engage_connect"),
            (*ENGAGE_FIELDS[:2], "engage_connect_group_request__v"),
        ),
        (("engage_connect",), ["engage.request", "engage.status"], (), ()),
    ],
)
def test_a_feature_is_pushed_if_it_is_managed_and_its_request_is_mapped(
    features: tuple[str, ...],
    outbound: list[str] | None,
    pushed: tuple[str, ...],
    written: tuple[str, ...],
) -> None:
    maps = {} if outbound is None else {"outbound": {"system": outbound}}
    found = settings(*features, **maps)
    assert mappings.pushed_features(found) == pushed
    assert mappings.vault_fields_to_write(found) == written
    for feature in FEATURES:
        assert mappings.sends_status(found, feature) is (outbound is None or f"{feature}.status" in outbound)


def test_nothing_is_pushed_without_a_vault_crm() -> None:
    found = read({}, "acme")[1]
    assert mappings.pushed_features(found) == ()


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        ("country_code__v", True),
        ("title__sys", True),
        ("region__c", True),
        ("id", False),
        ("Region__c", False),
        ("language__sysr.name__v", False),
        ("remote_meeting_host_id__v", False),
        ("remote_meeting_host_token__v", False),
    ],
)
def test_what_lets_into_meetings_is_never_mapped(field: str, answer: bool) -> None:
    assert vault_fields.can_be_mapped(field) is answer


def test_a_field_is_read_once_in_whatever_capitals_it_is_named() -> None:
    mapped = '{"title": "managerid", "extension": "MANAGERID"}'
    acme = Settings.model_validate_json(
        f'{{"organization": "acme", "field_maps": {{"salesforce": {mapped}}}}}'
    )
    names = mappings.fields_to_read(acme)
    assert [name for name in names if name.lower() == "managerid"] == ["ManagerId"]


def test_addresses_are_read_from_the_fields_that_are_mapped_to_them() -> None:
    assert mappings.address_fields(settings()) == ("Username", "Email")
    acme = Settings.model_validate_json(
        '{"organization": "acme", "field_maps": {"salesforce": {"username": "Login__c"}}}'
    )
    assert mappings.address_fields(acme) == ("Login__c", "Email")
