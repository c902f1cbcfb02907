"""Filters of SCIM, from quoted values: one comparison each, with single blanks, which every target reads."""

import json


def equal(attribute: str, value: str) -> str:
    """Return the filter for those with a value of an attribute."""
    return f"{attribute} eq {quoted(value)}"


def quoted(value: str) -> str:
    """Return a text as a literal of a filter or path: as JSON has it."""
    return json.dumps(value, ensure_ascii=False)


def spellings(value: str) -> tuple[str, ...]:
    """Return how to ask for a name: as it is, and in lower case for targets that tell case apart."""
    return tuple(dict.fromkeys((value, value.lower())))


def is_plain(value: str) -> bool:
    """Whether a text has nothing that a filter has to escape, which not every target reads."""
    return quoted(value) == f'"{value}"'
