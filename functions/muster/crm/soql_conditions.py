"""How a SOQL condition is built: what AND, OR and NOT join in it, and where its sub-selects stand.

Salesforce takes a sub-select (`Id IN (SELECT …)`, a semi join) only where AND joins it to the rest at the top
of a query's WHERE, not in parentheses. So conditions are joined without any that they do not need.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

# A text, a parenthesis, a number or date, or a word: a path or a date literal with its number is one.
_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[()]|\d+(?:[-:.T+]\d+)*Z?|[^\W\d][\w.:]*", re.DOTALL)

type Kind = Literal["single", "and", "or", "not", "mixed"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, or a part of one: as written, without parentheses around it, and what it joins.

    `mixed` joins its parts by AND as well as OR, or by either after a NOT; Salesforce takes none of these.
    """

    text: str
    kind: Kind
    parts: tuple["Condition", ...] = ()

    @property
    def sub_selects(self) -> int:
        """How many sub-selects are in it, those within others included."""
        tokens = [token[0].upper() for token in _TOKEN.finditer(self.text)]
        return sum(before == "(" and word == "SELECT" for before, word in pairwise(tokens))


def parsed(condition: str) -> Condition:
    """Return how a condition is built; its texts end and its parentheses balance (`soql_filters.fault`)."""
    text = _bare(condition)
    joints = list(_joints(text))
    negated = _begins_with_not(text)
    if not joints:
        return Condition(text, "not", (parsed(text[3:]),)) if negated else Condition(text, "single")
    ends = [*(joint.start() for joint in joints), len(text)]
    starts = [0, *(joint.end() for joint in joints)]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    parts = tuple(parsed(piece) for piece in pieces)
    glues = {joint[0].upper() for joint in joints}
    if len(glues) > 1 or any(_begins_with_not(piece.strip()) for piece in pieces):
        return Condition(text, "mixed", parts)
    return Condition(text, "and" if glues == {"AND"} else "or", parts)


def is_mixed(condition: Condition) -> bool:
    """Whether AND, OR and NOT stand side by side anywhere in it, without parentheses that say what binds."""
    return condition.kind == "mixed" or any(map(is_mixed, condition.parts))


def conjuncts(condition: Condition) -> Iterator[str]:
    """Yield conditions that together say the same, each as it may stand among others joined by AND."""
    match condition.kind:
        case "and":
            for part in condition.parts:
                yield from conjuncts(part)
        case "single":
            yield condition.text
        case _:
            yield f"({condition.text})"


def words(condition: str) -> Iterator[str]:
    """Yield the words outside texts as written: names, paths, date literals, and those of SOQL itself."""
    for token in _TOKEN.finditer(condition):
        if token[0][0] not in "'()" and not token[0][0].isdigit():
            yield token[0]


def _bare(text: str) -> str:
    """Return the text without blanks and parentheses around the whole of it."""
    text = text.strip()
    while text.startswith("(") and _end_of_first(text) == len(text):
        text = text[1:-1].strip()
    return text


def _end_of_first(text: str) -> int:
    """Return where the parenthesis that a text begins with is closed."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("(", ")"):
            depth += 1 if token[0] == "(" else -1
            if depth == 0:
                return token.end()
    return 0


def _joints(text: str) -> Iterator[re.Match[str]]:
    """Yield each AND and OR outside parentheses."""
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0].upper():
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case "AND" | "OR" if depth == 0:
                yield token


def _begins_with_not(text: str) -> bool:
    first = _TOKEN.match(text)
    return first is not None and first[0].upper() == "NOT"
