"""Query runs: list them, show the state of one and the items of its plan. Reads only."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from muster import validation
from muster.engage import push_items
from muster.engage.push_items import PushItem
from muster.errors import NotFound, Problem, Rejected, Unavailable
from muster.imports import plan_items
from muster.imports.plan_items import Item
from muster.insight import run_summaries
from muster.insight.ports import RunLog
from muster.insight.run_news import is_news
from muster.provisioning import account_items
from muster.provisioning.account_items import AccountItem
from muster.roster.decisions import Outcome
from muster.roster.member import Json
from muster.runs import settings_change
from muster.runs.kinds import IMPORT, KINDS, PUSH, SETTINGS, UNDO, kind_of
from muster.runs.ports import Archive, Runs
from muster.runs.run import Kind, Run, Status
from muster.runs.running import LEASE_S

type Planned = Item | PushItem | AccountItem

# The attempt whose plan it is, the part of the plan, and how many items of that part have been shown.
_CURSOR = re.compile(r"([1-9][0-9]{0,5})\.([1-9][0-9]{0,5})\.([0-9]{1,6})", re.ASCII)

# A cursor of the list of runs is the id of the last one looked at.
_RUN_ID = re.compile(r"[0-9]{8}T[0-9A-Za-z-]{1,80}", re.ASCII)
# Ten days of an organization with all schedules on.
MOST_LOOKED_AT = 2_000
# What runs are filtered by, and the values that they have.
_FILTERS: Mapping[str, Sequence[str | bool]] = {
    "kind": tuple(KINDS),
    "status": tuple(Status),
    "with_news": (True, False),
}


def list_runs(
    runs: RunLog, organization: str, filters: Mapping[str, Any], limit: int, cursor: str | None
) -> Json:
    """Return a page of runs, newest first: `{runs, cursor}`; no cursor: the last page.

    `filters` is `{"kind": "<kind>", "status": "<status>", "with_news": true | false}`;
    with news are those that changed something, failed, wait, or were decided about. A page is as long as
    `limit`, or has looked at `MOST_LOOKED_AT` runs. Raises `Rejected`.
    """
    wanted = _wanted(filters)
    if cursor is not None and not _RUN_ID.fullmatch(cursor):
        raise Rejected(
            Problem("cursor", "is not one that was handed out", "Leave it out to start at the beginning.")
        )
    found: list[Run] = []
    last = cursor
    for looked_at, run in enumerate(runs.runs_from(organization, "", cursor)):
        if len(found) == limit or looked_at == MOST_LOOKED_AT:
            break
        last = run.id
        if wanted(run):
            found.append(run)
    else:
        last = None
    return {"runs": [run_summaries.brief(run) for run in found], "cursor": last}


def _wanted(filters: Mapping[str, Any]) -> Callable[[Run], bool]:
    """Return what tells whether a run is asked for; a value that no run has is refused with the nearest."""
    for name, value in filters.items():
        if name not in _FILTERS:
            remedy = validation.did_you_mean(name, _FILTERS)
            raise Rejected(Problem(f"filter.{name}", "is not something to filter runs by", remedy))
        if value not in (known := _FILTERS[name]) or isinstance(value, bool) != (name == "with_news"):
            shown = json.dumps(value, ensure_ascii=False)[:50]
            remedy = (
                "Write true or false."
                if name == "with_news"
                else validation.did_you_mean(value, map(str, known))
            )
            raise Rejected(Problem(f"filter.{name}", f"{shown} is none that a run has", remedy))

    def wanted(run: Run) -> bool:
        has = {"kind": run.kind, "status": run.status.value, "with_news": is_news(run)}
        return all(has[name] == value for name, value in filters.items())

    return wanted


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
    pages = archive.count(run.organization, run.id, run.attempt, kind_of(run).pages)
    renewed = None if lease_until is None else datetime.fromtimestamp(lease_until - LEASE_S, UTC)
    return run_summaries.at_work(run, pages, renewed, now)


def _effective(
    run: Run, archive: Archive, first: int, parts: int, shown: int
) -> Iterator[tuple[int, int, Planned]]:
    """Yield the items that change something an admin would see, each with its part and its place in it."""
    for number in range(first, parts + 1):
        body = archive.part(run.organization, run.id, run.attempt, "plan", number)
        for place, item in enumerate(_items(run, body)):
            if number > first or place >= shown:
                yield number, place, item


def _items(run: Run, body: bytes) -> Sequence[Planned]:
    """Return the items of a part that an admin would see; only these count as places."""
    return _of_app(body) if run.app else _EFFECTIVE_OF[run.kind](body)


def _of_import(body: bytes) -> list[Item]:
    return [item for item in plan_items.read(body) if item.outcome != Outcome.UNCHANGED]


def _of_push(body: bytes) -> list[PushItem]:
    return [item for item in push_items.read(body) if item.step in push_items.SENT]


def _of_app(body: bytes) -> list[AccountItem]:
    return [item for item in account_items.read(body) if item.does]


_EFFECTIVE_OF: Mapping[Kind, Callable[[bytes], Sequence[Planned]]] = {
    IMPORT.name: _of_import,
    SETTINGS.name: _of_import,
    PUSH.name: _of_push,
    UNDO.name: _of_import,
}


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
