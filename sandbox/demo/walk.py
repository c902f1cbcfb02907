"""Takes the steps of the demo: says what is done, does it, shows whether it came out as it should."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
from rich.console import Console

from muster.presentation.members import roster
from sandbox.drawing import drawn
from sandbox.local_stack.stack import LocalStack
from sandbox.local_stack.waiting import wait_until

type Answer = dict[str, Any]
type Members = list[Answer]

PATIENCE_S = 60
# Where output is collected, rich would take the lines to be 80 wide.
WIDTH = 110
# What a function, the emulator or the sandbox can answer instead of what was asked for; requests' own
# errors and TimeoutError are among the third.
_FAULTS = (
    RuntimeError,
    LookupError,
    OSError,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
)


class WalkEnded(Exception):
    """A step went wrong and the ones after it would make no sense."""


@dataclass
class Walk:
    """A walk through the steps, and how each went."""

    stack: LocalStack
    console: Console
    patience_s: float = PATIENCE_S
    results: list[tuple[int, str, str, str]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{title}[/bold]", align="left")

    def step(
        self, done: str, act: Callable[[], object], expected: str, holds: Callable[[Members], bool]
    ) -> None:
        """Do something in Salesforce, wait until the roster shows what is expected, show the roster."""

        def act_and_wait() -> None:
            act()
            self.until(lambda: holds(self.members()), expected)

        with contextlib.suppress(WalkEnded):  # the steps after it show what they can
            self.ask(done, act_and_wait, expected, lambda _: True)
        self.console.print(drawn(roster(self.members())))

    def ask[T](self, done: str, act: Callable[[], T], expected: str, holds: Callable[[T], bool]) -> T:
        """Have something done and return what came of it; raises `WalkEnded` unless it is as expected."""
        number = len(self.results) + 1
        self.console.print(f"\n[bold]{number}. {done}[/bold]")
        began = time.monotonic()
        try:
            found = act()
            wrong = None if _is_so(holds, found) else _in_words(found)
        except _FAULTS as error:
            wrong = f"{type(error).__name__}: {error}"
        seen = f"{time.monotonic() - began:.1f} s"
        self.results.append((number, done, expected, seen if wrong is None else "never"))
        if wrong is not None:
            self.failed.append(number)
            self.console.print(f"   [red]Muster, {seen} later, does not show it: {expected}.[/red]")
            self.console.print(f"   {wrong}", markup=False)
            raise WalkEnded
        self.console.print(f"   Muster, {seen} later: {expected}.")
        return found

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until Salesforce has sent all it had, Muster has applied it, and the condition holds."""
        wait_until(lambda: self.stack.is_settled() and holds(), what, seconds=self.patience_s)

    def members(self, *, active: bool | str = True) -> Members:
        """Return who is in the roster, as Muster's own function lists them."""
        return self._all("members", "list", filter={"active": active})

    def plan(self, run_id: str) -> list[Answer]:
        """Return all changes of a run's plan."""
        return self._all("items", "run", run_id=run_id)

    def _all(self, name: str, action: str, **asked: Any) -> list[Answer]:
        """Return a list from all its pages."""
        found: list[Answer] = []
        while True:
            page = self.query(action, limit=500, **asked)
            found += page[name]
            if not page["cursor"]:
                return found
            asked["cursor"] = page["cursor"]

    def query(self, action: str, **asked: Any) -> Answer:
        """Return what Muster answers to a question."""
        return self.stack.invoke("RosterQueryFunction", action=action, **asked)


def _is_so[T](holds: Callable[[T], bool], found: T) -> bool:
    try:
        return holds(found)
    except LookupError:
        return False  # it has another shape, as a refusal has


def _in_words(answer: object) -> str:
    return str(answer["message"] if isinstance(answer, dict) and "message" in answer else answer)[:500]
