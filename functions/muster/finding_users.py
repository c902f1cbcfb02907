"""From what people call someone to Salesforce ids: an id, a CRM id, a username, an e-mail address (I2)."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from muster import soql
from muster.errors import NotFound, Problem, Rejected
from muster.querying import RosterViews, find
from muster.salesforce_ids import is_valid, to_18


class Salesforce(Protocol):
    """What finding needs of Salesforce; `adapters.salesforce` is the real one."""

    def batch(self, queries: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Return the rows of each query."""


def crm_ids_of(
    references: Iterable[str], organization: str, views: RosterViews, salesforce: Salesforce
) -> tuple[str, ...]:
    """Return the CRM ids of these people, in the roster or not yet; raises `Rejected` for unknown ones.

    Who is not in the roster is looked up in Salesforce, by username first and e-mail address second.
    """
    found: dict[str, None] = {}
    problems = []
    for place, reference in enumerate(references):
        try:
            found[_crm_id(reference.strip(), organization, views, salesforce)] = None
        except Rejected as error:
            problem = error.problems[0]
            problems.append(Problem(f"members[{place}]", problem.message, problem.remedy))
    if problems:
        raise Rejected(*problems)
    return tuple(found)


def _crm_id(reference: str, organization: str, views: RosterViews, salesforce: Salesforce) -> str:
    if is_valid(reference) and reference.startswith("005"):
        return to_18(reference)
    try:
        crm_id = find(views, organization, reference).crm.get("salesforce", {}).get("id")
    except NotFound:
        crm_id = None
    if crm_id:
        return crm_id
    if "@" not in reference:
        raise Rejected(Problem("members", "is not in the roster", "Give an e-mail address or the user's Id."))
    by_username, by_email = salesforce.batch(
        [soql.select(["Id"], soql.one_of(field, [reference])) for field in ("Username", "Email")]
    )
    ids = [row["Id"] for row in by_username or by_email]
    if len(ids) != 1:
        what = "fits several users of Salesforce" if ids else "is nobody in the roster or in Salesforce"
        raise Rejected(Problem("members", what, "Give the user's Id."))
    return str(ids[0])
