"""A run in short: its progress, and what an admin can do about it (I5, I6, I12). Pure."""

from datetime import datetime

from muster.roster.member import Json
from muster.runs.kinds import YOU, kind_of
from muster.runs.run import Phase, Run, Status

# What is undone is what these have done.
_APPLIED = (Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS)
_SHOWN = (
    "id",
    "mode",
    "kind",
    "status",
    "preview",
    "by",
    "approved_by",
    "rejected_by",
    "request_id",
    "decided_request_id",
    "why",
    "started_at",
    "finished_at",
    "counts",
    "errors",
    "message",
    "plan_hash",
    "expires_at",
)


def brief(run: Run) -> Json:
    """Return a run as a list of runs shows it."""
    record = run.to_json()
    of_some = {"undoes": run.undoes, "app": run.app}
    return {name: record[name] for name in _SHOWN} | {name: each for name, each in of_some.items() if each}


def in_words(run: Run) -> str:
    """Return one sentence about a run: its progress, or how it ended."""
    if run.status is Status.PARKED and not run.message:
        return f"It waits for approval until {run.expires_at}."
    if run.status is Status.PREVIEWED and not run.message:
        return "A preview; nothing was changed."
    return progress(run) or run.message or f"It has ended: {run.status.replace('_', ' ')}."


def progress(run: Run) -> str | None:
    """Return the progress of a run; `None` unless it is running."""
    if run.status is not Status.RUNNING:
        return None
    match run.phase:
        case Phase.APPLY:
            return f"{run.cursor:,} of {run.planned:,} applied."
        case Phase.NOTIFY:
            return kind_of(run).last_phase
    return f"It reads {kind_of(run).source} and makes a plan; nothing is changed yet."


def at_work(run: Run, pages: int, renewed: datetime | None, now: datetime) -> Json | None:
    """Return how far a run is, in numbers; `None` unless it is running.

    `pages` of users are read; `renewed` is when an invocation last showed that it works on it, within
    minutes, `None` if none has the run.
    """
    if run.status is not Status.RUNNING:
        return None
    return {
        "phase": run.phase,
        "pages": pages,
        "planned": run.planned,
        "applied": run.cursor,
        "counts": run.counts,
        "renewed_s_ago": None if renewed is None else max(0, round((now - renewed).total_seconds())),
    }


def has_plan(run: Run) -> bool:
    """Whether the run's current attempt has made a plan."""
    planning = run.status is Status.RUNNING and run.phase is Phase.GATHER
    return run.plan_hash is not None and not planning


def next_steps(run: Run, by: str | None, now: datetime) -> list[Json]:
    """Return what an admin can do about a run, each with the event to paste; `by`, if given, signs them."""
    signed = {"by": by or YOU}
    of = {"organization": run.organization}
    kind = kind_of(run)
    function = kind.rejecting_function
    undo = [_undoing(run, signed)] if _may_be_undone(run) else []
    match run.status:
        case Status.PARKED if is_too_late(run, now):
            again = {**of, **_what_it_was_about(run), **signed}
            return [to_do("Nobody approved it in time. Start again; it is planned anew.", function, again)]
        case Status.PARKED:
            reject = to_do("Reject it: nothing is changed.", function, {**of, "reject": run.id, **signed})
            approve = to_do(kind.approval, kind.function, kind.approval_event(run, signed["by"]))
            return [approve, reject]
        case Status.RUNNING:
            what = "Only if nobody works on it any more (it answered continue, or died): go on with it."
            return [to_do(what, function, {**of, "run_id": run.id})]
        case Status.SUCCEEDED_WITH_ERRORS:
            event = {**of, "action": "errors"}
            return [to_do("See what could not be done, and for whom.", "RosterQueryFunction", event), *undo]
    return undo


def to_do(what: str, function: str, event: Json) -> Json:
    """Return one thing to do: in words, with the function to call and the event to paste."""
    return {"what": what, "function": function, "event": event}


def _may_be_undone(run: Run) -> bool:
    """Whether it is worth while to offer that: the run has changed something.

    What a push has sent to an app follows from the members; what led to it is undone instead.
    """
    if run.app:
        return False
    saved = not kind_of(run).applies and run.status is Status.SUCCEEDED
    return saved or (run.status in _APPLIED and not run.preview and any(run.counts.values()))


def _undoing(run: Run, signed: Json) -> Json:
    event = {"organization": run.organization, "undo": run.id, **signed, "preview": True}
    what = "Undo it: this previews what can be put back, and what not and why; without preview it is done."
    return to_do(what, kind_of(run).function, event | ({} if kind_of(run).applies else {"action": "undo"}))


def _what_it_was_about(run: Run) -> Json:
    """Return the keys that begin the same run again."""
    if run.undoes:
        return {"undo": run.undoes}
    if run.mode == "members":
        return {"members": list(run.members)}
    return {"mode": run.mode} if run.mode else {}


def is_too_late(run: Run, now: datetime) -> bool:
    """Whether a parked run can no longer be approved."""
    return run.expires_at is not None and datetime.fromisoformat(run.expires_at) <= now
