"""New members' requests, who leaves by Align, what an import fills in, and saves at a bad moment (G9)."""

from dataclasses import replace
from typing import Any

import pytest

import preflight
from muster import bootstrap
from sandbox.vault_crm.setup_records import INTEGRATION_USER
from tests.integration.engage.align_desk import (
    CONNECT,
    DOWN,
    ENGAGE,
    OBJECT,
    QUERY,
    RETRY,
    WRITE,
    Desk,
    connect,
)


def in_uk_before_align(desk: Desk, **fields: Any) -> tuple[str, str]:
    """Return somebody who was in a group before there was a record in Align: the ids in the vaults."""
    user = desk.licences.person()
    desk.licences.vault.update(user, engage_group_request__v="UK")
    desk.licences.vault.settle()
    desk.licences.imported()
    return user, desk.record(email__aln=desk.licences.member(user)["email"], **fields)


# ── New members ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("looks_before", ["push", "incremental", "nobody"])
@pytest.mark.parametrize("saved_again", [False, True])
def test_the_request_of_somebody_new_is_pushed_without_retry_request(
    desk: Desk, looks_before: str, saved_again: bool
) -> None:
    crm_id = desk.licences.company.salesforce.create(Department="Sales")
    if looks_before != "nobody":
        desk.licences.imported()
    row = desk.licences.company.salesforce.call("GET", f"/services/data/v66.0/sobjects/User/{crm_id}")
    record = desk.record(email__aln=row["Email"], **{ENGAGE["request"]: "UK"})
    if saved_again:
        desk.edit(record, name__v="Ada L.")
    if looks_before == "push":
        desk.licences.push()
    elif looks_before == "incremental":
        desk.licences.imported("incremental")
    assert desk.shows(record) == ("UK", None, None)
    user = desk.licences.vault.create(username__sys=row["Username"], email__sys=row["Email"])
    desk.licences.imported("incremental")
    desk.licences.push()
    assert desk.licences.processed() == [(user, "UK", "success__v")]
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.errors() == []


@pytest.mark.parametrize("request_", ["UK", None])
@pytest.mark.usefixtures("ada")
def test_somebody_new_is_found_in_align_however_old_the_record_is(desk: Desk, request_: str | None) -> None:
    address = "zoe@acme.example"
    record = desk.record(email__aln=address.upper(), **{ENGAGE["request"]: request_})
    desk.edit(record, name__v="Zoe L.")
    desk.align.clock.pass_s(3600)
    desk.align.log_in()
    desk.record(email__aln="nobody@acme.example")
    desk.licences.imported()
    desk.licences.company.salesforce.create(Department="Sales", Email=address, Username=address)
    desk.licences.vault.log_in()
    user = desk.licences.vault.create(username__sys=address, email__sys=address.upper())
    if request_ is None:
        desk.licences.vault.update(user, engage_group_request__v="UK")
        desk.licences.vault.settle()
    assert desk.licences.imported("incremental")["align"]["read"] == 2
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")


def test_a_record_that_is_created_with_a_request_needs_no_retry_request_either(desk: Desk) -> None:
    user, record = desk.person(**{ENGAGE["request"]: "UK"})
    desk.licences.push()
    assert desk.licences.status(user) == ("UK", "success", "UK")
    assert desk.shows(record) == ("UK", "success__aln", "UK")


def test_a_new_members_request_is_never_erased(desk: Desk) -> None:
    _, record = desk.person()
    desk.edit(record, **{ENGAGE["request"]: "UK"})
    for _ in range(2):
        desk.licences.imported("full")
        desk.licences.push()
    assert desk.shows(record) == ("UK", None, None)
    desk.edit(record, **{ENGAGE["status"]: RETRY})
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")


# ── Filled in ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_import_fills_in_everybody_once_align_is_connected(desk: Desk, mode: str) -> None:
    _, record = in_uk_before_align(desk)
    desk.calls()
    assert desk.licences.imported(mode)["align"] == {"read": 1, "written": 1}
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.calls().count(WRITE) == 1
    # Nothing has changed: nothing is written, in Align or in the roster.
    before = desk.licences.roster()
    assert desk.licences.imported("full")["align"] == {"read": 1, "written": 0}
    assert desk.calls() == [QUERY]
    assert desk.licences.roster() == before


def test_of_two_records_of_one_person_neither_is_filled_in(desk: Desk) -> None:
    user, record = in_uk_before_align(desk)
    double = desk.record(email__aln=desk.licences.member(user)["email"].upper())
    desk.licences.imported()
    desk.licences.push()
    assert {desk.shows(each) for each in (record, double)} == {(None, None, None)}
    # It is somebody else's after all.
    desk.edit(double, email__aln="nobody@acme.example")
    desk.licences.imported()
    assert desk.shows(record) == ("UK", "success__aln", "UK")


def test_an_import_takes_over_what_is_asked_for_and_the_next_push_sends_it(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.imported("incremental")
    assert desk.licences.status(user) == ("UK", "retry_request", None)
    assert desk.shows(record) == ("UK", RETRY, None)
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.licences.processed() == [(user, "UK", "success__v")]


def test_a_retry_request_in_a_record_that_was_never_filled_in_takes_no_licence(desk: Desk) -> None:
    user, record = in_uk_before_align(desk)
    desk.licences.vault.group("Connect", 3, feature="engage_connect")
    desk.edit(record, **{CONNECT["request"]: "Connect", CONNECT["status"]: RETRY, ENGAGE["status"]: RETRY})
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.licences.status(user) == ("UK", "success", "UK")
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.shows(record, "engage_connect") == ("Connect", "success__aln", "Connect")
    assert desk.errors() == ["align_request_refused"]
    # Now that it shows the group, an empty request is one.
    desk.ask(record, None)
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.licences.vault.used()["UK"] == 0


def test_an_align_that_is_down_fails_no_import_and_is_filled_in_later(desk: Desk) -> None:
    _, record = in_uk_before_align(desk)
    desk.faults(DOWN)
    assert desk.licences.imported()["status"] == "succeeded_with_errors"
    assert desk.errors() == ["align_not_reached"]
    desk.faults()
    desk.licences.imported("incremental")
    assert desk.shows(record) == ("UK", "success__aln", "UK")


# ── Who leaves ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("leaves", "stays"),
    [
        ({"crm_user_status__aln": "inactive__aln"}, {"crm_user_status__aln": "active__aln"}),
        ({"end_date__aln": "2020-01-01"}, {"end_date__aln": None}),
        ({"end_date__aln": "2020-01-01"}, {"end_date__aln": "2999-12-31"}),
    ],
    ids=["status", "end date", "later end date"],
)
def test_who_leaves_by_align_gives_the_group_back_and_may_come_back(
    desk: Desk, ada: tuple[str, str], leaves: dict[str, Any], stays: dict[str, Any]
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    desk.edit(record, **leaves)
    desk.licences.push()
    assert desk.licences.vault.used()["UK"] == 0
    assert desk.shows(record)[2] is None
    desk.licences.imported("incremental")
    assert desk.licences.vault.user(user)["status__v"] == ["inactive__v"]
    desk.edit(record, **stays)
    for _ in range(2):
        desk.licences.imported("incremental")
        desk.licences.push()
    assert desk.licences.vault.user(user)["status__v"] == ["active__v"]
    assert desk.licences.member(user)["active"] is True


def test_who_leaves_by_align_is_counted_by_the_guard(desk: Desk, ada: tuple[str, str]) -> None:
    _, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    connect(desk.licences, guard={"floor": 0, "count": 0, "percent": 0})
    desk.edit(record, crm_user_status__aln="inactive__aln")
    assert desk.licences.push()["status"] == "parked"
    assert desk.licences.vault.used()["UK"] == 1


def test_what_the_settings_leave_out_is_not_taken_over(desk: Desk) -> None:
    align = {"host": desk.licences.company.document["connections"]["align"]["host"]}
    connections = desk.licences.company.document["connections"]
    fields = {"crm_user_status": None, "end_date": None}
    desk.licences.company.put(connections={**connections, "align": align | {"fields": fields}})
    user, record = desk.person()
    desk.ask(record, "UK")
    desk.edit(record, crm_user_status__aln="inactive__aln", end_date__aln="2020-01-01")
    desk.licences.push()
    assert desk.licences.status(user) == ("UK", "success", "UK")


# ── Saves at a bad moment ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("retries", [True, False])
def test_what_is_saved_while_a_record_is_written_is_not_lost(
    desk: Desk, ada: tuple[str, str], retries: bool
) -> None:
    user, record = ada
    desk.licences.vault.group("US", 5)
    desk.ask(record, "UK")

    def saves(request: Any) -> None:
        if request.method == "PUT":
            desk.wire.before = lambda request: None
            desk.edit(record, **{ENGAGE["request"]: "US"} | ({ENGAGE["status"]: RETRY} if retries else {}))

    desk.wire.before = saves
    desk.licences.push()
    assert desk.shows(record) == ("US", "success__aln", "UK")
    desk.licences.push()
    assert desk.licences.status(user) == ("US", "success", "US")
    assert desk.shows(record) == ("US", "success__aln", "US")


# ── The integration user, fields and statuses ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "right", "named"),
    [
        ({"security_profile": "businessAdmin"}, {"security_profile": "vaultOwner"}, "security profile"),
        ({"language": "de"}, {"language": "en"}, "language"),
        (
            {"fields": {OBJECT: {ENGAGE["group"]: False}}},
            {"fields": {OBJECT: {ENGAGE["group"]: True}}},
            f"field {ENGAGE['group']}",
        ),
    ],
    ids=["profile", "language", "field"],
)
def test_align_is_left_alone_while_its_user_is_not_as_it_has_to_be(
    desk: Desk, ada: tuple[str, str], wrong: dict[str, Any], right: dict[str, Any], named: str
) -> None:
    user, record = ada
    other, _ = desk.person()
    desk.ask(record, "UK")
    desk.licences.ask(other)
    desk.calls()
    desk.align.control("PUT", "permissions", wrong)
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    (entry,) = desk.licences.company.errors()
    assert entry["code"] == "align_not_reached"
    assert named in entry["message"]
    assert WRITE not in desk.calls()
    assert desk.licences.status(user) == (None, None, None)
    assert desk.licences.status(other) == ("UK", "success", "UK")
    desk.align.control("PUT", "permissions", right)
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(record) == ("UK", "success__aln", "UK")


@pytest.mark.parametrize(
    "field", ["email__aln", "crm_user_status__aln", "end_date__aln", ENGAGE["group"], "created_date__v"]
)
def test_preflight_knows_every_field_that_is_read(
    desk: Desk, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = desk.align.vault.schema
    fewer = tuple(each for each in schema[OBJECT].fields if each.name != field)
    monkeypatch.setitem(schema, OBJECT, replace(schema[OBJECT], fields=fewer))
    said = preflight.handler(
        {"organization": "acme", "connections": ["align"]}, desk.licences.company.context
    )
    assert [each["check"] for each in said["checks"] if each["result"] == "failed"] == [f"field {field}"]


def test_a_status_that_the_picklist_lacks_holds_back_nothing_else_and_is_told_once(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    picklist = "picklists/engage_group_provisioning_status__aln"
    desk.align.control("PUT", picklist, {"values": [RETRY, "request_sent__aln", "done__c"]})
    desk.ask(record, "UK")
    pushed = [desk.licences.push()["status"] for _ in range(3)]
    assert pushed == ["succeeded_with_errors", "succeeded", "succeeded"]
    assert desk.shows(record) == ("UK", RETRY, "UK")
    assert desk.errors() == ["align_not_written"]
    assert desk.licences.processed() == [(user, "UK", "success__v")]
    align = {"host": desk.licences.company.document["connections"]["align"]["host"]}
    connections = desk.licences.company.document["connections"]
    named = align | {"statuses": {"engage": {"success": "done__c"}}}
    desk.licences.company.put(connections={**connections, "align": named})
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(record) == ("UK", "done__c", "UK")


# ── In whose name ────────────────────────────────────────────────────────────────────────────────────


def test_a_run_says_in_whose_name_each_connection_was_called(desk: Desk, ada: tuple[str, str]) -> None:
    _, record = ada
    desk.ask(record, "UK")

    def users(said: dict[str, Any]) -> Any:
        run = bootstrap.run_table().run("acme", said["run_id"])
        assert run is not None
        return run.integration_users

    in_vaults = {"vault_crm": INTEGRATION_USER, "align": INTEGRATION_USER}
    preview, pushed = desk.licences.push(preview=True), desk.licences.push()
    assert users(preview) == users(pushed) == in_vaults
    imported = users(desk.licences.imported("incremental"))
    assert imported.pop("salesforce").startswith("005")
    assert imported == in_vaults
