"""Vault CRM refuses a whole call: the record at fault is found and told, and all others are sent (P3)."""

from typing import Any

import pytest

from muster.engage import sending_records
from muster.errors import Misconfigured
from tests.integration.beginnings import Built, begin
from tests.integration.engage.licences import UPDATES, Licences

WRITE = {"path": UPDATES[1], "method": "PUT", "count": 999}
REQUEST = "engage_group_request__v"


@pytest.fixture
def asked(licences: Licences, built: Built) -> list[str]:
    """Return ten people who have asked for a group with room for all of them."""
    return begin(licences, built, ask)


def ask(licences: Licences) -> list[str]:
    licences.vault.group("All", 20)
    people = licences.people(10)
    licences.imported()
    licences.ask(*people, group="All")
    return people


def refuse(licences: Licences, *records: str, error: str = "INVALID_DATA") -> None:
    """Have every call refused that holds one of these records."""
    licences.faults(*({**WRITE, "fault": "refuse_call", "record": each, "error": error} for each in records))


def statuses(licences: Licences, people: list[str]) -> list[str | None]:
    return [licences.status(person)[1] for person in people]


def lose(licences: Licences, monkeypatch: pytest.MonkeyPatch, **permissions: Any) -> None:
    """Have the integration user lose permissions just before the first write."""

    def before(request: Any) -> None:
        if request.method == "PUT":
            monkeypatch.setattr(licences.wire, "before", lambda _: None)
            licences.vault.control("PUT", "permissions", permissions)

    monkeypatch.setattr(licences.wire, "before", before)


@pytest.mark.parametrize("error", ["INVALID_DATA", "OPERATION_NOT_ALLOWED", "INSUFFICIENT_ACCESS"])
@pytest.mark.parametrize("place", [0, 6, 9])
def test_the_record_at_fault_is_told_and_all_others_are_sent(
    licences: Licences, asked: list[str], place: int, error: str
) -> None:
    bad = asked[place]
    refuse(licences, bad, error=error)
    licences.calls()
    said = licences.push(by="schedule")
    assert (said["status"], said["counts"]["refused"]) == ("succeeded_with_errors", 1)
    others = [person for person in asked if person != bad]
    assert set(statuses(licences, others)) == {"success"}
    assert statuses(licences, [bad]) == ["request_failed"]
    (entry,) = licences.company.errors()
    assert (entry["code"], entry["record"]) == ("not_written", bad)
    assert error in entry["message"]
    assert licences.calls().count(UPDATES) <= 9
    # What is tried again by itself is told once, and holds up nobody either.
    assert licences.push(by="schedule")["status"] == "succeeded"
    assert licences.calls().count(UPDATES) == 1
    assert len(licences.company.errors()) == 1


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_no_import_loses_what_was_refused_and_a_retry_sends_it(
    licences: Licences, asked: list[str], mode: str
) -> None:
    bad = asked[4]
    refuse(licences, bad)
    licences.push(by="schedule")
    licences.faults()
    licences.vault.log_in()
    for name in ("Augusta", "Ada"):
        licences.vault.update(bad, first_name__sys=name)
        assert licences.imported(mode)["status"] == "succeeded"
        assert licences.status(bad) == ("All", "request_failed", None)
    licences.ask(bad, action="retry")
    licences.push(by="schedule")
    assert licences.status(bad) == ("All", "success", "All")


def test_when_most_calls_were_made_the_rest_is_left_to_the_next_push(
    licences: Licences, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending_records, "MOST_CALLS", 3)
    bad = asked[0]
    refuse(licences, bad)
    first = licences.push(by="schedule")["counts"]
    assert first["added"] + first["left_to_the_next_push"] == len(asked)
    assert statuses(licences, [bad]) == ["retry_request"]
    for _ in range(3):
        licences.push(by="schedule")
    assert set(statuses(licences, asked[1:])) == {"success"}
    assert statuses(licences, [bad]) == ["request_failed"]
    assert [entry["record"] for entry in licences.company.errors()] == [bad]


def test_an_answer_that_is_lost_on_the_way_sends_nothing_twice(licences: Licences, asked: list[str]) -> None:
    refusing = {**WRITE, "fault": "refuse_call", "record": asked[7]}
    licences.faults(
        {**refusing, "count": 1}, {**WRITE, "fault": "lose_answer", "count": 1, "after": 0}, refusing
    )
    licences.push(by="schedule")
    assert sorted(licences.processed()) == sorted(
        (person, "All", "success__v") for person in asked if person != asked[7]
    )
    assert [entry["record"] for entry in licences.company.errors()] == [asked[7]]


@pytest.mark.parametrize(
    "permissions",
    [
        {"fields": {"user__sys": {REQUEST: False}}},
        {"objects": {"user__sys": {"edit": False}}},
        {"api_access": False},
    ],
    ids=["a field", "the object", "the API"],
)
def test_permissions_that_go_during_a_push_are_told_and_once_given_back_all_is_sent(
    licences: Licences, asked: list[str], permissions: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(licences, monkeypatch, **permissions)
    with pytest.raises(Misconfigured, match="stopped by failed checks"):
        licences.push(by="schedule")
    assert set(statuses(licences, asked)) == {"retry_request"}
    (entry,) = licences.company.errors()
    assert entry["code"] == "push_failed"
    licences.vault.control("PUT", "permissions", {"objects": {}, "fields": {}, "api_access": True})
    assert licences.push(by="schedule")["status"] == "succeeded"
    assert set(statuses(licences, asked)) == {"success"}


def test_what_vault_answers_to_a_push_that_is_gone_on_with_is_not_taken_for_another_at_work(
    licences: Licences, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(licences, monkeypatch, objects={"user__sys": {"edit": False}})
    for _ in range(2):
        with pytest.raises(Misconfigured):
            licences.push(by="schedule")
    licences.vault.control("PUT", "permissions", {"objects": {}})
    refuse(licences, asked[3])
    assert licences.push(by="schedule")["status"] == "succeeded_with_errors"
    assert len(licences.processed()) == len(asked) - 1
