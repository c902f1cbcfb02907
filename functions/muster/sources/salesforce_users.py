"""Users as Salesforce's queries return them, in the form that a message has: text or nothing (W5, W6).

An import compares digests of rows: most users are unchanged, and nothing else of them has to be read. The
digest leaves out when a record was changed, because Salesforce updates that at every login.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import orjson

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected
from muster.settings import Settings
from muster.settings.assignment_order import unfiltered
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import MAX_TEXT, UserChange, text_size

type Row = Mapping[str, Any]

_VOLATILE = frozenset({"SystemModstamp", "LastModifiedDate", "LastLoginDate", "LastViewedDate"})


def fields_of(row: Row, names: Iterable[str]) -> dict[str, str | None]:
    """Return the row's fields as an outbound message would carry them; empty ones are `None`."""
    return {name: _text(row[name]) for name in names}


def digester(names: Iterable[str]) -> Callable[[Row], str]:
    """Return the function that makes the digest of a row, from all its fields but the volatile ones.

    It raises `KeyError` for a row that lacks one of them.
    """
    values = itemgetter(*(name for name in names if name not in _VOLATILE))

    def digest_of(row: Row) -> str:
        return blake2b(orjson.dumps(values(row)), digest_size=8).hexdigest()

    return digest_of


def digest(fields_digest: str, matches: Iterable[str], manager: str | None) -> str:
    """Return the digest of all that a member is evaluated with; empty where `fields_digest` is."""
    if not fields_digest:
        return ""
    rest = blake2b("\0".join([manager or "", *sorted(matches)]).encode(), digest_size=8).hexdigest()
    return f"{fields_digest}.{rest}"


def change_of(
    row: Row, names: Sequence[str], matches: Iterable[str], settings: Settings, read_at: datetime, run: str
) -> UserChange:
    """Return a row as a user change; `matches` are the assignments whose filter matches in Salesforce.

    Raises `Rejected` where the row is not that of a user.
    """
    missing = [name for name in names if name not in row]
    if missing or not isinstance(row["Id"], str) or not salesforce_ids.is_valid(row["Id"]):
        what = f"lacks {', '.join(missing)}" if missing else "has no Salesforce id"
        raise Rejected(Problem("User", what, "Let the integration user read the field in Salesforce."))
    fields = fields_of(row, names)
    if fields["IsActive"] not in ("true", "false"):
        raise Rejected(Problem("IsActive", "is neither true nor false", "Check the field in Salesforce."))
    if text_size(fields) > MAX_TEXT:
        remedy = "Take long text fields out of the settings, or shorten the user's."
        raise Rejected(Problem("fields", "hold too much text", remedy))
    return UserChange(
        crm_id=row["Id"],
        fields=fields,
        source=read_version(fields, read_at),
        run=run,
        matches=unfiltered(settings) | frozenset(matches),
        fields_digest=digester(names)(row),
    )


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip() or None
        case int() | float():
            return str(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
