"""An answer on the screen: what it says, what to mind and to do, its lines and tables; or as JSON.

Answers are printed on the standard output; how something goes on, and what went wrong, on the standard error.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import typer
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text
from ruamel.yaml import YAML

from muster.presentation.tables import Table
from muster_cli import steps_to_take, tables_of_answers
from muster_cli.failures import Failure

# What is no terminal finds each line whole.
_WIDTH_ELSEWHERE = 200
# Of YAML: text is not folded.
_LONGEST_LINE = 1_000_000
_STYLES = {"+ ": "green", "- ": "red", "~ ": "yellow", "! ": "bold red"}
_SAID = frozenset(
    {
        "status",
        "organization",
        "message",
        "guard",
        "warnings",
        "to_do",
        "errors",
        "summary",
        "text",
        "more",
        "cursor",
        "muster_version",
    }
)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_ELSEWHERE
    return console


@dataclass(frozen=True)
class Screen:
    """Where answers are shown; with `as_json` as they are, and nothing else on the standard output.

    With `detail`, all that an answer holds is shown.
    """

    as_json: bool = False
    detail: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def show(self, answer: Mapping[str, Any], listed: str | None = None) -> None:
        """Show an answer; what it has `listed` under that key as a table, in place of its summary.

        A list of nothing is said in the message.
        """
        if self.as_json:
            self.out.print(json.dumps(answer, indent=2, ensure_ascii=False), soft_wrap=True)
            return
        if answer["status"] == "rejected":
            self.tell(f"Refused: {answer['message']}")
            self._errors(answer.get("errors") or ())
            return
        self._say(answer["message"], "bold")
        for line in answer.get("guard") or ():
            self._say(f"! {line}")
        for warning in answer.get("warnings") or ():
            self._say(f"! {warning['where']} {warning['message']}".replace("!  ", "! "))
            self._say(f"    {warning['remedy']}")
        self._errors(answer.get("errors") or ())
        self._lines(answer, tables_of_answers.table_of(answer, listed) if listed else None)
        for step in steps_to_take.lines(answer):
            self._say(step)
        if cursor := answer.get("cursor"):
            self._say(f"There is more: the same with --cursor {cursor}", "dim")

    def document(self, document: object) -> None:
        """Show what a function keeps as YAML."""
        for line in as_yaml(document).splitlines():
            self._say(line.rstrip(), "none")

    def draw(self, table: Table) -> None:
        """Draw a table as wide as there is room."""
        drawn = Drawn(header_style="bold", box=None, pad_edge=False)
        for heading in table.headings:
            # Nothing is cut: an id is there to be copied.
            drawn.add_column(_plain(heading), overflow="fold")
        for row in table.rows:
            drawn.add_row(*(Text(_plain(cell)) for cell in row))
        if self.out.is_terminal:
            self.out.print(drawn)
            return
        with self.out.capture() as captured:
            self.out.print(drawn)
        for line in captured.get().splitlines():
            self._say(line.rstrip(), "none")

    def tell(self, message: str, remedy: str = "") -> None:
        """Tell what is wrong and what to do about it."""
        self._note(message, "bold red")
        if remedy:
            self._note(f"  {remedy}")

    def note(self, message: str) -> None:
        """Say how something goes on."""
        self._note(message, "dim")

    def ask(self, question: str) -> None:
        """Ask whether to go on; raises `Failure` if not, or if there is nobody to ask."""
        if not sys.stdin.isatty():
            raise Failure(f"{question} Nobody is there to ask.", "Say --yes where no terminal is.")
        if not typer.confirm(question, err=True):
            raise Failure("Nothing was changed.")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Show on a terminal that an answer is waited for."""
        if not self.err.is_terminal:
            yield
            return
        with self.err.status("Waiting for the answer …"):
            yield

    def _lines(self, answer: Mapping[str, Any], table: Table | None) -> None:
        lines = [*(answer.get("text") or answer.get("summary") or ())]
        if table and table.rows:
            self.draw(table)
        for line in () if table else lines:
            self._say(line)
        if "more" in answer and not table:
            self._say("There is more: --detail", "dim")
        rest = {name: value for name, value in answer.items() if name not in _SAID}
        if rest and (self.detail or not (table or lines)):
            self.document(rest)

    def _errors(self, errors: Iterable[Mapping[str, str]]) -> None:
        for error in errors:
            self._note(f"  {error['where']}: {error['message']}")
            self._note(f"    {error['remedy']}", "dim")

    def _say(self, line: str, style: str = "") -> None:
        shown = Text(_plain(line), style or _STYLES.get(line[:2], ""))
        self.out.print(shown, soft_wrap=not self.out.is_terminal)

    def _note(self, line: str, style: str = "") -> None:
        self.err.print(Text(_plain(line), style), soft_wrap=not self.err.is_terminal)


def as_yaml(document: object) -> str:
    """Return a document as YAML, in the order of its keys."""
    written, yaml = StringIO(), YAML()
    yaml.width = _LONGEST_LINE
    yaml.dump(document, written)
    return written.getvalue()


def _plain(text: str) -> str:
    """Return text without what a terminal would take for orders: names come from other systems."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text)
