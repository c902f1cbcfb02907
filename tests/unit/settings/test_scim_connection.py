"""A SCIM target in the settings: what each key accepts, and what a profile asks for (O2)."""

from typing import Any

import pytest
from pydantic import ValidationError

from muster.crm import scim_attributes
from muster.crm.scim_attributes import ENTERPRISE
from muster.settings.scim_connection import ScimConnection
from muster.settings.scim_profiles import GONG, PROFILES
from muster.settings.target_connection import HoldersOf, MembersOf


def connection(**keys: Any) -> ScimConnection:
    return ScimConnection.model_validate({"host": "api.example.com", "who": "everyone"} | keys)


def fault(**keys: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        connection(**keys)
    (error,) = caught.value.errors()
    return ".".join(str(each) for each in error["loc"] if "<" not in str(each)), error["msg"]


def test_the_host_and_who_is_in_it_are_enough() -> None:
    made = connection()
    assert (made.path, made.profile, made.on_leave, made.create) == (
        "/scim/v2",
        "generic",
        "deactivate",
        True,
    )
    assert (made.adopt, made.seats, made.groups.assignments) == ("by_hand", "not_sent", True)
    assert made.mapped == PROFILES["generic"].attributes
    assert connection(who={"seat": "gong"}).who == HoldersOf(seat="gong")
    assert connection(who={"assignments": ["Sales"]}).who == MembersOf(assignments=("Sales",))


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_stands_by_itself(profile: str) -> None:
    made = connection(profile=profile)
    assert {"userName", *made.dialect.requires} <= set(made.mapped)
    assert all(scim_attributes.parse(name) for name in [*made.mapped, *(made.dialect.allows or ())])


def test_attributes_differ_from_the_profile_or_come_on_top() -> None:
    made = connection(
        profile="gong",
        attributes={"title": None, "userName": "username", f"{GONG}:country": "custom.Country__c"},
    )
    assert "title" not in made.mapped
    assert made.mapped["userName"] == "username"
    assert made.mapped[f"{GONG}:country"] == "custom.Country__c"


@pytest.mark.parametrize(
    ("keys", "where", "words"),
    [
        ({"host": "https://api.example.com"}, "host", "not the public name"),
        ({"host": "10.0.0.1"}, "host", "not the public name"),
        ({"host": "169.254.169.254"}, "host", "not the public name"),
        ({"host": "[::1]"}, "host", "not the public name"),
        ({"host": "scim"}, "host", "not the public name"),
        ({"host": "scim.corp.internal"}, "host", "not the public name"),
        ({"host": "API.example.com"}, "host", "not the public name"),
        ({"host": "api.example.com:8443"}, "host", "not the public name"),
        ({"path": "scim"}, "path", "not a path"),
        ({"path": "/scim/../admin"}, "path", "not a path"),
        ({"path": "/scim/"}, "path", "not a path"),
        ({"path": "/scim?x=1"}, "path", "not a path"),
        ({"who": "nobody"}, "who", "everyone"),
        ({"who": {"assignments": []}}, "who.assignments", "at least 1"),
        ({"profile": "zoom"}, "profile", "generic"),
        ({"attributes": {"manager": "title"}}, "attributes.manager.[key]", "can be set"),
        ({"attributes": {"externalId": "crm.id"}}, "attributes.externalId.[key]", "the member's own id"),
        ({"attributes": {"entitlements": "title"}}, "attributes.entitlements.[key]", "seats"),
        ({"attributes": {"title": "seats"}}, "attributes.title", "no attribute of a member"),
        ({"attributes": {"userName": None}}, "", "leave out userName"),
        ({"profile": "slack", "attributes": {"emails.work": None}}, "", "leave out emails.work"),
        ({"profile": "gong", "attributes": {"nickName": "name"}}, "", "name nickName"),
        ({"profile": "gong", "attributes": {f"{ENTERPRISE}:department": "title"}}, "", "gong does not have"),
        ({"profile": "gong", "on_leave": "delete"}, "", "deletes nobody"),
    ],
    ids=str,
)
def test_what_is_refused(keys: dict[str, Any], where: str, words: str) -> None:
    at, message = fault(**keys)
    assert at == where
    assert words in message
