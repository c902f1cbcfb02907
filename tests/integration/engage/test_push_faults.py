"""Vault CRM misbehaving during a push: nothing is sent twice, nothing lost, nothing made up (P2, P5)."""

from typing import Any

import pytest

from muster.errors import MusterError
from muster.runs.run import Status
from tests.integration.beginnings import Built, begin
from tests.integration.engage.licences import UPDATES, Licences

WRITE = {"path": UPDATES[1], "method": "PUT"}
QUERY = {"path": "/api/v26.1/query"}


@pytest.fixture
def asked(licences: Licences, built: Built) -> list[str]:
    """Return three people who have asked for a group with room for all of them."""
    return begin(licences, built, ask)


def ask(licences: Licences) -> list[str]:
    licences.vault.group("All", 10)
    people = licences.people(3)
    licences.imported()
    licences.ask(*people, group="All")
    return people


def push_until_done(licences: Licences) -> dict[str, Any]:
    """Push as schedules do, until a push goes through with nothing left to do."""
    for _ in range(10):
        licences.vault.settle()
        try:
            said = licences.push(by="schedule")
        except MusterError:
            continue
        if said["status"] == "succeeded" and not said["counts"]:
            return said
    raise AssertionError("it never comes to an end")


def assert_each_has_it_once(licences: Licences, people: list[str]) -> None:
    assert sorted(licences.processed()) == sorted((person, "All", "success__v") for person in people)
    assert {licences.status(person) for person in people} == {("All", "success", "All")}


@pytest.mark.parametrize(
    "fault",
    [
        {**WRITE, "fault": "lose_answer"},
        {**WRITE, "fault": "truncate"},
        {**WRITE, "fault": "html"},
        {**WRITE, "fault": "html", "status": 503},
        {**WRITE, "fault": "empty"},
        {**WRITE, "fault": "status", "status": 500},
        {**WRITE, "fault": "fewer_rows"},
        {**WRITE, "fault": "swap_rows"},
        {**WRITE, "fault": "failure", "error": "EXCEPTION"},
        {**WRITE, "fault": "failure", "error": "INVALID_SESSION_ID"},
        {**WRITE, "fault": "lose_answer", "count": 2},
        {**WRITE, "fault": "status", "status": 503, "count": 5},
    ],
    ids=lambda fault: (
        f"{fault['fault']} {fault.get('status') or fault.get('error', '')} {fault.get('count', '')}"
    ),
)
def test_a_write_that_goes_wrong_is_neither_lost_nor_repeated(
    licences: Licences, asked: list[str], fault: dict[str, Any]
) -> None:
    licences.faults(fault)
    push_until_done(licences)
    assert_each_has_it_once(licences, asked)


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize(
    "fault", ["expire", "lose_answer", "html", "empty", "short_page", "early_done", "no_rows", "foreign_next"]
)
def test_a_read_that_goes_wrong_changes_nothing(
    licences: Licences, asked: list[str], fault: str, after: int
) -> None:
    licences.faults({**QUERY, "fault": fault, "after": after, "count": 1})
    push_until_done(licences)
    assert_each_has_it_once(licences, asked)


def test_a_record_that_is_refused_is_told_and_the_others_are_sent(
    licences: Licences, asked: list[str]
) -> None:
    licences.faults({**WRITE, "fault": "fail_rows", "rows": 1, "error": "INVALID_DATA"})
    said = licences.push()
    assert (said["status"], said["counts"]["refused"]) == ("succeeded_with_errors", 1)
    failed = [person for person in asked if licences.status(person)[1] == "request_failed"]
    assert len(failed) == 1
    assert [entry["record"] for entry in licences.company.errors()] == failed
    assert {licences.status(person)[1] for person in asked if person not in failed} == {"success"}
    licences.ask(failed[0], action="retry")
    assert licences.push()["status"] == "succeeded"
    assert_each_has_it_once(licences, asked)


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_push_that_died_while_it_sent_is_gone_on_with_by_the_next(
    licences: Licences, asked: list[str]
) -> None:
    class Died(BaseException):
        pass

    def dies(request: Any, answer: Any) -> None:
        if request.method == "PUT":
            raise Died

    licences.wire.after = dies
    with pytest.raises(Died):
        licences.push()
    licences.wire.after = lambda request, answer: None
    (dead,) = licences.runs()
    assert dead.status is Status.RUNNING
    licences.end_lease()
    said = licences.push(by="schedule")
    assert said["run_id"] == dead.id
    assert_each_has_it_once(licences, asked)


def test_a_session_that_is_never_good_again_ends_with_a_hint(licences: Licences, asked: list[str]) -> None:
    licences.faults({"path": "/api/v26.1", "fault": "failure", "error": "INVALID_SESSION_ID", "count": 99})
    with pytest.raises(MusterError, match="version"):
        licences.push()
    assert licences.processed() == []
    assert [entry["code"] for entry in licences.company.errors()] == ["push_failed"]


def test_somebody_whom_vault_does_not_show_is_left_alone_and_told(
    licences: Licences, asked: list[str]
) -> None:
    licences.faults({**QUERY, "fault": "no_rows", "count": 1})
    before = {person: licences.status(person) for person in asked}
    said = licences.push()
    assert said["status"] == "succeeded_with_errors"
    assert {person: licences.status(person) for person in asked} == before
    assert {entry["code"] for entry in licences.company.errors()} == {"user_not_seen"}


@pytest.mark.parametrize("lost", [1, 2])
def test_an_answer_that_is_lost_and_cannot_be_looked_up_either_is_looked_up_by_the_next_push(
    licences: Licences, asked: list[str], lost: int
) -> None:
    licences.faults(
        {**WRITE, "fault": "lose_answer", "count": lost},
        {**QUERY, "fault": "status", "status": 503, "after": 1, "count": 9},
    )
    with pytest.raises(MusterError):
        licences.push()
    (half_done,) = licences.runs()
    assert half_done.status is Status.RUNNING
    licences.imported("incremental")
    licences.faults()
    said = licences.push(by="schedule")
    assert said["run_id"] == half_done.id
    assert_each_has_it_once(licences, asked)


def test_who_leaves_after_the_plan_was_made_gets_nothing(licences: Licences, asked: list[str]) -> None:
    crm_id = licences.member(asked[0])["crm"]["salesforce"]["id"]

    def leaves(request: Any) -> None:
        if request.method == "PUT":
            return
        licences.wire.before = lambda request: None
        licences.company.salesforce.update(crm_id, IsActive=False)
        assert licences.company.hear({"Id": crm_id, "IsActive": "false"}) == 0
        assert not licences.member(asked[0])["active"]

    # The login is the first call, the plan's reading follows it: by the time of the write somebody has left.
    licences.wire.before = leaves
    licences.push()
    push_until_done(licences)
    assert asked[0] not in {person for person, *_ in licences.processed()}
    assert licences.status(asked[0])[0] is None
    assert_each_has_it_once(licences, asked[1:])
