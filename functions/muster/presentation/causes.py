"""What brought a change, in words; and how runs and moments are called (I11).

Takes what a history entry has as `run`, `origin` and `why`, and runs as `runs` of RosterQueryFunction shows
them.
"""

from collections.abc import Mapping
from typing import Any

from muster.presentation.words import connection

type Json = Mapping[str, Any]

BY_HAND = ("manual", "manager")
_SCHEDULE = "schedule"
_OTHER_KINDS = {"settings": "change of settings", "undo": "undo", "push": "push"}
_RUNS = {"full": "full import", "incremental": "incremental import", "members": "import of named people"}


def moment(at: str) -> str:
    """Return a timestamp to the minute, as people read it."""
    return at[:16].replace("T", " ")


def cause_in_words(cause: Json, runs: Mapping[str, Json]) -> str:
    """Return what brought a change, for example "by a message of Salesforce".

    `cause` has `run`, `origin` and perhaps `why`, as a history entry has; `runs` the runs that are at hand,
    by id.
    """
    prefix, _, name = cause["run"].partition(":")
    origin, _, who = cause["origin"].partition(":")
    why = f": {cause['why']}" if cause.get("why") else ""
    if origin in BY_HAND:
        # By hand and in a run: that is an undo.
        undone = runs.get(name, {}).get("undoes")
        undoing = f", undoing {f'run {undone}' if undone else 'a run'}" if prefix == "run" else ""
        return f"by {'the manager ' if origin == 'manager' else ''}{who}{undoing}{why}"
    if prefix == "leaving":
        return "at once, because the member had left"
    said = "by a message of Salesforce" if prefix == "webhook" else f"by {_run_in_words(runs.get(name))}"
    if origin == "align":
        said = f"asked for in Align, taken over {said}"
    elif origin == "assignment":
        said = f"by a seat that came free, given {said}"
    return f"{said}{why}"


def _run_in_words(run: Json | None) -> str:
    if run is None:
        return "a run"
    said = name_of_run(run)
    article = "an" if said[0] in "aeiou" else "a"
    started = "" if run["by"] in (None, _SCHEDULE) else f" by {run['by']}"
    approved = f", approved by {run['approved_by']}" if run["approved_by"] else ""
    return f"{article} {said}{' begun' if started else ''}{started}{approved}"


def name_of_run(run: Json) -> str:
    """Return what kind of run it is: "full import", "push"."""
    if run["kind"] in _OTHER_KINDS:
        app = f" to {connection(run['app'])}" if run.get("app") else ""
        return f"{_OTHER_KINDS[run['kind']]}{app}"
    return _RUNS.get(run["mode"], "import")
