"""What a message is still worth: notifications that were followed are not followed again (W13). Pure.

Salesforce delivers at least once, and whoever has captured a message can send it as often as they like. So it
is remembered per record which notifications were followed, and when the user was last read back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.crm import salesforce_ids
from muster.sources.newest_changes import CLOCKS_DIFFER
from muster.times import timestamp
from muster.webhook.messages import ParkedNotification, QueuedChange, QueuedMessage

type Notified = QueuedChange | ParkedNotification

# For how long a notification is remembered: as long as a message can wait in the dead-letter queue.
REMEMBERED = timedelta(days=14)
# How many notifications of one record are remembered, the newest by id.
MOST_REMEMBERED = 100
# Of an org's API calls of 24 hours, the share beyond which messages wait.
SHARE_FOR_MESSAGES = 0.70
# How often one of the messages that wait may ask for the count anew.
ASKED_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Followed:
    """What was followed about a record; `read_at` is when it was last read back (ISO 8601)."""

    record: str
    notifications: frozenset[str] = frozenset()
    read_at: str | None = None


@dataclass(frozen=True, slots=True)
class CallsUsed:
    """How many of an org's API calls of 24 hours were used at a moment (aware)."""

    used: int
    limit: int
    at: datetime

    @property
    def is_spent(self) -> bool:
        """Whether messages have to wait, so that imports and other integrations can go on."""
        return self.used > SHARE_FOR_MESSAGES * self.limit


def records_of(message: QueuedMessage) -> list[str]:
    """Return the records that the message names, by Id; a notification without one by its own id."""
    return list(dict.fromkeys(map(_record_of, _all_of(message))))


def yet_to_follow(
    message: QueuedMessage, followed: Mapping[str, Followed], *, reads_back: bool
) -> QueuedMessage:
    """Return the message without the notifications that need not be followed any more.

    Those are the ones that were followed, and where users are read back, those of a user who was read after
    the message was taken in: what Salesforce sent, it shows from then on (W11).
    """

    def is_new(notification: Notified) -> bool:
        before = followed.get(_record_of(notification))
        if before is None:
            return True
        if notification.notification in before.notifications:
            return False
        return not (reads_back and _was_read_since(before, message.received_at))

    return replace(
        message,
        changes=tuple(filter(is_new, message.changes)),
        parked=tuple(filter(is_new, message.parked)),
    )


def with_message(
    followed: Mapping[str, Followed], message: QueuedMessage, read_at: datetime | None
) -> list[Followed]:
    """Return what is to be remembered of each record; `read_at` is `None` if it was not read back."""
    notifications: dict[str, set[str]] = {}
    for each in _all_of(message):
        notifications.setdefault(_record_of(each), set()).add(each.notification)
    read = timestamp(read_at) if read_at else None
    return [
        Followed(record, _newest(new | before.notifications), read or before.read_at)
        for record, new in notifications.items()
        for before in (followed.get(record, Followed(record)),)
    ]


def _newest(notifications: Iterable[str]) -> frozenset[str]:
    return frozenset(sorted(notifications)[-MOST_REMEMBERED:])


def _was_read_since(followed: Followed, received_at: datetime) -> bool:
    if followed.read_at is None:
        return False
    return datetime.fromisoformat(followed.read_at) > received_at + CLOCKS_DIFFER


def _all_of(message: QueuedMessage) -> list[Notified]:
    return [*message.changes, *message.parked]


def _record_of(notification: Notified) -> str:
    if isinstance(notification, QueuedChange):
        record: str | None = notification.fields.get("Id", "").strip()
    else:
        record = notification.record
    if record and salesforce_ids.is_valid(record):
        return salesforce_ids.to_18(record)
    return notification.notification
