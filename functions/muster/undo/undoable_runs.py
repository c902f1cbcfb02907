"""Which runs can be undone, and where; of the others, why not and what to do instead (Q2). Pure."""

import json

from muster.errors import Problem
from muster.runs.kinds import IMPORT, PUSH, SETTINGS, UNDO, YOU, RunKind, kind_of
from muster.runs.run import Kind, Run, Status

_WHERE = "undo"


def refusal(target: Run, here: RunKind) -> Problem | None:
    """Return why a run cannot be undone in the function that begins runs of the kind `here`."""
    if target.kind == SETTINGS.name:
        event = {"organization": target.organization, "action": "undo", "undo": target.id, "by": YOU}
        remedy = f"Undo it with {SETTINGS.function}: {json.dumps(event)}."
        return Problem(_WHERE, "is a change of settings", remedy)
    if target.preview:
        return Problem(_WHERE, "is a preview, which changed nothing", "There is nothing to undo.")
    match target.status:
        case Status.PARKED:
            event = {"organization": target.organization, "reject": target.id, "by": YOU}
            remedy = f"Reject it instead: {json.dumps(event)}."
            return Problem(_WHERE, "waits for approval and has changed nothing yet", remedy)
        case Status.RUNNING:
            return Problem(_WHERE, "is at work", "Wait until it has ended, then undo it.")
        case Status.REJECTED:
            return Problem(_WHERE, "was rejected and changed nothing", "There is nothing to undo.")
    if (function := function_of(target)) != here.function:
        return Problem(_WHERE, f"is {kind_of(target).one}", f"Send the same to {function}.")
    return None


def function_of(target: Run) -> str:
    """Return the function that undoes a run: the one that made it."""
    return kind_of(target).function


def kind_undone(target: Run) -> Kind:
    """Return what kind of run is undone in the end: of an undo, what it undid itself."""
    return target.undoes_kind or (IMPORT.name if target.kind == UNDO.name else target.kind)


def changed_nobody(target: Run, begins: str | None) -> Problem:
    """Return why there is nothing to undo; `begins` is when the history that is read by time begins."""
    # Of a run that counted nothing there is no history, however far it goes back.
    if target.counts and (begins is None or target.started_at < begins):
        what = f"is older than the history that can be read by time, which begins {begins or 'now'}"
        return Problem(_WHERE, what, "Look at the members' own history, and change them by hand.")
    what = "sent nothing and changed no member" if target.kind == PUSH.name else "changed no member"
    return Problem(_WHERE, what, "There is nothing to undo.")
