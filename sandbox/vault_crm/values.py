"""Field values in their three forms: as callers send them, as stored, and as the API answers them.

Stored: text; 0 or 1; a number; `2026-11-20`; `2026-11-20T08:15:31.000Z`, in UTC, so that text order is time
order. A picklist is stored as its one value's name and answered as an array.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

from sandbox.vault_crm.errors import RecordError
from sandbox.vault_crm.schema import Field

type Stored = str | int | float | None

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")


def instant(moment: datetime) -> str:
    """Return a moment as it is stored, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_instant(text: str) -> str | None:
    """Return an ISO 8601 date and time as it is stored, or None; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # not a date and time, or beyond the calendar
        return None


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar, as in 2026-11-20."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def read(field: Field, value: object, choices: Collection[str]) -> Stored:
    """Return a value from a record as it is stored; `choices` are the picklist's values.

    Both null and empty text clear a field; which of them Vault takes is not documented, so it takes both.
    Raises RecordError.
    """
    if value is None or value == "":
        return None
    match field.type, value:
        case "String", str():
            return _read_text(field, value)
        case "Picklist", [str() as only] | str(only) if only in choices:
            return only
        case "Object" | "ID", str():
            return value
        case "Boolean", bool():
            return int(value)
        case "Number", int() | float() if not isinstance(value, bool):
            return value
        case "Date", str() if is_date(value):
            return value
        case "DateTime", str() if moment := read_instant(value):
            return moment
    raise RecordError("INVALID_DATA", f"Invalid value for field [{field.name}] of type [{field.type}]")


def _read_text(field: Field, text: str) -> str:
    if len(text) > field.max_length:
        message = f"Value for field [{field.name}] exceeds the maximum length of [{field.max_length}]"
        raise RecordError("INVALID_DATA", message)
    if field.name.startswith("email__") and not _EMAIL.fullmatch(text):
        raise RecordError("INVALID_DATA", f"Value for field [{field.name}] is not a valid email address")
    return text


def to_json(field: Field) -> Callable[[Stored], object] | None:
    """Return what turns a stored value that is not null into the API's form; None for nothing at all."""
    match field.type:
        case "Picklist":
            return lambda stored: [stored]
        case "Boolean":
            return bool
    return None


def sql_type(field: Field) -> str:
    """Return the type of the SQLite column; texts compare character by character, as VQL does."""
    return {"Boolean": "INTEGER", "Number": "NUMERIC"}.get(field.type, "TEXT")
