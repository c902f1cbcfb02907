"""How an organization is, on one screen: what is broken or waits first, each with what to do (Q3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import tables
from muster.presentation.answers import Layout
from muster.presentation.lines import at_most
from muster.presentation.tables import Table

_MARKS = {"broken": "! ", "waits": "! ", "soon": "~ ", "known": ""}
_HOW = {"broken": "Broken", "waits": "Waits for you", "soon": "Soon", "known": "To know"}
_MOST = 20


def lines(answer: Mapping[str, Any]) -> Sequence[str]:
    """Return a line for each finding, worst first: what it is, and what to do about it."""
    return at_most([line(finding) for finding in answer["findings"]], _MOST)


def table(answer: Mapping[str, Any]) -> Table:
    """Return the findings as a table."""
    rows = [
        (_HOW[finding["level"]], finding["what"], finding.get("remedy", "")) for finding in answer["findings"]
    ]
    return tables.table("How bad", "What", "What to do", rows=rows)


def line(finding: Mapping[str, Any]) -> str:
    """Return a finding in one line: how bad it is, what it is, and what to do about it."""
    to_do = f" → {finding['remedy']}" if finding.get("remedy") else ""
    where = f" ({finding['function']})" if finding.get("function") else ""
    return f"{_MARKS[finding['level']]}{finding['what']}{to_do}{where}"


LAYOUT = Layout(summary=lines, table=table, only_in_detail=frozenset({"findings"}))
