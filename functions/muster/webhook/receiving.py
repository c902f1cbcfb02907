"""Receive an outbound message: authenticate the sender, check its org and message ids, queue it (W1-W3).

In this order, so that an unauthenticated body is never parsed and a refusal reveals nothing:

    sender = receiving.identify(organization, provider, token, registry=..., now=...)
    receipt = receiving.receive(outbound_message.parse(body), sender, queue=..., received_at=...)

Every refusal is a `NotFound`. Its `where` is for our own log; the caller always gets the same answer.
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

# W1: the original address has the literal word `provider` where others have the provider's name.
_PROVIDERS = frozenset({"salesforce", "provider"})
_ORGANIZATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Base64url of at least 128 bits (W3).
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")

# Stands in for an unknown organization, so that its token is compared like any other (T20).
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
    """Return the sender; raises `NotFound` if the address or the token is wrong.

    Known and unknown organizations take one read of the registry and one constant-time comparison (T20).
    """
    if not (_ORGANIZATION.fullmatch(organization) and provider in _PROVIDERS and _TOKEN.fullmatch(token)):
        raise _refused("address")
    registration = registry.find(organization) or _NOBODY
    if not tokens.matches(token, registration.tokens, now):
        raise _refused("token")
    return Sender(organization, registration)


def receive(message: OutboundMessage, sender: Sender, *, queue: Queue, received_at: datetime) -> Receipt:
    """Queue a message; when this returns it is durable and may be acknowledged (W2).

    Raises `NotFound` if it comes from another Salesforce org or another outbound message than the
    sender's settings name, and whatever `queue.send` raises if it could not be queued.
    """
    registration = sender.registration
    if not salesforce_ids.same(message.organization_id, registration.organization_id):
        raise _refused("OrganizationId")
    if registration.action_ids and not _is_among(message.action_id, registration.action_ids):
        raise _refused("ActionId")
    changes, parked = _split(message.notifications)
    queue.send(QueuedMessage(sender.organization, "salesforce", received_at, changes, parked))
    return Receipt(len(changes), len(parked))


def _is_among(record_id: str, allowed: Iterable[str]) -> bool:
    return any(salesforce_ids.same(record_id, other) for other in allowed)


def _split(
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
    """Return why a notification names no user whose change could be followed, `None` if it names one.

    The Id is enough (W15). Whether more is needed depends on settings that only the worker knows.
    """
    if notification.object not in ("User", None):
        return "other_object"
    # A record deleted before delivery comes without data; that says nothing about the user's access (T12).
    if "Id" not in notification.fields:
        return "no_fields"
    return "other_object" if notification.object is None else None


def _refused(where: str) -> NotFound:
    return NotFound(Problem(where, "is not what the settings say", "Compare Salesforce with the settings."))
