"""Runs, versions of the settings and errors of a period."""

from collections.abc import Iterator
from typing import Any

import pytest

from muster.insight import reading_logs
from muster.insight.periods import Period
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.runs.run import Run, Status
from muster.settings.versions import StoredSettings

DAY = Period("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z")


class Log:
    """Runs, versions and errors that there are, newest first; remembers what it was asked."""

    def __init__(self, *entries: Any) -> None:
        self.entries = entries
        self.asked: list[Any] = []

    def runs_from(self, organization: str, first: str, before: str | None) -> Iterator[Run]:
        """Yield the runs."""
        self.asked.append((first, before))
        yield from (run for run in self.entries if first <= run.id < (before or "~"))

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return the versions."""
        self.asked.append(below)
        return [each for each in self.entries if below is None or each.version < below][:limit]

    def errors(self, organization: str, since: str, until: str) -> Iterator[dict[str, Any]]:
        """Yield the errors."""
        yield from self.entries


def run(day: int, **fields: Any) -> Run:
    known: dict[str, Any] = {"status": Status.SUCCEEDED, "started_at": f"2026-11-{day}T02:00:00.000Z"}
    number = f"202611{day}T020000000-0a1b2c3d"
    return Run(**{"id": number, "organization": "acme", "mode": "full", **known, **fields})


def test_runs_that_began_ended_or_still_wait_are_of_the_period() -> None:
    ended = {"finished_at": "2026-11-20T09:00:00.000Z", "approved_by": "joe"}
    parked = run(18, status=Status.PARKED)
    log: Any = Log(run(21), run(20), run(19, **ended), run(18), parked, run(16, **ended))
    found, more = reading_logs.runs(log, "acme", DAY)
    assert [each.id[6:8] + each.status for each in found] == ["20succeeded", "19succeeded", "18parked"]
    assert not more
    # An approval is given within 72 hours.
    assert log.asked == [("20261117T000000", "20261121T000000000000")]


def stored(version: int, at: str, run: str | None = None, **document: Any) -> StoredSettings:
    return StoredSettings(
        "acme", version, {"organization": "acme", **document}, "jane", at, "why", "a", run=run
    )


def test_versions_of_the_period_are_told_with_what_they_changed() -> None:
    late, early = "2026-11-21T08:00:00Z", "2026-11-01T08:00:00Z"
    log: Any = Log(
        *(stored(version, late) for version in range(20, 12, -1)),
        stored(12, "2026-11-20T09:00:00Z", run="r1", time_zone="UTC", guard={"floor": 2}, seats={"gong": {}}),
        stored(11, "2026-11-20T08:00:00Z", guard={"floor": 1}),
        *(stored(version, early) for version in range(10, 0, -1)),
    )
    found = reading_logs.versions(log, "acme", DAY, None)
    assert [(each["version"], each["where"], each["places"]) for each in found] == [
        (12, ["guard.floor", "time_zone", "seats"], 3),
        (11, ["guard"], 1),
    ]
    # Five at a time, and none beyond the first that is earlier.
    assert log.asked == [None, 16, 11]
    assert [each["version"] for each in reading_logs.versions(log, "acme", DAY, "r1")] == [12]


def test_the_first_version_has_none_to_differ_from() -> None:
    log: Any = Log(stored(1, "2026-11-20T09:00:00Z", guard={"floor": 2}))
    [only] = reading_logs.versions(log, "acme", DAY, None)
    assert (only["where"], only["places"], only["why"]) == ([], 0, "why")
    none: Any = Log()
    assert reading_logs.versions(none, "acme", DAY, None) == []


def error(code: str, at: str = "2026-11-20T08:00:00Z", **fields: Any) -> dict[str, Any]:
    known = {
        "code": code,
        "at": at,
        "system": "salesforce",
        "record": "005",
        "notification": "r1",
        "message": "No.",
        "remedy": "Mend it.",
    }
    return {**known, **fields}


def test_errors_are_counted_by_code_with_the_newest_of_each() -> None:
    log: Any = Log(
        error("late", at="2026-11-21T00:00:00Z"),
        error("b", message="Is not in it (member m1)"),
        error("a", message="A newer one"),
        error("a", message="An older one"),
        error("c", message="Is kept", member="m2"),
    )
    listed, more = reading_logs.errors(log, "acme", DAY, lambda _: True)
    assert [(each["code"], each["count"], each["message"], each["member"]) for each in listed] == [
        ("a", 2, "A newer one", None),
        ("b", 1, "Is not in it (member m1)", "m1"),
        ("c", 1, "Is kept", "m2"),
    ]
    assert not more


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (error("held_seats"), "solved"),
        (error("held_seats", at="2026-11-22T08:00:00Z"), "open"),
        (error("request_kept"), "told"),
        (error("no_licenses_remaining", system="vault_crm", member="m1"), "open"),
        (error("no_licenses_remaining", system="vault_crm", member="m2"), "solved"),
        (error("waits_for_namesake"), "open"),
    ],
)
def test_what_has_become_of_an_error_is_told_with_it(entry: dict[str, Any], state: str) -> None:
    waits = Engage("UK", "no_licenses_remaining", None)
    members = {
        "m1": Member(id="m1", organization="acme", engage=waits),
        "m2": Member(id="m2", organization="acme"),
    }
    [said] = reading_logs.with_states([entry], [run(21)], members)
    assert said == {**entry, "state": state}


def test_errors_are_about_a_person_by_any_id_and_by_no_part_of_one() -> None:
    ada = Member(id="m1", organization="acme", crm={"salesforce": {"id": "005A"}, "vault_crm": {"id": "10"}})
    entries = [
        error("a", record="005A"),
        error("b", record="10"),
        error("c", record="110", message="User 110 is not seen"),
        error("d", record="110", message="Not written (member m1)"),
        error("e", record="110", message="Not written (member m11)"),
        error("f", record=None),
        error("g", record=None, member="m1"),
    ]
    assert [each["code"] for each in filter(reading_logs.about(ada), entries)] == ["a", "b", "d", "g"]


@pytest.mark.parametrize(
    ("cause", "codes"),
    [("run:r1", "ab"), ("webhook:04l1", "c"), ("import", ""), ("edit:", ""), ("run:r", "")],
)
def test_errors_are_of_a_run_with_its_mails_or_of_a_message(cause: str, codes: str) -> None:
    entries = [
        error("a"),
        error("b", notification="r1#m1"),
        error("c", notification="04l1"),
        error("d", notification="r11"),
    ]
    assert "".join(each["code"] for each in filter(reading_logs.of(cause), entries)) == codes
