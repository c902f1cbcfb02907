"""References of a sub-request to the answers of earlier ones: `@{ada.id}`, `@{sales.records[0].Id}`.

A value that is nothing but a reference takes the type of what it stands for; names are case-sensitive.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sandbox.salesforce.composite_bodies import Subrequest
from sandbox.salesforce.errors import malformed

_REFERENCE = re.compile(r"@\{(?P<name>\w+)(?P<way>(?:\.\w+|\[\d+\])+)\}", re.ASCII)
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+)\]", re.ASCII)


class UnresolvedError(Exception):
    """A reference to what no earlier sub-request answered."""


def resolved(subrequest: Subrequest, answers: Mapping[str, Any]) -> Subrequest:
    """Return the sub-request with every reference in its path and body replaced.

    `answers` are the bodies of those that succeeded so far. Raises UnresolvedError.
    """
    path = _REFERENCE.sub(lambda found: quote(_text(found, answers), safe=""), subrequest.path)
    try:
        return replace(subrequest, path=path, body=_in_value(subrequest.body, answers))
    except RecursionError:
        raise malformed("The body of a sub-request is nested too deeply") from None


def _in_value(value: Any, answers: Mapping[str, Any]) -> Any:
    match value:
        case dict():
            return {name: _in_value(each, answers) for name, each in value.items()}
        case list():
            return [_in_value(each, answers) for each in value]
        case str():
            whole = _REFERENCE.fullmatch(value)
            if whole is not None:
                return _value(whole, answers)
            return _REFERENCE.sub(lambda found: _text(found, answers), value)
    return value


def _text(found: re.Match[str], answers: Mapping[str, Any]) -> str:
    value = _value(found, answers)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _value(found: re.Match[str], answers: Mapping[str, Any]) -> Any:
    name, way = found["name"], found["way"]
    try:
        value = answers[name]
        for step in _STEP.finditer(way):
            value = value[step["key"]] if step["key"] else value[int(step["index"])]
    except (KeyError, IndexError, TypeError):
        raise UnresolvedError(
            f"Invalid reference specified. No value for {name}{way} found in {name}"
        ) from None
    return value
