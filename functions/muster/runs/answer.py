"""What a function answers about a run: a type that says how it came out, and its JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from muster.runs.run import Mode


class Ended(StrEnum):
    """How the work on a run came out; metrics and alarms go by this."""

    APPLIED = "applied"
    PREVIEWED = "previewed"
    PARKED = "parked"
    REJECTED = "rejected"
    CONTINUED = "continued"
    SKIPPED = "skipped"
    STARTED = "started"


_STATUS = {
    Ended.PARKED: "parked",
    Ended.CONTINUED: "continue",
    Ended.SKIPPED: "skipped",
    Ended.STARTED: "started",
}

# Per seat its limit, and how many hold it and wait for it (I6).
type SeatUse = Mapping[str, Mapping[str, int | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """What an answer shows of a plan: its first changes, and the use of seats where the plan moves any."""

    changes: Sequence[Mapping[str, Any]] = ()
    seats: SeatUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """The answer about one run.

    `errors` counts what an admin has to look at, `counts` the changes per outcome. `is_news` is false for a
    parked plan that was waiting already. `details` are the keys that only some answers have.
    """

    ended: Ended
    message: str
    run_id: str | None = None
    mode: Mode | None = None
    errors: int = 0
    counts: Mapping[str, int] | None = None
    seats: SeatUse | None = None
    is_news: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The answer's status, as every admin function has one."""
        return _STATUS.get(self.ended) or ("succeeded_with_errors" if self.errors else "succeeded")

    def to_json(self) -> dict[str, Any]:
        """Return the answer as it is published; keys without a value are left out."""
        known = {"run_id": self.run_id, "mode": self.mode, "counts": self.counts, "seats": self.seats}
        return {
            "status": self.status,
            "ended": self.ended,
            **{key: value for key, value in known.items() if value is not None},
            **self.details,
            "message": self.message,
        }
