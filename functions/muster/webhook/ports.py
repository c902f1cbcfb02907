"""What the webhook needs of the world outside: who may call it, and a queue."""

from typing import Protocol

from muster.webhook.messages import QueuedMessage
from muster.webhook.tokens import WebhookRegistration


class Registry(Protocol):
    """Who may call an organization's webhook; `adapters.aws.webhook_registry` is the real one."""

    def find(self, organization: str) -> WebhookRegistration | None:
        """Return who may call an organization's webhook."""

    def replace(
        self, organization: str, was: WebhookRegistration | None, becomes: WebhookRegistration
    ) -> None:
        """Replace a registration; raises `Stale`."""


class Queue(Protocol):
    """The queue between webhook and worker; `adapters.aws.change_queue` is the real one."""

    def send(self, message: QueuedMessage) -> None:
        """Make a message durable."""
