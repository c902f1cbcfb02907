"""What the webhook needs: the registry of callers, a queue, what was followed, and what messages took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from muster.webhook.messages import QueuedMessage
from muster.webhook.tokens import WebhookRegistration

if TYPE_CHECKING:
    # The webhook itself starts without them.
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from muster.roster.ports import Roster
    from muster.sources.ports import Salesforce
    from muster.webhook.deliveries import CallsUsed, Followed
    from muster.webhook.losses import Loss, Recorded


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


class Deliveries(Protocol):
    """What was followed, and the org's API calls; implemented by `adapters.aws.delivery_journal`."""

    def read(
        self, organization: str, records: Sequence[str]
    ) -> tuple[Mapping[str, Followed], CallsUsed | None]:
        """Return what is remembered of these records, and the calls used as last noted."""

    def remember(self, organization: str, followed: Iterable[Followed], now: datetime) -> None:
        """Remember this for fourteen days from `now` on."""

    def note_calls(self, organization: str, calls: CallsUsed) -> None:
        """Note how many calls are used, unless a later count is noted."""

    def claim(self, organization: str, calls: CallsUsed, now: datetime) -> bool:
        """Take the turn to count anew after that count; `False` where another worker has it."""


class LossRecord(Protocol):
    """What messages took from members in the last hour; implemented by `adapters.aws.loss_table`."""

    def losses(self, organization: str) -> Recorded:
        """Return what is recorded; one call, strongly consistent."""

    def replace(self, organization: str, was: Recorded, losses: Sequence[Loss]) -> bool:
        """Record these losses instead; `False`: it is no longer what `was` says."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of the worker; `salesforce` may be `None` where a message needs none."""

    roster: Roster
    losses: LossRecord
    salesforce: Salesforce | None = None
