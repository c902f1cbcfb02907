"""Field values in their four forms: as callers send them, as stored, as REST answers, as SOAP sends them.

Stored: text; 0 or 1; a number; `2026-11-20`; `2026-11-20T08:15:31.000Z`, in UTC, so that text order is time
order.
"""

import json
import re
from datetime import UTC, date, datetime

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.schema import ID_TYPES, STRING_TYPES, Field

type Stored = str | int | float | None

_EMAIL = re.compile(r"[^@\s,;<>()\[\]\\\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})", re.ASCII)
_TOKENS = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}


def instant(moment: datetime) -> str:
    """Return a moment as it is stored, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_instant(text: str) -> str | None:
    """Return an ISO 8601 date and time with a time zone as it is stored, or None if the text is not one."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        return instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def is_date(text: str) -> bool:
    """Whether the text is a day of the calendar, as in 2026-11-20."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_email(text: str) -> bool:
    """Whether Salesforce takes the text for an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def read(field: Field, value: object) -> Stored:
    """Return a value from a JSON body as it is stored. Blank text is null. Raises SalesforceError."""
    if value is None:
        if field.type == "boolean":
            message = f"{field.label}: value not of required type: null"
            raise SalesforceError(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name])
        return None
    match field.type, value:
        case "boolean", bool():
            return int(value)
        case "double", int() | float() if not isinstance(value, bool):
            return float(value)
        case (("date" | "datetime"), str()):
            moment = value if field.type == "date" and is_date(value) else None
            moment = read_instant(value) if field.type == "datetime" else moment
            if moment is not None:
                return moment
        case "reference", str():
            return _read_reference(field, value.strip())
        case kind, str() if kind in STRING_TYPES:
            return _read_text(field, value.strip())
    token = _TOKENS.get(type(value), "START_OBJECT" if isinstance(value, dict) else "START_ARRAY")
    shown = str(value).lower() if isinstance(value, bool) else value
    message = f"Cannot deserialize instance of {field.type} from {token} value {shown} for field {field.name}"
    raise SalesforceError(400, "JSON_PARSER_ERROR", message)


def _read_text(field: Field, text: str) -> str | None:
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise SalesforceError(400, "STRING_TOO_LONG", message, [field.name])
    if text and field.type == "email" and not is_email(text):
        message = f"{field.label}: invalid email address: {text}"
        raise SalesforceError(400, "INVALID_EMAIL_ADDRESS", message, [field.name])
    return text or None


def _read_reference(field: Field, text: str) -> str | None:
    if not text:
        return None
    try:
        record_id = ids.canonical(text)
    except ValueError:
        message = f"{field.label}: id value of incorrect type: {text}"
        raise SalesforceError(400, "MALFORMED_ID", message, [field.name]) from None
    if field.reference_to is not None and not record_id.startswith(ids.PREFIX[field.reference_to]):
        message = f"{field.label}: id value of incorrect type: {text}"
        raise SalesforceError(400, "FIELD_INTEGRITY_EXCEPTION", message, [field.name])
    return record_id


def to_json(field: Field, stored: Stored) -> object:
    """Return a stored value as REST answers it: a date and time ends in `.000+0000`, metadata is JSON."""
    if stored is None:
        return None
    if field.type == "boolean":
        return bool(stored)
    if field.type == "datetime":
        return str(stored).removesuffix("Z") + "+0000"
    if field.type == "complexvalue":
        return json.loads(str(stored))
    return stored


def to_soap(field: Field, stored: Stored) -> str | None:
    """Return a stored value as SOAP text: a date and time ends in `.000Z`. None stands for no element."""
    if stored is None:
        return None
    if field.type == "boolean":
        return "true" if stored else "false"
    return str(stored)


def sql_type(field: Field) -> str:
    """Return the type of the SQLite column: text compares as in SOQL, ids character by character."""
    if field.type == "boolean":
        return "INTEGER NOT NULL DEFAULT 0"
    if field.type == "double":
        return "REAL"
    if field.type == "int":
        return "INTEGER"
    if field.type in ID_TYPES or field.type in {"date", "datetime"}:
        return "TEXT"
    return "TEXT COLLATE SALESFORCE"
