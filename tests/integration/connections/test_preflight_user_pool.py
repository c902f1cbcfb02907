"""Preflight of a Cognito user pool: what may be read, and whether members are found in it (O4, U1)."""

from datetime import date
from typing import Any, cast

import pytest

from muster.checks import Check
from muster.connections import user_pool_checks
from muster.connections.checking import Checking
from muster.connections.ports import Ports
from muster.connections.user_pool_checks import UserPoolFound
from muster.errors import FilterRefused, Problem
from muster.settings.document import read
from tests.doubles.user_pool import UserPool

MAY = ("users listed", "users read")


@pytest.fixture
def pool() -> UserPool:
    pool = UserPool()
    pool.add("ada", email="ada@acme.example")
    pool.add("bob")
    return pool


def rows(pool: UserPool, **known_by: str) -> dict[str, Check]:
    """Return the checks of the pool, by name."""
    section = {"user_pool": pool.id, "known_by": known_by}
    _, settings = read({"organization": "acme", "connections": {"cognito": {"portal": section}}})
    ports = Ports(
        secrets=cast(Any, None),
        runs=cast(Any, None),
        salesforce=cast(Any, None),
        vault_crm=cast(Any, None),
        align=cast(Any, None),
        scim=cast(Any, None),
        user_pool=lambda connection: pool.adapter(known_by=connection.known_by.model_dump()),
    )
    found = Checking(settings, ports, lambda: 300.0, date(2026, 11, 30)).rows()
    assert {name for name, _ in found} == {"cognito.portal"}
    return {check.check: check for _, check in found}


def amiss(checks: dict[str, Check]) -> dict[str, str]:
    """Return what did not pass, each with a remedy."""
    found = {name: str(check.result) for name, check in checks.items() if check.result != "passed"}
    assert all(checks[name].remedy for name in found)
    return found


def test_where_everything_is_right_everything_passes_and_nobody_is_touched(pool: UserPool) -> None:
    pool.sign_in("ada")
    checks = rows(pool)
    assert set(checks) == {*MAY, "found by email", "users have email"}
    assert amiss(checks) == {}
    assert checks["users have email"].found.startswith("1 of the first 2")
    assert pool.truth() == {"ada": "signed in", "bob": "enabled"}
    assert set(pool.calls) == {"ListUsers", "AdminGetUser"}


def test_an_attribute_that_no_user_has_is_a_warning(pool: UserPool) -> None:
    assert amiss(rows(pool, attribute="preferred_username")) == {"users have preferred_username": "warning"}
    assert amiss(rows(UserPool(), attribute="preferred_username")) == {}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            {"ListUsers": "AccessDeniedException"},
            {"users listed": "failed"}
            | dict.fromkeys(("users read", "found by email", "users have email"), "could_not_check"),
        ),
        ({"AdminGetUser": "AccessDeniedException"}, {"users read": "failed"}),
        ({"AdminGetUser": "TooManyRequestsException"}, {"users read": "could_not_check"}),
        (
            {"ListUsers": "ResourceNotFoundException"},
            {"users listed": "failed"}
            | dict.fromkeys(("users read", "found by email", "users have email"), "could_not_check"),
        ),
    ],
    ids=str,
)
def test_what_may_not_be_read_is_said(
    pool: UserPool, answers: dict[str, str], expected: dict[str, str]
) -> None:
    pool.answers = answers
    assert amiss(rows(pool)) == expected


@pytest.mark.parametrize(
    "overlooks", [True, FilterRefused(Problem("the user pool portal", "finds nobody by email", ""))], ids=str
)
def test_a_filter_that_does_not_work_is_a_fault(pool: UserPool, overlooks: bool | FilterRefused) -> None:
    found = UserPoolFound(users=(2, 1), overlooks=overlooks, read=None)
    checks = {check.check: check for check in user_pool_checks.checks(pool.connection(), found)}
    assert amiss(checks) == {"found by email": "failed"}
    assert "connections.cognito.portal.known_by" in checks["found by email"].remedy


def test_what_is_missing_is_said_with_what_to_do(pool: UserPool) -> None:
    pool.answers = {"AdminGetUser": "AccessDeniedException"}
    found = rows(pool)["users read"].found
    assert "UserPoolArns" in found
    assert "cognito-idp:AdminGetUser" in found
