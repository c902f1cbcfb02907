"""What preflight makes of a vault: fields, picklists, passwords, and who may be Align's user (U2, U3)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from muster.checks import Check, Read
from muster.connections import vault_checks
from muster.connections.access_checks import AccessFound, SecretFound
from muster.connections.vault_checks import VaultFound
from muster.crm import engage_features, vault_fields
from muster.crm.vault_records import BaseLicence, Field, IntegrationUser, SecurityPolicy
from muster.errors import Incomplete, Problem, Rejected, Unavailable
from muster.settings import mappings
from tests.examples import settings

ACME = settings(
    connections={
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"},
        "vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": ["engage"]},
        "align": {"host": "acme-align.veevavault.com"},
    }
)
SECRET = SecretFound(frozenset({"username", "password"}))
STATUS = "engage_group_provisioning_status__v"
ME = IntegrationUser("10042", "muster@acme.example", "en", "vault_owner__v", 4711, active=True, name="M M")
EDITED = vault_fields.to_edit(["engage"])
STATUSES = [f"{code}__v" for code in engage_features.STATUSES["engage"]]


def field(name: str, **changes: Any) -> Field:
    given: dict[str, Any] = {"editable": True, "active": True, "picklist": None} | changes
    return Field(name, name, "String", **given)


def all_fields(**changed: Field | None) -> list[Field]:
    """Return the fields that Acme needs, some of them changed; `None` takes one out."""
    needed = {name: field(name) for name in (*EDITED, *mappings.vault_fields_to_read(ACME))}
    return [each for each in (needed | changed).values() if each]


def found(**changes: Any) -> VaultFound:
    right: dict[str, Any] = {
        "access": AccessFound(secret=SECRET, answered=None, login=None),
        "versions": ["v26.1"],
        "me": ME,
        "policy": SecurityPolicy("Password", 0),
        "permissions": dict.fromkeys(vault_checks.CRM_OBJECTS, frozenset({"read", "create", "edit"})),
        "fields": all_fields(),
        "picklists": {STATUS: STATUSES},
        "base_licences": [BaseLicence("vault_crm__v", 50, 40)],
        "calls_left": (1990, 2000),
    }
    return VaultFound(**right | changes)


def crm(**changes: Any) -> dict[str, Check]:
    """Return the checks of Vault CRM by name."""
    connection = ACME.connections.vault_crm
    assert connection
    checks = list(vault_checks.crm_checks(ACME, connection, found(**changes)))
    by_name = {check.check: check for check in checks}
    assert len(by_name) == len(checks)
    return by_name


def amiss(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: str(check.result) for name, check in checks.items() if check.result != "passed"}


def test_a_vault_that_is_right_passes() -> None:
    assert amiss(crm()) == {}


@pytest.mark.parametrize("name", EDITED)
@pytest.mark.parametrize(
    ("change", "says", "remedy"),
    [
        (None, "has no field", "Field Permissions"),
        ({"editable": False}, "may not be edited", "tick Edit"),
        ({"active": False}, "is not active", "Status: Active"),
    ],
)
def test_a_field_has_to_be_there_active_and_editable(
    name: str, change: dict[str, Any] | None, says: str, remedy: str
) -> None:
    checks = crm(fields=all_fields(**{name: field(name, **change) if change else None}))
    assert amiss(checks) == {f"field {name}": "failed"}
    assert says in checks[f"field {name}"].found
    assert remedy in checks[f"field {name}"].remedy
    assert name in checks[f"field {name}"].remedy


def test_a_field_that_is_only_read_need_not_be_editable() -> None:
    name = "engage_connect_group__v"
    assert amiss(crm(fields=all_fields(**{name: field(name, editable=False)}))) == {}
    assert amiss(crm(fields=all_fields(**{name: None}))) == {f"field {name}": "failed"}


@pytest.mark.parametrize(
    ("values", "result", "says"),
    [
        ([each.upper() for each in STATUSES], "passed", "every status"),
        ([*STATUSES, "more__c"], "passed", "every status"),
        (STATUSES[1:], "failed", f"lacks {STATUSES[0]}"),
        ([], "failed", "lacks"),
        (Unavailable("down"), "could_not_check", "down"),
    ],
)
def test_a_picklist_has_to_hold_every_status(values: Read[Iterable[str]], result: str, says: str) -> None:
    check = crm(picklists={STATUS: values})[f"values of {STATUS}"]
    assert check.result == result
    assert says in check.found


def test_a_status_field_without_a_picklist_could_not_be_checked() -> None:
    assert amiss(crm(picklists={})) == {f"values of {STATUS}": "could_not_check"}


@pytest.mark.parametrize(
    ("policy", "result", "says"),
    [
        (SecurityPolicy("Password", 0), "passed", "never expires"),
        (SecurityPolicy("Password", 90), "warning", "90 days"),
        (SecurityPolicy("Password", None), "could_not_check", "does not say"),
        (Unavailable("down"), "could_not_check", "down"),
        (Rejected(Problem("x", "INSUFFICIENT_ACCESS", "Allow it.")), "could_not_check", "INSUFFICIENT"),
    ],
)
def test_when_the_password_expires(policy: Read[SecurityPolicy], result: str, says: str) -> None:
    check = crm(policy=policy)["password expiry"]
    assert check.result == result
    assert says in check.found


@pytest.mark.parametrize(
    ("policy", "left", "result", "says"),
    [
        # What the policy says counts, and the day adds how long is left.
        (0, 200, "passed", "200 days from now"),
        (90, 200, "warning", "expires 90 days after it was set; expires_on .* is 200 days from now"),
        (90, 29, "warning", "^expires_on .* is 29 days from now"),
        (0, 29, "warning", "^expires_on .* is 29 days from now"),
        (90, -1, "warning", "^expires_on .* was 1 day ago"),
        # Who may not read the policy goes by the day alone.
        (None, 200, "passed", "200 days from now"),
        (None, 1, "warning", "1 day from now"),
        # A day that cannot be read would never warn.
        (0, None, "failed", "cannot be read"),
    ],
)
def test_the_day_in_the_secret_tells_until_when_the_password_lasts(
    policy: int | None, left: int | None, result: str, says: str
) -> None:
    secret = SecretFound(SECRET.keys | {"expires_on"}, left)
    read = Unavailable("down") if policy is None else SecurityPolicy("Password", policy)
    checks = crm(policy=read, access=AccessFound(secret=secret, answered=None, login=None))
    check = checks["password expiry"]
    assert check.result == result
    assert re.search(says, check.found)
    assert amiss(checks) == ({} if result == "passed" else {"password expiry": result})


@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"read"}), frozenset({"create", "edit"})])
def test_each_action_on_users_is_judged_by_itself(allowed: frozenset[str]) -> None:
    permissions = found().permissions | {"user__sys": allowed}  # type: ignore[operator]  # a dict
    missing = {"read", "create", "edit"} - allowed
    assert amiss(crm(permissions=permissions)) == {f"{action} user__sys": "failed" for action in missing}


# ── Before a push ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("me", "fields", "failed"),
    [
        (ME, all_fields(), []),
        (ME, all_fields(engage_group__v=None), ["field engage_group__v"]),
        (ME, all_fields(engage_connect_group__v=None), []),
        (ME, Unavailable("down"), []),
        (Unavailable("down"), all_fields(), []),
    ],
)
def test_a_push_rests_on_the_fields_of_what_is_pushed(
    me: Read[IntegrationUser], fields: Read[list[Field]], failed: list[str]
) -> None:
    checks = vault_checks.push_checks(ACME, me, fields)
    assert [check.check for check in checks if check.result == "failed"] == failed


# ── Candidates ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("username", "name", "is_admin"),
    [
        ("muster@acme.example", "Align Admin", True),
        ("muster@acme.example", "ALIGN  admin", True),
        ("align.admin@acme.example", "Somebody Else", True),
        ("align_admin1@acme.example", "", True),
        ("alignadmin@acme.example", "", True),
        ("muster@align-admin.example", "Muster Integration", False),
        ("align.administrator@acme.example", "", False),
        ("admin@acme.example", "Align", False),
        ("", "", False),
    ],
)
def test_the_align_admin_is_known_by_its_name(username: str, name: str, is_admin: bool) -> None:
    assert vault_checks.is_align_admin(username, name) is is_admin


LANGUAGE = "language__sysr.admin_key__sys"


def row(id_: str, username: str, language: object = "en") -> dict[str, object]:
    return {"id": id_, "username__sys": username, "name__v": "N", LANGUAGE: language}


def test_candidates_are_english_people_by_username() -> None:
    rows = [
        row("3", "zoe@acme.example"),
        row("1", "System"),
        row("2", "Bob@acme.example", ["en"]),
        row("4", "heidi@acme.example", "de"),
        row("5", "nobody@acme.example", None),
    ]
    assert [each["id"] for each in vault_checks.candidates(rows)] == ["2", "3"]


def test_a_row_of_another_shape_is_no_candidate_but_a_fault() -> None:
    with pytest.raises(Incomplete):
        vault_checks.candidates([row("3", "zoe@acme.example", 7)])


@pytest.mark.parametrize(
    ("licences", "result", "said"),
    [
        ([("vault_crm__v", 50, 49)], "passed", "vault_crm__v: 1 of 50 licences for users are left"),
        ([("vault_crm__v", 50, 50)], "warning", "0 of 50"),
        ([("vault_crm__v", 50, 51)], "warning", "0 of 50"),
        (
            [("a__v", 50, 50), ("b__v", 9, 2)],
            "warning",
            "a__v: 0 of 50 licences for users are left; b__v: 7",
        ),
        ([], "could_not_check", "says of no application"),
    ],
)
def test_licences_for_users(licences: list[tuple[str, int, int]], result: str, said: str) -> None:
    check = crm(base_licences=[BaseLicence(*each) for each in licences])["base licences"]
    assert (check.result, said in check.found) == (result, True)
    assert bool(check.remedy) is (result != "passed")


def test_licences_that_may_not_be_read_could_not_be_checked() -> None:
    assert amiss(crm(base_licences=Unavailable("down"))) == {"base licences": "could_not_check"}
