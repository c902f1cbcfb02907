"""What the settings of Align accept: names of fields and statuses (G3, G9)."""

from typing import Any

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES, Feature
from muster.errors import Problem, Rejected
from muster.settings import mappings
from muster.settings.digests import align_settings_digest, deciding_settings
from muster.settings.document import read
from muster.settings.sections import AlignConnection
from tests.examples import settings

HOST = {"host": "acme-align.veevavault.com"}
VAULT = {"host": "acme-crm.veevavault.com", "manage_features": ["engage", "engage_connect"]}


def connection(**keys: Any) -> AlignConnection:
    return mappings.align_connection(settings(connections={"align": HOST | keys}))


def problem(**keys: Any) -> Problem:
    with pytest.raises(Rejected) as caught:
        read({"organization": "acme", "connections": {"align": HOST | keys}})
    [only] = caught.value.problems
    return only


def test_the_fields_are_those_of_the_seed() -> None:
    acme = settings(connections={"vault_crm": VAULT, "align": HOST})
    assert mappings.align_fields_of(acme, FEATURES) == (
        "engage_group_request__aln",
        "engage_group_provisioning_status__aln",
        "engage_group__aln",
        "engage_connect_group_request__aln",
        "engage_connect_group_status__aln",
        "engage_connect_group__aln",
    )
    assert mappings.align_fields_to_read(acme)[:6] == (
        "id",
        "created_date__v",
        "modified_date__v",
        "email__aln",
        "crm_user_status__aln",
        "end_date__aln",
    )


@pytest.mark.parametrize("feature", FEATURES)
def test_each_status_has_a_name_and_is_known_by_it_in_any_case(feature: Feature) -> None:
    statuses = connection().statuses
    assert set(dict(getattr(statuses, feature))) == set(engage_features.STATUSES[feature])
    for code in engage_features.STATUSES[feature]:
        name = statuses.api_name(feature, code)
        assert name == f"{code}__aln"
        assert statuses.code(feature, name) == statuses.code(feature, name.upper()) == code
    assert statuses.code(feature, "On_Hold__c") == "On_Hold__c"


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"fields": {"email": "username__aln"}}, "connections.align.fields"),
        ({"fields": {"engage": {"group": "end_date__aln"}}}, "connections.align.fields"),
        ({"fields": {"engage": {"group": "Engage Group"}}}, "connections.align.fields.engage.group"),
        ({"fields": {"modified": "x__v"}}, "connections.align.fields.modified"),
        ({"statuses": {"engage": {"success": "retry_request__aln"}}}, "connections.align.statuses.engage"),
        ({"crm_user_statuses": {"active": None}}, "connections.align.crm_user_statuses.active"),
        ({"crm_user_statuses": {"active": "inactive__aln"}}, "connections.align.crm_user_statuses"),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_place(keys: dict[str, Any], where: str) -> None:
    assert problem(**keys).where == where


def test_whatever_names_or_features_change_everyone_is_read_again() -> None:
    acme = settings(connections={"vault_crm": VAULT, "align": HOST})
    own_status = {"statuses": {"engage": {"success": "x__c"}}}
    others = [
        settings(connections={"vault_crm": VAULT, "align": HOST | {"fields": {"end_date": None}}}),
        settings(connections={"vault_crm": VAULT, "align": HOST | own_status}),
        settings(connections={"vault_crm": VAULT, "align": {"host": "other-align.veevavault.com"}}),
        settings(connections={"vault_crm": VAULT | {"match": "username"}, "align": HOST}),
        settings(connections={"vault_crm": VAULT | {"manage_features": ["engage"]}, "align": HOST}),
    ]
    assert len({align_settings_digest(each) for each in (acme, *others)}) == 6


def test_one_connection_is_one_client() -> None:
    keys = {"fields": {"engage": {"status": "status__c"}}, "statuses": {"engage": {"success": "done__c"}}}
    assert hash(connection(**keys)) == hash(connection(**keys))


# ── Maps ─────────────────────────────────────────────────────────────────────────────────────────────


def mapped(**custom: str) -> dict[str, Any]:
    return {"align": {"inbound": {"custom": custom}}}


@pytest.mark.parametrize(
    ("custom", "message", "remedy"),
    [
        (
            {"end_date": "x__c"},
            "is a system mapping, which cannot be edited",
            "connections.align.fields.end_date",
        ),
        ({"engage.request": "x__c"}, "is a system mapping", "connections.align.fields.engage.request"),
        ({"end_dat": "x__c"}, "is not what a field of Align can be mapped to", "The field of end_date"),
        ({"Team": "x__c"}, "is not what a field of Align can be mapped to", "like custom.Team."),
        ({"custom.Team": "Team"}, "is not the API name of a field of roster_member__aln", "lower case"),
        ({"custom.Region__c": "x__c"}, "is read from another system too", "custom.Align_Region__c"),
        ({"custom.Land": "x__c"}, "is read from another system too", "custom.Align_Land"),
    ],
)
def test_a_mapping_of_align_that_cannot_be_is_refused_at_its_place(
    custom: dict[str, str], message: str, remedy: str
) -> None:
    document = {
        "organization": "acme",
        "auto_provision": {"custom_fields": ["Region__c"]},
        "connections": {"vault_crm": VAULT, "align": HOST},
        "field_maps": {**mapped(**custom), "vault_crm": {"inbound": {"custom": {"custom.Land": "land__c"}}}},
    }
    with pytest.raises(Rejected) as caught:
        read(document)
    [found] = caught.value.problems
    [target] = custom
    assert found.where.startswith("field_maps.align.inbound.custom")
    assert target in found.where
    assert found.message.startswith(message)
    assert remedy in found.remedy


def test_a_mapped_field_is_read_and_what_is_not_mapped_counts_for_nothing() -> None:
    connections = {"vault_crm": VAULT, "align": HOST}
    plain = settings(connections=connections)
    acme = settings(
        connections=connections,
        field_maps=mapped(**{"custom.Team": "team__aln", "custom.Ends": "end_date__aln"}),
    )
    read_there = mappings.align_fields_to_read(acme)
    assert set(read_there) == {*mappings.align_fields_to_read(plain), "team__aln"}
    assert len(set(read_there)) == len(read_there)
    assert mappings.custom_names(acme) == {"Team", "Ends"}
    assert align_settings_digest(acme) != align_settings_digest(plain)
    # Nobody is evaluated again for a key that nobody has written.
    assert "align" not in deciding_settings(plain)["field_maps"]
    assert "align" in deciding_settings(acme)["field_maps"]
    assert mappings.custom_names(settings(field_maps=mapped(**{"custom.Team": "team__aln"}))) == set()
