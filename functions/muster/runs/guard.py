"""The guard: the limits beyond which a plan waits for approval (I4, I5); `parking` makes it wait. Pure.

A limit is passed by more changes than its floor, and more than its count or its percentage of the
active members. Limits hold per run and per assignment. Deactivating and revoking are always limited,
the other operations only where the settings limit them: a first import creates everyone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.runs.operations import DEACTIVATE, OPERATIONS, REVOKE
from muster.runs.ports import Guarded
from muster.settings import Settings
from muster.settings.sections import Guard

# In counts per assignment, the one of the whole run.
EVERYONE = ""


@dataclass(frozen=True, slots=True)
class Trip:
    """A limit that a plan exceeds; `assignment` is `None` for the limit of the whole run."""

    operation: str
    assignment: str | None
    changes: int
    active: int
    allowed: int

    def text(self) -> str:
        """Return the limit and the count in words."""
        where = f"in assignment {self.assignment}" if self.assignment else "in all"
        return (
            f"{self.operation}: {self.changes:,} of {self.active:,} active members {where},"
            f" where {self.allowed:,} are allowed"
        )


def tripped(items: Iterable[Guarded], active: Mapping[str, int], settings: Settings) -> list[Trip]:
    """Return the limits a plan exceeds; `active` counts active members, per assignment and under `""`."""
    planned: Counter[tuple[str, str]] = Counter()
    for item in items:
        for operation in item.operations:
            planned[operation, EVERYONE] += 1
            assignment = item.former if operation in (DEACTIVATE, REVOKE) else item.assignment
            if assignment:
                planned[operation, assignment] += 1
    trips = []
    for operation in OPERATIONS:
        if not _is_limited(operation, settings.guard):
            continue
        for (counted, where), changes in sorted(planned.items()):
            if counted != operation:
                continue
            allowed = most_allowed(operation, active.get(where, 0), settings.guard)
            if changes > allowed:
                trips.append(Trip(operation, where or None, changes, active.get(where, 0), allowed))
    return trips


def most_allowed(operation: str, active: int, guard: Guard) -> int:
    """Return how many changes of an operation are allowed with this many active members."""
    own = getattr(guard.operations, operation)
    floor, count, percent = (
        getattr(guard, name) if own is None or getattr(own, name) is None else getattr(own, name)
        for name in ("floor", "count", "percent")
    )
    most: int = max(floor, min(count, int(active * percent / 100)))
    return most


def fell_too_far(before: int | None, now: int, guard: Guard) -> bool:
    """Whether a source shows so many fewer users than last time that it cannot be trusted (I4)."""
    return before is not None and before - now > most_allowed(DEACTIVATE, before, guard)


def _is_limited(operation: str, guard: Guard) -> bool:
    return operation in (DEACTIVATE, REVOKE) or getattr(guard.operations, operation) is not None
