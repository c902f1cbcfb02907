"""Users as Salesforce's queries return them, as text or nothing, like those of a message (W5, W6, W14).

An import compares digests of rows: most users are unchanged, and nothing else of them has to be read. The
digest leaves out when a record was changed, because Salesforce updates that at every login.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import orjson

from muster.crm import canonical_text, salesforce_ids
from muster.errors import Problem, Rejected
from muster.settings import Settings
from muster.settings.assignment_order import unfiltered
from muster.settings.mappings import address_fields
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import UserChange, storable

type Row = Mapping[str, Any]

_VOLATILE = frozenset({"SystemModstamp", "LastModifiedDate", "LastLoginDate", "LastViewedDate"})


def fields_of(row: Row, names: Iterable[str]) -> dict[str, str | None]:
    """Return the row's fields in their canonical text; empty ones are `None`."""
    names = tuple(names)
    try:
        return {name: canonical_text.of(name, row[name]) for name in names}
    except KeyError:
        row = spelled_as(names, row)
        return {name: canonical_text.of(name, row[name]) for name in names}


def spelled_as(names: Sequence[str], row: Row) -> Row:
    """Return the row with its fields spelled as in `names`, where Salesforce answers in other capitals.

    To Salesforce both are the same field, and it answers in its own spelling whatever was asked.
    """
    if all(name in row for name in names):
        return row
    theirs = {name.lower(): value for name, value in row.items()}
    return {**row, **{name: theirs[name.lower()] for name in names if name.lower() in theirs}}


def digester(names: Iterable[str]) -> Callable[[Row], str]:
    """Return the function that makes the digest of a row, from all its fields but the volatile ones.

    It raises `KeyError` for a row that lacks one of them.
    """
    lasting = tuple(name for name in names if name not in _VOLATILE)
    values = itemgetter(*lasting)

    def digest_of(row: Row) -> str:
        try:
            found = values(row)
        except KeyError:
            found = values(spelled_as(lasting, row))
        return blake2b(orjson.dumps(found), digest_size=8).hexdigest()

    return digest_of


def digest(fields_digest: str, matches: Iterable[str], manager: str | None, *, frozen: bool = False) -> str:
    """Return the digest of all that a member is evaluated with; empty where `fields_digest` is."""
    if not fields_digest:
        return ""
    # No name of an assignment begins with a blank; so whoever is not frozen has the digest of before.
    parts = [manager or "", *sorted(matches), *([" frozen"] if frozen else [])]
    return f"{fields_digest}.{blake2b('\0'.join(parts).encode(), digest_size=8).hexdigest()}"


def change_of(
    row: Row,
    names: Sequence[str],
    matches: Iterable[str],
    settings: Settings,
    read_at: datetime,
    run: str,
    fields_digest: str | None = None,
) -> UserChange:
    """Return a row as a user change; `matches` are the assignments whose filter matches in Salesforce.

    `fields_digest` is that of `digester`, where it is known. Raises `Rejected` where the row is not that of a
    user.
    """
    row = spelled_as(names, row)
    missing = [name for name in names if name not in row]
    if missing or not isinstance(row["Id"], str) or not salesforce_ids.is_valid(row["Id"]):
        what = f"lacks {', '.join(missing)}" if missing else "has no Salesforce id"
        raise Rejected(Problem("User", what, "Let the integration user read the field in Salesforce."))
    fields = fields_of(row, names)
    if fields["IsActive"] not in ("true", "false"):
        raise Rejected(Problem("IsActive", "is neither true nor false", "Check the field in Salesforce."))
    return UserChange(
        crm_id=row["Id"],
        fields=storable(fields, address_fields(settings)),
        source=read_version(fields, read_at),
        run=run,
        matches=unfiltered(settings) | frozenset(matches),
        fields_digest=digester(names)(row) if fields_digest is None else fields_digest,
    )
