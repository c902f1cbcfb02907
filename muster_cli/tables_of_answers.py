"""The tables that answers hold, each under the key that lists it, in Muster's own columns."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from muster.presentation import checks, errors, members, organizations, runs, seats, settings_differences
from muster.presentation.tables import Table, table

type Answer = Mapping[str, Any]


def table_of(answer: Answer, listed: str) -> Table | None:
    """Return what an answer has listed under a key as a table; `None` where it has nothing there.

    Nor is there a table of what a function of another version lists in another way.
    """
    if listed not in answer:
        return None
    try:
        return _TABLES[listed](answer)
    except (AttributeError, KeyError, TypeError):
        return None


def _differences(answer: Answer) -> Table:
    rows = [
        [_change(each), each["where"], _value(each["before"]), _value(each["after"])]
        for each in answer["changes"]
    ]
    return table("", "Where", "Before", "After", rows=rows)


def _change(difference: Answer) -> str:
    if difference["before"] is None:
        return "added"
    return "removed" if difference["after"] is None else "changed"


def _value(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_TABLES: Mapping[str, Callable[[Answer], Table]] = {
    "members": members.listed,
    "history": members.history_table,
    "seats": seats.seats_table,
    "log": errors.errors_table,
    "organizations": organizations.organizations_table,
    "checks": lambda answer: checks.checks_table(answer["checks"]),
    "runs": runs.runs_table,
    "changes": _differences,
    "versions": settings_differences.history_table,
}
