"""Settings in lines and tables: where two documents differ, and who saved what (S1, S2)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from muster.presentation import plans, words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

# So many places have a line of their own where more is to be shown beside them.
MOST = 10
_LONGEST = 60


def one_line(change: Mapping[str, Any]) -> str:
    """Return one place where two documents differ: "~ seats.gong.limit: 20 → 30"."""
    before, after = change["before"], change["after"]
    if before is None:
        return f"+ {change['where']}: {_value(after)}"
    if after is None:
        return f"- {change['where']}: {_value(before)}"
    return f"~ {change['where']}: {_value(before)} → {_value(after)}"


def lines(answer: Answer) -> Sequence[str]:
    """Return where a checked document differs from the one in force."""
    return at_most([*map(one_line, answer["changes"]), *_not_tried(answer)])


def differences_table(answer: Answer) -> Table:
    """Return where two documents differ."""
    rows = [[each["where"], _value(each["before"]), _value(each["after"])] for each in answer["changes"]]
    return table("Where", "Before", "After", rows=rows)


def plan(answer: Answer) -> Sequence[str]:
    """Return what saving a document does to people, or would do."""
    return at_most([*_not_tried(answer), *plans.lines(answer)])


def version(answer: Answer) -> Sequence[str]:
    """Return what a version says: connections, seats, assignments, who saved it and why."""
    document: Mapping[str, Any] = answer["settings"]
    who = f"Saved by {answer['by']}{_approved(answer)}"
    found = [f"{who}: {answer['why']}" if answer["why"] else f"{who}."]
    for name, connection in (document.get("connections") or {}).items():
        if isinstance(connection, Mapping):
            found.append(f"{words.CONNECTIONS.get(name, name)}: {connection.get('host')}")
    for name, seat in (document.get("seats") or {}).items():
        limit = seat.get("limit") if isinstance(seat, Mapping) else None
        found.append(f"Seat {name}: {'no limit' if limit is None else f'limit {limit:,}'}")
    for number, each in enumerate(document.get("assignments") or (), 1):
        found.append(f"Assignment {number}, {each.get('name')}: {_value(each.get('filter') or 'everyone')}")
    return at_most([*found, *_not_tried(answer)])


def history(answer: Answer) -> Sequence[str]:
    """Return a line for each version, newest first: when, by whom, why, and where it differs."""
    return [_version(each) for each in answer["versions"]]


def history_table(answer: Answer) -> Table:
    """Return versions, a line each."""
    rows = [
        [
            each["version"],
            words.moment(each["at"]),
            *(each[name] for name in ("by", "approved_by", "why")),
            _places(each),
        ]
        for each in answer["versions"]
    ]
    return table("Version", "Saved (UTC)", "By", "Approved by", "Why", "Changed", rows=rows)


def fields(answer: Answer) -> Sequence[str]:
    """Return the fields of a connection that are mapped, and how many others could be."""
    mapped = [each for each in answer["fields"] if each["inbound"] or each["outbound"]]
    found = []
    for each in mapped:
        into = f"read into {', '.join(each['inbound'])}" if each["inbound"] else ""
        to = f"written from {', '.join(each['outbound'])}" if each["outbound"] else ""
        found.append(f"{each['label']} ({each['name']}): {words.joined([into, to])}")
    others = len(answer["fields"]) - len(mapped)
    return [*at_most(found), f"{counted(others, 'field is', 'fields are')} not mapped"]


def assignments(given: Sequence[Mapping[str, Any]]) -> Table:
    """Return the assignments of a settings document, in their order."""
    rows = [
        [
            number,
            each["name"],
            each["filter"],
            each.get("update_mode", "automatic"),
            "\n".join(_choice(seat) for seat in each.get("seats", ())),
            "\n".join(
                f"{words.spaced(name)}: {_choice(choice)}"
                for name, choice in (*each.get("workspaces", {}).items(), *each["data_capture"].items())
            ),
        ]
        for number, each in enumerate(given, 1)
    ]
    return table("", "Assignment", "Whom (SOQL)", "Updates", "Seats", "Workspaces, data capture", rows=rows)


def _version(each: Mapping[str, Any]) -> str:
    why = f": {each['why']}" if each["why"] else ""
    places = f"; changed {_places(each)}" if each["changed"] else ""
    said = f"Version {each['version']}, {words.moment(each['at'])} by {each['by']}{_approved(each)}"
    return f"{said}{why}{places}"


def _approved(each: Mapping[str, Any]) -> str:
    return f", approved by {each['approved_by']}" if each["approved_by"] else ""


def _places(each: Mapping[str, Any]) -> str:
    return words.listed(each["changed"], MOST // 2)


def _not_tried(answer: Answer) -> list[str]:
    places = [each["where"] for each in answer.get("not_tried", ())]
    return [f"! Not tried with Salesforce: {words.listed(places)}"] if places else []


def _choice(choice: Any) -> str:
    if isinstance(choice, str):
        return choice
    mapped = ", ".join(f"{value}: {given}" for value, given in choice["map"].items())
    return f"by {choice['field']} ({mapped})"


def _value(given: Any) -> str:
    """Return a value of a document as a line shows it: text as it is, sections by what they hold."""
    match given:
        case str():
            text = given
        case dict() if "name" in given:
            text = str(given["name"])
        case dict() | list() if len(json.dumps(given)) > _LONGEST:
            text = counted(len(given), "entry", "entries")
        case _:
            text = json.dumps(given)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
