"""Starts imports: the roster follows all of Salesforce, or what changed there (I1 to I12).

A run gathers (pages into the archive), decides (a plan, which the guard may park), applies it (one
transaction a member, under the run's lease) and notifies managers. `steps` has these steps; what can be
asked of any run is in `muster.runs.running`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from muster.error_log import entry_of
from muster.errors import Incomplete, MusterError, Problem, Rejected
from muster.imports.ports import Ports
from muster.imports.reading_sources import OVERLAP
from muster.imports.steps import ImportJob
from muster.lease import Lease
from muster.roster.finding import Named
from muster.runs.answer import RunAnswer
from muster.runs.clock import OutOfTime, RunClock
from muster.runs.import_state import ImportState
from muster.runs.kinds import IMPORT, SETTINGS
from muster.runs.reasons import Rule
from muster.runs.run import Mode, Run
from muster.runs.running import Running, new_id
from muster.runs.settings_change import SettingsChange
from muster.runs.work import Work
from muster.settings import Settings
from muster.settings.digests import document_digest, settings_digest
from muster.settings.mappings import salesforce_organization
from muster.settings.versions import StoredSettings
from muster.times import earlier, timestamp

# More places than that are counted in the error log; the answer has them all.
_PLACES_LOGGED = 20


@dataclass(frozen=True, slots=True)
class Importing:
    """Imports of one organization, with the settings in force.

    `now` returns the time (aware), `remaining` the seconds left in the invocation, whose id is
    `request_id`. With `hand_over`, what is begun or approved is handed over to a workflow.
    """

    stored: StoredSettings
    ports: Ports
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    hand_over: Callable[[Run], None] | None = None
    request_id: str | None = None

    @property
    def runs(self) -> Running:
        """What can be asked of existing runs."""
        untried = self.stored.version if self.stored.not_tried else None
        return Running(
            self.stored,
            IMPORT,
            self.ports.of_runs,
            lambda _, clock: ImportJob(self.ports, clock, self.stored.settings, untried),
            self.now,
            self.remaining,
            self.hand_over,
            self.request_id,
        )

    def start(self, mode: Mode, by: str, *, preview: bool = False, named: Named | None = None) -> RunAnswer:
        """Begin a run and work on it; an incremental one becomes full if everyone must be evaluated.

        Whoever was `named` and not found is told in the answer and in the error log; the others are imported.
        Raises `Rejected` as `Running.begin` does, and unless it is a preview, if `auto_provision.enabled`
        is off (W9); for named people also before everyone of another Salesforce org has been read (A14).
        """
        if not preview and not self.stored.settings.auto_provision.enabled:
            remedy = "Switch it on in the settings; a preview is possible without."
            raise Rejected(Problem("auto_provision.enabled", "is off, so nothing is imported", remedy))

        if mode == "members":
            self._refuse_before_a_move()
        not_found = named.problems if named else ()

        def new(run_id: str, at: datetime, lease: Lease) -> Run:
            state = self.ports.runs.state(lease.organization)
            moved = state.is_of_another_org(salesforce_organization(self.stored.settings))
            full = state.salesforce.watermark is None or moved or self._settings_have_changed(state)
            since = None if full else earlier(state.salesforce.watermark or "", OVERLAP)
            if not_found and not preview:
                self._log_not_found(run_id, at, not_found)
            return Run(
                id=run_id,
                organization=lease.organization,
                mode="full" if mode == "incremental" and full else mode,
                by=by,
                request_id=self.request_id,
                preview=preview,
                started_at=timestamp(at),
                gathered_at=timestamp(at),
                members=named.crm_ids if named else (),
                errors=int(bool(not_found) and not preview),
                since=since if mode == "incremental" else None,
                settings_version=self.stored.version,
            )

        answer = self.runs.begin(by, new)
        return _with_not_found(answer, not_found) if not_found else answer

    def _refuse_before_a_move(self) -> None:
        state = self.ports.runs.state(self.stored.organization)
        if state.is_of_another_org(salesforce_organization(self.stored.settings)):
            what = "is another Salesforce org than the one that was imported last, so ids say nothing yet"
            remedy = "Preview and run a full import first: it finds everybody again by username and e-mail."
            raise Rejected(Problem("connections.salesforce.organization_id", what, remedy))

    def _log_not_found(self, run_id: str, at: datetime, not_found: Sequence[Problem]) -> None:
        """Log, once for a run, whom it could not be about; by their places, for addresses are personal."""
        places = ", ".join(problem.where for problem in not_found[:_PLACES_LOGGED])
        more = " …" if len(not_found) > _PLACES_LOGGED else ""
        what = f"names {len(not_found):,} who were not found: {places}{more}; the others are imported"
        remedy = "Look at these places of the event, and name them by the user's Id in Salesforce."
        entry = entry_of(
            Problem("The event", what, remedy),
            at=timestamp(at),
            system="salesforce",
            code="member_not_found",
            notification=run_id,
        )
        self.ports.roster.park(self.stored.organization, [entry], at.timestamp())

    def preview_settings(self, settings: Settings, change: SettingsChange, by: str) -> tuple[Run, RunAnswer]:
        """Return what evaluating everyone with other settings would change (S2).

        The settings are those of the change's document, must be this organization's, and are not saved. A
        run that trips the guard, or whose change is held for another reason, is parked. Raises as `start`
        does.
        """
        at = self.now()
        run_id = new_id(at)
        lease = self.runs.take(run_id)
        self.runs.bury_the_dead(lease)
        run = Run(
            id=run_id,
            organization=self.stored.organization,
            mode="full",
            kind=SETTINGS.name,
            by=by,
            request_id=self.request_id,
            preview=True,
            started_at=timestamp(at),
            gathered_at=timestamp(at),
            settings_version=self.stored.version,
            settings_hash=document_digest(change.document),
            why=change.why,
        )
        self.ports.runs.save(run, lease)
        return self._previewed(run, self.runs.clock(lease), settings, change)

    def _previewed(
        self, run: Run, clock: RunClock, settings: Settings, change: SettingsChange
    ) -> tuple[Run, RunAnswer]:
        try:
            change.keep(self.ports.archive, run.organization, run.id)
            work = Work(ImportJob(self.ports, clock, settings), self.ports.of_runs, clock)
            return work.preview(run, [Rule(each) for each in change.held_for])
        except OutOfTime:
            error = Incomplete("there was not enough time to evaluate everyone")
            self.runs.fail(run.id, clock.lease, error)
            raise error from None
        except MusterError as error:
            self.runs.fail(run.id, clock.lease, error)
            raise

    def _settings_have_changed(self, state: ImportState) -> bool:
        return state.salesforce.decided_with != settings_digest(self.stored.settings)


def _with_not_found(answer: RunAnswer, not_found: Sequence[Problem]) -> RunAnswer:
    """Return the answer with those who were named and not found, each with its place in the event."""
    return replace(
        answer,
        errors=max(answer.errors, len(not_found)),
        message=f"{answer.message} {len(not_found):,} of the members named were not found: see errors.",
        details={**answer.details, "errors": [asdict(problem) for problem in not_found]},
    )
