"""Entries for the error log about Align: requests and records, and Align as a whole (G9, I8). Pure."""

from collections.abc import Iterable

from muster.checks import Check
from muster.crm.engage_features import ALIGN
from muster.engage.align_records import AlignRecord
from muster.error_log import LogEntry, entry_of, what_to_do
from muster.errors import Misconfigured, MusterError, Problem
from muster.roster.member import Member

MEMBER_UNKNOWN = "align_member_unknown"
REQUEST_REFUSED = "align_request_refused"
NOT_WRITTEN = "align_not_written"
NOT_REACHED = "align_not_reached"
# The notification of entries about records: one record, saved once, makes one entry however many runs.
_OF_A_RECORD = "align"


def about(record: AlignRecord, code: str, problem: Problem, member: Member | None = None) -> LogEntry:
    """Return the entry about one record, and the member it was for."""
    return entry_of(
        problem,
        at=record.modified,
        system=ALIGN,
        code=code,
        notification=_OF_A_RECORD,
        record=record.id,
        member=member.id if member else None,
    )


def not_reached(error: MusterError, at: str, run: str) -> LogEntry:
    """Return the entry of a run that could not use Align; `at` is now (ISO 8601)."""
    remedy = (
        f"{what_to_do(error)}. Vault CRM was served all the same; the next run takes over what is asked"
        " for in Align, and updates what Align has missed."
    )
    return entry_of(
        Problem("connections.align:", str(error), remedy),
        at=at,
        system=ALIGN,
        code=NOT_REACHED,
        notification=run,
    )


def blocked_by(checks: Iterable[Check]) -> Misconfigured:
    """Return the error of an Align whose integration user is not as it has to be (U6)."""
    failed = [f"{check.check}: {check.found} ({check.remedy.removesuffix('.')})" for check in checks]
    return Misconfigured(f"nothing was taken over or written, because checks failed: {'; '.join(failed)}")
