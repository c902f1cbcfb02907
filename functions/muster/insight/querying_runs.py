"""Query runs: list them, show the state of one and the items of its plan. Reads only."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from muster.errors import NotFound, Problem, Rejected, Unavailable
from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.insight import run_summaries
from muster.pushes import push_plan
from muster.pushes.push_plan import PushItem
from muster.roster.decisions import Outcome
from muster.roster.member import Json
from muster.runs import settings_change
from muster.runs.ports import Archive, Runs
from muster.runs.run import Run, Status
from muster.runs.running import LEASE_S

# The attempt whose plan it is, the part of the plan, and how many items of that part have been shown.
_CURSOR = re.compile(r"([1-9][0-9]{0,5})\.([1-9][0-9]{0,5})\.([0-9]{1,6})", re.ASCII)


def list_runs(runs: Runs, organization: str, limit: int, cursor: str | None) -> Json:
    """Return a page of runs, newest first: `{runs, cursor}`; no cursor: the last page."""
    found, following = runs.runs(organization, limit, cursor)
    return {"runs": [run_summaries.brief(run) for run in found], "cursor": following}


def find_run(runs: Runs, organization: str, run_id: str) -> Run:
    """Return the run with this id; raises `NotFound`."""
    run = runs.run(organization, run_id)
    if run is None:
        problem = Problem("run_id", "is not a run of this organization", "The action runs lists them.")
        raise NotFound(problem)
    return run


def show_run(
    run: Run,
    archive: Archive,
    limit: int,
    cursor: str | None,
    by: str | None,
    now: datetime,
    lease_until: float | None = None,
) -> Json:
    """Return a run, what to do about it, and a page of its plan's items.

    `{run, change, progress, at_work, to_do, note, left_out, items, cursor}`; `change` is what a change of
    settings that waits would save, `note` says why a run with a plan shows no items. A cursor is valid for
    the plan of one attempt only. `lease_until` is until when the run has the organization's lease (epoch
    seconds).
    """
    first, shown = _start(cursor, run)
    items: list[Json] = []
    following = note = None
    parts = 0
    if run_summaries.has_plan(run):
        parts = archive.count(run.organization, run.id, run.attempt, "plan")
        if run.planned and not parts:
            note = "The plan is no longer in the archive."
    for part, place, item in _effective(run, archive, first, parts, shown):
        if len(items) == limit:
            following = f"{run.attempt}.{part}.{place}"
            break
        items.append(item.shown())
    waits = run.status is Status.PARKED and not run_summaries.is_too_late(run, now)
    change = settings_change.kept(archive, run) if waits else None
    return {
        "run": run.to_json(),
        "change": change.shown() if change else None,
        "progress": run_summaries.progress(run),
        "at_work": _at_work(run, archive, lease_until, now),
        "to_do": run_summaries.next_steps(run, by, now),
        "note": note,
        "left_out": _left_out(run, archive),
        "items": items,
        "cursor": following,
    }


def _left_out(run: Run, archive: Archive) -> Json:
    """Return who is left out by the run's plan; nobody by name once its plan is no longer in the archive."""
    if not run.left_out:
        return {}
    try:
        named: Json = archive.document(run.organization, run.id, run.attempt, "plan")["left_out"]
    except (Unavailable, KeyError):
        return {reason: {"count": count, "first": []} for reason, count in run.left_out.items()}
    return named


def _at_work(run: Run, archive: Archive, lease_until: float | None, now: datetime) -> Json | None:
    if run.status is not Status.RUNNING:
        return None
    name = "vault_users" if run.kind == "push" else "users"
    pages = archive.count(run.organization, run.id, run.attempt, name)
    renewed = None if lease_until is None else datetime.fromtimestamp(lease_until - LEASE_S, UTC)
    return run_summaries.at_work(run, pages, renewed, now)


def _effective(
    run: Run, archive: Archive, first: int, parts: int, shown: int
) -> Iterator[tuple[int, int, Item | PushItem]]:
    """Yield the items that change something an admin would see, each with its part and its place in it."""
    for number in range(first, parts + 1):
        body = archive.part(run.organization, run.id, run.attempt, "plan", number)
        for place, item in enumerate(_items(run, body)):
            if number > first or place >= shown:
                yield number, place, item


def _items(run: Run, body: bytes) -> Sequence[Item | PushItem]:
    """Return the items of a part that an admin would see; only these count as places."""
    if run.kind == "push":
        return [item for item in push_plan.read(body) if item.step in push_plan.SENT]
    return [item for item in plan_items.read(body) if item.outcome != Outcome.UNCHANGED]


def _start(cursor: str | None, run: Run) -> tuple[int, int]:
    """Return the part to continue with, and how many of its items have been shown."""
    if cursor is None:
        return 1, 0
    match = _CURSOR.fullmatch(cursor)
    remedy = "Leave it out to start at the beginning."
    if not match:
        raise Rejected(Problem("cursor", "is not one that was handed out", remedy))
    attempt, part, shown = map(int, match.groups())
    if attempt != run.attempt:
        raise Rejected(Problem("cursor", "is for a plan that has been made anew since", remedy))
    return part, shown
