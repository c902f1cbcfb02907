"""What a filter looks at that changes without any change of the user (I2, W6).

Salesforce then sends no message, and the user's SystemModstamp stays, by which an incremental import finds
whom to read. Only a full import, which reads everyone, sees it.
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from muster.crm.soql_conditions import Condition, parsed, words

_PERIOD = r"(?:WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR)"
_RELATIVE_DATE = re.compile(
    rf"YESTERDAY|TODAY|TOMORROW|(?:LAST|THIS|NEXT)_{_PERIOD}|(?:LAST|NEXT)_90_DAYS"
    rf"|(?:LAST|NEXT)_N_(?:DAY|{_PERIOD})S:\d+|N_(?:DAY|{_PERIOD})S_AGO:\d+",
    re.IGNORECASE,
)
_OBJECTS = {
    "permissionsetassignment": "a permission set given or taken",
    "groupmember": "somebody put into a group or taken out of it",
    "userlogin": "a user frozen or no longer",
}
_RELATED = {
    "profile": "a profile renamed or changed",
    "userrole": "a role renamed or changed",
    "manager": "a change of the manager's own record",
}


def found_in(condition: str) -> dict[str, str]:
    """Return what a filter names that changes elsewhere → the change; formula fields are not among them."""
    found: dict[str, str] = {}
    for part in _singles(parsed(condition)):
        if part.sub_selects:
            said = words(part.text)
            found |= {name: _of_object(name) for before, name in pairwise(said) if before.upper() == "FROM"}
            continue
        for word in words(part.text):
            if what := _of_word(word):
                found[word] = what
    return found


def formulas_in(condition: str, formula_fields: Collection[str]) -> dict[str, str]:
    """Return the formula fields of User that a filter names → what changes; `formula_fields` are all."""
    formulas = {name.lower() for name in formula_fields}
    return {
        word: "a change of what this formula is made of"
        for part in _singles(parsed(condition))
        if not part.sub_selects
        for word in words(part.text)
        if word.lower().removeprefix("user.") in formulas
    }


def _singles(condition: Condition) -> Iterator[Condition]:
    if condition.parts:
        for part in condition.parts:
            yield from _singles(part)
    else:
        yield condition


def _of_object(name: str) -> str:
    return _OBJECTS.get(name.lower(), f"a change of {name}")


def _of_word(word: str) -> str | None:
    if _RELATIVE_DATE.fullmatch(word):
        return "another day"
    way = word.lower().removeprefix("user.").split(".")
    return _RELATED.get(way[0], "a change of that other record") if len(way) > 1 else None
