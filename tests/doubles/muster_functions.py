"""Muster's functions as the command line meets them: what they were asked, and what they answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from typer.testing import CliRunner, Result

from muster_cli.app import build

JANE = "jane@acme.example"
type Event = Mapping[str, Any]
type Answer = Mapping[str, Any]


def done(message: str = "Done.", **more: Any) -> Answer:
    """Return the answer to what succeeded."""
    return {"status": "succeeded", "organization": "acme", "message": message, **more}


@dataclass
class Scripted:
    """Functions that answer, one question after the other, what they are told to; then that it is done.

    An answer that is an exception is raised.
    """

    answers: Iterable[Answer | BaseException] = ()
    caller: str = JANE
    asked: list[tuple[str, Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._left = iter(self.answers)

    def ask(self, function: str, event: Event) -> Answer:
        """Keep what was asked and return what comes next."""
        self.asked.append((function, event))
        answer = next(self._left, done())
        if isinstance(answer, BaseException):
            raise answer
        return answer


APP = build()


def carry_out(*words: str) -> Result:
    """Carry out a command line as the script does, and return what it printed and ended with."""
    return CliRunner().invoke(APP, list(words))
