"""The metrics that are emitted for alarms and the dashboard after runs and when somebody leaves (N2). Pure.

CloudWatch charges for each hour in which a metric is emitted, and each set of dimensions is a metric of
its own. So metrics for alarms cover the service as a whole, and most metrics of one organization are
emitted only after a run that had something to do: an idle organization costs next to nothing.
`docs/operations.md` lists every metric.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from muster.roster.licence_places import Place
from muster.runs.kinds import IMPORT, PUSH
from muster.runs.run import Kind, Run

# A seat is running out if less than this part of its limit is free: a tenth, kept in whole numbers.
FEW_FREE = 10
# As long as the alarm on it waits: a quiet connection is called once a day.
STALE_H = 26

SILENCE: Mapping[Kind, str] = {IMPORT.name: "HoursSinceLastImport", PUSH.name: "HoursSinceLastPush"}
OUTCOMES: Mapping[Kind, str] = {IMPORT.name: "ImportOutcomes", PUSH.name: "PushOutcomes"}
UNITS: Mapping[str, str] = {
    "RunSeconds": "Seconds",
    "HoursSinceLastGoodCall": "None",
    "AccessEndedSeconds": "Seconds",
    "CredentialsExpireInDays": "None",
    **dict.fromkeys(SILENCE.values(), "None"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Values by metric, and `of`, their dimensions besides `service` and `stack`.

    Without dimensions it is for alarms, which cover all organizations at once. No dimension is a person.
    """

    values: Mapping[str, float]
    of: Mapping[str, str] = field(default_factory=dict)


def silence(
    organization: str, kind: Kind, since: datetime, now: datetime, app: str | None = None
) -> Iterator[Reading]:
    """Yield the hours since a run of this kind last succeeded, for the alarm and for the dashboard.

    `app` is the connection of the app that a push is to; `None`: it is to Vault CRM, or it is an import.
    """
    hours = {SILENCE[kind]: _hours(since, now)}
    yield Reading(hours)
    yield Reading(hours, {"organization": organization} | ({"connection": app} if app else {}))


def good_call(
    organization: str, connection: str, since: datetime, now: datetime, *, is_shown: bool
) -> Iterator[Reading]:
    """Yield the hours since a call of a connection last worked, for the alarm.

    For the dashboard too if it `is_shown`, or if it is longer ago than the alarm lets pass.
    """
    hours = _hours(since, now)
    yield Reading({"HoursSinceLastGoodCall": hours})
    if is_shown or hours > STALE_H:
        of = {"organization": organization, "connection": connection}
        yield Reading({"HoursSinceLastGoodCall": hours}, of)


def connection_failure(organization: str, connection: str) -> Reading:
    """Return that a run's last call of a connection has failed."""
    return Reading({"ConnectionFailures": 1}, {"organization": organization, "connection": connection})


def _hours(since: datetime, now: datetime) -> float:
    return round(max(0.0, (now - since).total_seconds()) / 3600, 2)


def credentials(organization: str, connection: str, days: int) -> Iterator[Reading]:
    """Yield the days until a connection's credentials expire, negative once they have."""
    left = {"CredentialsExpireInDays": days}
    yield Reading(left)
    yield Reading(left, {"organization": organization, "connection": connection})


def seats_running_out(seats: Mapping[str, Mapping[str, int | None]]) -> Reading:
    """Return how many limited seats are running out, from the `seats` of an import's answer (I6)."""
    return Reading({"SeatsRunningOut": sum(map(_is_running_out, seats.values()))})


def _is_running_out(use: Mapping[str, int | None]) -> bool:
    """Whether somebody waits for the seat or will soon: an admin has to know before people go without.

    A seat with limit 0 is closed rather than used up, as long as nobody waits for it.
    """
    limit, held, waiting = use["limit"], use["held"] or 0, use["waiting"] or 0
    if limit is None:
        return False
    return waiting > 0 or (limit - held) * FEW_FREE < limit


def seat_use(organization: str, seats: Mapping[str, Mapping[str, int | None]]) -> Iterator[Reading]:
    """Yield the use of each limited seat; a seat without a limit cannot run out."""
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


def accounts(organization: str, states: Mapping[str, Mapping[str, int]]) -> Iterator[Reading]:
    """Yield how many members have an account in each app, by its state, as the day's snapshot counts them."""
    for app, counts in states.items():
        for state, count in counts.items():
            of = {"organization": organization, "connection": app, "state": state}
            yield Reading({"MemberAccounts": count}, of)


def licence_lines(organization: str, features: Iterable[str], places: Iterable[Place]) -> Iterator[Reading]:
    """Yield how many members wait in line for a licence of each managed feature (G8)."""
    waiting = Counter(place.feature for place in places)
    for feature in features:
        of = {"organization": organization, "feature": feature}
        yield Reading({"LicencesWaiting": waiting[feature]}, of)


def licences_of_nobody(organization: str, number: int, *, is_news: bool) -> Iterator[Reading]:
    """Yield how many users of Vault CRM have a group and are linked to nobody (G10).

    For the alarm, and after a run with news for the dashboard.
    """
    value = {"LicencesOfNobody": number}
    yield Reading(value)
    if is_news:
        yield Reading(value, {"organization": organization})


def access_ended(organization: str, connection: str, seconds: float) -> Iterator[Reading]:
    """Yield how long it took until the account of somebody who left was closed, as the app shows (W10)."""
    value = {"AccessEndedSeconds": seconds}
    yield Reading(value)
    yield Reading(value, {"organization": organization, "connection": connection})


def base_licences(organization: str, left: int) -> Reading:
    """Return how many users can still be made active in Vault CRM, by its own licences."""
    return Reading({"BaseLicencesLeft": left}, {"organization": organization})


def outcomes(run: Run) -> Iterator[Reading]:
    """Yield the count of each outcome of a run that ended."""
    for outcome, count in run.counts.items():
        if count and run.kind in OUTCOMES:
            of = {"organization": run.organization, "outcome": outcome}
            of |= {"connection": run.app} if run.app else {}
            yield Reading({OUTCOMES[run.kind]: count}, of)


def duration(run: Run) -> Iterator[Reading]:
    """Yield the seconds from gathering to the end of a run; it gathers anew after having been parked."""
    if run.finished_at is None:
        return
    began = datetime.fromisoformat(run.gathered_at or run.started_at)
    seconds = (datetime.fromisoformat(run.finished_at) - began).total_seconds()
    yield Reading({"RunSeconds": max(0.0, seconds)}, {"kind": run.kind})


def had_work(run: Run) -> bool:
    """Whether a run had something to do, or was the daily one that evaluates everyone."""
    return run.mode == "full" or any(run.counts.values())
