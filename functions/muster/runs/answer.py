"""What a function answers about a run: a type that says how it came out, and its JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from muster.errors import Problem


class Ended(StrEnum):
    """How the work on a run came out; metrics and alarms go by this."""

    APPLIED = "applied"
    PREVIEWED = "previewed"
    PARKED = "parked"
    REJECTED = "rejected"
    CONTINUED = "continued"
    SKIPPED = "skipped"
    STARTED = "started"
    # Others are gone on with all the same; else a failure is raised.
    FAILED = "failed"


_STATUS = {
    Ended.PARKED: "parked",
    Ended.CONTINUED: "continue",
    Ended.SKIPPED: "skipped",
    Ended.STARTED: "started",
    Ended.FAILED: "failed",
}

# Per seat its limit, and how many hold it and wait for it (I6).
type SeatUse = Mapping[str, Mapping[str, int | None]]
# Per reason, how many are not active members and who comes first: `{count, first}` (A4).
type LeftOut = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """What an answer shows of a plan: its first changes, warnings, its use of seats, and who is left out.

    `tally` has how many join by assignment, leave by reason, and change by attribute.
    """

    changes: Sequence[Mapping[str, Any]] = ()
    tally: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seats: SeatUse | None = None
    left_out: LeftOut | None = None
    warnings: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """The answer about one run.

    `errors` counts what an admin has to look at, `counts` the changes per outcome. `is_news` is false for a
    parked plan that was waiting already. `details` are the keys that only some answers have.
    """

    ended: Ended
    message: str
    run_id: str | None = None
    mode: str | None = None
    errors: int = 0
    counts: Mapping[str, int] | None = None
    seats: SeatUse | None = None
    left_out: LeftOut | None = None
    is_news: bool = True
    warnings: Sequence[Problem] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The answer's status, as every admin function has one."""
        return _STATUS.get(self.ended) or ("succeeded_with_errors" if self.errors else "succeeded")

    def to_json(self) -> dict[str, Any]:
        """Return the answer as it is published; keys without a value are left out."""
        known = {name: getattr(self, name) for name in ("run_id", "mode", "counts", "left_out", "seats")}
        return {
            "status": self.status,
            "ended": self.ended,
            **{key: value for key, value in known.items() if value is not None},
            **({"warnings": [asdict(each) for each in self.warnings]} if self.warnings else {}),
            **self.details,
            "message": self.message,
        }
