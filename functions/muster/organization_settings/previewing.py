"""Try a change of settings on the roster before it is saved: preview it, and park what must be approved (S2).

A preview plans a full import with the new settings and writes nothing to the roster. If its plan trips the
guard, or the change waits for another reason (`loosening`), it is parked; `approving` lets it pass. The
change itself is kept with the run, for whoever approves it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from muster.errors import Misconfigured, Problem, Rejected, Stale, Unavailable
from muster.imports.importing import Importing
from muster.imports.ports import Ports
from muster.organization_settings import app_effects, effects
from muster.organization_settings.app_effects import AppEffects
from muster.organization_settings.loosening import IDENTITIES
from muster.organization_settings.ports import Salesforce
from muster.roster import end_dates
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.seats import limits
from muster.runs.answer import Ended, RunAnswer
from muster.runs.guard import EVERYONE
from muster.runs.kinds import SETTINGS
from muster.runs.parking import APPROVAL
from muster.runs.ports import Archive, Runs
from muster.runs.run import Run, Status
from muster.runs.running import new_id
from muster.runs.settings_change import SettingsChange
from muster.settings import Settings, digests, map_keys, trial_queries, unseen_changes
from muster.settings.sections import SalesforceConnection
from muster.settings.versions import StoredSettings
from muster.times import timestamp
from muster.validation import fewer

# How many of the latest runs are searched for previews that a newer one supersedes.
RUNS_SEARCHED = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of asking Salesforce about a document: warnings, and the places it could not be asked about.

    `not_tried` lists `{where, why}`.
    """

    warnings: tuple[Problem, ...] = ()
    not_tried: tuple[dict[str, str], ...] = ()


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
    the seconds left of the invocation, whose id is `request_id`.
    """

    runs: Runs
    roster: Roster
    archive: Archive
    salesforce: Callable[[SalesforceConnection], Salesforce]
    ports: Callable[[SalesforceConnection], Ports]
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    request_id: str | None = None

    def tried(self, settings: Settings) -> Tried:
        """Have Salesforce compile the filters and fields, over the settings' own connection.

        Raises `Rejected` with what it refuses. Where the settings switch auto-provisioning off, refusals are
        only warnings: that must always be possible.
        """
        connection = settings.connections.salesforce
        if connection is None:
            return Tried()
        try:
            salesforce = self.salesforce(connection)
            refusals = salesforce.refusals(trial_queries.queries(settings))
            described = salesforce.describe()["fields"]
        except (Unavailable, Misconfigured) as error:
            message = f"could not be asked whether Salesforce accepts the filters and fields: {error}"
            remedy = "Correct that, and put them again: they are tried then."
            problem = Problem("connections.salesforce", message, remedy)
            places = trial_queries.places(settings)
            return Tried((problem,), tuple({"where": where, "why": str(error)} for where in places))
        refused = trial_queries.problems(settings, refusals, [str(each.get("name")) for each in described])
        if refused and settings.auto_provision.enabled:
            raise Rejected(*fewer(refused))
        formulas = [
            str(each.get("name")) for each in described if each.get("calculated") and each.get("custom")
        ]
        return Tried(
            (
                *refused,
                *unseen_changes.of_formula_fields(settings, formulas),
                *map_keys.warnings(settings, described),
            )
        )

    def tried_now(self, saved: StoredSettings) -> Tried:
        """Try what could not be tried when the settings in force were saved, and note it once it has been.

        Raises `Rejected` with what Salesforce refuses.
        """
        if not self.not_tried(saved):
            return Tried()
        tried = self.tried(saved.settings)
        if not tried.not_tried:
            self.runs.change_state(
                saved.organization, lambda state: replace(state, settings_tried=saved.version)
            )
        return tried

    def not_tried(self, saved: StoredSettings) -> tuple[dict[str, str], ...]:
        """Return what could not be tried when these settings were saved, unless it has been since."""
        if saved.not_tried and self.runs.state(saved.organization).settings_tried == saved.version:
            return ()
        return saved.not_tried

    def effects(self, settings: Settings) -> list[Problem]:
        """Return what the settings do that no plan shows."""
        limited = list(limits(settings))
        pools = self.roster.pools(settings.organization, limited) if limited else {}
        active = self.runs.state(settings.organization).active.get(EVERYONE, 0)
        return effects.effects(settings, pools, active)

    def on_apps(self, before: Settings | None, after: Settings) -> AppEffects:
        """Return what a change of settings does to accounts in apps.

        Reads the whole roster where accounts might be left open or closed. Raises `Unavailable`.
        """
        if before is None or not app_effects.changed(before, after):
            return AppEffects()
        organization = after.organization
        names = (state.member for state in self.roster.states(organization))
        members = (
            member
            for some in batched(names, LOOKED_UP_AT_ONCE, strict=False)
            for member in self.roster.members(organization, some).values()
        )
        return app_effects.effects(members, before, after, end_dates.today(self.now(), after.time_zone))

    def preview(
        self, current: StoredSettings, settings: Settings, change: SettingsChange, by: str
    ) -> Preview:
        """Return what the new settings would change; a parked preview supersedes older ones.

        Raises `Rejected` without a connection and while another run is at work, else as an import does.
        """
        preview = self.run_preview(current, settings, change, by)
        if preview.run and preview.is_parked:
            self._reject_superseded(preview.run)
        return preview

    def before_saving(
        self, current: StoredSettings, settings: Settings, change: SettingsChange, by: str, tried: Tried
    ) -> Preview:
        """Return the preview of settings about to be saved, empty unless they could change any member.

        A preview that fails does not prevent saving: the guard of the next import still applies. What waits
        for another reason is parked without one.
        """
        preview = self.effect(current, settings, change, by, tried)
        if preview.run is None and change.held_for:
            return self._parked_unplanned(current, replace(change, planned=False), by, preview.warnings)
        return preview

    def run_preview(
        self, current: StoredSettings, settings: Settings, change: SettingsChange, by: str
    ) -> Preview:
        """Return what the new settings would change, whatever waits already; raises as `preview` does."""
        connection = settings.connections.salesforce
        if connection is None:
            remedy = "Add it: all users are read from there."
            raise Rejected(Problem("connections.salesforce", "is not in the settings", remedy))
        importing = Importing(
            current, self.ports(connection), self.now, self.remaining, request_id=self.request_id
        )
        try:
            run, answer = importing.preview_settings(settings, change, by)
        except Stale as error:
            remedy = "Try again when it has ended."
            raise Rejected(Problem("organization", "now has another run at work", remedy)) from error
        if run.expires_at:
            answer = replace(answer, details={**answer.details, "approve_before": run.expires_at})
        return Preview(run, replace(answer, warnings=()), tuple(answer.warnings))

    def close(self, ended: Run) -> None:
        """Record how a parked run ended, unless it is closed already."""
        try:
            self.runs.save_without_lease(ended, Status.PARKED)
        except Stale:
            return

    def effect(
        self, current: StoredSettings, settings: Settings, change: SettingsChange, by: str, tried: Tried
    ) -> Preview:
        """Return the preview of settings, empty unless they could change any member, or if it fails."""
        if tried.not_tried:
            return Preview(warnings=(not_previewed("Salesforce could not be asked"),))
        if settings.connections.salesforce is None or not settings.auto_provision.enabled:
            return Preview()
        if not current.version or not _changes_decisions(current, settings):
            return Preview()
        if not self._has_members(current.organization):
            return Preview()
        try:
            return self.preview(current, settings, change, by)
        except (Unavailable, Misconfigured) as error:
            return Preview(warnings=(not_previewed(str(error)),))

    def _parked_unplanned(
        self, current: StoredSettings, change: SettingsChange, by: str, warnings: tuple[Problem, ...]
    ) -> Preview:
        """Park a change whose effect on the roster is not planned: what is approved is the document."""
        at = self.now()
        digest = digests.document_digest(change.document)
        run = Run(
            id=new_id(at),
            organization=current.organization,
            mode="full",
            kind=SETTINGS.name,
            status=Status.PARKED,
            by=by,
            request_id=self.request_id,
            preview=True,
            started_at=timestamp(at),
            updated_at=timestamp(at),
            expires_at=timestamp(at + APPROVAL),
            settings_version=current.version,
            settings_hash=digest,
            why=change.why,
            plan_hash=digest,
        )
        change.keep(self.archive, run.organization, run.id)
        self.runs.add(run)
        self._reject_superseded(run)
        details = {
            "changes": [],
            "guard": list(change.held_for),
            "plan_hash": run.plan_hash,
            "approve_before": run.expires_at,
        }
        answer = RunAnswer(ended=Ended.PARKED, message="", run_id=run.id, counts={}, details=details)
        return Preview(run, answer, warnings)

    def _reject_superseded(self, newest: Run) -> None:
        """Reject parked changes that are void, expired, or the same as the newest one."""
        latest, _ = self.runs.runs(newest.organization, RUNS_SEARCHED, None)
        for run in latest:
            if run.kind != SETTINGS.name or run.status is not Status.PARKED or run.id == newest.id:
                continue
            expired = run.expires_at is not None and timestamp(self.now()) >= run.expires_at
            void = run.settings_version != newest.settings_version
            same = (run.plan_hash, run.settings_hash) == (newest.plan_hash, newest.settings_hash)
            if expired or void or same:
                self._reject(run, f"Run {newest.id} took its place.")

    def _reject(self, run: Run, message: str) -> None:
        at = timestamp(self.now())
        self.close(replace(run, status=Status.REJECTED, finished_at=at, updated_at=at, message=message))

    def _has_members(self, organization: str) -> bool:
        """Whether the roster has members; reads only the first entry of the index."""
        return any(True for _ in self.roster.states(organization))


def not_previewed(reason: str) -> Problem:
    """Return the warning that the settings are saved without a preview."""
    return Problem(
        "settings",
        f"are saved without a preview of their effect on the roster: {reason}",
        "The guard still applies: the next import waits for approval if it would change too much.",
    )


def _changes_decisions(current: StoredSettings, settings: Settings) -> bool:
    """Whether the settings that decide about members differ, or cannot be compared."""
    try:
        before = current.settings
    except Misconfigured:
        return True
    if digests.deciding_settings(before) != digests.deciding_settings(settings):
        return True
    # With another org, everybody is somebody else.
    name = "salesforce"
    was, becomes = (getattr(each.connections, name) for each in (before, settings))
    return was is not None and getattr(was, IDENTITIES[name]) != getattr(becomes, IDENTITIES[name])
