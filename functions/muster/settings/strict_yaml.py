"""Parse a settings document in YAML 1.2, which includes JSON, into plain JSON values.

Strict, because the text may come from anywhere and surprises in settings are expensive: one document; no
anchors, aliases, tags, directives or merge keys; no duplicate keys; keys are text; only plain numbers,
true, false and null are not text. Dates and numbers in other bases are refused rather than guessed.
"""

import math
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from muster.errors import Problem, Rejected, TooLarge
from muster.validation import Location, path

MOST_BYTES = 256 * 1024
DEEPEST = 20
# Larger integers are not exact in every JSON parser; no setting comes near.
LARGEST = 10**15

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,15})")
_TAG = "tag:yaml.org,2002:"


def parse(text: str) -> Any:
    """Return the document as JSON values; raises `TooLarge`, or `Rejected` that says where."""
    # The length first: a huge text is not worth encoding.
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise TooLarge(_too_large())
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = DEEPEST + 1  # ruamel counts the document itself as a level.
    yaml.Composer = _StrictComposer
    try:
        root = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise Rejected(_too_deep()) from error
    except MarkedYAMLError as error:
        raise Rejected(_syntax(error)) from error
    except ReaderError as error:
        raise Rejected(_unreadable(text, error.position)) from error
    except (YAMLError, ValueError) as error:
        # For example an escape that is no character. The parser's message quotes its input.
        raise Rejected(Problem("settings", "is not YAML", "Check it in an editor.")) from error
    problems: list[Problem] = []
    value = _value(root, (), problems) if root is not None else None
    if problems:
        raise Rejected(*problems)
    return plain(value)


def plain(value: Any) -> Any:
    """Return a copy that can be stored as JSON in UTF-8; raises `Rejected` for values that cannot."""
    problems: list[Problem] = []
    copy = _plain(value, (), problems)
    if problems:
        raise Rejected(*problems)
    return copy


class _StrictComposer(Composer):
    """Refuses the YAML features that settings do without, with their position."""

    def compose_document(self) -> Any:
        start = self.parser.peek_event()
        if start.version or start.tags:
            raise MarkedYAMLError(problem="%", problem_mark=start.start_mark)
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent) or event.anchor:
            raise MarkedYAMLError(problem="&", problem_mark=event.start_mark)
        if event.ctag:
            raise MarkedYAMLError(problem="!", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


_REFUSED = {
    "%": ("begins with a directive", "Take the line with % out; settings are YAML 1.2."),
    "&": ("uses an anchor or alias (& or *)", "Write the value out, or put it in quotes if it is text."),
    "!": ("uses a tag (!)", "Take the tag out, or put the value in quotes if it is text."),
}


def _syntax(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    where = _line_and_column(mark) if mark else "settings"
    cause = str(error.problem or error.context or "")
    if cause in _REFUSED:
        return Problem(where, *_REFUSED[cause])
    if "another document" in cause:
        return Problem(where, "begins a second document", "Put everything into one; take the --- out.")
    if "\\t" in cause:
        return Problem(where, "is indented with a tab", "Indent with blanks.")
    remedy = "Look there and just above: indentation, a colon, a quote or a bracket that is not closed."
    return Problem(where, "the YAML does not go on like this", remedy)


def _line_and_column(mark: StringMark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _unreadable(text: str, position: int) -> Problem:
    before = text[:position]
    line, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    return Problem(
        f"line {line}, column {column}",
        "a character that text does not hold",
        "Save the file as UTF-8, and take control characters out.",
    )


def _value(node: Node, at: Location, problems: list[Problem]) -> Any:
    match node:
        case MappingNode():
            return _mapping(node, at, problems)
        case SequenceNode():
            return [_value(item, (*at, index), problems) for index, item in enumerate(node.value)]
        case ScalarNode():
            return _scalar(node, at, problems)
    raise TypeError(type(node).__name__)


def _mapping(node: MappingNode, at: Location, problems: list[Problem]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode) or str(key_node.tag) != _TAG + "str":
            problems.append(Problem(f"line {line}", "has a key that is not text", "Put it in quotes."))
            continue
        key = key_node.value
        if key in mapping:
            problems.append(
                Problem(path((*at, key)), f"is there twice, on lines {lines[key]} and {line}", "Keep one.")
            )
        lines[key] = line
        mapping[key] = _value(value_node, (*at, key), problems)
    return mapping


def _scalar(node: ScalarNode, at: Location, problems: list[Problem]) -> Any:
    text = node.value
    match str(node.tag).removeprefix(_TAG):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if _WHOLE.fullmatch(text):
            return int(text)
        case "float" if "_" not in text:
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    problems.append(Problem(_place(at), "may be read as a date or number", "Put it in quotes."))
    return None


def _plain(value: Any, at: Location, problems: list[Problem]) -> Any:
    if len(at) > DEEPEST:
        problems.append(_too_deep())
        return None
    match value:
        case None | bool():
            return value
        case str():
            return _plain_text(value, _place(at), problems)
        case int() | float():
            if not math.isfinite(value) or abs(value) > LARGEST:
                problems.append(
                    Problem(_place(at), "is not a number that can be kept", "Write a smaller one.")
                )
            return value
        case dict():
            for key in value:
                if not isinstance(key, str):
                    problems.append(Problem(_place(at), "has a key that is not text", "Put it in quotes."))
            return {
                _plain_text(key, _place(at), problems): _plain(child, (*at, key), problems)
                for key, child in value.items()
                if isinstance(key, str)
            }
        case list():
            return [_plain(child, (*at, index), problems) for index, child in enumerate(value)]
    problems.append(Problem(_place(at), "is not text, a number, true or false", "Put it in quotes."))
    return None


def _plain_text(text: str, where: str, problems: list[Problem]) -> str:
    try:
        # JSON escapes characters beyond 16 bits as surrogate pairs; join them.
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        problems.append(Problem(where, "holds half a character", "Write the text again."))
        return ""
    if "\0" in whole:
        problems.append(Problem(where, "holds a NUL character", "Write the text again."))
    return whole


def _place(at: Location) -> str:
    return path(at) or "settings"


def _too_large() -> Problem:
    return Problem("settings", f"is larger than {MOST_BYTES // 1024} KiB", "Shorten it.")


def _too_deep() -> Problem:
    return Problem("settings", f"is nested more than {DEEPEST} deep", "Check the indentation and brackets.")
