"""Preflight of a SCIM target: what it answers, and what its profile presumes (O2, U1)."""

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import pytest

import preflight
from muster.checks import Check
from muster.connections.checking import Checking
from muster.connections.ports import Ports
from muster.settings.document import read
from sandbox import scim
from tests.doubles.acme import Acme
from tests.doubles.credentials import Shelf
from tests.doubles.login_journal import JournalInMemory
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_target import NAME, ScimTarget
from tests.integration.pasted import pasted


@pytest.fixture(scope="module")
def _target() -> Iterator[ScimTarget]:
    with scim.running() as app:
        yield ScimTarget(app)


@pytest.fixture
def target(_target: ScimTarget) -> ScimTarget:
    control(_target.url, "POST", "reset")
    _target.user("ada@acme.example")
    return _target


def rows(target: ScimTarget, shelf: Shelf | None = None, **keys: Any) -> dict[str, Check]:
    """Return the checks of the target, by name."""
    section = {"host": target.url.removeprefix("http://"), "who": "everyone", "secret": NAME} | keys
    document = {"organization": "acme", "connections": {"scim": {"app": section}}}
    _, settings = read(document, loopback_hosts=True)
    shelf, journal = shelf or target.shelf(), JournalInMemory()
    ports = Ports(
        secrets=shelf.secrets(),
        runs=cast(Any, None),
        salesforce=cast(Any, None),
        vault_crm=cast(Any, None),
        align=cast(Any, None),
        user_pool=cast(Any, None),
        scim=lambda connection: target.client(
            shelf=shelf, journal=journal, settings={"profile": connection.profile, "path": connection.path}
        ),
    )
    found = Checking(settings, ports, lambda: 300.0, date(2026, 11, 30)).rows()
    assert {name for name, _ in found} == {"scim.app"}
    return {check.check: check for _, check in found}


def amiss(checks: dict[str, Check]) -> dict[str, str]:
    """Return what did not pass, each with a remedy."""
    found = {name: str(check.result) for name, check in checks.items() if check.result != "passed"}
    assert all(checks[name].remedy for name in found)
    return found


ACCESS = ("secret", "reachable", "login", "SCIM endpoint", "API access", "groups", "what it says of itself")
FOUND = ("found by userName", "found by externalId")
REST = dict.fromkeys((*ACCESS[3:], *FOUND), "could_not_check")


def test_where_everything_is_right_everything_passes(target: ScimTarget) -> None:
    checks = rows(target)
    assert set(checks) == {*ACCESS, *FOUND}
    assert amiss(checks) == {}
    assert target.truth() == {"ada@acme.example": True}
    assert target.calls("", "POST") == target.calls("", "PATCH") == 0


def test_what_a_profile_does_not_presume_is_not_asked(target: ScimTarget) -> None:
    target.quirks(profile="gong")
    assert amiss(rows(target, profile="gong")) == {}
    assert "found by externalId" not in rows(target, profile="gong")


@pytest.mark.parametrize(
    ("quirks", "expected"),
    [
        ({"filterable": ["userName"]}, {"found by externalId": "warning"}),
        ({"filters": "refused"}, dict.fromkeys(FOUND, "warning")),
        ({"filters": "ignored"}, dict.fromkeys(FOUND, "warning")),
        ({"says_patch_unsupported": True}, {"what it says of itself": "warning"}),
        ({"discovery": "missing"}, {}),
        ({"discovery": "old_names"}, {}),
        ({"bom": True, "answer_type": "text/html"}, {}),
        ({"refuses": ["GET /Groups"], "refused_status": 403}, {"groups": "could_not_check"}),
        ({"refuses": ["GET"], "refused_status": 404}, {"login": "failed"} | REST),
        ({"moved_to": "https://new.example"}, {"login": "failed"} | REST),
    ],
    ids=str,
)
def test_what_the_target_does_not_do(
    target: ScimTarget, quirks: dict[str, Any], expected: dict[str, str]
) -> None:
    target.quirks(**quirks)
    assert amiss(rows(target)) == expected


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"token": "wrong"}, {"login": "failed"} | REST),
        (
            {"password": "x"},
            {"secret": "failed"}
            | dict.fromkeys(("reachable", "login", "credentials expiry"), "could_not_check")
            | REST,
        ),
    ],
    ids=str,
)
def test_a_secret_that_opens_nothing(
    target: ScimTarget, secret: dict[str, str], expected: dict[str, str]
) -> None:
    assert amiss(rows(target, target.shelf(**secret))) == expected


def test_a_token_that_ends_soon_is_a_warning(target: ScimTarget) -> None:
    shelf = target.shelf(token=target.token, expires_on="2026-12-10")
    assert amiss(rows(target, shelf)) == {"credentials expiry": "warning"}


def test_a_target_that_is_down_is_told(target: ScimTarget) -> None:
    target.fault("status", status=503, count=99)
    assert amiss(rows(target)) == {"reachable": "failed", "login": "could_not_check"} | REST


def test_a_name_that_is_no_connection_is_refused(acme: Acme) -> None:
    for name in ("gong", "scim.", "scim.Gong", "cognito"):
        said = preflight.handler({"organization": "acme", "connections": [name]}, acme.context)
        assert (said["status"], said["errors"][0]["where"]) == ("rejected", "connections[0]")
    for asked in (pasted("preflight_app"), {"organization": "acme", "connections": ["cognito.portal"]}):
        said = preflight.handler(asked, acme.context)
        [name] = asked["connections"]
        assert f"{name}, which is not in the settings" in said["errors"][0]["message"]
