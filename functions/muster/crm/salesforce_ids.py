"""Salesforce ids: 15 characters in which case matters, or 18 with a suffix that records the case.

    to_18("00Dd0000000gzcr")                          -> "00Dd0000000gzcrEAA"
    same("00Dd0000000gzcr", "00Dd0000000gzcrEAA")     -> True
    is_valid("00Dd0000000gzcrEA")                     -> False, 17 characters

The first three characters name the kind of record: 005 a user, 00D an organization, 04k the action
that sends an outbound message, 04l one of its notifications.
"""

import re
from functools import lru_cache

_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
_SUFFIX_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def is_valid(record_id: str) -> bool:
    """Whether `record_id` has the shape of an id; the suffix is not checked (see `to_18`)."""
    return _SHAPE.fullmatch(record_id) is not None


def to_18(record_id: str) -> str:
    """Return the 18-character form; raises `ValueError` unless `is_valid`.

    An existing suffix is computed again, so `to_18(x) == x` checks it.
    """
    if not is_valid(record_id):
        raise ValueError("not a Salesforce id")
    first_15 = record_id[:15]
    return first_15 + "".join(_suffix_letter(first_15[start : start + 5]) for start in (0, 5, 10))


def same(one: str, other: str) -> bool:
    """Whether two ids name the same record, in either form; an invalid id equals none."""
    return is_valid(one) and is_valid(other) and one[:15] == other[:15]


# The ids of one organization share most of their groups of five.
@lru_cache(maxsize=4096)
def _suffix_letter(five: str) -> str:
    # One bit a character, the first the lowest: set where the character is a capital.
    return _SUFFIX_LETTERS[sum(1 << position for position, letter in enumerate(five) if "A" <= letter <= "Z")]
