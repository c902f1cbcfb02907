"""In which order an answer is laid out: what matters first, what is long only on request (Q3).

A pane of the AWS console shows about forty lines. So an answer begins with how it came out and the news in
one sentence, then what stops it, what to mind and what to do, then a summary in short lines; keys that tools
read follow, and what nobody reads on a screen comes with `"detail": true`. What is still too long for a
screen is cut, and the answer says so.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.presentation import tables
from muster.presentation.lines import at_most
from muster.presentation.tables import Table

type Answer = Mapping[str, Any]
type _Laid = dict[str, Any]

FIRST = ("status", "organization", "message", "guard", "warnings", "to_do", "errors", "summary")
# So many lines a pane shows, one of which is the version that ends an answer.
SCREEN = 40
_LAST = 1
# Where there are more of these than fit, so many are shown at least; where that is still too much, fewer.
_KEPT = {"summary": 10, "guard": 4, "warnings": 3, "errors": 3}
_LEAST = {"summary": 3, "guard": 1, "warnings": 1, "errors": 1, "to_do": 1}
# What tools read, and what is shown only once, stays whatever its length.
_KEPT_WHOLE = frozenset(
    {*FIRST, "more", "text", "run_id", "counts", "plan_hash", "version", "saved", "webhook", "cursor"}
)


def _no_lines(_: Answer) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How the answer of one action is shown.

    `summary` returns its short lines, `table` its table where it has one; `only_in_detail` names the keys
    that are left out unless they are asked for, `not_beside_text` those whose place the table takes.
    `is_listed` is for an answer that is a list to read on: it may be longer than a screen.
    """

    summary: Callable[[Answer], Sequence[str]] = _no_lines
    table: Callable[[Answer], Table] | None = None
    only_in_detail: frozenset[str] = frozenset()
    not_beside_text: frozenset[str] = frozenset()
    is_listed: bool = False


PLAIN = Layout()


def laid_out(
    answer: Answer, layout: Layout, *, detail: bool = False, as_text: bool = False, is_longer: bool = False
) -> dict[str, Any]:
    """Return an answer in its order, with its summary; whole if `detail`, else a screen at the most.

    With `as_text`, a table as lines of text (`text`) takes the place of the summary. `is_longer` says that
    more than a screen was asked for in another way.
    """
    if answer["status"] == "rejected":
        return dict(answer) if detail else fitted(dict(answer), ())
    said = dict(answer)
    if as_text and layout.table:
        said["text"] = tables.as_lines(layout.table(answer))
    elif lines := layout.summary(answer):
        said["summary"] = list(lines)
    first = [name for name in (*FIRST, "text") if name in said]
    names = [*first, *(name for name in said if name not in first)]
    if detail:
        return {name: said[name] for name in names}
    left_out = layout.only_in_detail | (layout.not_beside_text if "text" in said else frozenset())
    hidden = [name for name in names if name in left_out and said[name] not in (None, [], {})]
    shown = {name: said[name] for name in names if name not in left_out}
    is_whole = as_text or is_longer or layout.is_listed
    return _with_more(shown, hidden) if is_whole else fitted(shown, hidden)


def fitted(shown: _Laid, hidden: Sequence[str]) -> _Laid:
    """Return an answer that fits on a screen; `more` says what `detail` adds, `hidden` and what was cut."""
    cut = list(hidden)
    shown = _with_more(shown, cut)
    ways = (_without_people, _without_documents, _without_left_out)
    for shorten in (*ways, *_cuts(_KEPT), *_cuts(_LEAST), _without_the_rest):
        if _length(shown) <= SCREEN - _LAST:
            break
        shown, what = shorten(shown)
        cut += [each for each in what if each not in cut]
        shown = _with_more(shown, cut)
    return shown


def _with_more(shown: _Laid, cut: Sequence[str]) -> _Laid:
    """Return the answer with the line that says what there is besides, after what is read first."""
    if not cut:
        return shown
    whole = {name: each for name, each in shown.items() if name != "more"}
    first = [name for name in (*FIRST, "text") if name in whole]
    more = f"With detail: true also {', '.join(cut)}."
    return {**{name: whole[name] for name in first}, "more": more, **whole}


def _length(shown: object) -> int:
    return json.dumps(shown, indent=2, default=str).count("\n") + 1


type _Cut = Callable[[_Laid], tuple[_Laid, Sequence[str]]]


def _without_people(shown: _Laid) -> tuple[_Laid, Sequence[str]]:
    """Leave out who is left out by name; their number stays."""
    people = shown.get("left_out")
    if not people or not any(each.get("first") for each in people.values()):
        return shown, ()
    counts = {reason: {**each, "first": []} for reason, each in people.items()}
    return {**shown, "left_out": counts}, ("the people of left_out",)


def _cuts(most: Mapping[str, int]) -> Iterator[_Cut]:
    for name, kept in most.items():
        yield _cutting(name, kept)


def _cutting(name: str, kept: int) -> _Cut:
    """Return what cuts a list to so many entries as fit, but no fewer than `kept`."""

    def cut(shown: _Laid) -> tuple[_Laid, Sequence[str]]:
        entries = shown.get(name)
        if not isinstance(entries, list) or len(entries) <= kept:
            return shown, ()
        without = _length({**shown, name: []})
        room = SCREEN - _LAST - without - 2
        lines = [json.dumps(each, indent=2, default=str).count("\n") + 1 for each in entries]
        fits = 0
        while fits < len(lines) and sum(lines[: fits + 1]) <= room:
            fits += 1
        number = max(kept, fits)
        if name == "summary":
            return {**shown, name: at_most(entries, number)}, ()
        missing = len(entries) - number
        if missing <= 0:
            return shown, ()
        return {**shown, name: entries[:number]}, (f"{missing:,} more of {name}",)

    return cut


def _without_documents(shown: _Laid) -> tuple[_Laid, Sequence[str]]:
    """Leave out what is long in itself, the longest first, until the answer fits."""
    documents = [name for name, value in shown.items() if isinstance(value, dict | list)]
    names = [name for name in documents if name not in _KEPT_WHOLE and name != "left_out"]
    return _without(shown, sorted(names, key=lambda name: _length(shown[name]), reverse=True))


def _without_left_out(shown: _Laid) -> tuple[_Laid, Sequence[str]]:
    """Leave out who is left out altogether: the summary has them by reason, and the first by name."""
    return _without(shown, ["left_out"] if "left_out" in shown else [])


def _without_the_rest(shown: _Laid) -> tuple[_Laid, Sequence[str]]:
    """Leave out whatever no tool reads, the last first, until the answer fits."""
    return _without(shown, [name for name in reversed(list(shown)) if name not in _KEPT_WHOLE])


def _without(shown: _Laid, names: Sequence[str]) -> tuple[_Laid, Sequence[str]]:
    gone: list[str] = []
    for name in names:
        if _length(shown) <= SCREEN - _LAST:
            break
        shown = {each: value for each, value in shown.items() if each != name}
        gone.append(name)
    return shown, gone
