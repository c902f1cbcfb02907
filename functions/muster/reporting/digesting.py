"""Tell in the morning what happened, what needs somebody and what ends soon: one mail a stack (N2).

Nothing outside AWS is asked, and the mail costs some thirty reads of the table for each organization.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.connections.credential_expiry import WARNING_DAYS, days_left
from muster.connections.ports import HealthStore, Secrets
from muster.errors import MusterError
from muster.insight import gathering_health, health, listing_changes
from muster.insight.health import Level, Queues
from muster.insight.ports import Journal, QueueCounts, Received, RunLog, SettingsLog
from muster.presentation import digest, words
from muster.presentation.lines import counted
from muster.provisioning.ports import AppStates
from muster.reporting.ports import DigestNote, SettingsStore, Topic
from muster.roster import end_dates
from muster.roster.member import Json
from muster.roster.ports import Roster, RosterViews
from muster.settings import Settings
from muster.settings.versions import StoredSettings
from muster.times import timestamp

# A table of settings answers so many organizations at a time.
_PAGE = 100
# Ends that are this near are told every morning.
SOON = timedelta(days=7)


class _NoQueues:
    """The stack's queues, which belong to no organization: they are told once, beside them."""

    def changes(self) -> int:
        return 0

    def changes_given_up(self) -> int:
        return 0

    def starts_given_up(self) -> int:
        return 0

    def events_given_up(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the digest is looked up, and where the mail says to look further."""

    settings: SettingsStore
    versions: SettingsLog
    journal: Journal
    views: RosterViews
    roster: Roster
    runs: RunLog
    health: HealthStore
    received: Received
    apps: AppStates
    queues: QueueCounts
    secrets: Callable[[str], Secrets]
    stack: str
    dashboard: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it is mailed, and how many organizations there was no time for."""

    subject: str
    text: str
    unseen: int


def send(
    sources: Sources,
    note: DigestNote,
    topic: Topic,
    scheduled: datetime,
    now: datetime,
    has_time: Callable[[], bool],
) -> Digest | None:
    """Send the digest of the day that ends at `scheduled`; `None`: it was sent before.

    Raises `Unavailable` while another invocation sends it, and what the topic raises.
    """
    since = note.take(scheduled, now)
    if since is None:
        return None
    try:
        found = make(sources, since, scheduled, now, has_time)
        topic.publish(found.subject, found.text)
    except MusterError:
        note.not_sent()
        raise
    note.sent()
    return found


def make(
    sources: Sources, since: datetime, until: datetime, now: datetime, has_time: Callable[[], bool]
) -> Digest:
    """Return the digest of a period; one organization that cannot be looked at stops no other."""
    told: list[Json] = [_of_the_stack(sources)]
    unseen: list[str] = []
    period = timestamp(since), timestamp(until)
    for organization in _organizations(sources.settings):
        if not has_time():
            unseen.append(organization)
            continue
        try:
            stored = sources.settings.current(organization)
            told += [_of(sources, stored, period, now)] if stored else []
        except MusterError as error:
            told.append(_not_looked_at(organization, error))
    return Digest(
        digest.subject(sources.stack, told),
        digest.text(period, told, unseen, sources.dashboard),
        len(unseen),
    )


def _organizations(table: SettingsStore) -> Iterator[str]:
    """Yield the organizations for which schedules do something."""
    after: str | None = None
    while True:
        found, after = table.organizations(_PAGE, after)
        yield from (each["organization"] for each in found if each["scheduled"] or each["pushed"])
        if after is None:
            return


def _of(sources: Sources, stored: StoredSettings, period: tuple[str, str], now: datetime) -> Json:
    """Return what there is to tell of an organization, as `presentation.digest` takes it."""
    changed = listing_changes.list_changes(
        listing_changes.Sources(
            sources.journal, sources.views, sources.roster, sources.runs, sources.versions
        ),
        stored.settings,
        listing_changes.Asked(since=period[0], until=period[1], limit=0),
        now,
    )
    looked_at = gathering_health.Sources(
        views=sources.views,
        roster=sources.roster,
        runs=sources.runs,
        health=sources.health,
        queues=_NoQueues(),
        received=sources.received,
        apps=sources.apps,
        checks=lambda: (),
        push_checks=lambda: (),
    )
    facts = gathering_health.gathered(looked_at, stored, now, live=False)
    return {
        "organization": stored.organization,
        "counts": changed["counts"],
        "runs_failed": sum(run["status"] == "failed" for run in changed["runs"]),
        "findings": [each.shown() for each in health.findings(facts) if each.level is not Level.KNOWN],
        "ends": [*_credentials(sources, stored.settings, now), *_end_dates(sources, stored.settings, now)],
        "warnings": changed.get("warnings", []),
    }


def _of_the_stack(sources: Sources) -> Json:
    queues = Queues(
        changes_given_up=sources.queues.changes_given_up(),
        starts_given_up=sources.queues.starts_given_up(),
        events_given_up=sources.queues.events_given_up(),
    )
    return _only(None, [each.shown() for each in health.of_queues(queues)])


def _not_looked_at(organization: str, error: MusterError) -> Json:
    what = f"It could not be looked at: {error}."
    return _only(organization, [{"level": str(Level.BROKEN), "what": what}])


def _only(organization: str | None, findings: list[Json]) -> Json:
    return {
        "organization": organization,
        "counts": {},
        "runs_failed": 0,
        "findings": findings,
        "ends": [],
        "warnings": [],
    }


def _credentials(sources: Sources, settings: Settings, now: datetime) -> Iterator[str]:
    """Yield whose credentials end soon, by the day that their secret names."""
    for name, connection in settings.connections.by_host():
        if connection.secret is None:
            continue
        days = days_left(sources.secrets(settings.organization).get(connection.secret), now.date())
        if days is not None and days <= WARNING_DAYS:
            when = f"end in {counted(days, 'day')}" if days >= 0 else "have ended"
            yield f"The credentials of {words.connection(name)} {when}."


def _end_dates(sources: Sources, settings: Settings, now: datetime) -> Iterator[str]:
    """Yield how many people leave soon by the end date that was set for them."""
    today = end_dates.today(now, settings.time_zone)
    due = sources.roster.due(settings.organization, today + SOON)
    count = sum(
        end_dates.EVALUATION in each.what and each.since > today.isoformat() and "T" not in each.since
        for _, each in due
    )
    if count:
        whose = counted(count, "person", "people")
        yield f"{whose} {'has' if count == 1 else 'have'} an end date within {SOON.days} days."
