"""A change of settings tried on the roster before it is saved: previewed, parked, approved (S2, I5, I6).

A preview plans a full import with the new settings and writes nothing to the roster. One whose plan
trips the guard is parked, and an approval, which comes with the same settings, lets them be saved: it
holds while nothing has been saved in between and a preview made anew gives the very same plan. The
import that then carries the plan out passes the guard with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.errors import Misconfigured, NotFound, Problem, Rejected, Stale, Unavailable
from muster.imports.importing import Importing
from muster.imports.ports import Ports
from muster.organization_settings.ports import Salesforce
from muster.runs.answer import Answer
from muster.runs.ending import APPROVAL
from muster.runs.ports import Runs
from muster.runs.run import Run, Status
from muster.settings import Settings, digests, trial_queries
from muster.settings.sections import SalesforceConnection
from muster.settings.versions import StoredSettings
from muster.times import timestamp
from muster.validation import fewer

_REJECTED_MEANWHILE = Problem(
    "approve",
    "is a run that was rejected meanwhile; the settings are saved, and the next import waits for approval",
    "Look at that import when it waits, or restore the version before.",
)

# So many of the latest runs are looked through for previews that a newer one has made void.
LOOKED_THROUGH = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """What settings would do: the run that looked, and its answer; empty where there was nothing to look at.

    `warnings` say what kept it from being looked at.
    """

    run: Run | None = None
    said: Answer = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()

    @property
    def is_parked(self) -> bool:
        """Whether the settings have to be approved."""
        return self.run is not None and self.run.status is Status.PARKED


@dataclass(frozen=True, slots=True)
class Previewing:
    """Tries settings on one organization's roster and Salesforce.

    `ports` are those of an import from a connection; `now` answers the time (aware), `remaining` the
    seconds that are left of the invocation.
    """

    runs: Runs
    salesforce: Callable[[SalesforceConnection], Salesforce]
    ports: Callable[[SalesforceConnection], Ports]
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    def compiled(self, settings: Settings) -> tuple[bool, list[Problem]]:
        """Return whether Salesforce could be asked about the filters and fields, and warnings.

        It is asked over the settings' own connection. Raises `Rejected` with what it refuses; where the
        settings switch everything off, that is a warning: switching off has to be possible at any time.
        """
        connection = settings.connections.salesforce
        if connection is None:
            return True, []
        try:
            salesforce = self.salesforce(connection)
            refusals = salesforce.refusals(trial_queries.queries(settings))
            fields = [str(each.get("name")) for each in salesforce.describe()["fields"]]
        except (Unavailable, Misconfigured) as error:
            message = f"could not be asked whether Salesforce takes the filters and fields: {error}"
            return False, [Problem("connections.salesforce", message, "Mend that, and validate them again.")]
        refused = trial_queries.problems(settings, refusals, fields)
        if refused and settings.auto_provision.enabled:
            raise Rejected(*fewer(refused))
        return True, refused

    def preview(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        """Return what replacing the current settings would change; a parked one takes the older ones' place.

        Raises `Rejected` without a connection and while a run is at work, else as an import does.
        """
        preview = self._look(current, settings, by)
        if preview.run and preview.is_parked:
            self._set_older_aside(preview.run)
        return preview

    def before_saving(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        """Return the preview of settings about to be saved, where they decide anew about anybody.

        What cannot be previewed is no reason not to save: the guard of the next import still stands.
        """
        connection = settings.connections.salesforce
        if connection is None or not settings.auto_provision.enabled:
            return Preview()
        if not current.version or not _decide_anew(current, settings):
            return Preview()
        if not self._is_anybody_there(current.organization, connection):
            return Preview()
        try:
            return self.preview(current, settings, by)
        except (Unavailable, Misconfigured) as error:
            return Preview(warnings=(not_previewed(str(error)),))

    def confirmed(
        self, run_id: str, current: StoredSettings, settings: Settings, by: str
    ) -> tuple[Run, Preview]:
        """Return the parked run, and the preview made anew that has the very same plan; raises `Rejected`."""
        parked = self._parked(run_id, current.organization, based_on=current.version)
        preview = self._look(current, settings, by)
        anew = preview.run
        if anew is None or anew.plan_hash != parked.plan_hash:
            raise Rejected(_another_plan(preview))
        if preview.is_parked:
            at = timestamp(self.now())
            message = f"It confirmed the plan of run {parked.id}."
            self._close(replace(anew, status=Status.PREVIEWED, updated_at=at, message=message))
        return parked, preview

    def record_approval(self, run: Run, version: int) -> None:
        """Close the parked run of settings that are saved, and let the import pass that carries out its plan.

        Can be repeated. Raises `Rejected` if the run was rejected meanwhile: then that import has to wait.
        """
        at = timestamp(self.now())
        message = f"Approved and saved as version {version}."
        ended = replace(run, status=Status.SUCCEEDED, finished_at=at, updated_at=at, message=message)
        try:
            self.runs.save_without_lease(ended, Status.PARKED)
        except Stale as error:
            if self._run(run.id, run.organization).status is not Status.SUCCEEDED:
                raise Rejected(_REJECTED_MEANWHILE) from error
        self._let_pass(run)

    def finish_approval(self, run_id: str, current: StoredSettings) -> None:
        """Do what is left of an approval whose settings are saved already; raises `Rejected`."""
        run = self._run(run_id, current.organization)
        if run.kind == "settings" and run.status is Status.SUCCEEDED:
            self._let_pass(run)
            return
        parked = self._parked(run_id, current.organization, based_on=current.version - 1)
        self.record_approval(parked, current.version)

    def _let_pass(self, run: Run) -> None:
        until = timestamp(self.now() + APPROVAL)
        self.runs.change_state(
            run.organization, lambda state: replace(state, approved=run.plan_hash, approved_until=until)
        )

    # ── Runs ──────────────────────────────────────────────────────────────────────────────────────

    def _look(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        connection = settings.connections.salesforce
        if connection is None:
            remedy = "Add it: everyone is read from there."
            raise Rejected(Problem("connections.salesforce", "is not in the settings", remedy))
        importing = Importing(current, self.ports(connection), self.now, self.remaining)
        try:
            run, said = importing.preview_settings(settings, by)
        except Stale as error:
            remedy = "Try again when it has ended."
            raise Rejected(Problem("organization", "has another run at work by now", remedy)) from error
        if run.expires_at:
            said = {**said, "approve_before": run.expires_at}
        return Preview(run, said)

    def _run(self, run_id: str, organization: str) -> Run:
        run = self.runs.run(organization, run_id)
        if run is None:
            remedy = "Take the run_id of the answer that was parked."
            raise NotFound(Problem("approve", "is not a run of this organization", remedy))
        return run

    def _parked(self, run_id: str, organization: str, based_on: int) -> Run:
        """Return the run if it waits for the approval of a change to that version; raises `Rejected`."""
        run = self._run(run_id, organization)
        again = "Put the settings again without approve; they are planned anew."
        if run.kind != "settings":
            remedy = "Approve it with ScheduledImportFunction."
            raise Rejected(Problem("approve", "is an import, not a change of settings", remedy))
        if run.status is not Status.PARKED:
            raise Rejected(Problem("approve", f"is a run that is not parked but {run.status}", again))
        if run.expires_at and timestamp(self.now()) >= run.expires_at:
            self._reject(run, "Nobody approved it in time.")
            raise Rejected(Problem("approve", "was not approved in time", again))
        if run.settings_version != based_on:
            if run.settings_version < based_on:
                self._reject(run, f"Version {based_on} was saved meanwhile.")
            what = f"was planned on version {run.settings_version}, which is not what these settings replace"
            raise Rejected(Problem("approve", what, again))
        return run

    def _set_older_aside(self, newest: Run) -> None:
        """Close parked previews that wait in vain: void, expired, or with the plan that waits anew."""
        latest, _ = self.runs.runs(newest.organization, LOOKED_THROUGH, None)
        for run in latest:
            if run.kind != "settings" or run.status is not Status.PARKED or run.id == newest.id:
                continue
            expired = run.expires_at is not None and timestamp(self.now()) >= run.expires_at
            void = run.settings_version != newest.settings_version
            if expired or void or run.plan_hash == newest.plan_hash:
                self._reject(run, f"Run {newest.id} took its place.")

    def _reject(self, run: Run, message: str) -> None:
        at = timestamp(self.now())
        self._close(replace(run, status=Status.REJECTED, finished_at=at, updated_at=at, message=message))

    def _close(self, ended: Run) -> None:
        try:
            self.runs.save_without_lease(ended, Status.PARKED)
        except Stale:
            return  # Somebody else has closed it, which is all that was wanted.

    def _is_anybody_there(self, organization: str, connection: SalesforceConnection) -> bool:
        """Tell whether the roster has members; the index shows the first of them at once."""
        return any(True for _ in self.ports(connection).roster.states(organization))


def not_previewed(reason: str) -> Problem:
    """Return the warning that settings are saved without a preview."""
    return Problem(
        "settings",
        f"are saved without a preview of what they do to the roster: {reason}",
        "The guard still stands: the next import waits for approval if it would change too much.",
    )


def _decide_anew(current: StoredSettings, settings: Settings) -> bool:
    """Tell whether what decides about members is different, or cannot be compared."""
    try:
        return digests.deciding_settings(current.settings) != digests.deciding_settings(settings)
    except Misconfigured:
        return True


def _another_plan(preview: Preview) -> Problem:
    anew = preview.run
    remedy = "Put them again without approve: nothing has to be approved any more."
    if anew and preview.is_parked:
        remedy = (
            f"Look at the plan of run {anew.id}; if it is right, put these settings with that run as approve."
        )
    return Problem(
        "approve",
        "is for another plan than what these settings lead to now: they are other settings, or the roster or"
        " Salesforce has moved since",
        remedy,
    )
