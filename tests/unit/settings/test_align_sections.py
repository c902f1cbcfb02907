"""What the settings of Align accept: names of fields and statuses (G3, G9)."""

from typing import Any

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES
from muster.errors import Problem, Rejected
from muster.settings import mappings
from muster.settings.digests import align_settings_digest
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
def test_each_status_has_a_name_and_is_known_by_it_in_any_case(feature: str) -> None:
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
