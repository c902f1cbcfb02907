"""What is the same of Acme for the functions that edit its members by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from muster import bootstrap
from muster.errors import Unavailable
from muster.roster.decisions import Decision


def wheres(said: dict[str, Any]) -> list[str]:
    """Return the places of what is wrong with an event."""
    return [problem["where"] for problem in said["errors"]]


def meanwhile(do: Callable[[], object], monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Let that happen right before the next writes, after what they rest on was read."""
    table = bootstrap.roster_table()
    write, left = table.write, iter(range(times))

    def write_late(*arguments: Any) -> list[Decision]:
        if next(left, None) is not None:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(table, "write", write)
                do()
        return write(*arguments)

    monkeypatch.setattr(table, "write", write_late)


def lose_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every write look as if somebody else had been first, though it took effect."""
    table = bootstrap.roster_table()
    write = table.write
    monkeypatch.setattr(table, "write", lambda *arguments: write(*arguments) or arguments[1])


def break_second_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the table go down after the next write."""
    table = bootstrap.roster_table()

    def down(*_: Any) -> list[Decision]:
        raise Unavailable("the roster table could not be reached")

    writes = iter([table.write, down])
    monkeypatch.setattr(table, "write", lambda *arguments: next(writes)(*arguments))
