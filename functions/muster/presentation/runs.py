"""Runs in lines and tables: what each did, and what the plan of one does to whom (Q1, Q3)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from muster.presentation import left_out, plans, sendings, settings_differences, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

type Run = Mapping[str, Any]

_KINDS = {"import": "import", "push": "push", "settings": "change of settings", "undo": "undo"}
_NEEDS_SOMEBODY = frozenset({"parked", "failed", "succeeded_with_errors"})


def news(some: Sequence[Run]) -> str:
    """Return in one sentence how many runs there are, and which of them need somebody."""
    if not some:
        return "No runs"
    told = {
        "parked": ("waits for approval", "wait for approval"),
        "failed": ("failed", "failed"),
        "succeeded_with_errors": ("ended with errors", "ended with errors"),
        "running": ("is at work", "are at work"),
    }
    counts = Counter(run["status"] for run in some)
    parts = [
        f"{counted(counts[status], 'run')} {verbs[counts[status] != 1]}"
        for status, verbs in told.items()
        if counts[status]
    ]
    return f"{counted(len(some), 'run')}{f': {", ".join(parts)}' if parts else ', none needs anybody'}"


def lines(answer: Answer) -> Sequence[str]:
    """Return a line for each run, newest first; runs in a row that changed nothing are one line."""
    found: list[str] = []
    for quiet, some in groupby(answer["runs"], key=_is_quiet):
        alike = list(some)
        found += [_quiet(alike)] if quiet else [one_line(each) for each in alike]
    return found


def one_line(run: Run) -> str:
    """Return a run in one line: when, what, by whom, how it ended."""
    sign = "! " if run["status"] in _NEEDS_SOMEBODY else ""
    who = f" by {run['by']}" if run["by"] else ""
    errors = f"; {counted(run['errors'], 'error')}" if run["errors"] else ""
    said = run["message"] or f"{words.spaced(run['status'])}."
    return (
        f"{sign}{words.moment(run['started_at'])} {kind(run)}{who}, {run['id']}: {said.rstrip('.')}{errors}"
    )


def kind(run: Run) -> str:
    """Return what kind of run it is, in words."""
    called = _KINDS.get(run["kind"], run["kind"])
    preview = "preview of a " if run["preview"] and run["kind"] != "settings" else ""
    mode = {"full": "full ", "incremental": "incremental ", "members": "named people's "}.get(run["mode"], "")
    if run["kind"] != "import":
        mode = ""
    undone = f" of {run['undoes']}" if run.get("undoes") else ""
    if app := run.get("app"):
        called = f"{called} to {words.connection(app)}"
    said = f"{preview}{mode}{called}{undone}"
    return said.replace("a incremental", "an incremental").replace("a undo", "an undo")


def runs_table(answer: Answer) -> Table:
    """Return runs, a line each."""
    rows = [
        [
            words.moment(run["started_at"]),
            kind(run),
            words.spaced(run["status"]),
            run["by"],
            run["approved_by"] or run["rejected_by"],
            run["errors"],
            run["id"],
        ]
        for run in answer["runs"]
    ]
    return table("Began (UTC)", "What", "Status", "By", "Decided by", "Errors", "Run", rows=rows)


def run_lines(answer: Answer) -> Sequence[str]:
    """Return what a run's plan does, what a change of settings would save, and who is left out."""
    items: Sequence[Mapping[str, Any]] = answer["items"]
    shown = list(_change(answer["change"]))
    if answer["note"]:
        shown.append(answer["note"])
    if sendings.are_sent(items):
        shown += sendings.of_items(items)
    else:
        # Of a page nothing is counted that stands on others: each is in its place.
        counts = _counts(items)
        shown += plans.of_items(items, counts, {})
    if answer["cursor"] and items:
        shown.append("More of the plan comes with the cursor.")
    return at_most([*shown, *left_out.lines(answer["left_out"])])


def run_table(answer: Answer) -> Table:
    """Return the items of a run's plan."""
    items = answer["items"]
    if sendings.are_sent(items):
        return sendings.sendings_table(items)
    return plans.changes_table(items)


def _change(change: Mapping[str, Any] | None) -> Iterator[str]:
    if change is None:
        return
    for reason in change["held_for"]:
        yield f"! {reason}"
    yield from at_most(
        [settings_differences.one_line(each) for each in change["changed"]],
        settings_differences.MOST,
        change["changed_in_all"],
    )


def _counts(items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in items:
        found[item["does"]] = found.get(item["does"], 0) + 1
    return found


def _is_quiet(run: Run) -> bool:
    return run["status"] == "succeeded" and not run["preview"] and not any(run["counts"].values())


def _quiet(some: Sequence[Run]) -> str:
    if len(some) == 1:
        return one_line(some[0])
    newest, oldest = words.moment(some[0]["started_at"]), words.moment(some[-1]["started_at"])
    # Pushes to apps are told with those to Vault CRM: nothing was to be changed anywhere.
    kinds = {run["kind"] for run in some}
    one = _KINDS[next(iter(kinds))] if len(kinds) == 1 else "run"
    what = counted(len(some), one, {"push": "pushes", _KINDS["settings"]: "changes of settings"}.get(one))
    return f"{newest} back to {oldest}: {what}, nothing to change"
