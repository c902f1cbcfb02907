"""Keys of value maps that their field can never hold, by Salesforce's own description of it (A15). Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from muster.crm import canonical_text, salesforce_ids
from muster.errors import Problem
from muster.settings.assignments import FromField
from muster.settings.locations import choices
from muster.settings.sections import Settings
from muster.validation import closest, path

# As `sobjects/User/describe` has it: `name`, `type`, `length`, `picklistValues` and so on.
type Description = Mapping[str, Any]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_IN_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_NUMBERS = frozenset({"currency", "double", "int", "long", "percent"})
_PICKLISTS = frozenset({"multipicklist", "picklist"})
# So many keys, or values of a picklist, are named.
_NAMED = 10


def warnings(settings: Settings, described: Iterable[Description]) -> Iterator[Problem]:
    """Yield a warning for each map with keys that its field never holds; `described` are User's fields."""
    fields = {str(each.get("name")).lower(): each for each in described}
    for at, choice in choices(settings):
        if isinstance(choice, FromField) and (field := fields.get(choice.field.lower())):
            keys: Iterable[str] = choice.map  # type: ignore[attr-defined]  # each kind of choice has its own
            if never := [key for key in keys if key and not can_hold(field, key)]:
                yield Problem(path((*at, "map")), _what(field, never), _remedy(field, never[0]))


def can_hold(field: Description, key: str) -> bool:
    """Whether a map key can be the value of a field, or one of its values."""
    text = canonical_text.of_text(str(field["name"]), key) or ""
    match str(field.get("type")):
        case "boolean":
            return text in ("true", "false")
        case kind if kind in _NUMBERS:
            return _is_number(text)
        case "date":
            return _is_date(text)
        case "datetime":
            return _IN_UTC.fullmatch(text) is not None
        case "id" | "reference":
            return len(text) == 18 and salesforce_ids.is_valid(text)
        case kind if kind in _PICKLISTS and field.get("restrictedPicklist"):
            parts = text.split(";") if kind == "multipicklist" else [text]
            values = _values(field)
            return not values or all(part.strip() in values for part in parts)
    return not field.get("length") or len(text) <= field["length"]


def _is_number(text: str) -> bool:
    """Whether it is a number as Muster reads one: 5 or 5.0, 0.5, but not 05 or 0.50."""
    if not _NUMBER.fullmatch(text):
        return False
    read = canonical_text.of("", float(text))
    return canonical_text.as_shown(text) == canonical_text.as_shown(read or "")


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _values(field: Description) -> list[str]:
    """Return the active values of a picklist."""
    return [str(each.get("value")) for each in field.get("picklistValues", ()) if each.get("active", True)]


def _what(field: Description, keys: list[str]) -> str:
    named = ", ".join(f'"{key[:80]}"' for key in keys[:_NAMED])
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    kind = field.get("type")
    if kind in _PICKLISTS:
        return f"has {named}{more}, no active value of {field['name']} ({kind}): only old records can hold it"
    return f"has {named}{more}, which {field['name']} ({kind}) never holds, so it gives nothing"


def _remedy(field: Description, key: str) -> str:
    match str(field.get("type")):
        case "boolean":
            return 'Write "true" or "false".'
        case kind if kind in _NUMBERS:
            return 'Write numbers without needless zeros: "5", "0.5".'
        case "date":
            return 'Write days as "2026-11-20".'
        case "datetime":
            return 'Write moments as "2026-11-20T08:15:31.000Z".'
        case "id" | "reference":
            return "Write ids of 18 characters."
        case kind if kind in _PICKLISTS:
            values = _values(field)
            if close := closest(key, values):
                return f"Did you mean {close!r}? Capitals count."
            more = " …" if len(values) > _NAMED else ""
            return f"Active values are {', '.join(values[:_NAMED])}{more}."
    return f"{field['name']} has {field.get('length')} characters at most."
