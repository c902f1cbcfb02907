"""Apps with accounts in a whole document: their secrets, who is in them, and what contradicts it (O2, O4)."""

from typing import Any

import pytest

from muster.errors import Problem, Rejected
from muster.settings import Settings
from muster.settings.document import read
from muster.settings.warnings import warnings

SALESFORCE = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}


def document(**targets: dict[str, Any]) -> dict[str, Any]:
    made = {name: {"host": f"{name}.example.com", "who": "everyone"} | keys for name, keys in targets.items()}
    return {
        "organization": "acme",
        "connections": {"salesforce": SALESFORCE, "scim": made},
        "auto_provision": {"custom_fields": ["Region__c"]},
        "seats": {"gong": {}},
        "assignments": [{"name": "Field sales"}],
    }


def accepted(**targets: dict[str, Any]) -> Settings:
    return read(document(**targets))[1]


def problem(**targets: dict[str, Any]) -> Problem:
    with pytest.raises(Rejected) as caught:
        read(document(**targets))
    [only] = caught.value.problems
    return only


def test_a_target_has_a_name_an_organization_and_a_secret_of_its_own() -> None:
    settings = accepted(gong={}, slack={"secret": "muster/acme/slack"})
    gong, slack = settings.connections.scim["gong"], settings.connections.scim["slack"]
    assert (gong.name, gong.organization, gong.secret) == ("gong", "acme", "muster/acme/scim/gong")
    assert slack.secret == "muster/acme/slack"  # noqa: S105 - its name
    names = [name for name, _ in settings.connections.each()]
    assert names == ["salesforce", "scim.gong", "scim.slack"]
    assert [(key, each.key) for key, each in settings.connections.targets()] == [
        ("scim.gong", "scim.gong"),
        ("scim.slack", "scim.slack"),
    ]


def test_what_fits_is_accepted() -> None:
    accepted(
        one={"who": {"seat": "gong"}},
        two={"who": {"assignments": ["Field sales"]}, "attributes": {"title": "custom.Region__c"}},
        three={"host": "one.example.com", "path": "/other"},
    )


@pytest.mark.parametrize(
    ("targets", "where", "words"),
    [
        ({"9gong": {}}, "connections.scim.9gong", "name of a target"),
        ({f"t{number}": {} for number in range(11)}, "connections.scim", "more than 10"),
        ({"gong": {"secret": "muster/other/x"}}, "connections.scim.gong.secret", "muster/acme/"),
        ({"gong": {"host": "127.0.0.1:80"}}, "connections.scim.gong.host", "local stack"),
        ({"gong": {"who": {"seat": "Gong"}}}, "connections.scim.gong.who.seat", "no seat"),
        (
            {"gong": {"who": {"assignments": ["Field sales", "Sales"]}}},
            "connections.scim.gong.who.assignments[1]",
            "no assignment",
        ),
        (
            {"gong": {"attributes": {"title": "custom.Level__c"}}},
            "connections.scim.gong.attributes.title",
            "no custom value",
        ),
        (
            {"a": {"host": "x.example.com"}, "b": {"host": "x.example.com"}},
            "connections.scim.b.host",
            "scim.a",
        ),
    ],
    ids=str,
)
def test_what_contradicts_the_rest_is_refused(
    targets: dict[str, dict[str, Any]], where: str, words: str
) -> None:
    found = problem(**targets)
    assert found.where == where
    assert words in f"{found.message} {found.remedy}"


# ── User pools ───────────────────────────────────────────────────────────────────────────────────────

POOL = "eu-central-1_AbC123dEf"


def with_pools(**pools: dict[str, Any]) -> dict[str, Any]:
    made = document(gong={})
    made["connections"]["cognito"] = {name: {"user_pool": POOL} | keys for name, keys in pools.items()}
    return made


def test_a_user_pool_says_what_the_use_case_asks_of_an_app() -> None:
    known_by = {"attribute": "preferred_username", "member": "custom.Region__c"}
    settings = read(with_pools(portal={"known_by": known_by}))[1]
    pool = settings.connections.cognito["portal"]
    assert (pool.key, pool.organization, pool.region) == ("cognito.portal", "acme", "eu-central-1")
    assert (pool.mapped, pool.who) == ({"userName": "custom.Region__c"}, "everyone")
    assert (pool.makes_accounts, pool.deletes_leavers, pool.only_ends_access) == (False, False, True)
    assert [key for key, _ in settings.connections.targets()] == ["scim.gong", "cognito.portal"]
    assert [name for name, _ in settings.connections.each()][-1] == "cognito.portal"
    assert all(each.stays_valid.endswith(".") for _, each in settings.connections.targets())
    assert warnings(settings) == warnings(accepted(gong={}))


@pytest.mark.parametrize(
    ("keys", "where", "words"),
    [
        ({"user_pool": "AbC123dEf"}, "user_pool", "not the id"),
        ({"user_pool": POOL, "secret": "x"}, "secret", "not a known key"),
        ({"known_by": {"attribute": "custom:salesforce_id"}}, "known_by.attribute", "preferred_username"),
        ({"known_by": {"attribute": "family_name"}}, "known_by.attribute", "one person"),
        ({"known_by": {"member": "e-mail"}}, "known_by.member", "no attribute of a member"),
        ({"known_by": {"member": "custom.Level__c"}}, "known_by.member", "no custom value"),
        ({"who": {"seat": "Gong"}}, "who.seat", "no seat"),
        ({"who": {"assignments": ["Sales"]}}, "who.assignments[0]", "no assignment"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_user_pool_is_said(keys: dict[str, Any], where: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read(with_pools(portal=keys))
    [found] = caught.value.problems
    assert found.where == f"connections.cognito.portal.{where}"
    assert words in f"{found.message} {found.remedy}"


def test_a_pool_is_closed_by_one_connection() -> None:
    with pytest.raises(Rejected) as caught:
        read(with_pools(portal={}, shop={}))
    [found] = caught.value.problems
    assert found.where == "connections.cognito.shop.user_pool"
    assert "cognito.portal" in found.message


# ── Warnings ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, ""),
        ({"profile": "slack", "on_leave": "delete"}, "only deactivates"),
        ({"profile": "github_emu", "on_leave": "delete"}, "never comes back"),
        ({"create": False}, "until somebody does that"),
        ({"create": False, "adopt": "same_user_name"}, ""),
    ],
    ids=str,
)
def test_what_does_more_or_less_than_it_seems_is_a_warning(keys: dict[str, Any], words: str) -> None:
    found = [each for each in warnings(accepted(gong=keys)) if each.where.startswith("connections.scim")]
    assert [words in each.message for each in found] == ([True] if words else [])


def test_without_salesforce_nobody_comes() -> None:
    written = with_pools(portal={})
    del written["connections"]["salesforce"]
    found = [each.where for each in warnings(read(written)[1])]
    assert {"connections.scim.gong", "connections.cognito.portal"} <= set(found)
