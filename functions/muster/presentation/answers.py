"""In which order an answer is laid out: what matters first, what is long only on request (Q3).

A pane of the AWS console shows about forty lines. So an answer begins with how it came out and the news in
one sentence, then what stops it, what to mind and what to do, then a summary in short lines; keys that tools
read follow, and what nobody reads on a screen comes with `"detail": true`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.presentation import tables
from muster.presentation.tables import Table

type Answer = Mapping[str, Any]

FIRST = ("status", "organization", "message", "guard", "warnings", "to_do", "errors", "summary")


def _no_lines(_: Answer) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How the answer of one action is shown.

    `summary` returns its short lines, `table` its table where it has one; `only_in_detail` names the keys
    that are left out unless they are asked for.
    """

    summary: Callable[[Answer], Sequence[str]] = _no_lines
    table: Callable[[Answer], Table] | None = None
    only_in_detail: frozenset[str] = frozenset()


PLAIN = Layout()


def laid_out(
    answer: Answer, layout: Layout, *, detail: bool = False, as_text: bool = False
) -> dict[str, Any]:
    """Return an answer in its order, with its summary; whole if `detail`.

    With `as_text`, a table as lines of text (`text`) takes the place of the summary and of the keys that
    are left out without `detail`.
    """
    if answer["status"] == "rejected":
        return dict(answer)
    said = dict(answer)
    if as_text and layout.table:
        said["text"] = tables.as_lines(layout.table(answer))
    elif lines := layout.summary(answer):
        said["summary"] = list(lines)
    first = [name for name in (*FIRST, "text") if name in said]
    names = [*first, *(name for name in said if name not in first)]
    hidden = frozenset() if detail else layout.only_in_detail
    return {name: said[name] for name in names if name not in hidden}
