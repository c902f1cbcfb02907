"""What organization settings need of the outside world."""

from collections.abc import Sequence
from typing import Any, Protocol

from muster.settings import Settings
from muster.settings.versions import StoredSettings
from muster.sources import ports
from muster.webhook.tokens import WebhookRegistration


class SettingsStore(Protocol):
    """The settings table; implemented by `adapters.aws.settings_table`."""

    def current(self, organization: str) -> StoredSettings | None:
        """Return the current version."""

    def sharing(self, settings: Settings) -> dict[str, list[str]]:
        """Return by connection the other organizations of the stack on the same vault (G10)."""

    def schedules_follow(self, settings: Settings) -> bool:
        """Whether the schedules agree with these settings."""

    def save(
        self,
        stored: StoredSettings,
        webhook: tuple[WebhookRegistration | None, WebhookRegistration] | None,
    ) -> None:
        """Store a version, replace the registration and update the schedules, or nothing; raises `Stale`."""

    def version(self, organization: str, version: int) -> StoredSettings | None:
        """Return one version."""

    def versions(self, organization: str, limit: int, below: int | None = None) -> list[StoredSettings]:
        """Return versions, newest first."""


class Salesforce(ports.Salesforce, Protocol):
    """Salesforce, to try settings on it; implemented by `adapters.salesforce.client`."""

    def refusals(self, queries: Sequence[str]) -> list[str | None]:
        """Return for each query the reason why Salesforce refuses it, or `None`."""

    def describe(self, sobject: str = "User") -> dict[str, Any]:
        """Return Salesforce's description of an object: its `fields`, each with a `name` and what it is."""
