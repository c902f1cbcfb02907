"""One save of an organization's settings: tried, written whole with what follows from it, approved (S1, S2).

A save is a new version under the condition that the one it is based on is still current, and with it
goes who may call the webhook and whether schedules import. Salesforce compiles the filters first, and
what would change for members is previewed; a change that trips the guard is parked instead of saved.
"""

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import MusterError, Problem, Rejected, Stale
from muster.organization_settings.ports import SettingsStore
from muster.organization_settings.previewing import Preview, Previewing, not_previewed
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
    """Who saves and why; the version it is based on, where that is known (0: there is none yet).

    `approve` is the parked run whose plan the admin lets pass with it.
    """

    by: str
    why: str = ""
    expected_version: int | None = None
    approve: str | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """Saves settings; `base_url` is where the API answers, its stage included; `now` is aware."""

    store: SettingsStore
    webhooks: Registry
    journal: Journal
    previewing: Previewing
    base_url: str
    now: datetime

    def save(self, raw: dict[str, Any], settings: Settings, signature: Signature) -> Answer:
        """Save a document that has been read; answers the version, or "parked". Raises `Rejected`."""
        organization = settings.organization
        current = self.store.current(organization)
        base = current or nothing_yet(organization)
        was = self.webhooks.find(organization)
        token = None if was else tokens.issue()
        becomes = _registration(settings, was or _first_registration(token or "", signature.by))
        if current and becomes == was and self._is_in_force(current, raw, settings):
            return self._nothing_to_save(current, settings, signature)
        _demand_expected(signature, base.version)
        approved, preview, found = self._tried(base, settings, signature)
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
        said["warnings"] += self._about_the_sender(current, settings)
        if approved:
            said["warnings"] += self._record_approval(approved, stored.version)
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
        """Tell whether the document is the current one already, for the schedules too."""
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

    def _tried(
        self, base: StoredSettings, settings: Settings, signature: Signature
    ) -> tuple[Run | None, Preview, list[Problem]]:
        """Return the run that is approved herewith, the preview, and warnings; raises `Rejected`."""
        asked, found = self.previewing.compiled(settings)
        if signature.approve:
            return *self.previewing.confirmed(signature.approve, base, settings, signature.by), found
        if not asked:
            return None, Preview(), [*found, not_previewed("Salesforce could not be asked")]
        preview = self.previewing.before_saving(base, settings, signature.by)
        return None, preview, [*found, *preview.warnings]

    def _record_approval(self, approved: Run, version: int) -> list[dict[str, str]]:
        """Return a warning where the approval of what is saved could not be recorded."""
        try:
            self.previewing.record_approval(approved, version)
        except Rejected as error:
            return shown(list(error.problems))
        except MusterError as error:
            message = f"is not recorded, though the settings are saved: {error}"
            remedy = "Put the same again, with the same approve, so that the next import passes."
            return shown([Problem("approve", message, remedy)])
        return []

    def _about_the_sender(self, before: StoredSettings | None, after: Settings) -> list[dict[str, str]]:
        """Return a warning where what Muster has put into Salesforce lacks fields that are named by now."""
        try:
            outgrown = before is not None and is_outgrown(before.settings, after)
            setup = self.journal.setup(after.organization) if outgrown else None
        except MusterError:
            return []  # the settings are saved; the action status of WebhookSetupFunction tells it too
        if setup is None or setup.action == "remove":
            return []
        message = "or a filter names fields that the outbound message and flow in Salesforce do not know yet"
        remedy = (
            "Send the action refresh to WebhookSetupFunction; until then imports bring what changes in them."
        )
        return shown([Problem("auto_provision", message, remedy)])

    def _overtaken(self, organization: str, based_on: int) -> Problem:
        current = self.store.current(organization)
        if current and current.version != based_on:
            return Problem(
                "settings", f"are overtaken: version {current.version} was saved meanwhile", _MERGE
            )
        return Problem("settings", "are not saved: the webhook token was changed meanwhile", "Put again.")


def nothing_yet(organization: str) -> StoredSettings:
    """Return what an organization's first settings replace, as version 0."""
    return StoredSettings(organization, 0, {"organization": organization}, by="", at="", why="", attempt="")


def shown(problems: list[Problem]) -> list[dict[str, str]]:
    """Return warnings as they are answered."""
    return [asdict(problem) for problem in problems]


def _demand_expected(signature: Signature, based_on: int) -> None:
    if signature.expected_version not in (None, based_on):
        there = f"version {based_on} is the current one" if based_on else "there are none yet"
        raise Rejected(Problem("expected_version", f"is {signature.expected_version}, but {there}", _MERGE))


def _first_registration(token: str, by: str) -> WebhookRegistration:
    first = Token(tokens.digest(token), issued_to=by)
    return WebhookRegistration(organization_id="", action_ids=(), tokens=(first,))


def _registration(settings: Settings, base: WebhookRegistration) -> WebhookRegistration:
    """Return who may call: without a Salesforce connection the id is empty, which matches nobody."""
    salesforce = settings.connections.salesforce
    return replace(
        base,
        organization_id=salesforce.organization_id if salesforce else "",
        action_ids=salesforce.action_ids if salesforce else (),
    )


def _seen(preview: Preview) -> Answer:
    answer = preview.answer
    return {"run_id": answer.run_id, "counts": answer.counts, "seats": answer.seats} if answer else {}


def _outlook(preview: Preview) -> str:
    if preview.run is None:
        return ""
    return f" What it changes for members comes with the next import; run {preview.run.id} shows it."


def _parked(previewed: RunAnswer) -> Answer:
    until, guard = previewed.details["approve_before"], "; ".join(previewed.details["guard"])
    message = (
        f"Nothing is saved: it waits for approval until {until}. {guard}. Look at what it would"
        f' change, then put the same settings with {{"approve": "{previewed.run_id}"}}.'
    )
    return {**replace(previewed, ended=Ended.PARKED, message=message).to_json(), "saved": False}
