"""What is wrong with a document, in words for admins: pydantic's errors as `Problem`s.

A value type that has a better message than pydantic's raises `refused(message, remedy)`.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from muster.errors import Problem

# More than anybody corrects at a time; and an answer has a size limit.
MOST_PROBLEMS = 50

# Tags of tagged unions are part of pydantic's locations; written like this they cannot be keys.
_TAG = re.compile(r"<[a-z ]+>|\[key\]")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_QUOTED = re.compile(r"'([^']*)'")
_SWITCH_WORDS = frozenset({"on", "off", "yes", "no", "true", "false", "y", "n", "1", "0"})

_A_LIST, _AN_OBJECT = "Write a list: [first, second].", 'Write an object: {"key": value}.'
# What is written otherwise in JSON than in YAML, by the kind of pydantic's error.
_IN_JSON = {
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "dict_type": _AN_OBJECT,
    "model_type": _AN_OBJECT,
    "model_attributes_type": _AN_OBJECT,
    "mapping_type": _AN_OBJECT,
}

type Location = Sequence[str | int]


def refused(message: str, remedy: str) -> PydanticCustomError:
    """Return what a validator raises: what is wrong with the value, and what to do about it."""
    return PydanticCustomError("refused", "{message}", {"message": message, "remedy": remedy})


def problems(
    error: ValidationError, schema: dict[str, Any], whole: str, *, as_json: bool = True
) -> list[Problem]:
    """Return one `Problem` per error.

    `schema` is the JSON Schema of the model that found them; `whole` names the input where no single place
    in it is at fault. `as_json`: it was written in JSON, else in YAML, and so are the remedies.
    """
    found = []
    for detail in error.errors(include_url=False):
        location = [part for part in detail["loc"] if not (isinstance(part, str) and _TAG.fullmatch(part))]
        what, remedy = _words(detail, location, schema)
        if as_json and detail["input"] is not None:
            remedy = _IN_JSON.get(detail["type"], remedy)
        found.append(Problem(path(location) or whole, what, remedy))
    return found


def fewer(found: Sequence[Problem]) -> list[Problem]:
    """Return the first `MOST_PROBLEMS`, and a last one that says how many more there are."""
    if len(found) <= MOST_PROBLEMS:
        return list(found)
    more = len(found) - MOST_PROBLEMS
    return [*found[:MOST_PROBLEMS], Problem("…", f"there are {more} more problems", "Correct these first.")]


def path(location: Location) -> str:
    """Return a place as an admin reads it: `assignments[0].workspaces["North, EMEA"]`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            # A key may hold any text, a lone surrogate included.
            text += f'["{part[:80].encode(errors="replace").decode()}"]'
    return text


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a question with the known word closest to `word`, or else all known words."""
    words = sorted(known)
    if close := closest(word, words):
        return f"Did you mean {close!r}?"
    return f"Known are {', '.join(words)}." if words else "Leave it out."


def closest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word closest to `word`, in any case; `None` if none is close."""
    by_lower_case = {known_word.lower(): known_word for known_word in known}
    close = difflib.get_close_matches(str(word)[:80].lower(), by_lower_case, n=1)
    return by_lower_case[close[0]] if close else None


def _words(detail: ErrorDetails, location: Location, schema: dict[str, Any]) -> tuple[str, str]:
    """Return message and remedy."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "refused":
        return context["message"], context["remedy"]
    if kind == "missing":
        return "is missing", f"Add it{_example(schema, location)}."
    if kind == "extra_forbidden":
        return "is not a known key", did_you_mean(location[-1], _keys_at(schema, location[:-1]))
    if value is None:
        return "has no value", "Write one, or take the key out to get the default."
    match kind:
        case "literal_error":
            allowed = _QUOTED.findall(context["expected"])
            switch = isinstance(value, bool) or str(value).lower() in _SWITCH_WORDS
            return (
                f"is not one of {', '.join(allowed)}",
                f"Write {' or '.join(allowed)}." if switch else did_you_mean(value, allowed),
            )
        case "bool_type":
            return "is neither true nor false", "Write true or false, without quotes."
        case "string_type":
            # Only what YAML and JSON read as another type than was meant: 66.0, true.
            quotable = isinstance(value, bool | int | float)
            return (
                "is not text",
                "Put it in quotes." if quotable else f"Write text{_example(schema, location)}.",
            )
        case "int_type" | "int_from_float" | "int_parsing_size" | "float_type" | "finite_number":
            whole = "a whole number" if kind.startswith("int") else "a number"
            return f"is not {whole}", f"Write {whole}, without quotes."
        case "list_type" | "tuple_type":
            return "is not a list", "Write one item a line, each after a dash, or all in [square brackets]."
        case "dict_type" | "model_type" | "model_attributes_type" | "mapping_type":
            return "is not a set of keys", f"Write `key: value` lines{_example(schema, location)}."
        case "string_unicode" | "json_invalid":
            return "is not valid text", "Write it again; it may hold half a character or be nested too deep."
        case _:
            return _limit(
                kind, context
            ) or f"is refused: {detail['msg']}", f"Correct it{_example(schema, location)}."


def _limit(kind: str, context: dict[str, Any]) -> str | None:
    match kind:
        case "string_too_long":
            return f"is longer than {context['max_length']} characters"
        case "string_too_short" | "too_short":
            return "is empty" if context["min_length"] == 1 else f"holds fewer than {context['min_length']}"
        case "too_long":
            return f"holds more than {context['max_length']}"
        case "greater_than_equal":
            return f"is less than {context['ge']:g}"
        case "less_than_equal":
            return f"is more than {context['le']:g}"
    return None


def _example(schema: dict[str, Any], location: Location) -> str:
    for node in _nodes_at(schema, location):
        for example in node.get("examples", ()):
            text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
            return f", for example {text}"
    return ""


def _keys_at(schema: dict[str, Any], location: Location) -> set[str]:
    return {key for node in _nodes_at(schema, location) for key in node.get("properties", {})}


def _nodes_at(schema: dict[str, Any], location: Location) -> list[dict[str, Any]]:
    """Return the schemas that may apply at a location: several where there are alternatives."""
    nodes = [schema]
    for part in location:
        nodes = [
            child for node in nodes for one in _alternatives(schema, node) for child in _child(one, part)
        ]
    return [one for node in nodes for one in (node, *_alternatives(schema, node))]


def _alternatives(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _alternatives(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    for alternative in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _alternatives(schema, alternative)
    yield node


def _child(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        if "items" in node:
            yield node["items"]
    elif part in node.get("properties", {}):
        yield node["properties"][part]
    else:
        yield from node.get("patternProperties", {}).values()
        if isinstance(node.get("additionalProperties"), dict):
            yield node["additionalProperties"]
