"""Users read from Salesforce by id, with the assignments whose filters match them (W6, A1).

One call per hundred users and 23 filters: the users themselves, who of them is frozen, and one query per
filter, each narrowed to their ids. Salesforce evaluates the filters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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

type Answer = list[dict[str, Any]] | Rejected

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
        users = soql.select(names, soql.one_of("Id", some))
        frozen_ones = soql.frozen(soql.one_of("UserId", some))
        answers = salesforce.tried([users, frozen_ones, *_of_filters(some, settings)])
        matches = _matches(some, settings, answers[2:])
        frozen = frozen_users(answers[1])
        for row in _rows(answers[0]):
            crm_id = row["Id"]
            try:
                change = change_of(row, names, matches[crm_id], settings, read_at, run)
                changes[crm_id] = replace(change, frozen=None if frozen is None else crm_id in frozen)
            except Rejected as error:
                refused[crm_id] = error
    return Read(changes, refused)


def matches_of(crm_ids: Iterable[str], settings: Settings, salesforce: Salesforce) -> Matches:
    """Return which assignments match each of these users; raises as `read_users` does."""
    found: dict[str, frozenset[str]] = {}
    for some in batched(dict.fromkeys(crm_ids), USERS_A_CALL, strict=False):
        queries = _of_filters(some, settings)
        matches = _matches(some, settings, salesforce.tried(queries) if queries else [])
        found |= {crm_id: matches[crm_id] | unfiltered(settings) for crm_id in some}
    return found


def frozen_users(answer: Answer) -> frozenset[str] | None:
    """Return the users whom rows of UserLogin name; `None` where the integration user may not see them."""
    return None if isinstance(answer, Rejected) else frozenset(row["UserId"] for row in answer)


def _of_filters(crm_ids: Sequence[str], settings: Settings) -> list[str]:
    theirs = soql.one_of("Id", crm_ids)
    return [soql.matching(each, theirs) for each in filtered(settings).values()]


def _matches(crm_ids: Sequence[str], settings: Settings, answers: Sequence[Answer]) -> Matches:
    """Return the assignments that match each user, by the answers to `_of_filters`."""
    matching = {
        name: {row["Id"] for row in _rows(answer)}
        for name, answer in zip(filtered(settings), answers, strict=True)
    }
    return {crm_id: frozenset(name for name, ids in matching.items() if crm_id in ids) for crm_id in crm_ids}


def _rows(answer: Answer) -> list[dict[str, Any]]:
    if isinstance(answer, Rejected):
        raise Misconfigured(
            f"Salesforce refuses a query made of the settings: {answer.problems[0].message};"
            " check the fields, the filters and what the integration user may read"
        ) from answer
    return answer
