"""The actions of admins on an organization's settings and on its webhook address (S1, S2, S3, W3).

Nothing is ever overwritten: each save is a new version (`saving`). Before a save, Salesforce compiles
the filters, and the effect on members is previewed (`previewing`).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from muster.errors import NotFound, Problem, Rejected, Stale
from muster.organization_settings.approving import Approving
from muster.organization_settings.ports import SettingsStore
from muster.organization_settings.previewing import Previewing
from muster.organization_settings.saving import (
    Answer,
    Saving,
    Signature,
    in_words,
    no_settings_yet,
    settings_of,
    shown,
)
from muster.organization_settings.undoing_versions import VersionUndoer
from muster.settings import Settings
from muster.settings.document import read
from muster.settings.versions import StoredSettings, changes
from muster.settings.warnings import warnings
from muster.webhook import tokens
from muster.webhook.ports import Registry
from muster.webhook.tokens import Token, webhook_address
from muster.webhook_setup.ports import Journal

_NO_LONGER_ACCEPTED = {
    "where": "settings",
    "message": "were saved with an older Muster and are no longer accepted",
    "remedy": "Run the action validate on them, correct what it names, and put them.",
}


@dataclass(frozen=True, slots=True)
class Configuring:
    """The actions; each returns an answer for the admin with at least a `message`.

    `base_url` is the URL of the API, its stage included; `now` is timezone-aware. `loopback_hosts` says
    whether connections may lead to this very machine, `sends_mail` whether the stack has an address for it.
    """

    store: SettingsStore
    webhooks: Registry
    journal: Journal
    previewing: Previewing
    base_url: str
    now: datetime
    loopback_hosts: bool = False
    sends_mail: bool = True

    def get(self, organization: str, version: int | None = None) -> Answer:
        """Return a version, by default the current one, as written and with defaults; raises `NotFound`."""
        stored = self._stored(organization, version)
        settings = settings_of(stored)
        return {
            "message": f"Version {stored.version}, saved {stored.at}.",
            **_saved(stored),
            "not_tried": list(self.previewing.not_tried(stored)),
            "settings": stored.document,
            "effective": _effective(settings),
            "warnings": shown(self._warnings(settings)) if settings else [_NO_LONGER_ACCEPTED],
        }

    def validate(self, organization: str, document: str | dict[str, Any]) -> Answer:
        """Return what saving the document would change; raises `Rejected`."""
        _, settings = read(document, organization, loopback_hosts=self.loopback_hosts)
        tried = self.previewing.tried(settings)
        current = self.store.current(organization)
        in_force = settings_of(current) if current else None
        before = _effective(in_force)
        changed = list(changes(before or {}, _effective(settings)))
        against = f"version {current.version}" if current else "no settings"
        return {
            "message": f"The settings are good; against {against} they change {_count(changed, 'place')}.",
            "version": current.version if current else 0,
            "changes": changed,
            "not_tried": list(tried.not_tried),
            "warnings": shown(
                [
                    *tried.warnings,
                    *self.previewing.effects(settings),
                    *self.previewing.on_apps(in_force, settings).problems(),
                    *self._warnings(settings),
                ]
            ),
        }

    def preview(self, organization: str, document: str | dict[str, Any], signature: Signature) -> Answer:
        """Return what saving the document would do to the whole roster (S2); raises `Rejected`."""
        raw, settings = read(document, organization, loopback_hosts=self.loopback_hosts)
        tried = self.previewing.tried(settings)
        current = self.store.current(organization) or no_settings_yet(organization)
        apps = self._saving.on_apps(current, settings)
        change = self._saving.change(current, raw, settings, signature.why, apps)
        preview = self.previewing.preview(current, settings, change, signature.by)
        effects = [*self.previewing.effects(settings), *apps.problems()]
        answer = preview.answer.to_json() if preview.answer else {}
        said: Answer = {**answer, "version": current.version}
        said["message"] += in_words(effects)
        if preview.is_parked:
            said["message"] += f' To save it: {{"action": "approve", "run_id": "{said["run_id"]}"}}.'
        return {
            **said,
            "warnings": shown([*tried.warnings, *preview.warnings, *effects, *self._warnings(settings)]),
        }

    def put(self, organization: str, document: str | dict[str, Any], signature: Signature) -> Answer:
        """Save a document and return its version, and a token where there was none; raises `Rejected`.

        With the status "parked" nothing is saved: the change has to be approved (S2).
        """
        raw, settings = read(document, organization, loopback_hosts=self.loopback_hosts)
        return self._saving.save(raw, settings, signature)

    def approve(self, organization: str, run_id: str, signature: Signature) -> Answer:
        """Save the settings that a parked run keeps; raises `Rejected`."""
        change = Approving(self.previewing).change(run_id, organization)
        raw, settings = read(dict(change.document), organization, loopback_hosts=self.loopback_hosts)
        return self._saving.save(raw, settings, replace(signature, approve=run_id))

    def history(self, organization: str, limit: int, cursor: str | None = None) -> Answer:
        """Return versions, newest first, each with the places where it differs from the previous one."""
        below = int(cursor) if cursor else None
        # One more than requested: to compare the last one with, and to know whether there are more.
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
        raw, settings = read(earlier.document, organization, loopback_hosts=self.loopback_hosts)
        return {**self._saving.save(raw, settings, signature), "restored": earlier.version}

    def undo(
        self,
        organization: str,
        signature: Signature,
        *,
        run_id: str | None = None,
        version: int | None = None,
        preview: bool = False,
    ) -> Answer:
        """Save the version before one again, which its number or its run names; raises as `restore` does."""
        undoer = VersionUndoer(self.store, self.previewing.runs)
        undone = undoer.saved_by(organization, run_id) if run_id else version or 0
        before = undoer.version_before(organization, undone)
        said = {"undoes_version": undone, "restores": before}
        if preview:
            document = self._stored(organization, before).document
            return {**self.preview(organization, document, signature), **said}
        expected = undone if signature.expected_version is None else signature.expected_version
        why = signature.why or f"undo of version {undone}"
        signature = replace(signature, expected_version=expected, why=why)
        return {**self.restore(organization, before, signature), **said}

    def rotate_token(self, organization: str, by: str) -> Answer:
        """Issue a token that replaces the one in use; raises `NotFound` or `Rejected`."""
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
            remedy = "Rotate again, unless someone else has just rotated the token."
            raise Rejected(
                Problem("organization", "had its settings or token changed meanwhile", remedy)
            ) from error
        until = becomes.tokens[-1].expires_at
        return {
            "message": "The new token is valid now; enter the new address in Salesforce's outbound message"
            f" before the old one ends{f', {until}' if until else ''}.",
            "webhook": webhook_address(self.base_url, organization, token),
            "previous_token_valid_until": until,
        }

    @property
    def _saving(self) -> Saving:
        return Saving(
            self.store,
            self.webhooks,
            self.journal,
            self.previewing,
            self.base_url,
            self.now,
            self._warnings,
        )

    def _warnings(self, settings: Settings) -> list[Problem]:
        return warnings(settings, sends_mail=self.sends_mail)

    def _stored(self, organization: str, version: int | None) -> StoredSettings:
        if version is None:
            stored = self.store.current(organization)
            if stored is None:
                raise NotFound(_no_settings(organization))
            return stored
        stored = self.store.version(organization, version)
        if stored is None:
            raise NotFound(Problem("version", f"{version} does not exist", "The action history lists them."))
        return stored


def _saved(stored: StoredSettings) -> dict[str, Any]:
    return {
        "version": stored.version,
        "by": stored.by,
        "approved_by": stored.approved_by,
        "at": stored.at,
        "why": stored.why,
        "run": stored.run,
        "request_id": stored.request_id,
        "not_tried": list(stored.not_tried),
    }


def _effective(settings: Settings | None) -> dict[str, Any] | None:
    return settings.model_dump(mode="json") if settings else None


def _no_settings(organization: str) -> Problem:
    return Problem("organization", f"{organization} has no settings yet", "Save some with the action put.")


def _count(things: list[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
