"""Save an organization's settings: validate, preview or approve, write in one transaction (S1, S2).

A save writes a new version, on condition that the one it is based on is still current, and with it the
webhook registration and the schedules. Before that Salesforce compiles the filters, and the effect on
members is previewed; a change that trips the guard, or waits for another reason (`loosening`), is parked
instead of saved.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import Misconfigured, MusterError, Problem, Rejected, Stale
from muster.organization_settings.app_effects import AppEffects
from muster.organization_settings.approving import Approving
from muster.organization_settings.loosening import IDENTITIES, held_for, last_connected
from muster.organization_settings.ports import SettingsStore
from muster.organization_settings.previewing import Preview, Previewing, Tried
from muster.presentation import left_out
from muster.runs.answer import Ended, RunAnswer
from muster.runs.run import Run
from muster.runs.settings_change import SettingsChange
from muster.settings import Settings
from muster.settings.sections import Guard
from muster.settings.versions import StoredSettings, changes, is_same
from muster.times import timestamp
from muster.webhook import tokens
from muster.webhook.ports import Registry
from muster.webhook.tokens import Token, WebhookRegistration, webhook_address
from muster.webhook_setup.package import is_outgrown
from muster.webhook_setup.ports import Journal

type Answer = dict[str, Any]
# A connection that was taken out is looked for in so many versions.
_VERSIONS_SEARCHED = 50
# So many places that could not be tried are named in a message; the answer lists them all.
_NAMED = 3
_MERGE = "Get the current settings, merge your change into them, and put again."


@dataclass(frozen=True, slots=True)
class Signature:
    """Who saves and why; `expected_version` is the version it is based on, if known (0: none yet).

    `approve` is the parked run that the admin approves with it. `request_id` is the id of the invocation.
    """

    by: str
    why: str = ""
    expected_version: int | None = None
    approve: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """Saves settings; `base_url` is the URL of the API, its stage included; `now` is timezone-aware.

    `warnings` returns what is said about settings although they can be saved.
    """

    store: SettingsStore
    webhooks: Registry
    journal: Journal
    previewing: Previewing
    base_url: str
    now: datetime
    warnings: Callable[[Settings], list[Problem]]

    def save(self, raw: dict[str, Any], settings: Settings, signature: Signature) -> Answer:
        """Save a document; return the version, or the status "parked". Raises `Rejected`."""
        organization = settings.organization
        current = self.store.current(organization)
        base = current or no_settings_yet(organization)
        was = self.webhooks.find(organization)
        token = None if was else tokens.issue()
        becomes = _registration(settings, was or _first_registration(token or "", signature.by))
        if current and becomes == was and self._is_in_force(current, raw, settings):
            return self._nothing_to_save(current, settings, signature)
        _require_expected(signature, base.version)
        apps = self.on_apps(base, settings)
        change = self.change(base, raw, settings, signature.why, apps)
        tried = self.previewing.tried(settings)
        approved, preview = self._checked(base, settings, change, signature, tried)
        effects = [*self.previewing.effects(settings), *apps.problems()]
        found = [*tried.warnings, *preview.warnings, *effects, *self._shared_vaults(settings)]
        said: Answer = {
            "version": base.version,
            "not_tried": list(tried.not_tried),
            "warnings": shown([*found, *self.warnings(settings)]),
        }
        if preview.answer and preview.is_parked and not approved:
            return {**said, **_parked(preview.answer, tried)}
        stored = StoredSettings(
            organization=organization,
            version=base.version + 1,
            document=raw,
            by=(approved and approved.by) or signature.by,
            at=timestamp(self.now, to="seconds"),
            why=_why(approved, signature),
            attempt=secrets.token_hex(16),
            approved_by=signature.by if approved else None,
            run=approved.id if approved else None,
            request_id=signature.request_id,
            not_tried=tried.not_tried,
        )
        try:
            self.store.save(stored, None if becomes == was else (was, becomes))
        except Stale as error:
            raise Rejected(self._overtaken(organization, base.version)) from error
        said["warnings"] += self._outdated_webhook(current, settings)
        if approved:
            said["warnings"] += self._record_approval(approved, stored)
        if token:
            said["webhook"] = webhook_address(self.base_url, organization, token)
        return {
            **said,
            **_seen(preview),
            "message": (
                f"{in_words_not_tried(tried)}Version {stored.version} is saved.{_outlook(preview)}"
                f"{in_words(effects)}"
            ),
            "saved": True,
            "version": stored.version,
        }

    def on_apps(self, base: StoredSettings, settings: Settings) -> AppEffects:
        """Return what saving the document does to accounts in apps."""
        return self.previewing.on_apps(settings_of(base) if base.version else None, settings)

    def change(
        self, base: StoredSettings, raw: dict[str, Any], settings: Settings, why: str, apps: AppEffects
    ) -> SettingsChange:
        """Return what saving the document changes, and why it waits for approval whatever it does."""
        before = settings_of(base) if base.version else None
        effective = before.model_dump(mode="json") if before else {}
        return SettingsChange(
            document=raw,
            why=why,
            changed=tuple(changes(effective, settings.model_dump(mode="json"))),
            held_for=(
                *held_for(before, settings, self._last_connected(base, settings)),
                *apps.held_for(),
            ),
        )

    def _last_connected(self, base: StoredSettings, settings: Settings) -> dict[str, str]:
        """Return which systems the connections led to last; looks further back for one that is new."""
        found = last_connected([base.document])
        new = any(name in IDENTITIES and name not in found for name, _ in settings.connections.each())
        if new and base.version > 1:
            earlier = self.store.versions(base.organization, _VERSIONS_SEARCHED, base.version)
            found = last_connected([base.document, *(each.document for each in earlier)])
        return found

    def _shared_vaults(self, settings: Settings) -> list[Problem]:
        """Return a warning for each vault that another organization of the stack has as well (G10)."""
        return [
            Problem(
                f"connections.{connection}.host",
                f"is the vault of {', '.join(others)} too: each gives and takes groups there, and neither"
                " knows of the other's members",
                "Give each organization a vault of its own, or keep all of its people in one organization.",
            )
            for connection, others in self.store.sharing(settings).items()
        ]

    def _is_in_force(self, current: StoredSettings, raw: dict[str, Any], settings: Settings) -> bool:
        """Whether the document is already current, for the schedules too."""
        same = is_same(current.document, raw)
        return same and self.store.schedules_follow(settings)

    def _nothing_to_save(self, current: StoredSettings, settings: Settings, signature: Signature) -> Answer:
        if signature.approve:
            Approving(self.previewing).finish(signature.approve, current)
        tried = self.previewing.tried_now(current)
        return {
            "saved": False,
            "message": (
                f"{in_words_not_tried(tried)}Nothing to save: version {current.version} is the same."
            ),
            "version": current.version,
            "not_tried": list(tried.not_tried),
            "warnings": shown([*tried.warnings, *self.warnings(settings)]),
        }

    def _checked(
        self,
        base: StoredSettings,
        settings: Settings,
        change: SettingsChange,
        signature: Signature,
        tried: Tried,
    ) -> tuple[Run | None, Preview]:
        """Return the run that this save approves, and the preview; raises `Rejected`."""
        if not signature.approve:
            return None, self.previewing.before_saving(base, settings, change, signature.by, tried)
        approving = Approving(self.previewing)
        in_force = settings_of(base)
        guard = in_force.guard if in_force else Guard()
        parked = approving.parked(signature.approve, base, change, signature.by, guard)
        return parked, approving.confirmed(parked, base, settings, change, signature.by, tried)

    def _record_approval(self, approved: Run, saved: StoredSettings) -> list[dict[str, str]]:
        """Record the approval of the saved settings; return a warning if that fails."""
        try:
            Approving(self.previewing).record(approved, saved)
        except Rejected as error:
            return shown(list(error.problems))
        except MusterError as error:
            message = f"is not recorded, though the settings are saved: {error}"
            remedy = "Put the same again, with the same approve, so that the next import passes."
            return shown([Problem("approve", message, remedy)])
        return []

    def _outdated_webhook(self, before: StoredSettings | None, after: Settings) -> list[dict[str, str]]:
        """Return a warning if the outbound message in Salesforce lacks fields that the settings now name."""
        try:
            outgrown = before is not None and is_outgrown(before.settings, after)
            setup = self.journal.setup(after.organization) if outgrown else None
        except MusterError:
            return []  # the settings are saved, and the action status of WebhookSetupFunction warns too
        if setup is None or setup.action == "remove":
            return []
        message = "or a filter names fields that the outbound message and flow in Salesforce do not know yet"
        remedy = (
            "Run WebhookSetupFunction with the action refresh; until then only imports see changes of these."
        )
        return shown([Problem("auto_provision", message, remedy)])

    def _overtaken(self, organization: str, based_on: int) -> Problem:
        current = self.store.current(organization)
        if current and current.version != based_on:
            return Problem(
                "settings", f"are overtaken: version {current.version} was saved meanwhile", _MERGE
            )
        return Problem("settings", "are not saved: the webhook token was changed meanwhile", "Put again.")


def no_settings_yet(organization: str) -> StoredSettings:
    """Return version 0, which an organization's first settings replace."""
    return StoredSettings(organization, 0, {"organization": organization}, by="", at="", why="", attempt="")


def shown(problems: list[Problem]) -> list[dict[str, str]]:
    """Return problems as JSON for an answer."""
    return [asdict(problem) for problem in problems]


def _require_expected(signature: Signature, based_on: int) -> None:
    if signature.expected_version not in (None, based_on):
        there = f"version {based_on} is the current one" if based_on else "there are none yet"
        raise Rejected(Problem("expected_version", f"is {signature.expected_version}, but {there}", _MERGE))


def _first_registration(token: str, by: str) -> WebhookRegistration:
    first = Token(tokens.digest(token), issued_to=by)
    return WebhookRegistration(organization_id="", action_ids=(), tokens=(first,))


def _registration(settings: Settings, base: WebhookRegistration) -> WebhookRegistration:
    """Return the registration: without a Salesforce connection the id is empty, which matches nobody."""
    salesforce = settings.connections.salesforce
    return replace(
        base,
        organization_id=salesforce.organization_id if salesforce else "",
        action_ids=salesforce.action_ids if salesforce else (),
    )


def _seen(preview: Preview) -> Answer:
    answer = preview.answer
    if answer is None:
        return {}
    return {name: getattr(answer, name) for name in ("run_id", "counts", "left_out", "seats")}


def _outlook(preview: Preview) -> str:
    if preview.run is None:
        return ""
    told = left_out.in_words(preview.run.left_out, "people")
    return f" What it changes for members comes with the next import; run {preview.run.id} shows it." + (
        f" Then {told}." if told else ""
    )


def in_words(effects: list[Problem]) -> str:
    """Return what settings do that no plan shows, as it ends a message."""
    return "".join(f" {effect.where} {effect.message}." for effect in effects)


def in_words_not_tried(tried: Tried) -> str:
    """Return what could not be tried, as it begins a message; empty if everything was."""
    if not tried.not_tried:
        return ""
    places = [each["where"] for each in tried.not_tried]
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return (
        f"NOT TRIED: {', '.join(places[:_NAMED])}{more}, for Salesforce could not be asked"
        f" ({tried.not_tried[0]['why']}). Until it could, an import that lets in more people than the guard's"
        " floor waits for approval. "
    )


def _why(approved: Run | None, signature: Signature) -> str:
    """Return why somebody wanted it, and why somebody else approved it, where they say."""
    wanted = (approved and approved.why) or ""
    if not wanted or signature.why in ("", wanted):
        return wanted or signature.why
    return f"{wanted} (approved: {signature.why})"


def settings_of(stored: StoredSettings) -> Settings | None:
    """Return the settings of a version, or `None` if this version of Muster no longer accepts it."""
    try:
        return stored.settings
    except Misconfigured:
        return None


def _parked(previewed: RunAnswer, tried: Tried) -> Answer:
    until, guard = previewed.details["approve_before"], "; ".join(previewed.details["guard"])
    message = (
        f"{in_words_not_tried(tried)}Nothing is saved: it waits for approval until {until}. {guard}. Look at"
        f' what it would change; then approve it: {{"action": "approve", "run_id": "{previewed.run_id}"}}.'
    )
    return {**replace(previewed, ended=Ended.PARKED, message=message).to_json(), "saved": False}
