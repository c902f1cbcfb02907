"""Who is to be in a SCIM target, with which attributes and in which groups (O2)."""

from datetime import date
from typing import Any

import pytest

from muster.provisioning.wanted_accounts import WantedAccount, wanted
from muster.roster.member import Member
from muster.settings.scim_connection import ScimConnection
from tests.examples import settings
from tests.members import changed

TODAY = date(2026, 11, 30)
ORGANIZATION = settings(
    seats={"gong": {}, "forecast": {}},
    assignments=[{"name": "Field sales", "formerly": ["Sales"], "filter": "Name != null"}, {"name": "Rest"}],
)
ADA = changed(
    Member(id="m-1", organization="acme", active=True),
    email="ada@acme.example",
    username="ada@sso.example",
    first_name="Ada",
    last_name="Lovelace",
    name="Ada Lovelace",
    title="Rep",
    locale="en_GB",
    phone_numbers={"mobile": "+44", "other": None},
    custom={"Country__c": "GB"},
    assignment="Sales",
    seats={"gong": {"state": "held"}, "forecast": {"state": "waiting", "since": "2026", "rank": 1}},
    workspaces={"EMEA": "Team member"},
)


def of(member: Member, who: object = "everyone", **keys: Any) -> WantedAccount | None:
    connection = ScimConnection.model_validate({"host": "api.example.com", "who": who, **keys})
    return wanted(member, connection, ORGANIZATION, TODAY)


@pytest.mark.parametrize(
    ("who", "changes", "is_in"),
    [
        ("everyone", {}, True),
        ("everyone", {"active": False}, False),
        ("everyone", {"end_date": "2026-11-29"}, False),
        ("everyone", {"end_date": "2026-11-30"}, True),
        ("everyone", {"crm_user_status": "inactive"}, False),
        ({"seat": "gong"}, {}, True),
        ({"seat": "gong"}, {"seats": {}}, False),
        ({"seat": "forecast"}, {}, False),
        ({"assignments": ["Field sales"]}, {}, True),
        ({"assignments": ["Field sales"]}, {"assignment": "Field sales"}, True),
        ({"assignments": ["Field sales"]}, {"assignment": "Rest"}, False),
        ({"assignments": ["Field sales"]}, {"assignment": None}, False),
    ],
    ids=str,
)
def test_who_is_in_it(who: object, changes: dict[str, Any], is_in: bool) -> None:
    assert (of(changed(ADA, **changes), who) is not None) is is_in


def test_attributes_are_those_of_the_profile_and_of_the_settings() -> None:
    user = of(ADA, attributes={"title": None, "userName": "username", "nickName": "custom.Country__c"})
    assert user is not None
    assert user.values == {
        "userName": "ada@sso.example",
        "name.givenName": "Ada",
        "name.familyName": "Lovelace",
        "displayName": "Ada Lovelace",
        "emails.work": "ada@acme.example",
        "phoneNumbers.mobile": "+44",
        "locale": "en-GB",
        "nickName": "GB",
    }
    assert user.lacking == ()


def test_what_the_target_needs_and_the_member_lacks_is_named() -> None:
    user = of(changed(ADA, first_name=None, email=""), profile="github_emu")
    assert user is not None
    assert user.lacking == ("userName", "name.givenName", "emails.work")


@pytest.mark.parametrize(
    ("keys", "groups", "entitlements"),
    [
        ({}, ("Field sales",), None),
        ({"groups": {"workspaces": True}}, ("EMEA: Team member", "Field sales"), None),
        ({"groups": {"assignments": False}}, (), None),
        ({"seats": "groups"}, ("Field sales", "gong"), None),
        ({"seats": "entitlements"}, ("Field sales",), ("gong",)),
    ],
    ids=str,
)
def test_groups_and_seats(keys: dict[str, Any], groups: tuple[str, ...], entitlements: object) -> None:
    user = of(ADA, **keys)
    assert user is not None
    assert user.groups == groups
    assert user.values.get("entitlements") == entitlements


def test_a_digest_is_that_of_all_of_it() -> None:
    one = WantedAccount({"userName": "a", "title": "b"}, ("g",))
    assert one.digest == WantedAccount({"title": "b", "userName": "a"}, ("g",)).digest
    assert (
        len({one.digest, WantedAccount({"userName": "a"}, ("g",)).digest, WantedAccount(one.values).digest})
        == 3
    )
