"""The results of an update, record by record (P2).

Results come in the order of the records, and a refused one may lack its id. So they are matched by
position and verified by id; a mismatch is an unknown outcome, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from muster.adapters.vault.answers import NOTHING_CHANGED, Answer, first_error, problem_of
from muster.crm.vault_records import NOT_ALLOWED, Outcome, Written
from muster.errors import OutcomeUnknown


def read_written(answer: Answer, ids: Sequence[str]) -> list[Written]:
    """Return the results for the records with these ids, in order; raises `OutcomeUnknown`."""
    rows = answer.content.get("data")
    if not isinstance(rows, list) or len(rows) != len(ids):
        shown = len(rows) if isinstance(rows, list) else 0
        raise OutcomeUnknown(f"{answer.summary}, with {shown:,} results for {len(ids):,} records")
    return [_written(answer, row, sent) for row, sent in zip(rows, ids, strict=True)]


def _written(answer: Answer, row: object, sent: str) -> Written:
    if not isinstance(row, dict):
        raise _unclear(answer, sent)
    status, shown = row.get("responseStatus"), _id_of(row)
    if shown is not None and shown != sent:
        raise OutcomeUnknown(f"{answer.summary}, with a result for {shown} in the place of record {sent}")
    kind, message = first_error(row)
    if status == "FAILURE" and kind:
        return Written(sent, Outcome.REFUSED, problem_of(kind, message, sent), kind == NOT_ALLOWED)
    if status == "SUCCESS" and shown is not None:
        return Written(sent, Outcome.WRITTEN)
    if status == "WARNING" and shown is not None and NOTHING_CHANGED in _warnings(row):
        return Written(sent, Outcome.NO_CHANGES)
    raise _unclear(answer, sent)


def _id_of(row: Mapping[str, Any]) -> str | None:
    match row.get("data"):
        case {"id": str() | int() as shown}:
            return str(shown)
    return None


def _warnings(row: Mapping[str, Any]) -> list[object]:
    warnings = row.get("warnings")
    if not isinstance(warnings, list):
        return []
    return [each.get("warning_type") for each in warnings if isinstance(each, dict)]


def _unclear(answer: Answer, sent: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{answer.summary}, with a result for record {sent} that does not show its outcome")
