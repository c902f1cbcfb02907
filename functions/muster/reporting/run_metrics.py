"""What alarms and the dashboard are told of an organization after a run (N2). Pure.

CloudWatch charges for each metric by the hour in which it is told, and each set of dimensions is a metric
of its own. So what alarms need is told for the service as a whole, and what the dashboard shows of one
organization only after a run that had something to do: an idle organization costs next to nothing.
`docs/operations.md` lists every metric.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from muster.roster.licence_places import Place
from muster.runs.run import Kind, Run

# Fewer free seats than this part of a limit are few. It is a tenth, kept in whole numbers.
FEW_FREE = 10

SILENCE: Mapping[Kind, str] = {"import": "HoursSinceLastImport", "push": "HoursSinceLastPush"}
OUTCOMES: Mapping[Kind, str] = {"import": "ImportOutcomes", "push": "PushOutcomes"}
UNITS: Mapping[str, str] = {
    "RunSeconds": "Seconds",
    "CredentialsExpireInDays": "None",
    **dict.fromkeys(SILENCE.values(), "None"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Values by metric, and the dimensions beside `service` they are told under.

    Without any it is for alarms, which look at all organizations at once. No dimension is a person.
    """

    values: Mapping[str, float]
    of: Mapping[str, str] = field(default_factory=dict)


def silence(organization: str, kind: Kind, since: datetime, now: datetime) -> Iterator[Reading]:
    """Yield the hours since a run of this kind succeeded last, for the alarm and for the dashboard."""
    hours = {SILENCE[kind]: round(max(0.0, (now - since).total_seconds()) / 3600, 2)}
    yield Reading(hours)
    yield Reading(hours, {"organization": organization})


def credentials(organization: str, connection: str, days: int) -> Iterator[Reading]:
    """Yield the days until a connection's credentials end, negative once they have."""
    left = {"CredentialsExpireInDays": days}
    yield Reading(left)
    yield Reading(left, {"organization": organization, "connection": connection})


def seats_running_out(seats: Mapping[str, Mapping[str, int | None]]) -> Reading:
    """Return how many limited seats are running out, from what an import answers of them (I6)."""
    return Reading({"SeatsRunningOut": sum(map(_is_running_out, seats.values()))})


def _is_running_out(use: Mapping[str, int | None]) -> bool:
    """Tell whether somebody waits, or will soon: before people are left without, an admin has to know.

    A seat limited to 0 is closed rather than used up, as long as nobody waits for it.
    """
    limit, held, waiting = use["limit"], use["held"] or 0, use["waiting"] or 0
    if limit is None:
        return False
    return waiting > 0 or (limit - held) * FEW_FREE < limit


def seat_use(organization: str, seats: Mapping[str, Mapping[str, int | None]]) -> Iterator[Reading]:
    """Yield how each limited seat is used; of one without a limit there is nothing to run out."""
    for name, use in seats.items():
        limit, held = use["limit"], use["held"] or 0
        if limit is None:
            continue
        values = {
            "SeatLimit": limit,
            "SeatsHeld": held,
            "SeatsFree": max(0, limit - held),
            "SeatsWaiting": use["waiting"] or 0,
        }
        yield Reading(values, {"organization": organization, "seat": name})


def roster(organization: str, active: int) -> Reading:
    """Return how many active members there are."""
    return Reading({"MembersActive": active}, {"organization": organization})


def licence_lines(organization: str, features: Iterable[str], places: Iterable[Place]) -> Iterator[Reading]:
    """Yield how many places in line there are for each managed feature's licences (G8)."""
    waiting = Counter(place.feature for place in places)
    for feature in features:
        of = {"organization": organization, "feature": feature}
        yield Reading({"LicencesWaiting": waiting[feature]}, of)


def outcomes(run: Run) -> Iterator[Reading]:
    """Yield what became of how many in a run that ended."""
    for outcome, count in run.counts.items():
        if count and run.kind in OUTCOMES:
            of = {"organization": run.organization, "outcome": outcome}
            yield Reading({OUTCOMES[run.kind]: count}, of)


def duration(run: Run) -> Iterator[Reading]:
    """Yield how long a run took that ended; while it was parked, nobody worked on it."""
    if run.finished_at is None:
        return
    began = datetime.fromisoformat(run.gathered_at or run.started_at)
    seconds = (datetime.fromisoformat(run.finished_at) - began).total_seconds()
    yield Reading({"RunSeconds": max(0.0, seconds)}, {"kind": run.kind})


def had_work(run: Run) -> bool:
    """Tell whether a run had something to do, or was the daily one that looks at everyone."""
    return run.mode == "full" or any(run.counts.values())
