"""The sandbox vault's records: creating and changing up to 500 at a time, each with an entry of its own."""

from typing import Any

import pytest

from tests.doubles.vault_in_process import API, VaultInProcess, new_user, vault_in_process


def outcomes(answer: Any) -> list[str]:
    """Return what each entry says: SUCCESS, WARNING, or the type of its error."""
    return [
        entry["errors"][0]["type"] if "errors" in entry else entry["responseStatus"]
        for entry in answer["data"]
    ]


def test_a_created_user_has_an_id_a_name_and_its_defaults(vault: VaultInProcess) -> None:
    answer = vault.write("POST", [new_user(last_name__sys="Byron")])
    (entry,) = answer["data"]
    user = entry["data"]["id"]
    assert answer["responseStatus"] == entry["responseStatus"] == "SUCCESS"
    assert entry["data"] == {
        "id": user,
        "url": f"{API}/vobjects/user__sys/{user}",
        "event": "created__sys",
    }
    names = ["name__v", "status__v", "license_type__sys", "domain_user_id__sys"]
    (row,) = vault.query(f"SELECT {', '.join(names)} FROM user__sys WHERE id = '{user}'")["data"]  # noqa: S608  # VQL of tests
    assert list(row.values()) == ["Ada Byron", ["active__v"], ["full__v"], int(user)]


@pytest.mark.parametrize(
    "name",
    [
        "username__sys",
        "email__sys",
        "first_name__sys",
        "last_name__sys",
        "language__sys",
        "locale__sys",
        "timezone__sys",
        "security_profile__sys",
    ],
)
def test_a_user_needs_what_vault_requires(vault: VaultInProcess, name: str) -> None:
    missing = {key: value for key, value in new_user().items() if key != name}
    empty = new_user(**{name: None})
    assert outcomes(vault.write("POST", [missing, empty, new_user()])) == [
        "PARAMETER_REQUIRED",
        "PARAMETER_REQUIRED",
        "SUCCESS",
    ]


def test_results_come_in_the_order_of_the_records(vault: VaultInProcess) -> None:
    first, second = vault.create_many([{}, {}])
    records = [
        {"id": second, "title__sys": "Rep"},
        {"id": "99999", "title__sys": "Rep"},
        {"id": first, "first_name__sys": "Ada"},
        {"title__sys": "Rep"},
        {"id": second, "title__sys": "Lead"},
        {"id": "1", "title__sys": "Rep"},
    ]
    answer = vault.write("PUT", records)
    assert outcomes(answer) == [
        "SUCCESS",
        "INVALID_DATA",
        "WARNING",
        "PARAMETER_REQUIRED",
        "INVALID_DATA",
        "OPERATION_NOT_ALLOWED",
    ]
    assert [entry["data"]["id"] for entry in answer["data"] if "data" in entry] == [second, first]
    assert vault.found(f"id = '{second}'", "title__sys") == ["Rep"]


def test_a_record_that_fails_leaves_the_call_a_success(vault: VaultInProcess) -> None:
    answer = vault.write("PUT", [{"id": "99999", "title__sys": "Rep"}])
    assert answer["responseStatus"] == "SUCCESS"
    assert answer["data"] == [
        {
            "responseStatus": "FAILURE",
            "errors": [{"type": "INVALID_DATA", "message": "The resource [99999] does not exist"}],
        }
    ]


def test_a_save_of_the_same_values_is_a_warning_and_changes_nothing(vault: VaultInProcess) -> None:
    user = vault.create(title__sys="Rep")
    before = vault.user(user)
    vault.clock.pass_s(60)
    answer = vault.write("PUT", [{"id": user, "title__sys": "Rep", "status__v": "active__v"}])
    assert answer["responseStatus"] == "WARNING"
    assert answer["warnings"][0]["warning_type"] == "NO_DATA_CHANGES"
    assert answer["data"][0]["warnings"][0]["warning_type"] == "NO_DATA_CHANGES"
    assert vault.user(user) == before
    vault.update(user, title__sys="Lead")
    assert vault.user(user)["modified_date__v"] > before["modified_date__v"]


@pytest.mark.parametrize("clearing", [None, ""])
def test_a_field_is_cleared_by_null_and_by_empty_text(vault: VaultInProcess, clearing: str | None) -> None:
    user = vault.create(title__sys="Rep", company__sys="Acme")
    assert vault.update(user, title__sys=clearing)["responseStatus"] == "SUCCESS"
    assert vault.found(f"id = '{user}'", "title__sys") == [None]
    assert vault.found(f"id = '{user}'", "company__sys") == ["Acme"]
    assert vault.update(user, title__sys=clearing)["responseStatus"] == "WARNING"


@pytest.mark.parametrize("sent", ["inactive__v", ["inactive__v"]])
def test_a_picklist_takes_a_name_or_an_array_of_one(vault: VaultInProcess, sent: object) -> None:
    user = vault.create()
    vault.update(user, status__v=sent)
    assert vault.user(user)["status__v"] == ["inactive__v"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"status__v": "Active"}, "INVALID_DATA"),
        ({"status__v": None}, "PARAMETER_REQUIRED"),
        ({"email__sys": "nobody"}, "INVALID_DATA"),
        ({"last_name__sys": ""}, "PARAMETER_REQUIRED"),
        ({"last_name__sys": 7}, "INVALID_DATA"),
        ({"title__sys": "x" * 256}, "INVALID_DATA"),
        ({"language__sys": "en"}, "INVALID_DATA"),
        ({"send_welcome_email__sys": "yes"}, "INVALID_DATA"),
        ({"activation_date__sys": "2026-02-30"}, "INVALID_DATA"),
        ({"nothing__v": "x"}, "INVALID_DATA"),
        ({"modified_date__v": "2026-11-21T12:00:00Z"}, "INVALID_DATA"),
        ({"name__v": "x"}, "INVALID_DATA"),
    ],
)
def test_a_value_that_does_not_fit_refuses_its_record_only(
    vault: VaultInProcess, change: dict[str, Any], kind: str
) -> None:
    wrong, right = vault.create_many([{"title__sys": "Rep"}, {}])
    answer = vault.write(
        "PUT", [{"id": wrong, "title__sys": "Lead", **change}, {"id": right, "title__sys": "Lead"}]
    )
    assert outcomes(answer) == [kind, "SUCCESS"]
    assert vault.found("title__sys != null", "title__sys") == ["Rep", "Lead"]


def test_a_username_is_taken_once(vault: VaultInProcess) -> None:
    users = [new_user(username__sys=name) for name in ("a@acme.example", "a@acme.example", "b@acme.example")]
    answer = vault.write("POST", users)
    assert outcomes(answer) == ["SUCCESS", "INVALID_DATA", "SUCCESS"]
    second = answer["data"][2]["data"]["id"]
    assert vault.update(second, username__sys="a@acme.example")["errors"][0]["type"] == "INVALID_DATA"
    assert vault.found(f"id = '{second}'", "username__sys") == ["b@acme.example"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"json": {"id": "1"}}, "INVALID_DATA"),
        ({"json": ["1"]}, "INVALID_DATA"),
        ({"json": []}, "PARAMETER_REQUIRED"),
        ({"data": b"[{", "content_type": "application/json"}, "INVALID_DATA"),
        ({"data": b"id\n1\n", "content_type": "text/csv"}, "INVALID_DATA"),
        ({"json": [{"id": str(number)} for number in range(501)]}, "INVALID_DATA"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_wrong_body_refuses_the_whole_call(
    vault: VaultInProcess, method: str, body: dict[str, Any], kind: str
) -> None:
    answer = vault.call(method, "/vobjects/user__sys", **body)
    assert answer == {"responseStatus": "FAILURE", "errors": answer["errors"]}
    assert answer["errors"][0]["type"] == kind


def test_500_records_are_written_at_once(vault: VaultInProcess) -> None:
    ids = vault.create_many([{}] * 500)
    answer = vault.write("PUT", [{"id": user, "title__sys": "Rep"} for user in ids])
    assert [entry["data"]["id"] for entry in answer["data"]] == ids
    assert vault.found("title__sys = 'Rep'", "id") == ids


@pytest.mark.parametrize(
    ("objects", "fields", "outcome"),
    [
        ({}, {}, "SUCCESS"),
        ({"edit": False}, {}, "INSUFFICIENT_ACCESS"),
        ({"create": False}, {}, "SUCCESS"),
        ({}, {"title__sys": False}, "INSUFFICIENT_ACCESS"),
        ({}, {"alias__sys": False}, "SUCCESS"),
    ],
)
def test_permissions_decide_what_may_be_changed(
    vault: VaultInProcess, objects: dict[str, bool], fields: dict[str, bool], outcome: str
) -> None:
    user = vault.create()
    vault.control("PUT", "permissions", {"objects": {"user__sys": objects}, "fields": {"user__sys": fields}})
    assert outcomes(vault.write("PUT", [{"id": user, "title__sys": "Rep"}])) == [outcome]


def test_permissions_decide_what_may_be_created_and_read(vault: VaultInProcess) -> None:
    vault.control(
        "PUT", "permissions", {"objects": {"user__sys": {"create": False}, "account__v": {"read": False}}}
    )
    assert outcomes(vault.write("POST", [new_user()])) == ["INSUFFICIENT_ACCESS"]
    assert vault.query("SELECT id FROM account__v")["errors"][0]["type"] == "INSUFFICIENT_ACCESS"
    assert vault.query("SELECT id FROM address__v")["data"] == []


def test_an_align_vault_keeps_roster_members_and_runs_no_engage_server() -> None:
    with vault_in_process("align") as vault:
        member = {
            "name__v": "Ada Lovelace",
            "email__aln": "ada@acme.example",
            "engage_group_request__aln": "UK",
            "engage_group_provisioning_status__aln": "retry_request__aln",
            "end_date__aln": "2026-12-31",
        }
        answer = vault.write("POST", [member], of="roster_member__aln")
        assert outcomes(answer) == ["SUCCESS"]
        vault.settle()
        names = [*member, "crm_user_status__aln"]
        (row,) = vault.query(f"SELECT {', '.join(names)} FROM roster_member__aln")["data"]  # noqa: S608  # VQL of tests
        assert row == member | {
            "engage_group_provisioning_status__aln": ["retry_request__aln"],
            "crm_user_status__aln": ["active__aln"],
        }
        assert vault.query("SELECT id FROM account__v")["errors"][0]["type"] == "INVALID_DATA"


@pytest.mark.parametrize(
    "name", ["account__v", "address__v", "child_account__v", "product_metrics__v", "territory__v"]
)
def test_a_crm_vault_has_the_objects_that_an_integration_reads(vault: VaultInProcess, name: str) -> None:
    assert vault.query(f"SELECT id, name__v FROM {name}")["data"] == []  # noqa: S608  # VQL of tests
