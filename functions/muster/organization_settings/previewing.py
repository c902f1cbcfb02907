"""Try a change of settings on the roster before it is saved: preview, park, approve (S2, I5, I6).

A preview plans a full import with the new settings and writes nothing to the roster. If its plan trips
the guard, it is parked. To approve it, an admin puts the same settings again with the run's id. They
are saved only if no other version was saved in between and a new preview gives exactly the same plan.
The import that then applies that plan passes the guard.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from muster.errors import Misconfigured, NotFound, Problem, Rejected, Stale, Unavailable
from muster.imports.importing import Importing
from muster.imports.ports import Ports
from muster.organization_settings.ports import Salesforce
from muster.runs.answer import RunAnswer
from muster.runs.parking import APPROVAL
from muster.runs.ports import Runs
from muster.runs.run import Run, Status
from muster.settings import Settings, digests, map_keys, trial_queries, unseen_changes
from muster.settings.sections import SalesforceConnection
from muster.settings.versions import StoredSettings
from muster.times import timestamp
from muster.validation import fewer

_REJECTED_MEANWHILE = Problem(
    "approve",
    "is a run that was rejected meanwhile; the settings are saved, and the next import waits for approval",
    "Look at that import when it waits, or restore the version before.",
)

# How many of the latest runs are searched for previews that a newer one supersedes.
RUNS_SEARCHED = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of new settings: the run that previewed them, and its answer; empty if none was needed.

    `warnings` say why there is no preview, or what an admin should know of the plan.
    """

    run: Run | None = None
    answer: RunAnswer | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def is_parked(self) -> bool:
        """Whether the settings need approval."""
        return self.run is not None and self.run.status is Status.PARKED


@dataclass(frozen=True, slots=True)
class Previewing:
    """Tries settings on one organization's roster and Salesforce.

    `ports` are those of an import from a connection; `now` returns the timezone-aware time, `remaining`
    the seconds left of the invocation.
    """

    runs: Runs
    salesforce: Callable[[SalesforceConnection], Salesforce]
    ports: Callable[[SalesforceConnection], Ports]
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    def compiled(self, settings: Settings) -> tuple[bool, list[Problem]]:
        """Have Salesforce compile the filters and fields; return whether it could be asked, and warnings.

        It is asked over the settings' own connection. Raises `Rejected` with what it refuses. Where the
        settings switch auto-provisioning off, refusals are only warnings: that must always be possible.
        """
        connection = settings.connections.salesforce
        if connection is None:
            return True, []
        try:
            salesforce = self.salesforce(connection)
            refusals = salesforce.refusals(trial_queries.queries(settings))
            described = salesforce.describe()["fields"]
        except (Unavailable, Misconfigured) as error:
            message = f"could not be asked whether Salesforce accepts the filters and fields: {error}"
            return False, [
                Problem("connections.salesforce", message, "Correct that, and validate them again.")
            ]
        refused = trial_queries.problems(settings, refusals, [str(each.get("name")) for each in described])
        if refused and settings.auto_provision.enabled:
            raise Rejected(*fewer(refused))
        formulas = [
            str(each.get("name")) for each in described if each.get("calculated") and each.get("custom")
        ]
        return True, [
            *refused,
            *unseen_changes.of_formula_fields(settings, formulas),
            *map_keys.warnings(settings, described),
        ]

    def preview(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        """Return what the new settings would change; a parked preview supersedes older ones.

        Raises `Rejected` without a connection and while another run is at work, else as an import does.
        """
        preview = self._run_preview(current, settings, by)
        if preview.run and preview.is_parked:
            self._reject_superseded(preview.run)
        return preview

    def before_saving(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        """Return the preview of settings about to be saved, empty unless they could change any member.

        A preview that fails does not prevent saving: the guard of the next import still applies.
        """
        connection = settings.connections.salesforce
        if connection is None or not settings.auto_provision.enabled:
            return Preview()
        if not current.version or not _change_decisions(current, settings):
            return Preview()
        if not self._has_members(current.organization, connection):
            return Preview()
        try:
            return self.preview(current, settings, by)
        except (Unavailable, Misconfigured) as error:
            return Preview(warnings=(not_previewed(str(error)),))

    def confirmed(
        self, run_id: str, current: StoredSettings, settings: Settings, by: str
    ) -> tuple[Run, Preview]:
        """Return the parked run, and a new preview with exactly the same plan; raises `Rejected`."""
        parked = self._parked(run_id, current.organization, based_on=current.version)
        preview = self._run_preview(current, settings, by)
        anew = preview.run
        if anew is None or anew.plan_hash != parked.plan_hash:
            raise Rejected(_different_plan(preview))
        if preview.is_parked:
            at = timestamp(self.now())
            message = f"It confirmed the plan of run {parked.id}."
            self._close(replace(anew, status=Status.PREVIEWED, updated_at=at, message=message))
        return parked, preview

    def record_approval(self, run: Run, saved: StoredSettings) -> None:
        """Close the parked run of settings that are now saved, and let the import with the same plan pass.

        Can be repeated. Raises `Rejected` if the run was rejected meanwhile: then that import has to wait.
        """
        at = timestamp(self.now())
        message = f"Approved and saved as version {saved.version}."
        ended = replace(
            run,
            status=Status.SUCCEEDED,
            approved_by=saved.by,
            finished_at=at,
            updated_at=at,
            message=message,
        )
        try:
            self.runs.save_without_lease(ended, Status.PARKED)
        except Stale as error:
            if self._run(run.id, run.organization).status is not Status.SUCCEEDED:
                raise Rejected(_REJECTED_MEANWHILE) from error
        self._let_import_pass(run)

    def finish_approval(self, run_id: str, current: StoredSettings) -> None:
        """Finish an approval whose settings are already saved; raises `Rejected`."""
        run = self._run(run_id, current.organization)
        if run.kind == "settings" and run.status is Status.SUCCEEDED:
            self._let_import_pass(run)
            return
        parked = self._parked(run_id, current.organization, based_on=current.version - 1)
        self.record_approval(parked, current)

    def _let_import_pass(self, run: Run) -> None:
        until = timestamp(self.now() + APPROVAL)
        self.runs.change_state(
            run.organization, lambda state: replace(state, approved=run.plan_hash, approved_until=until)
        )

    # ── Runs ──────────────────────────────────────────────────────────────────────────────────────

    def _run_preview(self, current: StoredSettings, settings: Settings, by: str) -> Preview:
        connection = settings.connections.salesforce
        if connection is None:
            remedy = "Add it: all users are read from there."
            raise Rejected(Problem("connections.salesforce", "is not in the settings", remedy))
        importing = Importing(current, self.ports(connection), self.now, self.remaining)
        try:
            run, answer = importing.preview_settings(settings, by)
        except Stale as error:
            remedy = "Try again when it has ended."
            raise Rejected(Problem("organization", "now has another run at work", remedy)) from error
        if run.expires_at:
            answer = replace(answer, details={**answer.details, "approve_before": run.expires_at})
        return Preview(run, replace(answer, warnings=()), tuple(answer.warnings))

    def _run(self, run_id: str, organization: str) -> Run:
        run = self.runs.run(organization, run_id)
        if run is None:
            remedy = "Take the run_id of the answer that was parked."
            raise NotFound(Problem("approve", "is not a run of this organization", remedy))
        return run

    def _parked(self, run_id: str, organization: str, based_on: int) -> Run:
        """Return the run if it waits for approval and was planned on that version; raises `Rejected`."""
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

    def _reject_superseded(self, newest: Run) -> None:
        """Reject parked previews that are void, expired, or have the same plan as the newest one."""
        latest, _ = self.runs.runs(newest.organization, RUNS_SEARCHED, None)
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
            return  # It is already closed.

    def _has_members(self, organization: str, connection: SalesforceConnection) -> bool:
        """Whether the roster has members; reads only the first entry of the index."""
        return any(True for _ in self.ports(connection).roster.states(organization))


def not_previewed(reason: str) -> Problem:
    """Return the warning that the settings are saved without a preview."""
    return Problem(
        "settings",
        f"are saved without a preview of their effect on the roster: {reason}",
        "The guard still applies: the next import waits for approval if it would change too much.",
    )


def _change_decisions(current: StoredSettings, settings: Settings) -> bool:
    """Whether the settings that decide about members differ, or cannot be compared."""
    try:
        return digests.deciding_settings(current.settings) != digests.deciding_settings(settings)
    except Misconfigured:
        return True


def _different_plan(preview: Preview) -> Problem:
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
