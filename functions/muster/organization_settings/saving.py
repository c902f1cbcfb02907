"""Save an organization's settings: validate, preview or approve, write in one transaction (S1, S2).

A save writes a new version, on condition that the one it is based on is still current, and with it the
webhook registration and the schedules. Before that Salesforce compiles the filters, and the effect on
members is previewed; a change that trips the guard is parked instead of saved.
"""

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import MusterError, Problem, Rejected, Stale
from muster.organization_settings.ports import SettingsStore
from muster.organization_settings.previewing import Preview, Previewing, not_previewed
from muster.roster.reasons import left_out_in_words
from muster.runs.answer import Ended, RunAnswer
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.versions import StoredSettings, is_same
from muster.settings.warnings import warnings
from muster.times import timestamp
from muster.webhook import tokens
from muster.webhook.ports import Registry
from muster.webhook.tokens import Token, WebhookRegistration, webhook_address
from muster.webhook_setup.package import is_outgrown
from muster.webhook_setup.ports import Journal

type Answer = dict[str, Any]
_MERGE = "Get the current settings, merge your change into them, and put again."


@dataclass(frozen=True, slots=True)
class Signature:
    """Who saves and why; `expected_version` is the version it is based on, if known (0: none yet).

    `approve` is the parked run whose plan the admin approves with it.
    """

    by: str
    why: str = ""
    expected_version: int | None = None
    approve: str | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """Saves settings; `base_url` is the URL of the API, its stage included; `now` is timezone-aware."""

    store: SettingsStore
    webhooks: Registry
    journal: Journal
    previewing: Previewing
    base_url: str
    now: datetime

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
        approved, preview, found = self._checked(base, settings, signature)
        said: Answer = {"version": base.version, "warnings": shown([*warnings(settings), *found])}
        if preview.answer and preview.is_parked and not approved:
            return {**said, **_parked(preview.answer)}
        stored = StoredSettings(
            organization=organization,
            version=base.version + 1,
            document=raw,
            by=signature.by,
            at=timestamp(self.now, to="seconds"),
            why=signature.why,
            attempt=secrets.token_hex(16),
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
            "message": f"Version {stored.version} is saved.{_outlook(preview)}",
            "saved": True,
            "version": stored.version,
        }

    def _is_in_force(self, current: StoredSettings, raw: dict[str, Any], settings: Settings) -> bool:
        """Whether the document is already current, for the schedules too."""
        same = is_same(current.document, raw)
        return same and self.store.schedules_follow(settings)

    def _nothing_to_save(self, current: StoredSettings, settings: Settings, signature: Signature) -> Answer:
        if signature.approve:
            self.previewing.finish_approval(signature.approve, current)
        return {
            "saved": False,
            "message": f"Nothing to save: version {current.version} is the same.",
            "version": current.version,
            "warnings": shown(warnings(settings)),
        }

    def _checked(
        self, base: StoredSettings, settings: Settings, signature: Signature
    ) -> tuple[Run | None, Preview, list[Problem]]:
        """Return the run that this save approves, the preview, and warnings; raises `Rejected`."""
        could_ask, found = self.previewing.compiled(settings)
        if signature.approve:
            return *self.previewing.confirmed(signature.approve, base, settings, signature.by), found
        if not could_ask:
            return None, Preview(), [*found, not_previewed("Salesforce could not be asked")]
        preview = self.previewing.before_saving(base, settings, signature.by)
        return None, preview, [*found, *preview.warnings]

    def _record_approval(self, approved: Run, saved: StoredSettings) -> list[dict[str, str]]:
        """Record the approval of the saved settings; return a warning if that fails."""
        try:
            self.previewing.record_approval(approved, saved)
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
    told = left_out_in_words(preview.run.left_out, "people")
    return f" What it changes for members comes with the next import; run {preview.run.id} shows it." + (
        f" Then {told}." if told else ""
    )


def _parked(previewed: RunAnswer) -> Answer:
    until, guard = previewed.details["approve_before"], "; ".join(previewed.details["guard"])
    message = (
        f"Nothing is saved: it waits for approval until {until}. {guard}. Look at what it would"
        f' change, then put the same settings with {{"approve": "{previewed.run_id}"}}.'
    )
    return {**replace(previewed, ended=Ended.PARKED, message=message).to_json(), "saved": False}
