"""Checks of connections, and links of the webhook's chain, in lines and tables (U1, U7)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.lines import at_most, counted
from muster.presentation.tables import Table, table

type Check = Mapping[str, Any]

_HOLDS = {"passed": True, "failed": False, "warning": "not seen yet", "could_not_check": "not known"}
_WORST_FIRST = {
    "failed": "Failed",
    "could_not_check": "Could not be checked",
    "warning": "Mind",
}


def lines(answer: Answer) -> Sequence[str]:
    """Return what is wrong, the worst first, each with what to do; what passed is counted."""
    checks: Sequence[Check] = answer["checks"]
    wrong = [
        f"! {said}: {_name(each)}: {each['found'].rstrip('.')}. {each['remedy']}".rstrip()
        for result, said in _WORST_FIRST.items()
        for each in checks
        if each["result"] == result
    ]
    return at_most([*wrong, *_passed(checks), *_candidates(answer)])


def setup(answer: Answer) -> Sequence[str]:
    """Return the broken links of the webhook's chain, and when a message last came through it."""
    if "checks" not in answer:
        return []
    last = words.moment(answer["last_message_at"])
    return [*lines(answer), f"Last message: {last}" if last else "No message has come yet"]


def checks_table(rows: Iterable[Check]) -> Table:
    """Return checks of connections, or links of the webhook's chain: what was found, and what to do."""
    shown = [[_name(row), row["found"], row["remedy"]] for row in rows]
    return table("Check", "Found", "What to do", rows=shown)


def links_table(rows: Iterable[Check]) -> Table:
    """Return the links between Salesforce and Muster, in the order in which a change passes them."""
    shown = [[row["check"], _HOLDS[row["result"]], row["found"]] for row in rows]
    return table("Link", "Holds", "Found", rows=shown)


def _passed(checks: Sequence[Check]) -> Iterator[str]:
    passed = [each for each in checks if each["result"] == "passed"]
    if not passed:
        return
    by_connection: dict[str, list[str]] = {}
    for each in passed:
        by_connection.setdefault(each.get("connection", ""), []).append(each["check"])
    for connection, names in by_connection.items():
        where = f" of {words.connection(connection)}" if connection else ""
        yield f"Passed: {counted(len(names), 'check')}{where}"


def _candidates(answer: Answer) -> Iterator[str]:
    for each in answer.get("candidates", ()):
        yield f"May be Align's integration user: {words.joined(map(_text, each.values()), ', ')}"


def _name(check: Check) -> str:
    connection = check.get("connection")
    return f"{check['check']} ({words.connection(connection)})" if connection else str(check["check"])


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, bool) else str(value)
