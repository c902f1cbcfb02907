"""Whether Salesforce accepts a document's filters and fields: trial queries, and their results (S3, U4).

The list of fields becomes a query, and every filter those in which it will be sent: for everyone, for users
by their ids, and for those changed since a moment. Each is of one row; Salesforce compiles it exactly as it
will be sent. A refusal becomes a problem at its location, in Salesforce's own words.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import batched

from muster.crm import soql, soql_conditions
from muster.errors import Problem
from muster.settings.locations import named_fields
from muster.settings.mappings import fields_to_read
from muster.settings.sections import Settings
from muster.validation import Location, path

_FILTER = (
    "Correct it, and try it in Salesforce's Developer Console. The integration user must be allowed to read"
    " each field in it (field-level security)."
)
_MIXED = (
    "It has AND, OR or NOT side by side, which Salesforce does not take: put parentheses around what belongs"
    " together, as in (Title = 'Rep' OR Title = 'Lead') AND Country = 'GB'."
)
# How a filter is narrowed, and what for; any id and any moment will do.
_SHAPES = (
    ((), ""),
    ((soql.one_of("Id", ["005000000000001AAA"]),), " in a query of users by id, as messages need it"),
    (
        (soql.since("SystemModstamp", "2000-01-01T00:00:00.000Z"),),
        " in a query of users changed since a moment, as incremental imports need it",
    ),
)
_FIELD = "Correct the name, or let the integration user read the field (field-level security)."


def queries(settings: Settings) -> list[str]:
    """Return the trial queries: first for the fields, then three per filter."""
    fields = soql.select(fields_to_read(settings))
    filters = [
        soql.matching(condition, *further) for _, condition in _filters(settings) for further, _ in _SHAPES
    ]
    return [f"{query} LIMIT 1" for query in (fields, *filters)]


def places(settings: Settings) -> list[str]:
    """Return what each of `queries` tries, as an admin reads it."""
    return ["auto_provision.fields", *(path((*at, "filter")) for at, _ in _filters(settings))]


def problems(
    settings: Settings, refusals: Sequence[str | None], fields_of_user: Sequence[str]
) -> list[Problem]:
    """Return what Salesforce refuses.

    `refusals` holds the reason why each of `queries` is refused, or `None`; `fields_of_user` are the fields
    of User that the integration user may read, as Salesforce spells them.
    """
    of_fields, *of_filters = refusals
    refused_filters = [
        refused
        for (at, condition), of_shapes in zip(
            _filters(settings), batched(of_filters, len(_SHAPES), strict=True), strict=True
        )
        if (refused := _refused_filter((*at, "filter"), condition, of_shapes))
    ]
    return [*_refused_fields(settings, of_fields, fields_of_user), *refused_filters]


def _refused_filter(at: Location, condition: str, refusals: Sequence[str | None]) -> Problem | None:
    """Return the problem of a filter from the refusals of its queries; the first says it for all."""
    for (_, where), words in zip(_SHAPES, refusals, strict=True):
        if words is not None:
            remedy = _MIXED if soql_conditions.is_mixed(soql_conditions.parsed(condition)) else _FILTER
            return Problem(path(at), f"is refused by Salesforce{where}: {words}", remedy)
    return None


def _filters(settings: Settings) -> Iterator[tuple[Location, str]]:
    for position, assignment in enumerate(settings.assignments):
        if assignment.filter is not None:
            yield ("assignments", position), assignment.filter


def _refused_fields(settings: Settings, words: str | None, fields_of_user: Sequence[str]) -> list[Problem]:
    spelled = {name.lower(): name for name in fields_of_user}
    found = []
    for name in fields_to_read(settings):
        known = spelled.get(name.lower())
        if words is not None and (known is None or _mentions(words, name)):
            reason = words if _mentions(words, name) else "there is no such field for the integration user"
            likely = get_close_matches(name.lower(), spelled, n=1) if known is None else []
            remedy = f"{_FIELD} Did you mean {spelled[likely[0]]}?" if likely else _FIELD
            found.append(
                Problem(_place_of(name, settings), f"{name} is refused by Salesforce: {reason}", remedy)
            )
        elif known not in (None, name):
            # Salesforce accepts any case; one spelling for all keeps `custom` and Salesforce alike.
            found.append(
                Problem(
                    _place_of(name, settings), f"{name} is spelled {known} in Salesforce", f"Write {known}."
                )
            )
    if words is not None and not found:
        found.append(Problem("auto_provision.fields", f"are refused by Salesforce: {words}", _FIELD))
    return found


def _mentions(words: str, name: str) -> bool:
    """Whether Salesforce's words name the field; it quotes the query, so case counts."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words, re.ASCII) is not None


def _place_of(field: str, settings: Settings) -> str:
    """Return the first location that names the field; if none does, Muster itself needs it."""
    for at, name in named_fields(settings):
        if name == field:
            return path(at)
    return "auto_provision.fields"
