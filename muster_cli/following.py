"""A run that goes on by itself, watched to its end by asking how far it is, ever less often."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from muster_cli import outcomes
from muster_cli.asking import Answer, Muster
from muster_cli.failures import Failure
from muster_cli.screen import Screen

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 1.0, 15.0, 1.4
# A question that goes astray changes nothing: the next one is another.
_ASTRAY = 5

type Wait = Callable[[float], None]


def follow(to: Muster, run_id: str, wait: Wait | None = None) -> int:
    """Show how a run goes on until it has ended or waits for approval; return the exit code of that.

    Raises `Failure` once it cannot be asked any more. Whoever interrupts it ends the watching, not the run.
    """
    try:
        with _progress(to.screen) as tell:
            status = _end(to.quietly(), run_id, tell, wait or time.sleep)
    except KeyboardInterrupt:
        to.screen.tell("Stopped watching; the run goes on.", f"Watch it again: muster run {run_id} --follow")
        return outcomes.INTERRUPTED
    answer = to.query("run", run_id=run_id, by=to.by_given)
    to.screen.show(answer)
    return outcomes.exit_code(status)


def _end(to: Muster, run_id: str, tell: Callable[[Answer], None], wait: Wait) -> str:
    """Return the status with which a run ends."""
    pause, astray = _FIRST_PAUSE_S, 0
    while True:
        try:
            # With all that is known, but no more than one item of its plan.
            answer = to.query("run", run_id=run_id, limit=1, detail=True)
            astray = 0
        except Failure as failure:
            astray += 1
            if astray == _ASTRAY:
                remedy = f"The run goes on by itself: muster run {run_id} --follow"
                raise Failure(failure.message, remedy) from failure
        else:
            status = str(answer["status"] if answer["status"] == "rejected" else answer["run"]["status"])
            if status != "running":
                return status
            tell(answer)
        wait(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)


@contextmanager
def _progress(screen: Screen) -> Iterator[Callable[[Answer], None]]:
    """Yield what shows how far a run is: a bar on a terminal, elsewhere a line whenever it has gone on."""
    if not screen.err.is_terminal:
        yield _Lines(screen)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen.err, transient=True) as progress:
        task = progress.add_task("The run begins …", total=None)

        def tell(answer: Answer) -> None:
            work: dict[str, Any] = answer.get("at_work") or {}
            total = work.get("planned") or None if work.get("phase") == "apply" else None
            progress.update(
                task, description=answer["message"], total=total, completed=work.get("applied", 0)
            )

        yield tell


class _Lines:
    """Says in lines how far a run is, each sentence once."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._said = ""

    def __call__(self, answer: Answer) -> None:
        if answer["message"] != self._said:
            self._said = answer["message"]
            self._screen.note(self._said)
