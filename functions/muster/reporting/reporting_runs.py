"""Tells alarms and the dashboard of a run, once its outcome is certain (N2).

No roster is read for it: a run's own record and answer, and a few single items, say it all.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from muster.connections.credential_expiry import days_left
from muster.connections.ports import Secrets
from muster.errors import MusterError
from muster.reporting import run_metrics
from muster.reporting.run_metrics import Reading
from muster.roster.ports import Roster
from muster.runs import guard
from muster.runs.answer import Answer
from muster.runs.ports import Runs
from muster.runs.run import Run, Status
from muster.settings import mappings
from muster.settings.versions import StoredSettings

_SUCCEEDED = frozenset({Status.SUCCEEDED, Status.SUCCEEDED_WITH_ERRORS})
_CONNECTIONS = ("salesforce", "vault_crm", "align")
# Longer than the alarm waits. What came before makes no difference to it.
LOOKED_BACK = timedelta(hours=48)
_RUNS_A_PAGE = 10

type Readings = Callable[[], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of the runs of one organization.

    `tell` emits a reading; `warn` is told what could not be read, for nothing of this may fail a run.
    """

    stored: StoredSettings
    kind: Literal["import", "push"]
    runs: Runs
    roster: Roster
    secrets: Secrets
    now: Callable[[], datetime]
    tell: Callable[[Reading], None]
    warn: Callable[[MusterError], None]

    def around(self, work: Callable[[], Answer], *, scheduled: bool, daily: bool = False) -> Answer:
        """Return what `work` answers, or raise what it raises, and tell of it in either case.

        `scheduled`: a schedule asked, so silence is told as well; `daily`: the one that does so once a day.
        """
        regular = self._regular(daily=daily) if scheduled else []
        try:
            said = work()
        except MusterError:
            self._tell(regular)
            raise
        self._tell([*regular, partial(self._of_run, said)])
        return said

    def _tell(self, readings: list[Readings]) -> None:
        for read in readings:
            try:
                for reading in read():
                    self.tell(reading)
            except MusterError as error:
                # Deliberately: the run is over, and what could not be read of it is told after the next one.
                self.warn(error)

    def _regular(self, *, daily: bool) -> list[Readings]:
        if not daily:
            return [self._silence]
        return [self._silence, *(partial(self._credentials, name) for name in _CONNECTIONS)]

    def _silence(self) -> Iterator[Reading]:
        since = self._last_import() if self.kind == "import" else self._last_push()
        yield from run_metrics.silence(self.stored.organization, self.kind, since, self.now())

    def _last_import(self) -> datetime:
        completed_at = self.runs.state(self.stored.organization).completed_at
        return datetime.fromisoformat(completed_at or self.stored.at)

    def _last_push(self) -> datetime:
        """Return when a push succeeded last.

        Where none has lately, the first that was tried lately stands for it; where none was tried, the
        moment from which the settings in force might have let one succeed.
        """
        earliest = self.now() - LOOKED_BACK
        since = max(earliest, datetime.fromisoformat(self.stored.at))
        for run in self._pushes_from(earliest):
            if run.status in _SUCCEEDED and run.finished_at:
                return datetime.fromisoformat(run.finished_at)
            since = min(since, datetime.fromisoformat(run.started_at))
        return since

    def _pushes_from(self, earliest: datetime) -> Iterator[Run]:
        """Yield the pushes that began since then, newest first."""
        cursor: str | None = None
        while True:
            some, cursor = self.runs.runs(self.stored.organization, _RUNS_A_PAGE, cursor)
            for run in some:
                if datetime.fromisoformat(run.started_at) < earliest:
                    return
                if run.kind == "push":
                    yield run
            if cursor is None:
                return

    def _credentials(self, name: str) -> Iterator[Reading]:
        connection = getattr(self.stored.settings.connections, name)
        if connection is None or connection.secret is None:
            return
        days = days_left(self.secrets.get(connection.secret), self.now().date())
        if days is not None:
            yield from run_metrics.credentials(self.stored.organization, name, days)

    def _of_run(self, said: Mapping[str, Any]) -> Iterator[Reading]:
        """Yield what a run that was carried out to its end has to tell; previews and rejections have not."""
        if said.get("status") not in _SUCCEEDED or "counts" not in said or "plan" in said:
            return
        organization = self.stored.organization
        if self.kind == "import":
            yield run_metrics.seats_running_out(said["seats"])
        run = self.runs.run(organization, said["run_id"])
        if run is None or not run_metrics.has_news(run):
            return
        yield from run_metrics.duration(run)
        yield from run_metrics.outcomes(run)
        if self.kind == "import":
            yield from run_metrics.seat_use(organization, said["seats"])
            if guard.EVERYONE in (active := self.runs.state(organization).active):
                yield run_metrics.roster(organization, active[guard.EVERYONE])
            return
        lines, _ = self.roster.licence_lines(organization)
        features = mappings.pushed_features(self.stored.settings)
        yield from run_metrics.licence_lines(organization, features, (place for _, place in lines))
