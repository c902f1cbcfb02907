"""Preflight of Align: profile, fields, language, password; and who may be its integration user (U3)."""

from typing import Any

import pytest

from sandbox.vault_crm.setup_records import INTEGRATION_USER, VAULT_OWNER
from tests.doubles.acme import HOSTS, Acme, named, row_of, rows
from tests.doubles.vault_in_process import new_user

GERMAN = "0LU000000000002"
FIELDS = [
    "engage_group_request__aln",
    "engage_group_provisioning_status__aln",
    "engage_group__aln",
    "engage_connect_group_request__aln",
    "engage_connect_group_status__aln",
    "engage_connect_group__aln",
]
READ = [
    "id",
    "created_date__v",
    "modified_date__v",
    "email__aln",
    "crm_user_status__aln",
    "end_date__aln",
]


def wrong(acme: Acme, **permissions: Any) -> dict[str, Any]:
    """Set the integration user wrong, and check."""
    acme.align.control("PUT", "permissions", permissions)
    return acme.check("align")


def test_the_whole_list_is_checked(acme: Acme) -> None:
    said = acme.check("align")
    assert said["status"] == "succeeded"
    assert {row["check"] for row in rows(said)} == {
        *("secret", "reachable", "login", "right vault", "version", "API access", "language"),
        *("security profile", "not the Align Admin"),
        *(f"{action} roster_member__aln" for action in ("read", "create", "edit")),
        *(f"field {name}" for name in (*FIELDS, *READ)),
        "values of crm_user_status__aln",
        *("values of engage_group_provisioning_status__aln", "values of engage_connect_group_status__aln"),
        *("password expiry", "burst limit"),
    }


@pytest.mark.parametrize(
    ("permissions", "check", "remedy"),
    [
        ({"language": "ja"}, "language", "Language: English"),
        ({"security_profile": "systemAdmin"}, "security profile", "Vault Owner"),
        ({"security_profile": "businessAdmin"}, "security profile", "Vault Owner"),
        *(
            (
                {"objects": {"roster_member__aln": {action: False}}},
                f"{action} roster_member__aln",
                f"roster_member__aln: tick {action.capitalize()}",
            )
            for action in ("read", "create")
        ),
        *(
            ({"fields": {"roster_member__aln": {name: False}}}, f"field {name}", f"{name}: tick Edit")
            for name in FIELDS
        ),
    ],
)
def test_what_is_wrong_fails_alone_and_says_where_to_click(
    acme: Acme, permissions: dict[str, Any], check: str, remedy: str
) -> None:
    said = wrong(acme, **permissions)
    assert (named(said, "failed"), named(said, "could_not_check")) == ({check}, set())
    assert remedy in row_of(said, check)["remedy"]


def test_a_password_that_expires_is_a_warning(acme: Acme) -> None:
    said = wrong(acme, password_expires_days=180)
    assert (said["status"], named(said, "warning")) == ("succeeded", {"password expiry"})
    assert "180 days" in row_of(said, "password expiry")["found"]


def test_the_align_admin_is_not_to_be_the_integration_user(acme: Acme) -> None:
    acme.align.update(INTEGRATION_USER, first_name__sys="Align", last_name__sys="Admin")
    assert named(acme.check("align"), "failed") == {"not the Align Admin"}


def test_a_vault_without_roster_members_fails(acme: Acme) -> None:
    acme.write_secret("align", acme.vault_crm.secret)
    acme.put(connections=acme.connections(vault_crm=None, align={"host": HOSTS["vault_crm"]}))
    said = acme.check("align")
    assert {f"{action} roster_member__aln" for action in ("read", "create", "edit")} <= named(said, "failed")
    assert "fields of roster_member__aln" in named(said, "could_not_check")


def create(acme: Acme, **fields: Any) -> str:
    """Create a user of Align, whose users have nothing of Vault CRM's own; return the id."""
    user = {name: value for name, value in new_user(**fields).items() if not name.endswith("__v")}
    status = {"status__v": fields["status__v"]} if "status__v" in fields else {}
    [made] = acme.align.write("POST", [user | status])["data"]
    return str(made["data"]["id"])


# ── Candidates ───────────────────────────────────────────────────────────────────────────────────────


def test_candidates_are_active_english_vault_owners_without_the_align_admin(acme: Acme) -> None:
    owner: dict[str, Any] = {"security_profile__sys": VAULT_OWNER}
    wanted = create(acme, username__sys="zoe@acme.example", **owner)
    for other in (
        {"username__sys": "rep@acme.example"},
        {"username__sys": "gone@acme.example", "status__v": "inactive__v", **owner},
        {"username__sys": "heidi@acme.example", "language__sys": GERMAN, **owner},
        {"username__sys": "align.admin@acme.example", **owner},
        {"username__sys": "x@acme.example", "first_name__sys": "Align", "last_name__sys": "Admin", **owner},
    ):
        create(acme, **other)
    said = acme.check("align", candidates=True)
    username = acme.align.vault.username
    assert said["candidates"] == [
        {"id": INTEGRATION_USER, "username": username, "name": "Integration User"},
        {"id": wanted, "username": "zoe@acme.example", "name": "Ada Lovelace"},
    ]
    assert said["status"] == "succeeded"


def test_candidates_that_cannot_be_read_are_told_and_hide_nothing(acme: Acme) -> None:
    fault = {"path": "/api/v26.1/query", "fault": "status", "status": 503, "count": 99}
    acme.align.control("POST", "faults", [fault])
    said = acme.check("align", candidates=True)
    assert said["candidates"] == []
    assert named(said, "could_not_check") == {"candidates"}
    assert {"language", "security profile"} <= named(said, "passed")
