"""The loop of a run, with a job of its own: what is recorded when, and where another invocation goes on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import batched
from typing import Any

import pytest

from muster.error_log import LogEntry
from muster.errors import Misconfigured
from muster.lease import Lease
from muster.runs import work
from muster.runs.answer import Ended, PlanShown
from muster.runs.clock import OutOfTime, RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.import_state import ImportState
from muster.runs.ports import RunPorts
from muster.runs.reasons import Rule
from muster.runs.run import Phase, Run, Status
from muster.runs.work import Work

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
RUN = Run(id="r1", organization="acme", mode="full", started_at="2026-11-20T08:00:00.000Z")
PLANNED = Planned(
    items=["a", "b", "c", "d", "e"],
    counts={"planned": 5},
    plan_hash="ab",
    shown=PlanShown(),
    summary={"x": 1},
)


def entry(code: str) -> LogEntry:
    return LogEntry(at="", system="s", record=None, notification="r1", code=code, message="", remedy="")


@dataclass
class World:
    """The run table, the archive and the error log at once; `time` is how many checks of the clock pass."""

    time: int = 99
    saved: list[Run] = field(default_factory=list)
    kept: dict[Any, Any] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)

    def save(self, run: Run, _: Lease) -> None:
        self.saved.append(run)

    def finish(self, run: Run, _: Lease, state: object) -> None:
        assert state is None
        self.saved.append(run)

    def state(self, _: str) -> ImportState:
        return ImportState()

    def runs(self, *_: object) -> tuple[list[Run], None]:
        return [], None

    def put(self, *where: Any) -> None:
        self.kept[where[:-1]] = where[-1]

    put_document = put

    def parts(self, *where: Any) -> Iterable[bytes]:
        return [body for each, body in self.kept.items() if each[:-1] == where]

    def document(self, *where: Any) -> Any:
        return self.kept[where]

    def park(self, _: str, entries: Iterable[LogEntry], now: float) -> int:
        assert now
        self.logged += (new := [each.code for each in entries])
        return len(new)

    def remaining(self) -> float:
        self.time -= 1
        return 900 if self.time >= 0 else 0

    def work(self, job: "Job") -> Work[str]:
        ports: Any = self
        clock = RunClock(lambda: NOW, self.remaining, ports, Lease("acme", "r1", 1, 9e9), 960)
        return Work(job, RunPorts(ports, ports, ports), clock)


@dataclass
class Job:
    """Applies letters; is its own applier."""

    planned: Planned[str] = PLANNED
    has_summary: bool = True
    progress: Progress = field(default_factory=lambda: Progress(good_news=frozenset({"good"})))
    applied: list[str] = field(default_factory=list)
    summaries: list[Mapping[str, Any]] = field(default_factory=list)

    def plan(self, run: Run, *, resumed: bool) -> Planned[str]:
        assert (run.phase, resumed) == (Phase.GATHER, False)
        return self.planned

    def written(self, items: Sequence[str]) -> bytes:
        return "".join(items).encode()

    def read(self, part: bytes) -> Sequence[str]:
        return list(part.decode())

    def applying(self, run: Run, items: Sequence[str], *, resumed: bool) -> "Job":
        assert (len(items), resumed) == (run.planned, run.phase is not Phase.GATHER and bool(self.resumes))
        return self

    resumes: bool = False

    def chunks(self, items: Sequence[str]) -> Iterable[Sequence[str]]:
        return batched(items, 2, strict=False)

    def apply(self, items: Sequence[str]) -> None:
        self.applied += items
        self.progress.outcomes.update(["applied"] * len(items))
        if "c" in items:
            self.progress.entries += [entry("bad"), entry("good")]
            self.progress.errors += 1

    def finish(self, record: Callable[[], None]) -> None:
        self.progress.outcomes["finished"] += 1
        record()

    def after(self, run: Run, items: Sequence[str], summary: Mapping[str, Any]) -> None:
        assert (run.phase, run.cursor, len(items)) == (Phase.NOTIFY, 5, 5)
        self.summaries.append(summary)
        self.progress.outcomes["after"] += 1

    def ending(self, run: Run, items: Sequence[str], summary: Mapping[str, Any]) -> Ending:
        return Ending(errors=2, first="First. ", last=" Last.", details={"d": summary["x"]})


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ITEMS_A_PART", 2)


def steps(world: World) -> list[tuple[str, int, dict[str, int], int]]:
    return [(run.phase, run.cursor, dict(run.counts), run.errors) for run in world.saved]


ALL = [
    ("apply", 0, {"planned": 5}, 0),
    ("apply", 2, {"applied": 2}, 0),
    ("apply", 4, {"applied": 4}, 2),
    ("apply", 5, {"applied": 5}, 2),
    ("apply", 5, {"applied": 5, "finished": 1}, 2),
    ("notify", 5, {"applied": 5, "finished": 1}, 2),
    ("notify", 5, {"applied": 5, "finished": 1, "after": 1}, 4),
]


def test_after_each_chunk_what_came_of_it_is_recorded() -> None:
    world, job = World(), Job()
    answer = world.work(job).go_on(RUN, resumed=False)
    assert steps(world) == ALL
    assert world.logged == ["bad", "good"]
    assert world.saved[-1].status is Status.SUCCEEDED_WITH_ERRORS
    assert (world.saved[-1].message or "").endswith(". Last.")
    assert (answer.ended, answer.errors, answer.details) == (Ended.APPLIED, 4, {"d": 1})
    assert answer.message.startswith("First. ")
    summary: dict[str, Any] = {
        "hash": "ab",
        "items": 5,
        "counts": {"planned": 5},
        "seats": None,
        "left_out": None,
        "guard": [],
    }
    assert job.summaries == [{**summary, "tally": {}, "x": 1}]


@pytest.mark.parametrize("time", range(3))
def test_another_invocation_goes_on_where_the_last_one_has_recorded(time: int) -> None:
    world, job = World(time), Job()
    with pytest.raises(OutOfTime):
        world.work(job).go_on(RUN, resumed=False)
    again = replace(job, progress=Progress(good_news=frozenset({"good"})), resumes=True)
    world.time = 99
    # Left behind by an attempt at planning that was interrupted: the plan has five items.
    world.put("acme", "r1", 1, "plan", 4, b"zz")
    world.work(again).go_on(world.saved[-1], resumed=True)
    assert steps(world) == ALL
    assert job.applied == list("abcde")
    assert job.summaries[0]["x"] == 1


def test_what_was_planned_before_is_no_plan_while_it_is_planned_anew() -> None:
    world, where = World(), ("acme", "r1", 1, "plan")

    class Anew(Job):
        def plan(self, run: Run, *, resumed: bool) -> Planned[str]:
            assert (resumed, world.kept[where]) == (True, {"unfinished": True})
            return self.planned

    world.put_document(*where, {"hash": "of the plan before"})
    world.work(Anew()).go_on(RUN, resumed=True)
    assert world.kept[where]["hash"] == "ab"


def test_what_is_blocked_is_not_applied_and_only_told_by_a_preview() -> None:
    blocked = replace(PLANNED, blocked="the run is blocked", note=" Note.", details={"why": 1})
    world = World()
    with pytest.raises(Misconfigured, match="the run is blocked"):
        world.work(Job(blocked)).go_on(RUN, resumed=False)
    assert not world.saved
    answer = world.work(Job(blocked)).go_on(replace(RUN, preview=True), resumed=False)
    assert (answer.ended, answer.message[-6:], answer.details["why"]) == (Ended.PREVIEWED, " Note.", 1)


@pytest.mark.parametrize(("preview", "errors", "logged"), [(False, 3, ["a", "b"]), (True, 1, ["a"])])
def test_what_each_run_finds_again_counts_where_it_is_new(
    preview: bool, errors: int, logged: list[str]
) -> None:
    world = World()
    waits = replace(
        PLANNED, reasons=[Rule("held")], errors=1 + (not preview), entries=[entry("a")], standing=[entry("b")]
    )
    answer = world.work(Job(waits)).go_on(replace(RUN, preview=preview), resumed=False)
    assert answer.ended is (Ended.PREVIEWED if preview else Ended.PARKED)
    assert (world.saved[-1].errors, world.logged) == (errors, logged)
