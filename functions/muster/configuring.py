"""What admins do with an organization's settings, and with the address Salesforce calls (S1, W3).

Nothing is ever overwritten: each save is a new version, made under the condition that the one it is
based on is still current. Who loses such a race is told, and has changed nothing.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from muster import tokens
from muster.errors import Misconfigured, NotFound, Problem, Rejected, Stale
from muster.settings import Settings
from muster.settings.document import read
from muster.settings.rules import warnings
from muster.settings.versions import StoredSettings, changes, is_same
from muster.tokens import Token, WebhookRegistration

type Answer = dict[str, Any]

_NO_LONGER_ACCEPTED = {
    "where": "settings",
    "message": "were saved with an older Muster and are no longer accepted",
    "remedy": "Hand them to the action validate, correct what it names, and put them.",
}

_WEBHOOK_PATH = "/features/agent-auto-provision/organizations/{organization}/integrations/salesforce/webhook"
_MERGE = "Get the current settings, merge your change into them, and put again."


class SettingsStore(Protocol):
    """What configuring needs of the settings table; `adapters.settings_table` is the real one."""

    def current(self, organization: str) -> StoredSettings | None:
        """Return the settings in force."""

    def version(self, organization: str, version: int) -> StoredSettings | None:
        """Return one version."""

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return versions, newest first."""

    def save(
        self,
        stored: StoredSettings,
        webhook: tuple[WebhookRegistration | None, WebhookRegistration] | None,
    ) -> None:
        """Make `stored` current and replace the registration, both or neither; raises `Stale`."""


class Webhooks(Protocol):
    """What configuring needs of the webhook registry; `adapters.webhook_registry` is the real one."""

    def find(self, organization: str) -> WebhookRegistration | None:
        """Return who may call the organization's webhook."""

    def replace(
        self, organization: str, was: WebhookRegistration | None, becomes: WebhookRegistration
    ) -> None:
        """Replace a registration; raises `Stale`."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who saves and why; and the version it is based on, where that is known (0: there is none yet)."""

    by: str
    why: str = ""
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Configuring:
    """The actions, each with an answer for the admin that has a `message` at least.

    `base_url` is where the API answers, its stage included; `now` is aware.
    """

    store: SettingsStore
    webhooks: Webhooks
    base_url: str
    now: datetime

    def get(self, organization: str, version: int | None = None) -> Answer:
        """Return settings, those in force by default, as written and as they act; raises `NotFound`."""
        stored = self._stored(organization, version)
        settings = _understood(stored)
        return {
            "message": f"Version {stored.version}, saved {stored.at}.",
            **_saved(stored),
            "settings": stored.document,
            "effective": _effective(settings),
            "warnings": _warnings(settings) if settings else [_NO_LONGER_ACCEPTED],
        }

    def validate(self, organization: str, document: str | dict[str, Any]) -> Answer:
        """Return what saving the document would change; raises `Rejected`."""
        _, settings = read(document, organization)
        current = self.store.current(organization)
        before = _effective(_understood(current)) if current else None
        changed = list(changes(before or {}, _effective(settings)))
        against = f"version {current.version}" if current else "no settings"
        return {
            "message": f"The settings are good; against {against} they change {_count(changed, 'place')}.",
            "version": current.version if current else 0,
            "changes": changed,
            "warnings": _warnings(settings),
        }

    def put(self, organization: str, document: str | dict[str, Any], signature: Signature) -> Answer:
        """Save a document and return its version, and a token where there was none; raises `Rejected`."""
        raw, settings = read(document, organization)
        return self._save(raw, settings, signature)

    def history(self, organization: str, limit: int, cursor: str | None = None) -> Answer:
        """Return versions, newest first, each with the places where it differs from the one before it."""
        below = int(cursor) if cursor else None
        # One more than asked for: to compare the last with, and to know whether there are others.
        found = self.store.versions(organization, limit + 1, below)
        shown = found[:limit]
        documents = [stored.document for stored in found[1:]] + [{}]
        versions = [
            {**_saved(stored), "changed": [change["where"] for change in changes(older, stored.document)]}
            for stored, older in zip(shown, documents, strict=False)
        ]
        return {
            "message": f"{_count(versions, 'version')}, newest first.",
            "versions": versions,
            "cursor": str(shown[-1].version) if len(found) > len(shown) else None,
        }

    def restore(self, organization: str, version: int, signature: Signature) -> Answer:
        """Save an earlier version again; raises `NotFound`, or `Rejected` if it is no longer accepted."""
        earlier = self._stored(organization, version)
        raw, settings = read(earlier.document, organization)
        return {**self._save(raw, settings, signature), "restored": earlier.version}

    def rotate_token(self, organization: str, by: str) -> Answer:
        """Issue a token that takes over from the one in use; raises `NotFound` or `Rejected`."""
        was = self.webhooks.find(organization)
        if was is None:
            raise NotFound(_no_settings(organization))
        token = tokens.issue()
        becomes = replace(
            was, tokens=tokens.rotated(was.tokens, Token(tokens.digest(token), issued_to=by), self.now)
        )
        try:
            self.webhooks.replace(organization, was, becomes)
        except Stale as error:
            remedy = "Rotate again if the token that came out of it is not yours."
            raise Rejected(
                Problem("organization", "had its settings or token changed meanwhile", remedy)
            ) from error
        until = becomes.tokens[-1].expires_at
        return {
            "message": "The new token is valid now; put the new address into Salesforce's outbound message"
            f" before the old one ends{f', {until}' if until else ''}.",
            "webhook": self._webhook(organization, token),
            "previous_token_valid_until": until,
        }

    def _save(self, raw: dict[str, Any], settings: Settings, signature: Signature) -> Answer:
        organization = settings.organization
        current = self.store.current(organization)
        based_on = current.version if current else 0
        was = self.webhooks.find(organization)
        token = None if was else tokens.issue()
        becomes = _registration(settings, was or _first_registration(token or "", signature.by))
        said: Answer = {"warnings": _warnings(settings)}
        if current and is_same(current.document, raw) and becomes == was:
            message = f"Nothing to save: version {based_on} is the same."
            return {"saved": False, "message": message, "version": based_on, **said}
        if signature.expected_version not in (None, based_on):
            there = f"version {based_on} is the current one" if based_on else "there are none yet"
            raise Rejected(
                Problem("expected_version", f"is {signature.expected_version}, but {there}", _MERGE)
            )
        stored = StoredSettings(
            organization=organization,
            version=based_on + 1,
            document=raw,
            by=signature.by,
            at=self.now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            why=signature.why,
            attempt=secrets.token_hex(16),
        )
        try:
            self.store.save(stored, None if becomes == was else (was, becomes))
        except Stale as error:
            raise Rejected(self._overtaken(organization, based_on)) from error
        if token:
            said["webhook"] = self._webhook(organization, token)
        return {
            "message": f"Version {stored.version} is saved.",
            "saved": True,
            "version": stored.version,
            **said,
        }

    def _overtaken(self, organization: str, based_on: int) -> Problem:
        current = self.store.current(organization)
        if current and current.version != based_on:
            return Problem(
                "settings", f"are overtaken: version {current.version} was saved meanwhile", _MERGE
            )
        return Problem("settings", "are not saved: the webhook token was changed meanwhile", "Put again.")

    def _stored(self, organization: str, version: int | None) -> StoredSettings:
        if version is None:
            stored = self.store.current(organization)
            if stored is None:
                raise NotFound(_no_settings(organization))
            return stored
        stored = self.store.version(organization, version)
        if stored is None:
            raise NotFound(Problem("version", f"{version} is not there", "The action history lists them."))
        return stored

    def _webhook(self, organization: str, token: str) -> dict[str, str]:
        path = _WEBHOOK_PATH.format(organization=organization)
        return {"token": token, "url": f"{self.base_url}{path}?token={token}"}


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


def _saved(stored: StoredSettings) -> dict[str, Any]:
    return {"version": stored.version, "by": stored.by, "at": stored.at, "why": stored.why}


def _understood(stored: StoredSettings) -> Settings | None:
    """Return what a version means, or `None` where this version of Muster no longer accepts it."""
    try:
        return stored.settings
    except Misconfigured:
        return None


def _effective(settings: Settings | None) -> dict[str, Any] | None:
    return settings.model_dump(mode="json") if settings else None


def _warnings(settings: Settings) -> list[dict[str, str]]:
    return [
        {"where": warning.where, "message": warning.message, "remedy": warning.remedy}
        for warning in warnings(settings)
    ]


def _no_settings(organization: str) -> Problem:
    return Problem("organization", f"{organization} has no settings yet", "Save some with the action put.")


def _count(things: list[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
