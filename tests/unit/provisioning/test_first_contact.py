"""Whose an account is that is found in a SCIM target (O3)."""

from typing import Any

import pytest

from muster.crm.scim_resources import Resource
from muster.provisioning.first_contact import Found, Match, Roster, match, orphans
from muster.roster.accounts import CONFLICT, LINKED, MATCHED, UNKNOWN, Account
from muster.settings.scim_connection import ScimConnection

NONE = Account()
MADE = Account(unsure=True, access="given", user_name="ada")


def resource(id_: str, name: str = "ada", external: str = "", active: bool = True) -> Resource:
    return Resource(id_, {"userName": name, "externalId": external, "active": active})


OWN, PLAIN, SECOND = resource("1", external="m-1"), resource("2"), resource("3")
OTHERS, FOREIGN = resource("4", external="m-2"), resource("5", external="okta-7")


@pytest.mark.parametrize(
    ("account", "found", "keys", "expected"),
    [
        (NONE, Found(), {}, Match(UNKNOWN)),
        (NONE, Found([OWN]), {}, Match(LINKED, OWN, "external_id")),
        (NONE, Found([OWN], [PLAIN]), {}, Match(LINKED, OWN, "external_id")),
        # The target does not find by external id, but shows it.
        (NONE, Found((), [OWN]), {}, Match(LINKED, OWN, "external_id")),
        (NONE, Found((), [PLAIN]), {}, Match(MATCHED, PLAIN)),
        (NONE, Found((), [FOREIGN]), {}, Match(MATCHED, FOREIGN)),
        (
            NONE,
            Found((), [PLAIN]),
            {"adopt": "same_user_name"},
            Match(LINKED, PLAIN, "adopted:same_user_name"),
        ),
        (NONE, Found((), [OTHERS]), {"adopt": "same_user_name"}, Match(CONFLICT, OTHERS)),
        (NONE, Found((), [PLAIN, SECOND]), {"adopt": "same_user_name"}, Match(CONFLICT)),
        (NONE, Found([OWN, resource("6", external="m-1")]), {}, Match(CONFLICT)),
        (NONE, Found((), [resource("9")]), {"adopt": "same_user_name"}, Match(CONFLICT, resource("9"))),
        (NONE, Found([resource("9", external="m-1")]), {}, Match(CONFLICT, resource("9", external="m-1"))),
        # Muster has made it where there was none, and knows no answer.
        (MADE, Found((), [PLAIN]), {}, Match(LINKED, PLAIN, "created")),
        (MADE, Found((), [FOREIGN]), {}, Match(MATCHED, FOREIGN)),
        (MADE, Found(), {}, Match(UNKNOWN)),
        # It was refused, for another has the name.
        (Account(unsure=True, taken=True), Found((), [PLAIN]), {}, Match(MATCHED, PLAIN)),
        (Account(unsure=True, taken=True), Found(), {}, Match(CONFLICT)),
        (Account(origin="adopted:jane"), Found([OWN]), {}, Match(LINKED, OWN, "adopted:jane")),
    ],
)
def test_whose_it_is(account: Account, found: Found, keys: dict[str, Any], expected: Match) -> None:
    connection = ScimConnection.model_validate({"host": "api.example.com", "who": "everyone", **keys})
    roster = Roster({"9": "m-2", "1": "m-1"}.get, {"m-1", "m-2"}.__contains__)
    matched = match("m-1", account, found, roster, connection)
    assert (matched.standing, matched.resource, matched.origin) == (
        expected.standing,
        expected.resource,
        expected.origin,
    )
    assert bool(matched.why) is (matched.standing == CONFLICT)


def test_nobodys_are_those_who_are_active_and_linked_to_nobody() -> None:
    shown = [
        resource("1"),
        resource("2", "left", active=False),
        resource("3", "EVE"),
        resource("4", "stranger"),
    ]
    assert [each.id for each in orphans(shown, Roster({"1": "m-1"}.get, bool), {"eve"})] == ["4"]
