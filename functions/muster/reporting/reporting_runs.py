"""Reports a run to alarms and the dashboard, once its outcome is certain (N2).

The roster is not read: the run's record and answer, and a few single items, hold all that is reported.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from muster.connections.credential_expiry import days_left
from muster.connections.ports import HealthStore, Secrets
from muster.connections.quarantine import Health
from muster.errors import MusterError
from muster.reporting import run_metrics
from muster.reporting.run_metrics import Reading
from muster.roster.ports import Roster
from muster.runs import guard
from muster.runs.answer import Ended, RunAnswer
from muster.runs.kinds import IMPORT, PUSH
from muster.runs.ports import Runs
from muster.runs.run import Kind, Run, Status
from muster.settings import mappings
from muster.settings.versions import StoredSettings

_SUCCEEDED = frozenset({Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS})
_SALESFORCE, _VAULT_CRM = "salesforce", "vault_crm"
# Longer than the alarm waits: anything earlier makes no difference to it.
LOOKBACK = timedelta(hours=48)
_RUNS_A_PAGE = 10

type Readings = Callable[[], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class RunReporter:
    """Reports the runs of one organization.

    `emit` emits a reading; `warn` gets the errors of readings that failed, because reporting may not fail
    a run. `pushed_to` is the connection that pushes are to, where it is about these: each is reported by
    itself, so that none hides the silence of another.
    """

    stored: StoredSettings
    kind: Kind
    runs: Runs
    roster: Roster
    secrets: Secrets
    now: Callable[[], datetime]
    emit: Callable[[Reading], None]
    warn: Callable[[MusterError], None]
    health: HealthStore
    pushed_to: str | None = None

    @property
    def _app(self) -> str | None:
        return None if self.pushed_to == _VAULT_CRM else self.pushed_to

    def around(self, work: Callable[[], RunAnswer], *, scheduled: bool, daily: bool = False) -> RunAnswer:
        """Return what `work` returns, or raise what it raises, and report in either case.

        `scheduled`: a schedule started it, so the silence is reported too; `daily`: it is the daily
        schedule, so days to the end of credentials are as well.
        """
        regular = self._regular(daily=daily) if scheduled else []
        try:
            answer = work()
        except MusterError:
            self._report(regular)
            raise
        self._report([*regular, partial(self._of_run, answer)])
        return answer

    def _report(self, readings: list[Readings]) -> None:
        for read in readings:
            try:
                for reading in read():
                    self.emit(reading)
            except MusterError as error:
                # Not raised: the run is over, and the next run reports what could not be read now.
                self.warn(error)

    def _regular(self, *, daily: bool) -> list[Readings]:
        connections = self.stored.settings.connections
        # Whether Salesforce answers is shown by the imports themselves.
        others = [name for name, _ in connections.each() if name != _SALESFORCE]
        called = [self.pushed_to] if self.pushed_to else others
        found: list[Readings] = [self._silence]
        found += [partial(self._good_call, name, is_shown=daily) for name in called]
        keyed = [name for name, _ in connections.by_host()]
        found += [partial(self._credentials, name) for name in keyed if daily]
        return found

    def _silence(self) -> Iterator[Reading]:
        since = _LAST_SUCCESS[self.kind](self)
        yield from run_metrics.silence(self.stored.organization, self.kind, since, self.now(), self._app)

    def _good_call(self, name: str, *, is_shown: bool) -> Iterator[Reading]:
        health = Health(**self.health.health(self.stored.organization, name))
        # Of one that nobody has called yet, there is nothing to tell.
        if since := health.last_good or health.since:
            yield from run_metrics.good_call(
                self.stored.organization, name, datetime.fromisoformat(since), self.now(), is_shown=is_shown
            )

    def _last_import(self) -> datetime:
        completed_at = self.runs.state(self.stored.organization).completed_at
        return datetime.fromisoformat(completed_at or self.stored.at)

    def _last_push(self) -> datetime:
        """Return when a push last succeeded, no further back than `LOOKBACK`.

        If none has, when the settings in force were saved, or the earliest push began if that was before.
        """
        earliest = self.now() - LOOKBACK
        since = max(earliest, datetime.fromisoformat(self.stored.at))
        for run in self._pushes_from(earliest):
            if run.status in _SUCCEEDED and run.finished_at:
                return datetime.fromisoformat(run.finished_at)
            since = min(since, datetime.fromisoformat(run.started_at))
        return since

    def _pushes_from(self, earliest: datetime) -> Iterator[Run]:
        """Yield the pushes to the same connection that began at `earliest` or later, newest first."""
        cursor: str | None = None
        while True:
            some, cursor = self.runs.runs(self.stored.organization, _RUNS_A_PAGE, cursor)
            for run in some:
                if datetime.fromisoformat(run.started_at) < earliest:
                    return
                if run.kind == PUSH.name and run.app == self._app:
                    yield run
            if cursor is None:
                return

    def _credentials(self, name: str) -> Iterator[Reading]:
        connection = dict(self.stored.settings.connections.by_host())[name]
        if connection.secret is None:
            return
        days = days_left(self.secrets.get(connection.secret), self.now().date())
        if days is not None:
            yield from run_metrics.credentials(self.stored.organization, name, days)

    def _of_run(self, answer: RunAnswer) -> Iterator[Reading]:
        """Yield the readings of a run that was applied to its end; any other has none."""
        if answer.ended is not Ended.APPLIED or answer.run_id is None:
            return
        organization = self.stored.organization
        if answer.seats is not None:
            yield run_metrics.seats_running_out(answer.seats)
        run = self.runs.run(organization, answer.run_id)
        is_news = run is not None and run_metrics.had_work(run)
        vault = answer.details.get("vault_crm", {})
        if (nobodys := vault.get("licences_of_nobody")) is not None:
            yield from run_metrics.licences_of_nobody(organization, nobodys, is_news=is_news)
        if (left := vault.get("base_licences_left")) is not None:
            yield run_metrics.base_licences(organization, left)
        if run is None or not is_news:
            return
        yield from run_metrics.duration(run)
        yield from run_metrics.outcomes(run)
        yield from _AFTERWARDS[self.kind](self, answer)

    def _after_import(self, answer: RunAnswer) -> Iterator[Reading]:
        organization = self.stored.organization
        yield from run_metrics.seat_use(organization, answer.seats or {})
        if guard.EVERYONE in (active := self.runs.state(organization).active):
            yield run_metrics.roster(organization, active[guard.EVERYONE])

    def _after_push(self, _: RunAnswer) -> Iterator[Reading]:
        if self._app:
            return
        lines, _free = self.roster.licence_lines(self.stored.organization)
        features = mappings.pushed_features(self.stored.settings)
        yield from run_metrics.licence_lines(
            self.stored.organization, features, (place for _, place in lines)
        )


# What differs by the kind of run that a function begins.
_LAST_SUCCESS: Mapping[Kind, Callable[[RunReporter], datetime]] = {
    IMPORT.name: RunReporter._last_import,
    PUSH.name: RunReporter._last_push,
}
_AFTERWARDS: Mapping[Kind, Callable[[RunReporter, RunAnswer], Iterator[Reading]]] = {
    IMPORT.name: RunReporter._after_import,
    PUSH.name: RunReporter._after_push,
}
