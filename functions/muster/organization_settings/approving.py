"""Let a parked change of settings pass (S2, I5).

Whoever approves it names the run; the run keeps the document. It is saved only if no other version was saved
in between and, where its effect was planned, a new preview gives exactly the same plan. The import that then
applies that plan passes the guard.
"""

from dataclasses import dataclass, replace

from muster.errors import NotFound, Problem, Rejected, Stale
from muster.organization_settings.previewing import Preview, Previewing, Tried
from muster.runs import settings_change
from muster.runs.kinds import SETTINGS, kind_of
from muster.runs.parking import APPROVAL, require_parked, require_second_person
from muster.runs.run import Run, Status
from muster.runs.settings_change import SettingsChange
from muster.settings import Settings
from muster.settings.digests import document_digest
from muster.settings.sections import Guard
from muster.settings.versions import StoredSettings
from muster.times import timestamp

_AGAIN = "Put the settings again without approve; they are planned anew."
_REJECTED_MEANWHILE = Problem(
    "approve",
    "is a run that was rejected meanwhile; the settings are saved, and the next import waits for approval",
    "Look at that import when it waits, or restore the version before.",
)


@dataclass(frozen=True, slots=True)
class Approving:
    """Approves what `previewing` has parked."""

    previewing: Previewing

    def change(self, run_id: str, organization: str) -> SettingsChange:
        """Return the change that a run keeps; raises `Rejected`."""
        run = self._run(run_id, organization)
        self._require_settings(run)
        change = settings_change.kept(self.previewing.archive, run)
        if change is None:
            raise Rejected(
                Problem("approve", "was parked by an older Muster, which kept no settings", _AGAIN)
            )
        return change

    def parked(
        self, run_id: str, current: StoredSettings, change: SettingsChange, by: str, guard: Guard
    ) -> Run:
        """Return the run if it waits for approval of this change, on that version, by this person.

        `guard` is the one in force. Raises `Rejected`.
        """
        run = self._parked(run_id, current.organization, based_on=current.version)
        require_second_person(run, by, guard)
        if run.settings_hash is None and change.held_for:
            raise Rejected(Problem("approve", "was parked by an older Muster, for another reason", _AGAIN))
        if run.settings_hash not in (None, document_digest(change.document)):
            what = "is for other settings than these"
            raise Rejected(Problem("approve", what, f"Leave the settings out to approve those. {_AGAIN}"))
        return run

    def confirmed(
        self,
        parked: Run,
        current: StoredSettings,
        settings: Settings,
        change: SettingsChange,
        by: str,
        tried: Tried,
    ) -> Preview:
        """Return a new preview with exactly the same plan, empty where there was none; raises `Rejected`."""
        if _is_unplanned(parked):
            # There was nobody to plan for, or Salesforce could not be asked; that may be otherwise now.
            preview = self.previewing.effect(current, settings, change, by, tried)
            if preview.run:
                raise Rejected(_different_plan(preview))
            return preview
        preview = self.previewing.run_preview(current, settings, change, by)
        anew = preview.run
        if anew is None or anew.plan_hash != parked.plan_hash:
            raise Rejected(_different_plan(preview))
        if preview.is_parked:
            at = timestamp(self.previewing.now())
            message = f"It confirmed the plan of run {parked.id}."
            self._close(replace(anew, status=Status.PREVIEWED, updated_at=at, message=message))
        return preview

    def record(self, run: Run, saved: StoredSettings) -> None:
        """Close the parked run of settings that are now saved, and let the import with the same plan pass.

        Can be repeated. Raises `Rejected` if the run was rejected meanwhile: then that import has to wait.
        """
        at = timestamp(self.previewing.now())
        ended = replace(
            run,
            status=Status.SUCCEEDED,
            approved_by=saved.approved_by,
            decided_request_id=saved.request_id,
            finished_at=at,
            updated_at=at,
            message=f"Approved and saved as version {saved.version}.",
        )
        try:
            self.previewing.runs.save_without_lease(ended, Status.PARKED)
        except Stale as error:
            if self._run(run.id, run.organization).status is not Status.SUCCEEDED:
                raise Rejected(_REJECTED_MEANWHILE) from error
        self._let_import_pass(run)

    def finish(self, run_id: str, current: StoredSettings) -> None:
        """Finish an approval whose settings are already saved; raises `Rejected`."""
        run = self._run(run_id, current.organization)
        if run.kind == SETTINGS.name and run.status is Status.SUCCEEDED:
            self._let_import_pass(run)
            return
        parked = self._parked(run_id, current.organization, based_on=current.version - 1)
        self.record(parked, current)

    def _let_import_pass(self, run: Run) -> None:
        if _is_unplanned(run):
            return
        until = timestamp(self.previewing.now() + APPROVAL)
        self.previewing.runs.change_state(
            run.organization, lambda state: replace(state, approved=run.plan_hash, approved_until=until)
        )

    def _run(self, run_id: str, organization: str) -> Run:
        run = self.previewing.runs.run(organization, run_id)
        if run is None:
            remedy = "Take the run_id of the answer that was parked."
            raise NotFound(Problem("approve", "is not a run of this organization", remedy))
        return run

    def _require_settings(self, run: Run) -> None:
        kind = kind_of(run)
        if kind is not SETTINGS:
            what = f"is {kind.one}, not {SETTINGS.one}"
            raise Rejected(Problem("approve", what, f"Approve it with {kind.function}."))

    def _parked(self, run_id: str, organization: str, based_on: int) -> Run:
        """Return the run if it waits for approval and was planned on that version; raises `Rejected`."""
        run = self._run(run_id, organization)
        self._require_settings(run)
        require_parked(self.previewing.runs, run, "approve", self.previewing.now(), _AGAIN)
        if run.settings_version != based_on:
            if run.settings_version < based_on:
                at = timestamp(self.previewing.now())
                message = f"Version {based_on} was saved meanwhile."
                self._close(
                    replace(run, status=Status.REJECTED, finished_at=at, updated_at=at, message=message)
                )
            what = f"was planned on version {run.settings_version}, which is not what these settings replace"
            raise Rejected(Problem("approve", what, _AGAIN))
        return run

    def _close(self, ended: Run) -> None:
        self.previewing.close(ended)


def _is_unplanned(run: Run) -> bool:
    """Whether what is approved with the run is a document, and no plan."""
    return run.settings_hash is not None and run.settings_hash == run.plan_hash


def _different_plan(preview: Preview) -> Problem:
    anew = preview.run
    remedy = "Put them again without approve: nothing has to be approved any more."
    if anew and preview.is_parked:
        remedy = f"Look at the plan of run {anew.id}; if it is right, approve that run."
    return Problem(
        "approve",
        "is for another plan than what these settings lead to now: the roster or Salesforce has moved since",
        remedy,
    )
