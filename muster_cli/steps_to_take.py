"""What a function says can be done: the event that it names, and the command that sends it.

`to_do` of an answer holds sentences, or `{what, function, event}` with the very event to send.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

type Step = Mapping[str, Any] | str


def lines(answer: Mapping[str, Any]) -> list[str]:
    """Return what can be done after an answer as lines, each with the command for it."""
    found = []
    if answer["status"] == "parked" and "run_id" in answer:
        run = answer["run_id"]
        found += [f"→ Look at it: muster run {run}", f"→ Then: muster approve {run}, or muster reject {run}"]
    for step in answer.get("to_do") or ():
        if isinstance(step, str):
            found.append(f"→ {step}")
        else:
            found += [f"→ {step['what']}", f"    {_command(step['function'], step['event'])}"]
    return found


def event_for(decision: str, to_do: Iterable[Step]) -> tuple[str, dict[str, Any]] | None:
    """Return function and event of the step to approve, reject, resume or undo; `None`: there is none."""
    for step in to_do:
        if not isinstance(step, str) and _decision(step["event"]) == decision:
            return step["function"], dict(step["event"])
    return None


def _decision(event: Mapping[str, Any]) -> str | None:
    if "approve" in event or event.get("action") == "approve":
        return "approve"
    for decision in ("reject", "undo"):
        if decision in event:
            return decision
    return "resume" if "run_id" in event and "action" not in event else None


def _command(function: str, event: Mapping[str, Any]) -> str:
    decision = _decision(event)
    if decision:
        run = event.get(decision) or event["run_id"]
        return f"muster {decision} {run}{' --preview' if event.get('preview') else ''}"
    if event.get("action") == "errors":
        return "muster errors"
    return f"{function} {json.dumps(event, ensure_ascii=False)}"
