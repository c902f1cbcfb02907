"""What preflight makes of an org: who is shown, fields, filters, both flows to log in (U4)."""

from collections.abc import Sequence
from typing import Any

import pytest

from muster.checks import Check, Read
from muster.connections import salesforce_checks
from muster.connections.access_checks import AccessFound, SecretFound
from muster.connections.salesforce_checks import SalesforceFound
from muster.errors import Misconfigured, Unavailable
from muster.settings import trial_queries
from muster.settings.mappings import fields_to_read
from tests.examples import settings

CONNECTION = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}
ACME = settings(
    connections={"salesforce": CONNECTION},
    assignments=[{"name": "Sales", "filter": "Department = 'Sales'"}, {"name": "Rest"}],
)
FIELDS = fields_to_read(ACME)


def checks(login: str = "client_credentials", **changes: Any) -> dict[str, Check]:
    """Return the checks by name, of an org that is right but for the changes."""
    right: dict[str, Any] = {
        "access": AccessFound(
            secret=SecretFound(frozenset({"client_id", "client_secret"})), answered=None, login=None
        ),
        "versions": ["65.0", "66.0"],
        "fields": FIELDS,
        "refusals": [None] * len(trial_queries.queries(ACME)),
        "users": 4000,
        "users_before": 4000,
        "calls_used": (100, 1000),
        "no_logins": None,
    }
    organization = settings(connections={"salesforce": CONNECTION | {"login": login}})
    connection = organization.connections.salesforce
    assert connection
    found = list(salesforce_checks.checks(ACME, connection, SalesforceFound(**right | changes)))
    by_name = {check.check: check for check in found}
    assert len(by_name) == len(found)
    return by_name


def amiss(found: dict[str, Check]) -> dict[str, str]:
    return {name: str(check.result) for name, check in found.items() if check.result != "passed"}


def test_an_org_that_is_right_passes() -> None:
    assert amiss(checks()) == {}


@pytest.mark.parametrize(
    ("users", "before", "result"),
    [
        (4000, 4000, "passed"),
        (4001, 4000, "passed"),
        (3999, 4000, "failed"),
        (1, 4000, "failed"),
        (1, None, "failed"),
        (0, None, "failed"),
        (1, 1, "failed"),
        (12, None, "warning"),
        (Unavailable("down"), 4000, "could_not_check"),
        (4000, Unavailable("down"), "could_not_check"),
    ],
)
def test_whether_everyone_is_shown(users: Read[int], before: Read[int | None], result: str) -> None:
    check = checks(users=users, users_before=before)["reads all users"]
    assert check.result == result
    assert ("View All Users" in check.remedy) is (result in ("failed", "warning"))


@pytest.mark.parametrize(
    ("used", "result"),
    [((0, 1000), "passed"), ((800, 1000), "passed"), ((801, 1000), "warning"), (None, "could_not_check")],
)
def test_what_is_left_of_the_day(used: tuple[int, int] | None, result: str) -> None:
    assert checks(calls_used=used)["daily API calls"].result == result


@pytest.mark.parametrize(
    ("fields", "refusals", "expected"),
    [
        (Unavailable("down"), [None] * 4, {"API access": "could_not_check", "fields": "could_not_check"}),
        (FIELDS, Unavailable("down"), {"filter of Sales": "could_not_check"}),
        (FIELDS, [None, *["unexpected token"] * 3], {"filter of Sales": "failed"}),
        (FIELDS, [None, None, "not nested", "not nested"], {"filter of Sales": "failed"}),
        (
            [each for each in FIELDS if each != "Title"],
            ["No such column 'Title'", None, None, None],
            {"field at auto_provision.fields[7]": "failed"},
        ),
        (
            [each for each in FIELDS if each != "Title"],
            Unavailable("down"),
            {"field at auto_provision.fields[7]": "failed", "filter of Sales": "could_not_check"},
        ),
        (FIELDS, ["is too complicated", None, None, None], {"field at auto_provision.fields": "failed"}),
    ],
)
def test_fields_and_filters_are_judged_apart(
    fields: Read[Sequence[str]], refusals: Read[Sequence[str | None]], expected: dict[str, str]
) -> None:
    assert amiss(checks(fields=fields, refusals=refusals)) == expected


def test_a_secret_without_a_day_passes_and_says_how_to_be_told() -> None:
    check = checks()["credentials expiry"]
    assert (check.result, check.remedy) == ("passed", "")
    assert "expires_on" in check.found


@pytest.mark.parametrize(
    ("login", "keys", "says"),
    [
        ("client_credentials", {"client_id", "client_secret"}, "rotate the consumer secret"),
        ("jwt_bearer", {"client_id", "username", "private_key"}, "upload the certificate to the app"),
    ],
)
def test_credentials_that_end_soon_are_a_warning_with_what_to_renew(
    login: str, keys: set[str], says: str
) -> None:
    secret = SecretFound(frozenset(keys | {"expires_on"}), 7)
    found = checks(login, access=AccessFound(secret=secret, answered=None, login=None))
    assert amiss(found) == {"credentials expiry": "warning"}
    assert "7 days from now" in found["credentials expiry"].found
    assert says in found["credentials expiry"].remedy


@pytest.mark.parametrize(
    ("login", "keys", "says"),
    [
        ("client_credentials", {"client_id", "client_secret"}, "Run As"),
        ("jwt_bearer", {"client_id", "username", "private_key"}, "certificate of private_key"),
    ],
)
def test_each_flow_has_a_remedy_and_keys_of_its_own(login: str, keys: set[str], says: str) -> None:
    refused = AccessFound(
        secret=SecretFound(frozenset(keys)), answered=None, login=Misconfigured("invalid_grant")
    )
    found = checks(login, access=refused)
    assert (found["secret"].result, found["login"].result) == ("passed", "failed")
    assert says in found["login"].remedy
    assert all(f'"{key}": "…"' in found["login"].remedy for key in keys)
