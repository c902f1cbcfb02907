"""VQL, the queries of a vault, from names that the settings check and values that are quoted here.

VQL has no list operator `IN`: `CONTAINS` is its list of alternatives. Names and values are case
sensitive, `true`, `false` and `null` are lower case, and a statement has up to 50,000 characters.
"""

from collections.abc import Iterable, Iterator

# The limit on alternatives in one condition is not documented; this many have been seen to work.
VALUES_A_QUERY = 200
_CHARACTERS_A_QUERY = 40_000  # leaves room for the rest of the statement


def select(fields: Iterable[str], name: str, *conditions: str) -> str:
    """Return a query of an object, like `user__sys`; the conditions must all hold."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(fields)} FROM {name}{where}"  # noqa: S608 - VQL, from what is checked


def equal(field: str, value: str) -> str:
    """Return the condition that a text, picklist or id field holds this value."""
    return f"{field} = {quoted(value)}"


def one_of(field: str, values: Iterable[str]) -> str:
    """Return the condition that a text, picklist or id field holds one of these values."""
    return f"{field} CONTAINS ({', '.join(map(quoted, values))})"


def in_any_case(field: str) -> str:
    """Return a text field as conditions compare it whatever the case."""
    return f"CASEINSENSITIVE({field})"


def either(*conditions: str) -> str:
    """Return the condition that one of these holds."""
    return f"({' OR '.join(conditions)})"


def since(field: str, moment: str) -> str:
    """Return the condition that a date and time is not before a moment (ISO 8601 in UTC, ending in Z)."""
    return f"{field} >= {quoted(moment)}"


def lists(values: Iterable[str]) -> Iterator[list[str]]:
    """Split values into lists that each fit into one `one_of` of one query."""
    some: list[str] = []
    size = 0
    for value in values:
        length = len(quoted(value)) + 2
        if some and (len(some) == VALUES_A_QUERY or size + length > _CHARACTERS_A_QUERY):
            yield some
            some, size = [], 0
        some.append(value)
        size += length
    if some:
        yield some


def quoted(value: str) -> str:
    """Return a text as a VQL literal; not for LIKE, where `%` would have to be escaped too."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')
    return f"'{escaped}'"
