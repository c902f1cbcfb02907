"""Users read from Salesforce by id, with the assignments whose filters match them (W6, A1).

One call per hundred users and 24 filters: the users themselves and one query per filter, each
narrowed to their ids. Salesforce evaluates the filters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from muster.crm import soql
from muster.errors import Misconfigured, Rejected
from muster.settings import Settings
from muster.settings.assignment_order import filtered, unfiltered
from muster.settings.mappings import fields_to_read
from muster.sources.ports import Matches, Salesforce
from muster.sources.salesforce_users import change_of
from muster.sources.user_changes import UserChange

# Keeps the ids, the fields and the longest filter together well under the length limit of a query.
USERS_A_CALL = 100


@dataclass(frozen=True, slots=True)
class Read:
    """Users as they were read, by id; a user that is in neither is not visible to the integration user."""

    changes: Mapping[str, UserChange]
    refused: Mapping[str, Rejected]


def read_users(
    crm_ids: Iterable[str], settings: Settings, salesforce: Salesforce, read_at: datetime, run: str
) -> Read:
    """Return these users as Salesforce has them now; `read_at` is now.

    Raises `Unavailable`, or `Misconfigured` where Salesforce refuses a field or a filter.
    """
    names = fields_to_read(settings)
    changes: dict[str, UserChange] = {}
    refused: dict[str, Rejected] = {}
    for some in batched(dict.fromkeys(crm_ids), USERS_A_CALL, strict=False):
        rows, matches = _query(some, settings, salesforce, soql.select(names, soql.one_of("Id", some)))
        for row in rows:
            crm_id = row["Id"]
            try:
                changes[crm_id] = change_of(row, names, matches[crm_id], settings, read_at, run)
            except Rejected as error:
                refused[crm_id] = error
    return Read(changes, refused)


def matches_of(crm_ids: Iterable[str], settings: Settings, salesforce: Salesforce) -> Matches:
    """Return which assignments match each of these users; raises as `read_users` does."""
    found: dict[str, frozenset[str]] = {}
    for some in batched(dict.fromkeys(crm_ids), USERS_A_CALL, strict=False):
        _, matches = _query(some, settings, salesforce)
        found |= {crm_id: matches[crm_id] | unfiltered(settings) for crm_id in some}
    return found


def _query(
    crm_ids: Sequence[str], settings: Settings, salesforce: Salesforce, *first: str
) -> tuple[list[dict[str, Any]], dict[str, frozenset[str]]]:
    """Return the rows of the first query, if there is one, and the matching assignments of each user."""
    theirs = soql.one_of("Id", crm_ids)
    filters = filtered(settings)
    queries = [*first, *(soql.matching(each, theirs) for each in filters.values())]
    try:
        answers = salesforce.batch(queries) if queries else []
    except Rejected as error:
        raise Misconfigured(
            f"Salesforce refuses a query made of the settings: {error.problems[0].message};"
            " check the fields, the filters and what the integration user may read"
        ) from error
    rows = answers[0] if first else []
    matching = {
        name: {row["Id"] for row in answer}
        for name, answer in zip(filters, answers[len(first) :], strict=True)
    }
    return rows, {
        crm_id: frozenset(name for name, ids in matching.items() if crm_id in ids) for crm_id in crm_ids
    }
