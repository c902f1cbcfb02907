"""The tables that answers hold, each under the key that lists it."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

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


def _members(answer: Answer) -> Table:
    def rows() -> Iterable[list[object]]:
        for each in answer["members"]:
            seats = ", ".join(f"{name} ({place['state']})" for name, place in each["seats"].items())
            groups = ", ".join(filter(None, (each[name]["group"] for name in ("engage", "engage_connect"))))
            yield [each["name"], each["email"], each["active"], each["assignment"], seats, groups]

    return table("Name", "E-mail", "Active", "Assignment", "Seats", "Engage groups", rows=rows())


def _history(answer: Answer) -> Table:
    rows = [
        [_moment(entry["at"]), each["field"], each["before"], each["after"], each.get("origin")]
        for entry in answer["history"]
        for each in entry["changes"]
    ]
    return table("When (UTC)", "What", "Before", "After", "By", rows=rows)


def _seats(answer: Answer) -> Table:
    rows: list[list[object]] = []
    for name, seat in answer["seats"].items():
        use: list[object] = [name, "any number" if seat["limit"] is None else seat["limit"], seat["held"]]
        for place in seat["line"] or [{}]:
            rows.append([*use, place.get("place"), place.get("name"), place.get("assignment")])
            use = [None] * len(use)
    return table("Seat", "There are", "Held", "In line", "Who", "Assignment", rows=rows)


def _errors(answer: Answer) -> Table:
    rows = [
        [_moment(each["at"]), each["system"], each["record"], each["message"], each["remedy"]]
        for each in answer["log"]
    ]
    return table("When (UTC)", "System", "Record", "What went wrong", "What to do", rows=rows)


def _organizations(answer: Answer) -> Table:
    rows = [[each["organization"], each["scheduled"], each["pushed"]] for each in answer["organizations"]]
    return table("Organization", "Imported by schedule", "Pushed by schedule", rows=rows)


def _checks(answer: Answer) -> Table:
    rows = [
        [each.get("connection"), each["check"], _spaced(each["result"]), each["found"], each["remedy"]]
        for each in answer["checks"]
    ]
    return table("Connection", "Check", "Result", "Found", "What to do", rows=rows)


def _runs(answer: Answer) -> Table:
    rows = [
        [
            _moment(each["started_at"]),
            f"preview of {each['kind']}" if each["preview"] else each["kind"],
            each["mode"],
            _spaced(each["status"]),
            each["by"],
            each["errors"],
            each["id"],
        ]
        for each in answer["runs"]
    ]
    return table("Began (UTC)", "What", "Of whom", "Status", "By", "Errors", "Run", rows=rows)


def _differences(answer: Answer) -> Table:
    rows = [
        [_change(each), each["where"], _value(each["before"]), _value(each["after"])]
        for each in answer["changes"]
    ]
    return table("", "Where", "Before", "After", rows=rows)


def _versions(answer: Answer) -> Table:
    rows = [
        [each["version"], _moment(each["at"]), each["by"], each["why"], ", ".join(each["changed"])]
        for each in answer["versions"]
    ]
    return table("Version", "Saved (UTC)", "By", "Why", "Changed", rows=rows)


_TABLES: Mapping[str, Callable[[Answer], Table]] = {
    "members": _members,
    "history": _history,
    "seats": _seats,
    "log": _errors,
    "organizations": _organizations,
    "checks": _checks,
    "runs": _runs,
    "changes": _differences,
    "versions": _versions,
}


def _change(difference: Answer) -> str:
    if difference["before"] is None:
        return "added"
    return "removed" if difference["after"] is None else "changed"


def _value(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _spaced(code: str) -> str:
    return code.replace("_", " ")


def _moment(at: str) -> str:
    return at[:16].replace("T", " ")
