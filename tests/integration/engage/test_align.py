"""Align as the desk: what admins ask for there is pushed, and what came of it is shown there (G9)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from muster import bootstrap
from muster.errors import MusterError
from tests.integration.engage.align_desk import (
    CONNECT,
    DOWN,
    ENGAGE,
    FIELDS_OF_OBJECT,
    ME,
    QUERY,
    RETRY,
    WRITE,
    Desk,
    connect,
)
from tests.integration.engage.licences import UPDATES, VAULT_HOST


def test_what_is_asked_for_in_align_is_pushed_and_shown_there(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.ask(record, "UK")
    said = desk.licences.push()
    assert said["status"] == "succeeded", said
    assert said["counts"] == {"added": 1, "success": 1}
    assert desk.licences.processed() == [(user, "UK", "success__v")]
    assert desk.licences.status(user) == ("UK", "success", "UK")
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    crm_id = desk.licences.member(user)["crm"]["salesforce"]["id"]
    assert "align" in {entry["origin"] for entry in desk.licences.company.history(crm_id)}


def test_a_push_with_nothing_to_do_asks_align_one_thing_and_vault_crm_nothing(
    desk: Desk, ada: tuple[str, str]
) -> None:
    _, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    desk.calls()
    desk.licences.calls()
    before = desk.licences.company.items()
    assert desk.licences.push()["counts"] == {}
    assert desk.calls() == [QUERY]
    assert desk.licences.calls() == []
    assert desk.licences.company.items() == before


def test_each_outcome_is_shown_under_aligns_own_name(desk: Desk) -> None:
    desk.licences.vault.group("Full", 0)
    desk.licences.vault.group("Connect", 9, feature="engage_connect")
    people = [desk.person() for _ in range(3)]
    (full, in_line), (wrong, nowhere), (missing, no_user) = people
    desk.licences.vault.control("PUT", f"engage/connect-users/{missing}", {"state": "missing"})
    desk.ask(in_line, "Full")
    desk.ask(nowhere, "Nowhere")
    desk.ask(no_user, "Connect", "engage_connect")
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.shows(in_line) == ("Full", "no_licenses_remaining__aln", None)
    assert desk.shows(nowhere) == ("Nowhere", "invalid_group_name__aln", None)
    assert desk.shows(no_user, "engage_connect") == ("Connect", "user_not_in_connect__aln", None)
    # Mended there, and asked for once more.
    desk.licences.vault.control("PUT", f"engage/connect-users/{missing}", {"state": "ok"})
    desk.edit(no_user, **{CONNECT["status"]: RETRY})
    desk.ask(nowhere, "UK")
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(nowhere) == ("UK", "success__aln", "UK")
    assert desk.shows(no_user, "engage_connect") == ("Connect", "success__aln", "Connect")
    assert desk.licences.status(full)[1] == "no_licenses_remaining"
    assert wrong in {user for user, group, _ in desk.licences.processed() if group == "UK"}


def test_a_request_that_is_cleared_takes_the_user_out(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    desk.ask(record, None)
    assert desk.licences.push()["counts"]["removed"] == 1
    assert desk.licences.status(user) == (None, "success", None)
    assert desk.shows(record) == (None, "success__aln", None)
    assert desk.licences.vault.used() == {"UK": 0}


def test_a_request_without_retry_request_waits_for_it(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.edit(record, **{ENGAGE["request"]: "UK"})
    assert desk.licences.push()["counts"] == {}
    assert desk.shows(record) == ("UK", None, None)
    assert desk.licences.status(user) == (None, None, None)


def test_who_leaves_is_shown_out_of_the_group(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    crm_id = desk.licences.member(user)["crm"]["salesforce"]["id"]
    desk.licences.company.salesforce.update(crm_id, IsActive=False)
    desk.licences.imported("incremental")
    desk.licences.push()
    assert desk.shows(record) == (None, "success__aln", None)
    # What is asked for somebody who has left is not sent, and told once.
    desk.ask(record, "UK")
    for _ in range(2):
        desk.licences.push()
    assert desk.errors() == ["align_request_refused"]
    assert desk.shows(record) == (None, "success__aln", None)


def test_what_vault_crm_is_found_to_have_is_shown_in_align(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    desk.licences.vault.group("US", 5)
    desk.licences.vault.log_in()
    desk.licences.vault.update(user, engage_group_request__v="US")
    desk.licences.vault.settle()
    desk.licences.imported("full")
    desk.licences.calls()
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(record) == ("US", "success__aln", "US")
    assert UPDATES not in desk.licences.calls()


def test_whom_the_roster_does_not_know_holds_up_nobody_and_is_told_once(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    stranger = desk.record(email__aln="nobody@acme.example")
    desk.ask(stranger, "UK")
    desk.ask(record, "UK")
    told = [desk.licences.push(by="schedule")["status"] for _ in range(3)]
    assert told == ["succeeded_with_errors", "succeeded", "succeeded"]
    (entry,) = desk.licences.company.errors()
    assert (entry["code"], entry["record"], entry["system"]) == ("align_member_unknown", stranger, "align")
    assert "nobody@" not in json.dumps(entry)
    assert desk.licences.status(user) == ("UK", "success", "UK")
    assert desk.shows(stranger) == ("UK", RETRY, None)


def test_two_records_of_one_person_are_both_left_alone(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    double = desk.record(email__aln=desk.licences.member(user)["email"].upper())
    desk.ask(record, "UK")
    desk.ask(double, "US")
    desk.licences.push()
    assert {entry["record"] for entry in desk.licences.company.errors()} == {record, double}
    assert desk.licences.processed() == []


def test_who_is_not_in_vault_crm_yet_is_pushed_once_linked(desk: Desk) -> None:
    crm_id = desk.licences.company.salesforce.create(Department="Sales")
    desk.licences.imported()
    email = desk.licences.company.roster()[crm_id]["email"]
    record = desk.record(email__aln=email)
    desk.ask(record, "UK")
    for _ in range(2):
        assert desk.licences.push()["counts"] == {}
    assert desk.licences.company.roster()[crm_id]["engage"]["request"] == "UK"
    assert desk.shows(record) == ("UK", RETRY, None)
    desk.licences.vault.log_in()
    user = desk.licences.vault.create(username__sys=email, email__sys=email)
    desk.licences.imported()
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.licences.processed() == [(user, "UK", "success__v")]


def test_an_automatic_assignment_stands_and_its_retry_is_sent(desk: Desk) -> None:
    connect(desk.licences, assignments=[{"name": "Sales", "engage": {"group": "UK"}}])
    user, record = desk.person()
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    desk.ask(record, "US")
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.licences.push()["status"] == "succeeded"
    (entry,) = desk.licences.company.errors()
    assert entry["code"] == "align_request_refused"
    assert "'Sales'" in entry["message"]
    assert desk.licences.status(user) == ("UK", "success", "UK")
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    desk.edit(record, **{ENGAGE["status"]: RETRY})
    assert desk.licences.push()["status"] == "succeeded"
    assert [user for user, *_ in desk.licences.processed()] == [user, user]


def test_a_preview_shows_what_align_asks_for_and_writes_nothing(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.ask(desk.record(email__aln="nobody@acme.example"), "UK")
    desk.ask(record, "UK")
    before = desk.licences.company.items()
    desk.calls()
    said = desk.licences.push(preview=True)
    assert said["counts"] == {"added": 1}
    assert [(each["does"], each["user"]) for each in said["changes"]] == [("addition", user)]
    assert desk.licences.company.items() == before
    assert desk.errors() == []
    assert desk.calls() == [QUERY, ME, FIELDS_OF_OBJECT]
    assert desk.shows(record) == ("UK", RETRY, None)


def test_a_plan_that_waits_for_a_word_shows_its_outcome_after_it(desk: Desk) -> None:
    connect(desk.licences, guard={"floor": 0, "count": 0, "percent": 0, "operations": {"grant": {}}})
    _, record = desk.person()
    desk.ask(record, "UK")
    parked = desk.licences.push()
    assert parked["status"] == "parked"
    assert desk.shows(record) == ("UK", RETRY, None)
    assert desk.licences.push()["run_id"] == parked["run_id"]
    assert desk.licences.push(approve=parked["run_id"])["status"] == "succeeded"
    assert desk.shows(record) == ("UK", "success__aln", "UK")


def test_an_align_that_is_down_holds_up_nothing_and_is_told_later(desk: Desk) -> None:
    ada, of_ada = desk.person()
    bob, of_bob = desk.person()
    desk.ask(of_ada, "UK")
    desk.licences.push()
    crm_id = desk.licences.member(ada)["crm"]["salesforce"]["id"]
    desk.licences.company.salesforce.update(crm_id, IsActive=False)
    desk.licences.imported("incremental")
    desk.licences.ask(bob)
    desk.faults(DOWN)
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.errors() == ["align_not_reached"]
    assert desk.licences.status(ada) == (None, "success", None)
    assert desk.licences.status(bob) == ("UK", "success", "UK")
    desk.faults()
    assert desk.shows(of_ada) == ("UK", "success__aln", "UK")
    assert desk.shows(of_bob) == (None, None, None)
    desk.licences.calls()
    assert desk.licences.push()["status"] == "succeeded"
    # Ada left a group that Align showed her in: nothing of that is forgotten.
    assert desk.shows(of_ada) == (None, "success__aln", None)
    assert UPDATES not in desk.licences.calls()


def test_a_retry_request_that_stays_for_align_was_down_is_not_sent_again(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.faults({"path": WRITE[1], "fault": "status", "status": 503, "count": 999})
    for _ in range(3):
        assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert desk.shows(record) == ("UK", RETRY, None)
    desk.faults()
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.licences.processed() == [(user, "UK", "success__v")]


def test_what_is_asked_for_while_a_push_is_at_work_is_not_written_over(
    desk: Desk, ada: tuple[str, str]
) -> None:
    _, record = ada
    desk.licences.vault.group("US", 1)
    desk.ask(record, "UK")

    def asks_again(request: Any, answer: Any) -> None:
        if request.method == "PUT":
            desk.licences.wire.after = lambda request, answer: None
            desk.ask(record, "US")

    desk.licences.wire.after = asks_again
    desk.licences.push()
    assert desk.shows(record) == ("US", RETRY, None)
    desk.licences.push()
    assert desk.shows(record) == ("US", "success__aln", "US")


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        ({"fault": "lose_answer"}, 0),
        ({"fault": "html"}, 1),
        ({"fault": "fewer_rows"}, 0),
        ({"fault": "failure", "error": "EXCEPTION"}, 1),
        ({"fault": "fail_rows", "rows": 1, "error": "INVALID_DATA"}, 1),
    ],
    ids=lambda each: each["fault"] if isinstance(each, dict) else "",
)
def test_an_answer_of_align_that_is_lost_is_mended_by_the_next_push(
    desk: Desk, ada: tuple[str, str], fault: dict[str, Any], again: int
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.faults({"path": WRITE[1], "method": "PUT", **fault})
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    desk.faults()
    desk.calls()
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.calls().count(WRITE) == again
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.licences.processed() == [(user, "UK", "success__v")]
    assert len(desk.errors()) == 1


# Of three records, two on a page: the first two calls read what is asked for, the next ones whom to tell.
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "short_page", "after": 0},
        {"fault": "short_page", "after": 1},
        {"fault": "short_page", "after": 2},
        {"fault": "omit_field", "after": 1, "field": ENGAGE["request"]},
        {"fault": "omit_field", "after": 3, "field": "modified_date__v"},
        {"fault": "duplicate_rows", "after": 0},
        {"fault": "early_done", "after": 0},
        {"fault": "html", "after": 0, "count": 3},
        {"fault": "html", "after": 2, "count": 3},
    ],
    ids=lambda each: f"{each['fault']}-{each['after']}",
)
def test_a_page_of_align_that_lies_is_not_believed(desk: Desk, fault: dict[str, Any]) -> None:
    desk.licences.vault.group("All", 9)
    desk.align.control("PUT", "paging", {"max_rows": 2})
    people = [desk.person() for _ in range(3)]
    for _, record in people:
        desk.ask(record, "All")
    desk.faults({"path": QUERY[1], **fault})
    desk.licences.push()
    assert desk.errors() == ["align_not_reached"]
    desk.faults()
    desk.licences.push()
    assert {desk.shows(record) for _, record in people} == {("All", "success__aln", "All")}
    assert len(desk.licences.processed()) == 3


def test_another_vault_than_the_one_named_is_told_and_nothing_taken_from_it(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.align.control("PUT", "vault", {"wrong_vault": True})
    desk.licences.ask(user, group="UK")
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    (entry,) = desk.licences.company.errors()
    assert entry["code"] == "align_not_reached"
    assert "vault" in entry["message"]
    assert desk.licences.status(user) == ("UK", "success", "UK")


def test_an_align_that_keeps_failing_is_left_alone_by_schedules(
    desk: Desk, pass_time: Callable[[timedelta], None]
) -> None:
    desk.faults(DOWN)
    for _ in range(3):
        desk.licences.push(by="schedule")
    assert desk.errors().count("connection_quarantined") == 1
    desk.calls()
    assert desk.licences.push(by="schedule")["status"] == "succeeded"
    assert desk.calls() == []
    desk.faults()
    pass_time(timedelta(hours=3))
    desk.licences.push(by="schedule")
    assert desk.errors().count("connection_recovered") == 1


def test_by_hand_it_works_as_well_and_says_where_the_desk_is(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    (result,) = desk.licences.ask(user)["results"]
    assert "Align" in result["note"]
    desk.licences.push()
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    desk.licences.vault.group("US", 1)
    desk.licences.ask(user, group="Nowhere")
    desk.ask(record, "US")
    desk.licences.push()
    assert desk.licences.status(user) == ("US", "success", "US")


def test_a_feature_that_is_not_managed_is_neither_read_nor_written(desk: Desk) -> None:
    vault_crm = {"host": VAULT_HOST, "manage_features": ["engage"]}
    connections = {**desk.licences.company.document["connections"], "vault_crm": vault_crm}
    desk.licences.company.put(connections=connections)
    user, record = desk.person()
    desk.ask(record, "Connect", "engage_connect")
    desk.ask(record, "UK")
    desk.licences.push()
    assert desk.licences.status(user, "engage_connect") == (None, None, None)
    assert desk.shows(record, "engage_connect") == ("Connect", RETRY, None)
    assert desk.shows(record) == ("UK", "success__aln", "UK")


def test_without_align_nobody_calls_it(desk: Desk, ada: tuple[str, str]) -> None:
    user, _ = ada
    connections = {
        name: each for name, each in desk.licences.company.document["connections"].items() if name != "align"
    }
    desk.licences.company.put(connections=connections)
    desk.wire.calls.clear()
    (result,) = desk.licences.ask(user)["results"]
    assert "Align" not in result["note"]
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.wire.calls == []
    assert not bootstrap.run_table().health("acme", "align").get("failures")


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_push_that_died_while_it_told_align_is_gone_on_with(desk: Desk) -> None:
    class Died(BaseException):
        pass

    def dies(request: Any) -> None:
        if request.method == "PUT":
            raise Died

    user, record = desk.person()
    desk.ask(record, "UK")
    desk.wire.before = dies
    with pytest.raises(Died):
        desk.licences.push()
    desk.wire.before = lambda request: None
    assert desk.shows(record) == ("UK", RETRY, None)
    (dead,) = desk.licences.runs()
    desk.licences.end_lease()
    assert desk.licences.push(by="schedule")["run_id"] == dead.id
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    assert desk.licences.processed() == [(user, "UK", "success__v")]


def test_five_hundred_go_into_one_write_to_align(desk: Desk) -> None:
    desk.licences.vault.group("All", 9)
    records = [desk.person()[1] for _ in range(4)]
    for record in records:
        desk.ask(record, "All")
    desk.calls()
    desk.licences.push()
    # What is asked for; who works there; whom to write of, the write, and whether somebody saved meanwhile.
    assert desk.calls() == [QUERY, ME, FIELDS_OF_OBJECT, QUERY, WRITE, QUERY]


def test_a_call_that_align_refuses_whole_holds_up_nobody_but_the_record_at_fault(desk: Desk) -> None:
    desk.licences.vault.group("All", 9)
    records = [desk.person()[1] for _ in range(4)]
    for record in records:
        desk.ask(record, "All")
    bad = records[2]
    desk.faults({"path": WRITE[1], "method": "PUT", "fault": "refuse_call", "record": bad, "count": 999})
    assert desk.licences.push()["status"] == "succeeded_with_errors"
    assert [desk.shows(each)[2] for each in records] == ["All", "All", None, "All"]
    assert desk.errors() == ["align_not_written"]
    # Told once; tried again by itself, and written as soon as it is taken.
    assert desk.licences.push()["status"] == "succeeded"
    desk.faults()
    desk.licences.push()
    assert desk.shows(bad)[2] == "All"


def test_a_refused_request_is_told_although_vault_crm_is_down(desk: Desk, ada: tuple[str, str]) -> None:
    user, record = ada
    desk.licences.edit(user, end_date="2020-01-01")
    desk.ask(record, "UK")
    desk.licences.faults(DOWN)
    with pytest.raises(MusterError):
        desk.licences.push()
    assert set(desk.errors()) == {"align_request_refused", "push_failed"}


def test_a_roster_member_that_is_gone_from_align_is_not_asked_for_again(
    desk: Desk, ada: tuple[str, str]
) -> None:
    user, record = ada
    desk.ask(record, "UK")
    desk.licences.push()
    # As if it were deleted: its address is somebody else's now.
    desk.edit(record, email__aln="nobody@acme.example")
    desk.licences.ask(user, action="remove")
    assert desk.licences.push()["status"] == "succeeded"
    assert desk.shows(record) == ("UK", "success__aln", "UK")
    desk.calls()
    desk.licences.push()
    assert desk.calls() == [QUERY]
