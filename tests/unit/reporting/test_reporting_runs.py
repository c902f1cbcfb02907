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
        "scim": {"gong": {"host": "gong.example", "who": "everyone"}},
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
    called: dict[str, dict[str, Any]] = field(default_factory=dict)

    def health(self, organization: str, connection: str) -> dict[str, Any]:
        return self.called.get(connection, {})

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

    def telling(
        self, kind: Literal["import", "push"] = "import", pushed_to: str | None = None
    ) -> RunReporter:
        stored = StoredSettings("acme", 1, DOCUMENT, "jane", timestamp(SAVED_AT), "", "a")
        world: Any = self  # what a run reports on, of a much wider table
        return RunReporter(
            stored,
            kind,
            world,
            world,
            world,
            lambda: NOW,
            self.told.append,
            self.warned.append,
            world,
            pushed_to,
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


@pytest.mark.parametrize(
    ("pushed_to", "app", "of"),
    [
        ("vault_crm", None, {"organization": "acme"}),
        ("scim.gong", "scim.gong", {"organization": "acme", "connection": "scim.gong"}),
    ],
)
def test_a_push_to_one_connection_does_not_make_another_look_pushed(
    pushed_to: str, app: str | None, of: dict[str, str]
) -> None:
    others = [run(hours, Status.SUCCEEDED, app=None if app else "scim.gong") for hours in (1, 3)]
    world = World(latest=[others[0], run(2, Status.SUCCEEDED, app=app), others[1]])
    world.telling("push", pushed_to).around(lambda: SKIPPED, scheduled=True)
    assert world.values("HoursSinceLastPush") == [(2.0, {}), (2.0, of)]


# ── The last call that worked ────────────────────────────────────────────────────────────────────


def good(hours_ago: float) -> dict[str, Any]:
    return {"last_good": timestamp(NOW - timedelta(hours=hours_ago), to="seconds")}


@pytest.mark.parametrize(
    ("called", "daily", "told"),
    [
        ({}, True, []),
        ({"vault_crm": good(1)}, False, [(1.0, {})]),
        ({"vault_crm": good(1)}, True, [(1.0, {}), (1.0, {"connection": "vault_crm"})]),
        # Whatever the alarm is about is named, and not only once a day.
        ({"scim.gong": good(27)}, False, [(27.0, {}), (27.0, {"connection": "scim.gong"})]),
        # It has never worked.
        ({"scim.gong": {"failures": 5, "since": timestamp(NOW - timedelta(hours=3))}}, False, [(3.0, {})]),
        # That Salesforce answers is told by imports.
        ({"salesforce": good(99)}, True, []),
    ],
)
def test_imports_tell_when_a_call_of_each_connection_worked_last(
    called: dict[str, dict[str, Any]], daily: bool, told: list[tuple[float, dict[str, str]]]
) -> None:
    world = World(called=called)
    world.telling().around(lambda: SKIPPED, scheduled=True, daily=daily)
    expected = [(hours, {"organization": "acme", **of} if of else {}) for hours, of in told]
    assert world.values("HoursSinceLastGoodCall") == expected


def test_pushes_tell_it_of_their_own_connection() -> None:
    world = World(called={"vault_crm": good(30), "scim.gong": good(2)})
    world.telling("push", "scim.gong").around(lambda: SKIPPED, scheduled=True)
    assert world.values("HoursSinceLastGoodCall") == [(2.0, {})]


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
            "muster/acme/scim/gong": {"token": "x", "expires_on": "2026-11-30"},
        }
    )
    world.telling().around(lambda: SKIPPED, scheduled=True)
    assert world.values("CredentialsExpireInDays") == []
    world.telling().around(lambda: SKIPPED, scheduled=True, daily=True)
    assert world.values("CredentialsExpireInDays") == [
        (9, {}),
        (9, {"organization": "acme", "connection": "salesforce"}),
        (8, {}),
        (8, {"organization": "acme", "connection": "scim.gong"}),
    ]


# ── What ended ───────────────────────────────────────────────────────────────────────────────────


def test_a_push_that_did_something_tells_what_came_of_it_and_who_waits() -> None:
    pushed = run(0, Status.SUCCEEDED, id="r", counts={"added": 2})
    world = World(latest=[pushed])
    world.telling("push").around(lambda: replace(APPLIED, counts={"added": 2}, seats=None), scheduled=False)
    assert world.values("PushOutcomes") == [(2, {"organization": "acme", "outcome": "added"})]
    assert world.values("LicencesWaiting") == [(1, {"organization": "acme", "feature": "engage"})]
    assert world.values("RunSeconds") == [(0.0, {"kind": "push"})]


def test_a_push_to_an_app_tells_what_came_of_it_under_its_name_and_nothing_of_licences() -> None:
    pushed = run(0, Status.SUCCEEDED, id="r", counts={"made": 2}, app="scim.gong")
    world = World(latest=[pushed])
    done = replace(APPLIED, counts={"made": 2}, seats=None)
    world.telling("push", "scim.gong").around(lambda: done, scheduled=False)
    of = {"organization": "acme", "connection": "scim.gong", "outcome": "made"}
    assert world.values("PushOutcomes") == [(2, of)]
    assert world.values("LicencesWaiting") == []


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
                "muster/acme/scim/gong": {"token": "x"},
            },
            **failing,
        )

    whole, lacking = world(), world(failing={failing})
    assert told_of(whole) - told_of(lacking) == untold
    assert whole.warned == []
    assert {str(error) for error in lacking.warned} == {f"{failing} does not answer"}
