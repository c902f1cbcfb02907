"""The guard: the limits beyond which a plan waits for approval (I4, I5); `parking` makes it wait. Pure.

A limit is passed by more changes than its floor, and more than its count or its percentage of the
active members. Limits hold per run and per assignment. Deactivating and revoking are always limited,
the other operations only where the settings limit them: a first import creates everyone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from muster.runs.operations import CREATE, DEACTIVATE, OPERATIONS, REVOKE
from muster.runs.ports import Guarded
from muster.runs.reasons import Rule, Trip
from muster.settings import Settings
from muster.settings.sections import Guard

# In counts per assignment, the one of the whole run.
EVERYONE = ""
_LIMITS = ("floor", "count", "percent")


def untried(items: Iterable[Guarded], settings: Settings) -> list[Rule]:
    """Return why a plan waits that is made by filters nobody has tried: it lets in more than the floor."""
    created = sum(CREATE in item.operations for item in items)
    allowed = _limits(CREATE, settings.guard)[0]
    if created <= allowed:
        return []
    return [
        Rule(
            f"{CREATE}: {created:,} new members, where {allowed:,} are allowed: what the settings name could"
            " not be tried when they were saved"
        )
    ]


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
    floor, count, percent = _limits(operation, guard)
    return max(floor, min(count, int(active * percent / 100)))


def fell_too_far(before: int | None, now: int, guard: Guard) -> bool:
    """Whether a source shows so many fewer users than last time that it cannot be trusted (I4)."""
    return before is not None and before - now > most_allowed(DEACTIVATE, before, guard)


def _limits(operation: str, guard: Guard) -> tuple[int, int, float]:
    """Return floor, count and percentage of an operation: its own, or the general ones."""
    own = getattr(guard.operations, operation)
    floor, count, percent = (
        getattr(guard, name) if own is None or getattr(own, name) is None else getattr(own, name)
        for name in _LIMITS
    )
    return floor, count, percent


def loosened(before: Guard, after: Guard) -> list[str]:
    """Return what a change of the limits lets pass that waited before, in words (I5)."""
    found = []
    for operation in OPERATIONS:
        if not _is_limited(operation, before):
            continue
        if not _is_limited(operation, after):
            found.append(f"guard.operations.{operation} is taken out: {operation} is no longer limited")
            continue
        limits = zip(_LIMITS, _limits(operation, before), _limits(operation, after), strict=True)
        raised = [f"{name} from {_said(was)} to {_said(now)}" for name, was, now in limits if now > was]
        if raised:
            found.append(f"guard: {operation} is allowed more: {', '.join(raised)}")
    if before.second_person and not after.second_person:
        found.append("guard.second_person is switched off: who starts a run may approve it")
    return found


def _said(limit: float) -> str:
    return f"{limit:,}".removesuffix(".0")


def _is_limited(operation: str, guard: Guard) -> bool:
    return operation in (DEACTIVATE, REVOKE) or getattr(guard.operations, operation) is not None
