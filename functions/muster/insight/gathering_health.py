"""Gather how an organization is, asking its systems too if wanted, and answer it worst first (Q3, Q5).

What it costs: some twenty reads of the table, one for each hundred members who are due or whom an error
names, four of queues, and what preflight calls.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched

from muster.checks import Check
from muster.connections.ports import HealthStore
from muster.connections.quarantine import Health
from muster.engage import push_plan
from muster.engage.expected_losses import expected_losses
from muster.insight import health, listing_errors
from muster.insight.health import Facts, Queues
from muster.insight.ports import QueueCounts, Received
from muster.provisioning import account_errors, app_state
from muster.provisioning.ports import AppStates
from muster.roster import accounts, end_dates
from muster.roster.member import Json
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster, RosterViews
from muster.runs import guard
from muster.runs.kinds import PUSH, RunKind
from muster.runs.ports import Runs
from muster.runs.run import Run, Status
from muster.settings.mappings import pushed_features
from muster.settings.versions import StoredSettings
from muster.times import timestamp

# Two days of imports and pushes; what matters of older ones is in the import state.
_RUNS_LOOKED_AT = 400
_RUNS_A_QUERY = 100
# Of whom the next push looks at; more than these lose a group in no push that need not wait anyway.
_DUE_LOOKED_AT = 5_000
_DONE = frozenset({Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS})


@dataclass(frozen=True, slots=True)
class Sources:
    """Where health is looked up.

    `checks` asks the connections what preflight asks, and `push_checks` what a push depends on.
    """

    views: RosterViews
    roster: Roster
    runs: Runs
    health: HealthStore
    queues: QueueCounts
    received: Received
    apps: AppStates
    checks: Callable[[], Sequence[tuple[str, Check]]]
    push_checks: Callable[[], Sequence[Check]]


def show_health(sources: Sources, stored: StoredSettings, now: datetime, *, live: bool) -> Json:
    """Return how the organization is: `{message, healthy, push, findings, checks}`.

    With `live`, its connections are asked; without, `checks` is `None` and what they would say is left out.
    """
    facts = gathered(sources, stored, now, live=live)
    found = health.findings(facts)
    counts = Counter(str(check.result) for _, check in facts.checks or ())
    return {
        "message": health.in_words(facts, found),
        "healthy": all(finding.level is health.Level.KNOWN for finding in found),
        "push": health.push_sentence(facts),
        "findings": [finding.shown() for finding in found],
        "checks": None if facts.checks is None else dict(counts),
    }


def gathered(sources: Sources, stored: StoredSettings, now: datetime, *, live: bool) -> Facts:
    """Return all that is known of the organization's health."""
    settings, organization = stored.settings, stored.organization
    state = sources.runs.state(organization)
    runs = _runs(sources.runs, organization)
    lines, _ = sources.roster.licence_lines(organization)
    day = max(end_dates.today(now, settings.time_zone), now.astimezone(UTC).date())
    errors = listing_errors.list_errors(
        listing_errors.Sources(sources.views, sources.roster, sources.runs, settings),
        organization,
        listing_errors.MOST_READ,
        None,
        "open",
    )
    full = sources.runs.run(organization, state.full_run) if state.full_run else None
    message_at = sources.received.received_at(organization)
    apps = [app for app, _ in settings.connections.targets()]
    listed = dict(sources.roster.due(organization, day))
    due = [member for member, what in listed.items() if push_plan.is_due(what, settings, now)]
    due_in_apps = [member for member, what in listed.items() if what.what & {*apps}]
    looked_at = sources.roster.members(organization, due[:_DUE_LOOKED_AT]).values()
    losses = expected_losses(looked_at, settings, end_dates.today(now, settings.time_zone))
    return Facts(
        now=now,
        settings=settings,
        saved=datetime.fromisoformat(stored.at),
        state=state,
        runs=runs,
        succeeded={
            "import": datetime.fromisoformat(state.completed_at) if state.completed_at else None,
            "push": _last_success(runs, PUSH),
            **{app: _last_success(runs, PUSH, app) for app in apps},
        },
        connections={
            name: Health(**sources.health.health(organization, name))
            for name, _ in settings.connections.each()
        },
        checks=sources.checks() if live else None,
        push_checks=sources.push_checks() if live and pushed_features(settings) else (),
        pools=sources.roster.pools(organization, settings.seats),
        waiting=Counter(place.feature for _, place in lines),
        errors=Counter(entry["code"] for entry in errors["log"]),
        in_apps=Counter(
            (entry["system"], entry["code"])
            for entry in errors["log"]
            if entry["code"] in account_errors.CODES
        ),
        queues=Queues(
            sources.queues.changes(),
            sources.queues.changes_given_up(),
            sources.queues.starts_given_up(),
            sources.queues.events_given_up(),
        ),
        message_at=datetime.fromisoformat(message_at) if message_at else None,
        due=len(due),
        due_in=_due_in(sources.roster, organization, due_in_apps[:_DUE_LOOKED_AT], apps, now),
        anew=frozenset(
            app
            for app, connection in settings.connections.targets()
            if sources.apps.state(organization, app).decided_with != app_state.digest(settings, connection)
        ),
        push_trips=guard.tripped(losses, state.active, settings),
        left_out=full.left_out if full else {},
    )


def _runs(runs: Runs, organization: str) -> list[Run]:
    found: list[Run] = []
    cursor: str | None = None
    while len(found) < _RUNS_LOOKED_AT:
        some, cursor = runs.runs(organization, _RUNS_A_QUERY, cursor)
        found += some
        if cursor is None:
            break
    return found


def _due_in(
    roster: Roster, organization: str, due: Sequence[str], apps: Sequence[str], now: datetime
) -> Counter[str]:
    """Return how many of these members the next push to each app looks at."""
    found: Counter[str] = Counter()
    for some in batched(due, LOOKED_UP_AT_ONCE, strict=False):
        for member in roster.members(organization, some).values():
            found.update(
                app
                for app in apps
                if accounts.is_due(member.accounts, member.changed_for, app, timestamp(now))
            )
    return found


def _last_success(runs: Sequence[Run], kind: RunKind, app: str | None = None) -> datetime | None:
    of_kind = (run for run in runs if run.kind == kind.name and run.app == app)
    latest = next((run for run in of_kind if run.status in _DONE), None)
    return datetime.fromisoformat(latest.finished_at or latest.started_at) if latest else None
