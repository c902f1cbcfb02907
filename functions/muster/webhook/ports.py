"""What the webhook needs of the outside world: the registry of callers, and a queue."""

from typing import Protocol

from muster.webhook.messages import QueuedMessage
from muster.webhook.tokens import WebhookRegistration


class Registry(Protocol):
    """Who may call each organization's webhook; implemented by `adapters.aws.webhook_registry`."""

    def find(self, organization: str) -> WebhookRegistration | None:
        """Return the organization's registration."""

    def replace(
        self, organization: str, was: WebhookRegistration | None, becomes: WebhookRegistration
    ) -> None:
        """Replace a registration; raises `Stale` if it is no longer `was`."""


class Queue(Protocol):
    """The queue between webhook and worker; implemented by `adapters.aws.change_queue`."""

    def send(self, message: QueuedMessage) -> None:
        """Queue a message; when this returns it is durable."""
