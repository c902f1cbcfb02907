"""The error log in lines and tables: what could not be done, for whom, and what to do (I8)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from muster.presentation import words
from muster.presentation.answers import Answer
from muster.presentation.lines import counted
from muster.presentation.tables import Table, table


def news(log: Sequence[Mapping[str, Any]]) -> str:
    """Return in one sentence how many entries there are, and of when the newest is."""
    if not log:
        return "Nothing is in the error log"
    return f"{counted(len(log), 'entry', 'entries')}, the newest of {words.moment(log[0]['at'])}"


def lines(answer: Answer) -> Sequence[str]:
    """Return a line for each entry, newest first."""
    return [one_line(entry) for entry in answer["log"]]


def one_line(entry: Mapping[str, Any]) -> str:
    """Return an entry in one line: when, where, what, what to do, and the code to look up."""
    system = words.connection(entry["system"])
    record = f" {entry['record']}" if entry["record"] else ""
    what = entry["message"].rstrip(".")
    who = f" {entry['name']}" if entry.get("name") else record
    where = f"{words.moment(entry['at'])} {system}{who}"
    mark = "! " if entry.get("state", "open") == "open" else ""
    return f"{mark}{where}: {words.joined([f'{what}.', entry['remedy'], f'({entry["code"]})'], ' ')}"


def errors_table(answer: Answer) -> Table:
    """Return entries of the error log, a line each."""
    rows = [
        [
            words.moment(entry["at"]),
            words.connection(entry["system"]),
            entry.get("name") or entry["record"],
            entry["message"],
            entry["remedy"],
            entry["code"],
            entry.get("state"),
        ]
        for entry in answer["log"]
    ]
    return table("When (UTC)", "System", "Who", "What went wrong", "What to do", "Code", "State", rows=rows)


def of_people(entries: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """Return entries about users of Vault CRM; `names` are people's by their Vault id."""
    rows = [[names[entry["record"]], entry["message"], entry["remedy"]] for entry in entries]
    return table("Name", "What went wrong", "What to do", rows=rows)
