"""What keeping settings needs of the world outside."""

from collections.abc import Sequence
from typing import Any, Protocol

from muster.settings import Settings
from muster.settings.versions import StoredSettings
from muster.sources import ports
from muster.webhook.tokens import WebhookRegistration


class SettingsStore(Protocol):
    """The settings table; `adapters.aws.settings_table` is the real one."""

    def current(self, organization: str) -> StoredSettings | None:
        """Return the settings in force."""

    def schedules_follow(self, settings: Settings) -> bool:
        """Tell whether the schedules know of the organization what these settings say."""

    def save(
        self,
        stored: StoredSettings,
        webhook: tuple[WebhookRegistration | None, WebhookRegistration] | None,
    ) -> None:
        """Make `stored` current, replace the registration, tell the schedules, or none; raises `Stale`."""

    def version(self, organization: str, version: int) -> StoredSettings | None:
        """Return one version."""

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return versions, newest first."""


class Salesforce(ports.Salesforce, Protocol):
    """Salesforce as settings are tried on it; `adapters.salesforce.client` is the real one."""

    def refusals(self, queries: Sequence[str]) -> list[str | None]:
        """Return per query why Salesforce refuses it, or `None`."""

    def describe(self, sobject: str = "User") -> dict[str, Any]:
        """Return what Salesforce says of an object: its `fields`, each with a `name`."""
