"""Salesforce's outbound message as received, and the message on our own queue. Values only.

`adapters.outbound_message` reads the first from XML; `adapters.aws.change_queue` encodes the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

type ParkReason = Literal["other_object", "no_fields"]


@dataclass(frozen=True, slots=True)
class Notification:
    """One record that was created or changed.

    `object` is the local name of `xsi:type`. `fields` maps API name to text; Salesforce leaves null
    fields out (W5). `id` and the field `Id` have 18 characters.
    """

    id: str
    object: str | None
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One call from Salesforce: 1 to 100 notifications of one org; both ids as they were sent."""

    organization_id: str
    action_id: str
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class QueuedChange:
    """The fields of one user from a notification, API name to text; null fields are absent."""

    notification: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParkedNotification:
    """A notification that an admin should review: its object and record Id, where known, and the reason."""

    notification: str
    object: str | None
    record: str | None
    reason: ParkReason


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """The content of one outbound message, in the order of its notifications; `received_at` is in UTC."""

    organization: str
    provider: str
    received_at: datetime
    changes: tuple[QueuedChange, ...] = ()
    parked: tuple[ParkedNotification, ...] = ()
