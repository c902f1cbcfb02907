"""Receiving an outbound message: who sends it, is it theirs to send, and onto the queue with it (W1-W3).

In this order, so that a stranger's body is not even looked at and a refusal tells nothing:

    sender = receiving.identify(organization, provider, token, registry=..., now=...)
    receipt = receiving.receive(outbound_message.parse(body), sender, queue=..., received_at=...)

Every refusal is a `NotFound`. Its `where` is for our own log; what the caller gets is always the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from muster.crm import salesforce_ids
from muster.errors import NotFound, Problem
from muster.webhook import tokens
from muster.webhook.messages import (
    Notification,
    OutboundMessage,
    ParkedNotification,
    ParkReason,
    QueuedChange,
    QueuedMessage,
)
from muster.webhook.ports import Queue, Registry
from muster.webhook.tokens import Token, WebhookRegistration

# W1: the seed's own address has the word itself where others have the provider's name.
_PROVIDERS = frozenset({"salesforce", "provider"})
_ORGANIZATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Base64url of at least 128 bits (W3).
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")

# Stands in for an organization there is none of, so that its token is compared like any other (T20).
# No input has this digest, and no message matches the empty organization id.
_NOBODY = WebhookRegistration(organization_id="", action_ids=(), tokens=(Token(sha256="0" * 64),))


@dataclass(frozen=True, slots=True)
class Sender:
    """Someone who knows the token of an organization's webhook."""

    organization: str
    registration: WebhookRegistration


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many notifications were queued as changes of users, and how many for review."""

    changes: int
    parked: int


def identify(organization: str, provider: str, token: str, *, registry: Registry, now: datetime) -> Sender:
    """Return who calls; raises `NotFound` if the address or the token is wrong.

    One read of the registry, and one comparison in constant time, for known and unknown alike (T20).
    """
    if not (_ORGANIZATION.fullmatch(organization) and provider in _PROVIDERS and _TOKEN.fullmatch(token)):
        raise _refused("address")
    registration = registry.find(organization) or _NOBODY
    if not tokens.matches(token, registration.tokens, now):
        raise _refused("token")
    return Sender(organization, registration)


def receive(message: OutboundMessage, sender: Sender, *, queue: Queue, received_at: datetime) -> Receipt:
    """Queue what a message tells; when this returns it is durable, and may be acknowledged (W2).

    Raises `NotFound` if it comes from another Salesforce org or another outbound message than the
    sender's settings name, and what `queue.send` raises if it could not be queued.
    """
    registration = sender.registration
    if not salesforce_ids.same(message.organization_id, registration.organization_id):
        raise _refused("OrganizationId")
    if registration.action_ids and not _is_among(message.action_id, registration.action_ids):
        raise _refused("ActionId")
    changes, parked = _sorted(message.notifications)
    queue.send(QueuedMessage(sender.organization, "salesforce", received_at, changes, parked))
    return Receipt(len(changes), len(parked))


def _is_among(record_id: str, allowed: Iterable[str]) -> bool:
    return any(salesforce_ids.same(record_id, other) for other in allowed)


def _sorted(
    notifications: Iterable[Notification],
) -> tuple[tuple[QueuedChange, ...], tuple[ParkedNotification, ...]]:
    changes: list[QueuedChange] = []
    parked: list[ParkedNotification] = []
    for notification in notifications:
        reason = _reason_to_park(notification)
        if reason is None:
            changes.append(QueuedChange(notification.id, notification.fields))
        else:
            record = notification.fields.get("Id")
            parked.append(ParkedNotification(notification.id, notification.object, record, reason))
    return tuple(changes), tuple(parked)


def _reason_to_park(notification: Notification) -> ParkReason | None:
    """Return why a notification is not a change of a user that can be followed, `None` if it is one."""
    if notification.object not in ("User", None):
        return "other_object"
    # A record deleted before delivery comes without data; that says nothing about who may work (T12).
    if "Id" not in notification.fields or len(notification.fields) == 1:
        return "no_fields"
    return "other_object" if notification.object is None else None


def _refused(where: str) -> NotFound:
    return NotFound(Problem(where, "is not what the settings say", "Compare Salesforce with the settings."))
