"""What a failure says of a connection's health, and what of it is told (P6, U5)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from muster.connections.tracking_health import HealthTracker
from muster.crm.pages import Page
from muster.error_log import LogEntry
from muster.errors import (
    ApiCallsUsedUp,
    Downtime,
    LoginUnderWay,
    Misconfigured,
    MusterError,
    OutcomeUnknown,
    PasswordRefused,
    Unavailable,
)
from muster.runs.ports import ErrorLog
from muster.times import timestamp
from tests.examples import NOW

WELL: Mapping[str, Any] = {
    "failures": 0,
    "since": None,
    "probe_at": None,
    "reason": None,
    "last_good": timestamp(NOW, to="seconds"),
}


class Kept:
    """The store of health and the error log, in memory."""

    def __init__(self) -> None:
        self.kept: Mapping[str, Any] = {}
        self.codes: list[str] = []
        self.counted: list[str] = []

    def health(self, organization: str, connection: str) -> Mapping[str, Any]:
        return self.kept

    def save_health(self, organization: str, connection: str, health: Mapping[str, Any]) -> None:
        self.kept = health

    def park(self, organization: str, entries: Sequence[LogEntry], now: float) -> None:
        self.codes += [entry.code for entry in entries]

    def tracker(self, later: timedelta = timedelta()) -> HealthTracker:
        return HealthTracker(
            "acme", "vault_crm", self, cast(ErrorLog, self), lambda: NOW + later, self.counted.append
        )


class Failing:
    """A vault whose queries fail so; `None`: they work."""

    def __init__(self, error: MusterError | None) -> None:
        self.error = error

    def query(self, vql: str) -> Iterator[Page]:
        if self.error:
            raise self.error
        yield from ()


def call(kept: Kept, *errors: MusterError | None) -> None:
    """Make a call for each of these, each in an invocation of its own."""
    for error in errors:
        try:
            with kept.tracker().watched(cast(Any, Failing(error))) as vault:
                list(vault.query("SELECT id"))
        except MusterError as raised:
            assert raised is error  # noqa: PT017 - it passes through


def unknown(cause: MusterError) -> OutcomeUnknown:
    """Return the error of a write that got no clear answer for that reason."""
    error = OutcomeUnknown("may be saved")
    error.__cause__ = cause
    return error


DOWN, REFUSED = Downtime("240 minutes", 14_400), PasswordRefused("it was refused")


@pytest.mark.parametrize(
    ("error", "failures", "reason", "codes"),
    [
        (Unavailable("down"), 1, None, []),
        (Misconfigured("no right"), 1, None, []),
        (unknown(Unavailable("no answer")), 1, None, []),
        (OutcomeUnknown("unclear"), 1, None, []),
        (REFUSED, 1, "password", ["connection_quarantined"]),
        (DOWN, 0, "maintenance", ["connection_maintenance"]),
        (unknown(DOWN), 0, "maintenance", ["connection_maintenance"]),
    ],
)
def test_what_a_failure_says(error: MusterError, failures: int, reason: str | None, codes: list[str]) -> None:
    kept = Kept()
    call(kept, error)
    assert (kept.kept["failures"], kept.kept["reason"], kept.codes) == (failures, reason, codes)
    # Told once, whatever comes by.
    call(kept, error)
    assert kept.codes == codes


@pytest.mark.parametrize("error", [ApiCallsUsedUp("used up"), LoginUnderWay("another process")])
def test_what_says_nothing_of_the_connection(error: MusterError) -> None:
    kept = Kept()
    call(kept, error, error, error)
    assert kept.kept == {}
    call(kept, Unavailable("down"), error)
    assert kept.kept["failures"] == 1


def test_it_works_again_once_a_call_has_worked_and_not_because_it_fails_otherwise() -> None:
    kept = Kept()
    call(kept, REFUSED, Unavailable("down"))
    assert kept.codes == ["connection_quarantined"]
    call(kept, REFUSED, None)
    assert kept.codes == ["connection_quarantined", "connection_quarantined", "connection_recovered"]
    # A password that is refused once more is no further failure: nothing was sent.
    assert kept.counted == ["failed", "quarantined", "failed", "quarantined", "recovered"]
    assert kept.kept == WELL
    call(kept, DOWN, None)
    assert kept.codes[3:] == ["connection_maintenance"]


def test_that_calls_work_is_noted_once_an_hour_and_kept_while_they_fail() -> None:
    kept = Kept()
    for minutes, noted in ((0, 0), (59, 0), (61, 61), (90, 61)):
        before = kept.kept
        with kept.tracker(timedelta(minutes=minutes)).watched(cast(Any, Failing(None))) as vault:
            list(vault.query("SELECT id"))
        assert kept.kept["last_good"] == timestamp(NOW + timedelta(minutes=noted), to="seconds")
        assert (kept.kept is before) is (minutes != noted)
    call(kept, Unavailable("down"), REFUSED, DOWN)
    assert kept.kept["last_good"] == timestamp(NOW + timedelta(minutes=61), to="seconds")


@pytest.mark.parametrize(
    ("errors", "later", "is_called"),
    [
        ([], 0, True),
        ([None], 23, False),
        ([None], 24, True),
        ([None, Unavailable("down")], 1, True),
        ([None, DOWN], 1, True),
    ],
)
def test_schedules_call_what_nobody_has_called_for_a_day_or_what_has_failed(
    errors: list[MusterError | None], later: int, is_called: bool
) -> None:
    kept, calls = Kept(), []
    call(kept, *errors)

    def fails() -> None:
        calls.append(1)
        raise Unavailable("down")

    # That it fails stops nothing.
    kept.tracker(timedelta(hours=later)).probe(fails)
    assert bool(calls) is is_called


def test_while_a_password_is_refused_schedules_are_skipped_and_look_at_nothing_else() -> None:
    kept = Kept()
    call(kept, REFUSED)
    skipped = kept.tracker().skipped(lambda: "it was refused at noon")
    assert skipped is not None
    assert "it was refused at noon" in skipped.message
    assert kept.tracker().skipped(lambda: None) is None

    def unreadable() -> str | None:
        raise Unavailable("no secret")

    assert kept.tracker().skipped(unreadable) is None
