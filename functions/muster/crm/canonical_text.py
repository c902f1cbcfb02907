"""One value, one text: the same whether Salesforce's SOAP or its REST API brought it (W14).

    date and time   2026-11-20T08:15:31.000Z     SOAP's; REST writes 2026-11-20T08:15:31.000+0000
    number          12345678.0                   REST's, without an exponent; SOAP writes 1.2345678E7
    id              18 characters                in the standard fields that hold ids
    truth           true, false
    text            as it is, without blanks at its ends; None where nothing is left

A message does not say of what type a field is, so form alone decides, for both alike: a text that looks
exactly like one of these is taken for one. Were only JSON's numbers recognised, a value would still change
with each way it comes.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from muster.crm import salesforce_ids
from muster.times import timestamp

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?(?:Z|[+-][0-9]{2}:?[0-9]{2})"
)
# As Java writes a double below a thousandth, and from ten millions on. It always has a point, so that a code
# like 1E5 is none.
_WITH_EXPONENT = re.compile(r"-?[0-9]\.[0-9]+E-?[0-9]{1,3}")


def of(name: str, value: Any) -> str | None:
    """Return the canonical text of a field's value, from a row or a message; `None` where it is empty."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return of_text(name, value)
        case float():
            return _plain(value)
        case int():
            return str(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def of_text(name: str, text: str) -> str | None:
    """Return the canonical text of a text; `name` is the field it is in."""
    text = text.strip()
    if not text:
        return None
    if len(text) == 15 and name[-2:].lower() == "id" and salesforce_ids.is_valid(text):
        return salesforce_ids.to_18(text)
    # The first character decides for nearly every text.
    if not (text[0] == "-" or "0" <= text[0] <= "9"):
        return text
    if _DATE_TIME.fullmatch(text):
        return _in_utc(text)
    if _WITH_EXPONENT.fullmatch(text) and abs(number := float(text)) != float("inf"):
        return _plain(number)
    return text


def as_shown(text: str) -> str:
    """Return a canonical text as people write it: a whole number without the .0 that APIs give it."""
    whole = text.removesuffix(".0")
    return whole if whole != text and whole.removeprefix("-").isdecimal() and whole.isascii() else text


def _in_utc(text: str) -> str:
    try:
        return timestamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return text


def _plain(number: float) -> str:
    """Return the shortest text of a number that is read as the same number, without an exponent."""
    shortest = repr(number)
    if "e" not in shortest:
        return shortest
    plain = format(Decimal(shortest), "f")
    return plain if "." in plain else f"{plain}.0"


# ── Answers of JSON ──────────────────────────────────────────────────────────────────────────────

# Every escape, so that a backslash which is itself escaped begins none.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole character, in two halves
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\[^\n]",
)
_HALF_IN_BYTES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def read_json(body: bytes) -> Any:
    """Return the value of a JSON body; raises `ValueError`, which may quote the body.

    Whoever cuts a text in the middle of an emoji leaves half a character, which no parser, table or mail
    takes. It becomes U+FFFD, the mark for such a loss, so that one user's title stops nobody's import.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        repaired = _HALF_IN_BYTES.sub("\N{REPLACEMENT CHARACTER}".encode(), body)
        repaired = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["half"] else escape[0], repaired)
        if repaired == body:
            raise
        return orjson.loads(repaired)
