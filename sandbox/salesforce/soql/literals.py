"""The literals of a condition, as the columns that they are compared with hold them."""

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.schema import ID_TYPES, STRING_TYPES, Field
from sandbox.salesforce.soql.parsed import Query, Value
from sandbox.salesforce.soql.tokens import query_error
from sandbox.salesforce.values import Stored, is_date, read_instant


def stored(query: Query, field: Field, value: Value) -> Stored:
    """Return the literal as the field's column holds it; blank text is null."""
    if value.kind == "null":
        return 0 if field.type == "boolean" else None
    match field.type, value.kind:
        case kind, "text" if kind in STRING_TYPES:
            return value.text or None
        case kind, "text" if kind in ID_TYPES:
            return _record_id(query, value)
        case "boolean", "boolean":
            return int(value.text == "true")
        case (("double" | "int"), "number"):
            return float(value.text)
        case "date", "date" if is_date(value.text):
            return value.text
        case "datetime", "datetime":
            moment = read_instant(value.text)
            if moment is not None:
                return moment
    raise wrong_kind(query, field, value)


def _record_id(query: Query, value: Value) -> str | None:
    if not value.text:
        return None
    try:
        return ids.canonical(value.text)
    except ValueError:
        message = f"invalid ID field: {value.text}"
        raise query_error(query.soql, value.at, message, "INVALID_QUERY_FILTER_OPERATOR") from None


def wrong_kind(query: Query, field: Field, value: Value) -> SalesforceError:
    """Return the error of a literal that is of another type than its field."""
    quoted = field.type in STRING_TYPES or field.type in ID_TYPES
    kind = "string" if field.type in STRING_TYPES else field.type.replace("datetime", "dateTime")
    message = (
        f"value of filter criterion for field '{field.name}' must be of type {kind}"
        f" and should {'' if quoted else 'not '}be enclosed in quotes"
    )
    return query_error(query.soql, value.at, message, "INVALID_FIELD")
