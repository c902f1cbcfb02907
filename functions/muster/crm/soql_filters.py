"""An assignment's filter: one SOQL condition and nothing beyond it (S3, T17).

Salesforce evaluates a filter as a condition among others in a query of ours. Here it is checked that the
filter cannot become anything else, that its sub-selects can stand in such a query, and that the query fits
into a call; whether the fields exist is checked with Salesforce (`settings.trial_queries`).
"""

import re
from collections.abc import Iterator

from muster.crm.soql_conditions import Condition, parsed

LONGEST = 4_000
# Salesforce takes no more sub-selects in one query; the ids of users that Muster adds are none.
MOST_SUB_SELECTS = 2
DEEPEST = 50
# A query goes into a URL, where the Salesforce client takes 8,000 bytes; the rest of it is ours.
MOST_BYTES = 7_500

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~ ")
_STATEMENT = re.compile(r"\s*(?:SELECT|FIND)\b", re.IGNORECASE)
_WHERE = re.compile(r"\s*WHERE\b", re.IGNORECASE)
_NAMES = re.compile(r"(?<![\w.])[A-Za-z]\w*", re.ASCII)
# What may follow a condition in a query; a condition itself has none of it outside a subquery.
_CLAUSE = re.compile(
    r"\b(ORDER\s+BY|GROUP\s+BY|HAVING|LIMIT\s+\d+|OFFSET\s+\d+|FOR\s+(?:VIEW|REFERENCE|UPDATE)"
    r"|UPDATE\s+(?:TRACKING|VIEWSTAT)|WITH\s+\w+|ALL\s+ROWS|USING\s+SCOPE)\b",
    re.IGNORECASE,
)


def fault(condition: str) -> tuple[str, str] | None:
    """Return what is wrong with a filter and what to do about it, or `None`."""
    if not condition.strip():
        return "is empty", "Take the key out: an assignment without a filter matches everyone."
    if len(condition) > LONGEST:
        return f"is longer than {LONGEST:,} characters", "Shorten it; a formula field in Salesforce can help."
    if (size := encoded_size(condition)) > MOST_BYTES:
        return (
            f"takes {size:,} of the {MOST_BYTES:,} bytes that fit into a call to Salesforce, where a sign or"
            " accented letter takes three and more",
            "Shorten it; a formula field in Salesforce can help.",
        )
    if _STATEMENT.match(condition):
        return "is a whole statement", "Write only what would follow WHERE."
    if _WHERE.match(condition):
        return "begins with WHERE", "Leave the word WHERE out."
    return _fault_of_structure(condition) or _fault_of_sub_selects(parsed(condition))


def names(condition: str) -> frozenset[str]:
    """Return the names that a filter uses, of a path the first: Profile of Profile.Name.

    Words of SOQL itself are among them; none of them is the name of a field.
    """
    return frozenset(_NAMES.findall("".join(_outside_texts(condition))))


def encoded_size(soql: str) -> int:
    """Return how many bytes a piece of a query takes in a URL."""
    return sum(1 if byte in _PLAIN else 3 for byte in soql.encode())


def _fault_of_structure(condition: str) -> tuple[str, str] | None:
    if "--" in (outside := "".join(_outside_texts(condition))) or "/*" in outside:
        return "holds a comment", "Leave it out: SOQL has none. The assignment's name can say what it is for."
    depth = 0
    top = []
    for symbol in _outside_texts(condition):
        match symbol:
            case "":
                return (
                    "has a text that does not end",
                    "Close it with a single quote; write \\' for one inside.",
                )
            case '"' | "\u2018" | "\u2019" | "\u201c" | "\u201d":
                return "holds a double or curly quote", "Put texts in straight single quotes: Country = 'GB'."
            case ";":
                return "holds a semicolon", "Write one condition; join several with AND or OR."
            case "(":
                depth += 1
            case ")":
                depth -= 1
        if depth < 0:
            return "closes a parenthesis it did not open", "Balance the parentheses."
        if depth > DEEPEST:
            return f"is nested more than {DEEPEST} parentheses deep", "Take out those that it does not need."
        top.append(symbol if depth == 0 else " ")
    if depth:
        return "opens a parenthesis it does not close", "Balance the parentheses."
    if clause := _CLAUSE.search("".join(top)):
        return (
            f"goes on with {clause[1].upper()}",
            "Write the condition alone; order and limits are Muster's.",
        )
    return None


def _fault_of_sub_selects(condition: Condition) -> tuple[str, str] | None:
    """Return why Salesforce would refuse a sub-select, wherever the query came from, or `None`."""
    if misplaced := next(_misplaced_sub_selects(condition), None):
        return misplaced
    if condition.sub_selects > MOST_SUB_SELECTS:
        return (
            f"holds {condition.sub_selects} sub-selects (SELECT …), and Salesforce takes {MOST_SUB_SELECTS}",
            "Have one permission set group or public group stand for several, or a field of User.",
        )
    return None


def _misplaced_sub_selects(condition: Condition) -> Iterator[tuple[str, str]]:
    match condition.kind:
        case "and":
            for part in condition.parts:
                yield from _misplaced_sub_selects(part)
        case "single" if condition.sub_selects > 1:
            yield (
                "holds a sub-select (SELECT …) within another, which Salesforce does not take",
                "Name what is related by its path, as in PermissionSet.Name = 'Gong'.",
            )
        case "not" if condition.sub_selects:
            yield (
                "holds a sub-select (SELECT …) after NOT, which Salesforce does not take",
                "Write Id NOT IN (SELECT …) instead of NOT Id IN (SELECT …), and the other way round.",
            )
        case "mixed" if condition.sub_selects:
            yield (
                "holds a sub-select (SELECT …) where AND, OR and NOT are mixed without parentheses",
                "Put parentheses around each OR and each NOT: Id IN (SELECT …) AND (NOT Title LIKE 'x%').",
            )
        case "or" if condition.sub_selects:
            yield (
                "holds a sub-select (SELECT …) beside OR, and Salesforce takes it beside AND alone",
                "Make two assignments with the same values, each with one side of the OR.",
            )


def _outside_texts(condition: str) -> Iterator[str]:
    """Yield the characters outside quoted texts, a quote for each text, and "" for one without an end."""
    characters = iter(condition)
    for character in characters:
        yield character
        if character != "'":
            continue
        for inside in characters:
            if inside == "\\":
                next(characters, None)
            elif inside == "'":
                break
        else:
            yield ""
