"""Answers as the console's pane shows them, and with marks in place of what no two stacks have in common."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.local_stack.building import ROOT

FOLDER = ROOT / "docs" / "answers"
# Of the console's pane; what is longer has to be scrolled.
SCREEN = 40
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?(?:Z|\+00:00))?"
# The earlier come first: a run's id begins like a date.
_MARKS = {
    "run": r"\b\d{8}T\d{9}-[0-9a-f]{8}\b",
    "hash": r"\b[0-9a-f]{64}\b",
    "id": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "Salesforce id": r"\b00[0-9A-Za-z]{13}[0-9A-Z]{3}\b",
    "time": _TIME,
    "version": r'(?<="muster_version": ")[^"]+',
}
_VARIES = re.compile("|".join(f"({pattern})" for pattern in _MARKS.values()))
# One is like another on a screen.
_UNNUMBERED = frozenset({"hash", "time", "version"})


def pane(answer: Mapping[str, Any]) -> str:
    """Return an answer as the console shows it."""
    return json.dumps(answer, indent=2, ensure_ascii=False)


def marked(text: str) -> str:
    """Return a text with `<time>`, `<run 1>`, `<id 2>` … in place of what varies, the same for the same."""
    found: dict[str, dict[str, int]] = {name: {} for name in _MARKS}

    def mark(match: re.Match[str]) -> str:
        name = list(_MARKS)[(match.lastindex or 1) - 1]
        number = found[name].setdefault(match[0], len(found[name]) + 1)
        return f"<{name}>" if name in _UNNUMBERED else f"<{name} {number}>"

    return _VARIES.sub(mark, text)


def path_of(name: str) -> Path:
    """Return the file that keeps the answer of that name."""
    return FOLDER / f"{name}.txt"
