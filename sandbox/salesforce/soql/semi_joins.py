"""Where a semi join (`Id IN (SELECT …)`) or anti join (`NOT IN`) may stand, and what its sub-select may be.

Salesforce takes at most two in a query, joined to the rest by AND at the top of the WHERE: not in
parentheses, not beside an OR, not after a NOT, not one in another. The sub-select finds one field of another
object, over no relationship, and has neither order nor limit.
Source: Comparison Operators in the SOQL and SOSL reference; the words are those of public reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.soql.grammar import (
    Combination,
    Comparison,
    Condition,
    Membership,
    Negation,
    Parentheses,
    Path,
    Query,
)
from sandbox.salesforce.soql.tokens import query_error

MOST = 2
_IN_PARENTHESES = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE"
    " expressions."
)
_BESIDE_OR = "Semi join sub-selects are not allowed with the 'OR' operator"
_AFTER_NOT = "Semi join sub-selects are not allowed with the 'NOT' operator"
_TOO_MANY = f"Maximum {MOST} semi join sub-selects are allowed"
_NESTED = "Nesting of semi join sub-selects is not supported"
_SAME_OBJECT = "The inner and outer selects should not be on the same object type"
_ORDERED = "ORDER BY, LIMIT and OFFSET are not supported in semi join sub-selects"
_OVER_RELATIONSHIP = "a semi join compares and selects fields of the objects themselves, over no relationship"


@dataclass(frozen=True)
class _SemiJoin:
    path: Path
    query: Query
    # What it stands in that it may not: the words of the refusal.
    refusal: str


def check(query: Query) -> None:
    """Raise SalesforceError for a semi join that Salesforce would refuse."""
    found = list(_semi_joins(query.where, "")) if query.where else []
    for place, each in enumerate(found):
        words = each.refusal or (_TOO_MANY if place >= MOST else _fault_of(each, query))
        if words:
            raise _error(query, each.path, words)


def _semi_joins(condition: Condition, refusal: str) -> Iterator[_SemiJoin]:
    match condition:
        case Combination(glue, terms):
            for term in terms:
                yield from _semi_joins(term, refusal or (_BESIDE_OR if glue == "OR" else ""))
        case Parentheses(term):
            yield from _semi_joins(term, refusal or _IN_PARENTHESES)
        case Negation(term):
            yield from _semi_joins(term, refusal or _AFTER_NOT)
        case Membership(path, _, Query() as among):
            yield _SemiJoin(path, among, refusal)
        case Membership() | Comparison():
            pass


def _fault_of(semi_join: _SemiJoin, outer: Query) -> str:
    inner = semi_join.query
    if inner.where and any(_semi_joins(inner.where, "")):
        return _NESTED
    if inner.object_name.lower() == outer.object_name.lower():
        return _SAME_OBJECT
    if inner.order or inner.limit is not None or inner.offset:
        return _ORDERED
    selected = [each for each in inner.fields if isinstance(each, Path)]
    if _is_over_relationship(semi_join.path, outer) or any(
        _is_over_relationship(each, inner) for each in selected
    ):
        return _OVER_RELATIONSHIP
    return ""


def _is_over_relationship(path: Path, query: Query) -> bool:
    own = {query.object_name.lower(), (query.alias or "").lower()}
    return len(path.parts) > (2 if path.parts[0].lower() in own else 1)


def _error(query: Query, path: Path, words: str) -> SalesforceError:
    return query_error(query.soql, path.at, words)
