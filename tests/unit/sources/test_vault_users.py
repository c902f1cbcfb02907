"""Rows of Vault CRM's users: as values, summed up, and refused where they are none (I3, I9, G2 to G5)."""

from typing import Any

import orjson
import pytest

from muster.crm.engage_features import CONNECT, ENGAGE, FEATURES, Seen
from muster.crm.vault_fields import NEVER_MAPPED
from muster.errors import Misconfigured, Rejected
from muster.settings.mappings import vault_crm_connection, vault_fields_to_read
from muster.sources.vault_users import VaultUser, digester, is_system_owned, user_of
from tests.examples import settings

VAULT = {"host": "acme-crm.veevavault.com"}
ACME = settings(connections={"vault_crm": VAULT})
ROW: dict[str, Any] = {
    "id": "10042",
    "username__sys": "ada@acme.example",
    "email__sys": "ada.l@acme.example",
    "status__v": ["active__v"],
    "modified_date__v": "2026-11-20T08:15:31.000Z",
    "engage_group__v": "UK",
    "engage_group_provisioning_status__v": ["success__v"],
    "engage_connect_group__v": None,
    "engage_connect_group_status__v": [],
    "engage_group_request__v": "UK",
    "engage_connect_group_request__v": "",
}


def mapped(**custom: str | None) -> Any:
    """Return the settings with these custom mappings; a dot in a target is written as two underscores."""
    own = {target.replace("__", ".", 1): name for target, name in custom.items()}
    return settings(connections={"vault_crm": VAULT}, field_maps={"vault_crm": {"inbound": {"custom": own}}})


def test_a_row_becomes_a_user() -> None:
    assert user_of(ROW, ACME, "run:1") == VaultUser(
        id="10042",
        username="ada@acme.example",
        email="ada.l@acme.example",
        active=True,
        seen={ENGAGE: Seen("UK", "success", "UK"), CONNECT: Seen()},
        requests={ENGAGE: "UK", CONNECT: None},
        digest=digester(vault_fields_to_read(ACME))(ROW),
        modified="2026-11-20T08:15:31.000Z",
        run="run:1",
    )


def test_the_example_is_what_is_read() -> None:
    assert set(ROW) == set(vault_fields_to_read(ACME))
    assert not set(ROW) & NEVER_MAPPED


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (["success__v"], "success"),
        ("success__v", "success"),
        (["SUCCESS__V"], "success"),
        (["retry_request__v"], "retry_request"),
        (["no_licenses_remaining__v"], "no_licenses_remaining"),
        (["brand_new__v"], "brand_new__v"),
        ([], None),
        ("", None),
        (None, None),
    ],
)
def test_a_status_is_a_code_and_an_unknown_one_stays_as_it_is(shown: Any, status: str | None) -> None:
    user = user_of({**ROW, "engage_group_provisioning_status__v": shown}, ACME, "")
    assert user.seen[ENGAGE].status == status


def test_a_status_goes_by_the_names_of_its_own_feature() -> None:
    """There are no licences to run out of in Engage Connect (G3)."""
    name = "no_licenses_remaining__v"
    user = user_of({**ROW, "engage_connect_group_status__v": [name]}, ACME, "")
    assert user.seen[CONNECT].status == name


@pytest.mark.parametrize(
    ("shown", "active"),
    [(["active__v"], True), ("active__v", True), (["inactive__v"], False), ("inactive__v", False)],
)
def test_whether_a_user_is_active(shown: Any, active: bool) -> None:
    assert user_of({**ROW, "status__v": shown}, ACME, "").active is active


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("GB", "GB"),
        (" GB ", "GB"),
        (["gb__c"], "gb__c"),
        (["gb__c", "de__c"], "de__c;gb__c"),
        ([], None),
        (None, None),
        (True, "true"),
        (7, "7"),
    ],
)
def test_a_custom_mapping_takes_whatever_the_field_holds_as_text(value: Any, text: str | None) -> None:
    acme = mapped(custom__Country="country_code__v")
    assert user_of({**ROW, "country_code__v": value}, acme, "").custom == {"Country": text}


def test_a_request_may_come_from_another_field_while_what_is_pushed_is_seen_all_the_same() -> None:
    acme = mapped(engage__request="wanted_group__c", engage_connect__request=None)
    user = user_of({**ROW, "wanted_group__c": "US"}, acme, "")
    assert user.requests == {ENGAGE: "US"}
    assert user.seen[ENGAGE].request == "UK"


@pytest.mark.parametrize(
    ("varied", "where", "what"),
    [
        ({"id": ...}, "user__sys", "lacks id"),
        ({"email__sys": ..., "engage_group__v": ...}, "user__sys", "lacks email__sys, engage_group__v"),
        ({"id": None}, "user__sys", "no id"),
        ({"id": 10042}, "user__sys", "no id"),
        ({"id": "1|2"}, "user__sys", "no id"),
        ({"status__v": None}, "status__v", "none of active__v, inactive__v"),
        ({"status__v": ["active__v", "inactive__v"]}, "status__v", "none of"),
        ({"status__v": "archived__v"}, "status__v", "none of"),
        ({"username__sys": "a" * 255}, "username__sys", "longer"),
        ({"engage_group__v": "x" * 40_000}, "user__sys", "too much text"),
    ],
)
def test_what_is_no_row_of_a_user_is_refused_and_not_quoted(
    varied: dict[str, Any], where: str, what: str
) -> None:
    row = {name: value for name, value in {**ROW, **varied}.items() if value is not ...}
    with pytest.raises(Rejected) as refused:
        user_of(row, ACME, "")
    [problem] = refused.value.problems
    assert (problem.where, what in problem.message, bool(problem.remedy)) == (where, True, True)
    assert "ada" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(set(ROW) - {"modified_date__v"}))
def test_every_field_that_is_read_counts_in_the_digest(name: str) -> None:
    digest_of = digester(vault_fields_to_read(ACME))
    assert digest_of({**ROW, name: "another"}) != digest_of(ROW)


def test_when_it_was_changed_does_not_count_in_the_digest() -> None:
    digest_of = digester(vault_fields_to_read(ACME))
    assert digest_of({**ROW, "modified_date__v": "2026-11-21T00:00:00.000Z", "more": 1}) == digest_of(ROW)
    with pytest.raises(KeyError):
        digest_of({name: value for name, value in ROW.items() if name != "email__sys"})


def test_a_user_comes_back_from_a_line_of_json() -> None:
    acme = mapped(custom__Country="country_code__v")
    user = user_of({**ROW, "country_code__v": "GB"}, acme, "run:1")
    again = VaultUser.from_json(orjson.loads(orjson.dumps(user)))
    assert again == user
    assert set(again.seen) == set(FEATURES)
    assert again.crm_id == "10042"


@pytest.mark.parametrize(
    ("username", "owned"),
    [("System", True), ("ApplicationOwner", True), (None, True), ("ada@acme.example", False)],
)
def test_users_of_vault_itself_are_told_from_people(username: str | None, owned: bool) -> None:
    assert is_system_owned({"username__sys": username}) is owned


def test_without_a_connection_an_admin_is_told() -> None:
    with pytest.raises(Misconfigured, match=r"connections\.vault_crm"):
        vault_crm_connection(settings())


@pytest.mark.parametrize(
    ("shown", "value"),
    [
        (["emea__c", "apac__c"], "apac__c;emea__c"),
        (["apac__c", "emea__c"], "apac__c;emea__c"),
        (["emea__c"], "emea__c"),
        ([], None),
        ([None], None),
        ("", None),
        (None, None),
    ],
)
def test_the_values_of_a_picklist_are_one_text_in_whatever_order_they_are_shown(
    shown: Any, value: str | None
) -> None:
    acme = mapped(custom__Regions="regions__c")
    found = user_of({**ROW, "regions__c": shown}, acme, "run:1")
    assert found.custom == {"Regions": value}
    backwards = shown[::-1] if isinstance(shown, list) else shown
    assert user_of({**ROW, "regions__c": backwards}, acme, "run:1") == found
