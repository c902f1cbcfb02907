"""Undoes a saved version of the settings: the version before it is saved again (S1, Q2).

A version is named by itself, or by the run that tried it. What was saved after it stands in the way: it was
made on top of it, and is taken back first, or with it.
"""

import json
from dataclasses import dataclass
from typing import Any

from muster.errors import NotFound, Problem, Rejected
from muster.organization_settings.ports import SettingsStore
from muster.runs.kinds import SETTINGS, YOU, kind_of
from muster.runs.ports import Runs
from muster.runs.run import Run, Status
from muster.settings.digests import document_digest
from muster.settings.versions import StoredSettings, is_same


@dataclass(frozen=True, slots=True)
class VersionUndoer:
    """Finds what undoing a version comes to."""

    store: SettingsStore
    runs: Runs

    def saved_by(self, organization: str, run_id: str) -> int:
        """Return the version that a change of settings saved; raises `Rejected` where it saved none."""
        run = self.runs.run(organization, run_id)
        if run is None:
            remedy = "RosterQueryFunction lists them: runs."
            raise NotFound(Problem("undo", "is not a run of this organization", remedy))
        if (kind := kind_of(run)) is not SETTINGS:
            event = {"organization": organization, "undo": run_id, "by": YOU}
            remedy = f"Undo it with {kind.function}: {json.dumps(event)}."
            raise Rejected(Problem("undo", f"is {kind.one}, not {SETTINGS.one}", remedy))
        saved = self.store.version(organization, run.settings_version + 1)
        if saved is None or not _is_of(saved, run):
            raise Rejected(_saved_nothing(run))
        return saved.version

    def version_before(self, organization: str, version: int) -> int:
        """Return the version that is in force again once this one is undone; raises `Rejected`."""
        current = self.store.current(organization)
        if current is None or self.store.version(organization, version) is None:
            remedy = "The action history lists them."
            raise NotFound(Problem("version", f"{version} does not exist", remedy))
        if version == 1:
            remedy = "Put settings as they should be."
            raise Rejected(Problem("version", "1 is the first one: there is none before it", remedy))
        if current.version != version:
            raise Rejected(self._overtaken(current, version))
        return version - 1

    def _overtaken(self, current: StoredSettings, version: int) -> Problem:
        before = self.store.version(current.organization, version - 1)
        if before is not None and is_same(current.document, before.document):
            what = f"{version} is undone already: version {current.version} is the same as {before.version}"
            return Problem("version", what, "Nothing to do.")
        later = self.store.version(current.organization, version + 1)
        who = f", by {later.by}" if later else ""
        events = [
            {"organization": current.organization, "action": "undo", "version": current.version, "by": YOU},
            {"organization": current.organization, "action": "restore", "version": version - 1, "by": YOU},
        ]
        undo, restore = map(json.dumps, events)
        return Problem(
            "version",
            f"{version} was changed since: version {version + 1} was saved after it{who}, and"
            f" {current.version} is in force",
            f"Undo the latest first: {undo}. Or take back all since: {restore}.",
        )


def _is_of(saved: StoredSettings, run: Run) -> bool:
    """Whether a version is what a run has tried: approved as such, or saved at once with its document."""
    if saved.run is not None:
        return saved.run == run.id
    return run.settings_hash == document_digest(saved.document)


def _saved_nothing(run: Run) -> Problem:
    if run.status is Status.PARKED:
        event: dict[str, Any] = {"organization": run.organization, "reject": run.id, "by": YOU}
        remedy = f"Reject it instead, with {SETTINGS.rejecting_function}: {json.dumps(event)}."
        return Problem("undo", "waits for approval and has saved nothing yet", remedy)
    return Problem("undo", "is a change of settings that was not saved", "There is nothing to undo.")
