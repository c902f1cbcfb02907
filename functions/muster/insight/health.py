"""How an organization is: what is broken, what waits for a word, what is about to run out, worst first (Q3).

Pure: `gathering_health` reads what this is worked out from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from muster.checks import Check, Result
from muster.connections import quarantine
from muster.connections.quarantine import Health
from muster.engage.push_items import VAULT_CRM
from muster.insight import app_findings, run_summaries
from muster.insight.findings import Finding as Finding
from muster.insight.findings import Level as Level
from muster.presentation import left_out, words
from muster.presentation.lines import counted
from muster.pushes.blocked import blocked_by
from muster.roster.member import Json
from muster.roster.seats import Pool
from muster.runs.import_state import ImportState
from muster.runs.kinds import IMPORT, PUSH, SCHEDULED, YOU, kind_of, push_to
from muster.runs.reasons import Trip
from muster.runs.run import Run, Status
from muster.settings import Settings
from muster.settings.mappings import pushed_to

# Schedules run every quarter of an hour. After this long somebody should look; the alarm waits for a day.
OVERDUE = timedelta(hours=3)
SILENT = timedelta(hours=26)
# A seat is about to run out if less than a tenth is free, as for the alarm.
_FEW_FREE = 10
# A webhook that is quiet for this long is worth a look where people work every day.
_QUIET = timedelta(days=3)
_CHECKS_NAMED = 5
_VAULT_CRM = "vault_crm"
# As for the alarm: a quiet connection is called once a day.
_STALE_H = 26


@dataclass(frozen=True, slots=True)
class Queues:
    """How many messages wait, of all organizations: changes, and what was given up of what."""

    changes: int = 0
    changes_given_up: int = 0
    starts_given_up: int = 0
    events_given_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that health is worked out from.

    `runs` are the latest, newest first. `succeeded` is when a run of each kind, or a push to each app (by the
    name of its connection), last did, `None` if none has since the settings in force were `saved`. `checks`
    are preflight's, by connection, and `push_checks` the failed ones that a push depends on; `None`: not
    asked. `errors` counts open entries of the error log by code, `in_apps` those about accounts, by app and
    code. `due` is how many people the next push to Vault CRM looks at, `due_in` those to apps, and `anew` are
    the apps where it looks at everybody. `push_trips` are the limits of the guard that a push to Vault CRM
    would exceed, as far as the roster knows, `waiting` is how many wait for a licence by feature.
    `message_at` is when Salesforce last sent a message.
    """

    now: datetime
    settings: Settings
    saved: datetime
    state: ImportState
    runs: Sequence[Run]
    succeeded: Mapping[str, datetime | None]
    connections: Mapping[str, Health]
    checks: Sequence[tuple[str, Check]] | None = None
    push_checks: Sequence[Check] = ()
    pools: Mapping[str, Pool]
    waiting: Mapping[str, int]
    errors: Mapping[str, int]
    queues: Queues
    message_at: datetime | None = None
    due: int = 0
    due_in: Mapping[str, int] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    in_apps: Mapping[tuple[str, str], int] = field(default_factory=dict)
    push_trips: Sequence[Trip] = ()
    left_out: Mapping[str, int]


def findings(facts: Facts) -> list[Finding]:
    """Return what there is to know, worst first."""
    found = [finding for each in _EACH for finding in each(facts)]
    return sorted(found, key=lambda finding: list(Level).index(finding.level))


def push_sentence(facts: Facts) -> str:
    """Return in one sentence whether it is safe to push now, and how many people that is about."""
    pushed = pushed_to(facts.settings)
    if not pushed:
        return "Nothing is pushed: connections.vault_crm.manage_features names no feature."
    left_alone = {
        name: _state_in_words(name, health)
        for name, health in facts.connections.items()
        if name in pushed and (health.quarantined or health.in_maintenance)
    }
    blocks: list[str] = []
    if _VAULT_CRM in left_alone or len(left_alone) == len(pushed):
        # Of those that are pushed to, others may be reached.
        blocks += left_alone.values()
        left_alone = {}
    if facts.push_checks:
        blocks.append(f"a push is {blocked_by(facts.push_checks, VAULT_CRM)}")
    at_work = next((run for run in facts.runs if run.status is Status.RUNNING), None)
    if at_work:
        blocks.append(f"run {at_work.id} is at work")
    if blocks:
        return f"Do not push now: {'; '.join(blocks)}."
    asking = "Vault CRM" if _VAULT_CRM in pushed else "the apps"
    unread = f" as far as is known without asking {asking}" if facts.checks is None else ""
    who = _who_is_due(facts, pushed)
    but = "".join(f" But {each}." for each in left_alone.values())
    if facts.push_trips:
        limits = "; ".join(trip.text() for trip in facts.push_trips)
        return f"A push now would wait for approval: {limits} ({who}, nothing else blocks{unread}).{but}"
    return f"It is safe to push now: {who}, nothing blocks{unread}.{but}"


def _who_is_due(facts: Facts, pushed: Sequence[str]) -> str:
    parts = [_people(facts.due)] if facts.due and _VAULT_CRM in pushed else []
    for app in pushed:
        called = words.connection(app)
        if app in facts.anew:
            parts.append(f"everybody in {called} (it was not pushed with these settings yet)")
        elif count := facts.due_in.get(app):
            parts.append(f"{_people(count)} in {called}")
    return ", ".join(parts) or "nobody is due"


def in_words(facts: Facts, found: Sequence[Finding]) -> str:
    """Return the news: the worst finding and how many there are, and whether it is safe to push."""
    bad = [finding for finding in found if finding.level is not Level.KNOWN]
    if not bad:
        news = "All is well."
    elif len(bad) == 1:
        news = f"One thing to look at: {bad[0].what}"
    else:
        news = f"{len(bad)} things to look at, first: {bad[0].what}"
    return f"{news} {push_sentence(facts)}"


# ── Runs ─────────────────────────────────────────────────────────────────────────────────────────────


def _runs(facts: Facts) -> Iterator[Finding]:
    for run in facts.runs:
        if run.status is Status.PARKED and not run_summaries.is_too_late(run, facts.now):
            step, *_ = run_summaries.next_steps(run, None, facts.now)
            until = words.moment(run.expires_at)
            what = f"{kind_of(run).one.capitalize()} waits for a word: run {run.id}, until {until} UTC."
            yield Finding(Level.WAITS, what, step["what"], step["function"], step["event"])
        elif run.status is Status.RUNNING:
            yield Finding(
                Level.KNOWN,
                f"{kind_of(run).one.capitalize()} is at work: run {run.id}. {run_summaries.progress(run)}",
            )
    latest: dict[tuple[str, str | None], Run] = {}
    for run in facts.runs:
        if run.status.ended and run.kind in (each.name for each in SCHEDULED):
            latest.setdefault((run.kind, run.app), run)
    for (kind, app), run in latest.items():
        if run.status is Status.FAILED and (app is None or app in pushed_to(facts.settings)):
            called = _called(kind, app)
            what = f"The last {called} failed: run {run.id}. {(run.message or '').removesuffix('.')}."
            yield Finding(Level.BROKEN, what, "Correct what it names; the next one starts anew.")


def _silence(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.scheduled:
        what = "Schedules import nothing: auto_provision.enabled is off, or Salesforce is not connected."
        yield Finding(Level.KNOWN, what)
        return
    pushed = [(None if name == _VAULT_CRM else name) for name in pushed_to(facts.settings)]
    for kind, app in ((IMPORT, None), *((PUSH if app is None else push_to(app), app) for app in pushed)):
        last = facts.succeeded.get(app or kind.name)
        silent = facts.now - (last or facts.saved)
        if silent < OVERDUE:
            continue
        hours = round(silent.total_seconds() / 3600)
        called = _called(kind.name, app)
        what = f"No {called} has succeeded {'for' if last else 'yet, in'} {hours:,} hours."
        event: Json = {"organization": facts.settings.organization, "by": YOU, **kind.begun_with}
        level = Level.BROKEN if silent >= SILENT else Level.SOON
        remedy = "Start one by hand and read the answer; look whether the schedules are enabled."
        yield Finding(level, what, remedy, kind.function, event)


def _called(kind: str, app: str | None) -> str:
    return f"{kind} to {words.connection(app)}" if app else kind


# ── Connections ──────────────────────────────────────────────────────────────────────────────────────


def _connections(facts: Facts) -> Iterator[Finding]:
    for name, health in facts.connections.items():
        if health.quarantined:
            remedy = "Correct it, then start an import or a push by hand, which tries at once."
            if health.reason == "password":
                what = "a token" if _is_app(name) else "a password"
                remedy = f"Store {what} that is right in the secret, or ask with retry_login (push)."
            yield Finding(Level.BROKEN, _sentence(_state_in_words(name, health)), remedy)
        elif health.in_maintenance:
            yield Finding(Level.KNOWN, _sentence(_state_in_words(name, health)))
        elif health.last_good and (quiet := _hours_since(health.last_good, facts.now)) > _STALE_H:
            what = f"No call of {words.connection(name)} has worked for {quiet:,} hours."
            yield _see_checks(facts, Level.BROKEN, what)


def _state_in_words(name: str, health: Health) -> str:
    called = words.connection(name)
    if health.reason == "password":
        what = "token" if _is_app(name) else "password"
        return f"the {what} of {called} was refused, and is not sent again (since {health.since})"
    return quarantine.waiting(called, health).removesuffix(".")


def _is_app(name: str) -> bool:
    return "." in name


def _hours_since(at: str, now: datetime) -> int:
    return int((now - datetime.fromisoformat(at)).total_seconds() // 3600)


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _checks(facts: Facts) -> Iterator[Finding]:
    for result, level in ((Result.FAILED, Level.BROKEN), (Result.WARNING, Level.SOON)):
        found = [each for each in facts.checks or () if each[1].result is result]
        for name, check in found[:_CHECKS_NAMED]:
            yield Finding(level, f"{words.connection(name)}, {check.check}: {check.found}", check.remedy)
        if len(found) > _CHECKS_NAMED:
            yield _see_checks(facts, level, f"{len(found) - _CHECKS_NAMED:,} more checks like these.")
    unknown = [name for name, check in facts.checks or () if check.result is Result.COULD_NOT_CHECK]
    if unknown:
        of = ", ".join(words.connection(name) for name in dict.fromkeys(unknown))
        could_not = f"{counted(len(unknown), 'check')} of {of} could not be made."
        yield _see_checks(facts, Level.SOON, could_not)


def _see_checks(facts: Facts, level: Level, what: str) -> Finding:
    event = {"organization": facts.settings.organization}
    return Finding(level, what, "See them all.", "PreflightFunction", event)


def _webhook(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.auto_provision.enabled:
        return
    event = {"organization": facts.settings.organization, "action": "status"}
    if facts.message_at is None:
        what = "Salesforce has not sent a message yet: changes come with imports only."
        yield Finding(Level.SOON, what, "See which link is missing.", "WebhookSetupFunction", event)
    elif facts.now - facts.message_at > _QUIET:
        days = (facts.now - facts.message_at).days
        what = f"Salesforce has sent no message for {days:,} days."
        yield Finding(Level.SOON, what, "See whether a link is broken.", "WebhookSetupFunction", event)


def _queues(facts: Facts) -> Iterator[Finding]:
    yield from of_queues(facts.queues)


def of_queues(queues: Queues) -> Iterator[Finding]:
    """Yield what there is to know of the stack's queues, which belong to no organization."""
    if queues.changes_given_up:
        given_up = counted(queues.changes_given_up, "message")
        what = f"{given_up} could not be applied (of all organizations of this stack)."
        yield Finding(
            Level.BROKEN, what, "docs/operations.md, ChangesInDeadLetterQueueAlarm: try them again."
        )
    if queues.starts_given_up:
        what = f"{counted(queues.starts_given_up, 'scheduled start')} did not happen (of all organizations)."
        remedy = "See ScheduleDeadLettersAlarm in docs/operations.md."
        yield Finding(Level.BROKEN, what, remedy)
    if queues.events_given_up:
        given_up = counted(queues.events_given_up, "time")
        what = f"Changes of members were not told on the event bus, {given_up} (of all organizations)."
        remedy = "See MemberEventsGivenUpAlarm in docs/operations.md: send them again with resend_events."
        yield Finding(Level.BROKEN, what, remedy)
    if queues.changes:
        waiting = counted(queues.changes, "message")
        what = f"{waiting} on the queue (of all organizations): what they say is not in the roster yet."
        yield Finding(Level.KNOWN, what)


# ── People, seats and licences ───────────────────────────────────────────────────────────────────────


def _errors(facts: Facts) -> Iterator[Finding]:
    event = {"organization": facts.settings.organization, "action": "errors"}
    held = sum(count for code, count in facts.errors.items() if code.startswith("held_"))
    if held:
        what = f"{_people(held)} held at the door: messages would take more from them than the guard allows."
        yield Finding(Level.WAITS, what, "The next import parks; look at its plan.", _QUERY, event)
    others = {
        code: count
        for code, count in facts.errors.items()
        if not code.startswith("held_") and code not in app_findings.TOLD
    }
    if others:
        most = sorted(others.items(), key=lambda each: (-each[1], each[0]))[:_CHECKS_NAMED]
        worst = ", ".join(f"{count:,} {words.spaced(code)}" for code, count in most)
        yield Finding(
            Level.SOON,
            f"{counted(sum(others.values()), 'open error')}: {worst}.",
            "Read what to do.",
            _QUERY,
            event,
        )


def _accounts(facts: Facts) -> Iterator[Finding]:
    due = {**facts.due_in, **dict.fromkeys(facts.anew)}
    yield from app_findings.findings(facts.settings, facts.in_apps, facts.succeeded, due)


def _seats(facts: Facts) -> Iterator[Finding]:
    event = {"organization": facts.settings.organization, "action": "seats"}
    for name, seat in facts.settings.seats.items():
        pool = facts.pools.get(name, Pool())
        if seat.limit is None or (not pool.waiting and (seat.limit - pool.used) * _FEW_FREE >= seat.limit):
            continue
        waits = f"; {_people(pool.waiting)} in line" if pool.waiting else ""
        what = f"Seat {name}: {pool.used:,} of {seat.limit:,} held{waits}."
        yield Finding(Level.SOON, what, "Buy more, or see who holds one.", _QUERY, event)


def _licences(facts: Facts) -> Iterator[Finding]:
    for feature, count in facts.waiting.items():
        if count:
            what = f"{_people(count)} in line for a licence of {words.FEATURES[feature]}."
            yield Finding(Level.SOON, what, "Add licences to the group in Vault CRM, or take some back.")


def _left_out(facts: Facts) -> Iterator[Finding]:
    if said := left_out.in_words(facts.left_out, "people"):
        yield Finding(Level.KNOWN, f"By the last import of everyone, {said}.")


def _people(count: int) -> str:
    return counted(count, "person", "people")


_QUERY = "RosterQueryFunction"
_EACH = (
    *(_queues, _connections, _runs, _silence, _checks, _errors, _accounts),
    *(_seats, _licences, _webhook, _left_out),
)
