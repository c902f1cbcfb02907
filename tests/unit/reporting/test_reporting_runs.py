"""A run is told to alarms and the dashboard once it is over, and nothing of that can fail it (N2)."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from muster.errors import Misconfigured, MusterError, Unavailable
from muster.reporting.reporting_runs import RunReporter
from muster.reporting.run_metrics import Reading
from muster.roster.licence_places import Place
from muster.runs.answer import Ended, RunAnswer
from muster.runs.import_state import ImportState
from muster.runs.run import Kind, Run, Status
from muster.settings.versions import StoredSettings
from muster.times import timestamp

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAVED_AT = NOW - timedelta(hours=5)
DOCUMENT = {
    "organization": "acme",
    "connections": {
        "salesforce": {"host": "acme.my.salesforce.com", "organization_id": "00D000000000001EAA"},
        "vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": ["engage"]},
    },
}
APPLIED = RunAnswer(ended=Ended.APPLIED, message="…", run_id="r", counts={"created": 1}, seats={})
SKIPPED = RunAnswer(ended=Ended.SKIPPED, message="…")


@dataclass
class World:
    """What is kept of earlier runs, and the secrets; `failing` cannot be read just now."""

    latest: list[Run] = field(default_factory=list)
    remembered: ImportState = field(default_factory=ImportState)
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    told: list[Reading] = field(default_factory=list)
    warned: list[MusterError] = field(default_factory=list)
    pages: int = 0

    def state(self, organization: str) -> ImportState:
        self._may_fail("state")
        return self.remembered

    def run(self, organization: str, run: str) -> Run | None:
        self._may_fail("run")
        return next((each for each in self.latest if each.id == run), None)

    def runs(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
        self._may_fail("runs")
        self.pages += 1
        start = int(cursor or 0)
        more = start + limit < len(self.latest)
        return self.latest[start : start + limit], str(start + limit) if more else None

    def licence_lines(self, organization: str) -> tuple[list[tuple[str, Place]], Counter[tuple[str, str]]]:
        return [("m1", Place("engage", "UK", "2026-11-20", "2026-11-21"))], Counter()

    def get(self, name: str) -> dict[str, str]:
        self._may_fail(name)
        if name not in self.kept:
            raise Misconfigured(f"the secret {name} does not exist")
        return self.kept[name]

    def _may_fail(self, what: str) -> None:
        if what in self.failing:
            raise Unavailable(f"{what} does not answer")

    def telling(self, kind: Literal["import", "push"] = "import") -> RunReporter:
        stored = StoredSettings("acme", 1, DOCUMENT, "jane", timestamp(SAVED_AT), "", "a")
        world: Any = self  # what a run reports on, of a much wider table
        return RunReporter(
            stored, kind, world, world, world, lambda: NOW, self.told.append, self.warned.append
        )

    def values(self, metric: str) -> list[tuple[float, dict[str, str]]]:
        return [(each.values[metric], dict(each.of)) for each in self.told if metric in each.values]


def run(hours_ago: float, status: Status, kind: Kind = "push", **fields: Any) -> Run:
    began = NOW - timedelta(hours=hours_ago)
    return Run(
        **{
            "id": f"run-{hours_ago}",
            "organization": "acme",
            "mode": "push" if kind == "push" else "incremental",
            "kind": kind,
            "status": status,
            "started_at": timestamp(began),
            "finished_at": None if status is Status.RUNNING else timestamp(began),
            **fields,
        }
    )


def quarter_hours(start: int, end: int, status: Status, kind: Kind = "push") -> list[Run]:
    """Return a run every quarter of an hour between so many hours ago, newest first."""
    return [run(quarter / 4, status, kind) for quarter in range(start * 4, end * 4)]


# ── Silence ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("completed_at", "hours"), [(timestamp(NOW - timedelta(hours=30)), 30.0), (None, 5.0)]
)
def test_imports_are_silent_since_the_last_that_was_completed_or_the_settings_were_saved(
    completed_at: str | None, hours: float
) -> None:
    world = World(remembered=ImportState(completed_at=completed_at))
    world.telling().around(lambda: SKIPPED, scheduled=True)
    assert world.values("HoursSinceLastImport") == [(hours, {}), (hours, {"organization": "acme"})]


@pytest.mark.parametrize(
    ("latest", "hours"),
    [
        ([], 5.0),
        (quarter_hours(0, 40, Status.SUCCEEDED, "import"), 5.0),  # pushes were switched on five hours ago
        ([run(0, Status.RUNNING), run(1, Status.SUCCEEDED_WITH_ERRORS)], 1.0),
        ([run(1, Status.PREVIEWED), run(2, Status.REJECTED), run(3, Status.SUCCEEDED)], 3.0),
        ([*quarter_hours(0, 30, Status.FAILED), run(30, Status.SUCCEEDED)], 30.0),
        # Settings saved anew, to mend what fails, do not start the count again.
        (quarter_hours(0, 30, Status.FAILED), 29.75),
        # No further back than makes a difference.
        ([*quarter_hours(0, 100, Status.FAILED), run(100, Status.SUCCEEDED)], 48.0),
    ],
)
def test_pushes_are_silent_since_the_last_that_succeeded(latest: list[Run], hours: float) -> None:
    world = World(latest=latest)
    world.telling("push").around(lambda: SKIPPED, scheduled=True)
    assert world.values("HoursSinceLastPush") == [(hours, {}), (hours, {"organization": "acme"})]


def test_where_pushes_succeed_one_page_of_runs_is_enough() -> None:
    world = World(latest=quarter_hours(0, 100, Status.SUCCEEDED))
    world.telling("push").around(lambda: SKIPPED, scheduled=True)
    assert world.pages == 1


@pytest.mark.parametrize("kind", ["import", "push"])
def test_only_schedules_can_be_silent(kind: Literal["import", "push"]) -> None:
    world = World()
    world.telling(kind).around(lambda: replace(SKIPPED, ended=Ended.REJECTED), scheduled=False, daily=True)
    assert world.told == []


def test_a_run_that_fails_is_told_of_too_and_fails_as_it_did() -> None:
    world = World()

    def work() -> RunAnswer:
        raise Misconfigured("Salesforce refuses the login")

    with pytest.raises(Misconfigured, match="refuses the login"):
        world.telling().around(work, scheduled=True)
    assert [hours for hours, _ in world.values("HoursSinceLastImport")] == [5.0, 5.0]


def test_a_function_that_dies_tells_nothing_more() -> None:
    world = World()

    def work() -> RunAnswer:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.telling().around(work, scheduled=True)
    assert world.told == []


# ── Credentials ──────────────────────────────────────────────────────────────────────────────────


def test_once_a_day_it_is_told_how_long_credentials_last_where_a_secret_says_so() -> None:
    world = World(
        kept={
            "muster/acme/salesforce": {"client_id": "x", "expires_on": "2026-12-01"},
            "muster/acme/vault_crm": {"username": "x", "password": "y"},
        }
    )
    world.telling().around(lambda: SKIPPED, scheduled=True)
    assert world.values("CredentialsExpireInDays") == []
    world.telling().around(lambda: SKIPPED, scheduled=True, daily=True)
    assert world.values("CredentialsExpireInDays") == [
        (9, {}),
        (9, {"organization": "acme", "connection": "salesforce"}),
    ]


# ── What ended ───────────────────────────────────────────────────────────────────────────────────


def test_a_push_that_did_something_tells_what_came_of_it_and_who_waits() -> None:
    pushed = run(0, Status.SUCCEEDED, id="r", counts={"added": 2})
    world = World(latest=[pushed])
    world.telling("push").around(lambda: replace(APPLIED, counts={"added": 2}, seats=None), scheduled=False)
    assert world.values("PushOutcomes") == [(2, {"organization": "acme", "outcome": "added"})]
    assert world.values("LicencesWaiting") == [(1, {"organization": "acme", "feature": "engage"})]
    assert world.values("RunSeconds") == [(0.0, {"kind": "push"})]


def test_a_quiet_import_tells_only_what_an_alarm_needs() -> None:
    seats = {"gong": {"limit": 2, "held": 2, "waiting": 0}}
    world = World(latest=[run(0, Status.SUCCEEDED, "import", id="r")])
    world.telling().around(lambda: replace(APPLIED, counts={}, seats=seats), scheduled=False)
    assert world.told == [Reading({"SeatsRunningOut": 1})]


@pytest.mark.parametrize("ended", [each for each in Ended if each is not Ended.APPLIED])
def test_what_was_not_applied_has_nothing_to_report_whatever_its_answer_shows(ended: Ended) -> None:
    world = World(latest=[run(0, Status.SUCCEEDED, "import", id="r", counts={"created": 1})])
    answer = replace(APPLIED, ended=ended, details={"read": 1, "plan": "acme/r/1/plan/"})
    assert world.telling().around(lambda: answer, scheduled=False) is answer
    assert world.told == []


# ── Faults ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("failing", "untold"),
    [
        ("state", {"HoursSinceLastImport", "MembersActive"}),
        ("run", {"RunSeconds", "ImportOutcomes", "MembersActive"}),
        ("muster/acme/salesforce", {"CredentialsExpireInDays"}),
    ],
)
def test_what_cannot_be_read_is_logged_and_hides_nothing_else(failing: str, untold: set[str]) -> None:
    counts = {"created": 1}

    def told_of(world: World) -> set[str]:
        said = world.telling().around(lambda: APPLIED, scheduled=True, daily=True)
        assert said is APPLIED
        return {name for reading in world.told for name in reading.values}

    def world(**failing: Any) -> World:
        return World(
            latest=[run(0, Status.SUCCEEDED, "import", id="r", counts=counts)],
            remembered=ImportState(active={"": 7}),
            kept={
                "muster/acme/salesforce": {"expires_on": "2026-12-01"},
                "muster/acme/vault_crm": {"username": "x"},
            },
            **failing,
        )

    whole, lacking = world(), world(failing={failing})
    assert told_of(whole) - told_of(lacking) == untold
    assert whole.warned == []
    assert {str(error) for error in lacking.warned} == {f"{failing} does not answer"}
