"""SOQL queries of User, from names and values that are checked or quoted here (T17).

An admin's filter is one condition that cannot become anything else (`crm.soql_filters` checks that);
everything else is ours.
"""

from collections.abc import Iterable

from muster.crm.soql_conditions import conjuncts, parsed


def select(fields: Iterable[str], *conditions: str) -> str:
    """Return a query of User; the conditions must all hold, and none of them needs parentheses."""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(fields)} FROM User{where}"  # noqa: S608 - SOQL, from what is checked


def frozen(*conditions: str) -> str:
    """Return a query of the ids of the users who are frozen and meet these conditions (A17)."""
    where = " AND ".join(["IsFrozen = true", *conditions])
    return f"SELECT UserId FROM UserLogin WHERE {where}"  # noqa: S608 - SOQL, from what is checked


def matching(condition: str, *further: str) -> str:
    """Return a query of the ids of the users who match an admin's filter, and further conditions.

    Its sub-selects stand at the top of the WHERE, which is the only place where Salesforce takes them.
    """
    return select(["Id"], *conjuncts(parsed(condition)), *further)


def one_of(field: str, values: Iterable[str]) -> str:
    """Return the condition that a text or id field holds one of these values."""
    return f"{field} IN ({', '.join(map(quoted, values))})"


def since(field: str, moment: str) -> str:
    """Return the condition that a date and time is not before a moment (ISO 8601 in UTC, ending in Z)."""
    return f"{field} >= {moment}"


def quoted(value: str) -> str:
    """Return a text as a SOQL literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    for character, escape in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(character, escape)
    return f"'{escaped}'"
