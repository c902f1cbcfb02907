"""Sends the queued notifications, from one thread, and remembers how it went.

A message counts as delivered only when the receiver acknowledges it; otherwise its notifications are tried
again, under the same ids, with growing gaps, until they are too old. As in Salesforce, in no promised order.
"""

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Any

import requests

from sandbox.salesforce.outbound_messages import OutboundMessage, OutboundMessages, Queued
from sandbox.salesforce.soap import HEADERS, envelope, refusal

LARGEST_BATCH = 100
ATTEMPTS_KEPT = 200


@dataclass(frozen=True)
class DeliverySettings:
    """How messages are sent. Times are in seconds; the defaults are the real ones as far as known."""

    hold: bool = False  # send nothing for now
    duplicate: int = 0  # send each message this many times more
    reorder: bool = False  # shuffle the notifications and the messages
    snapshot: bool = False  # a notification carries the record as it was when queued
    batch_size: int = LARGEST_BATCH
    window_s: float = 0.2  # gather changes this long before sending
    timeout_s: float = 60.0
    first_retry_s: float = 5.0
    retry_factor: float = 2.0
    max_retry_s: float = 7200.0
    drop_after_s: float = 86400.0
    seed: int = 0  # for the shuffling

    def changed(self, body: object) -> "DeliverySettings":
        """Return these settings with some replaced. Raises ValueError, saying what is allowed."""
        names = [each.name for each in fields(self)]
        if not isinstance(body, dict) or not set(body) <= set(names):
            raise ValueError(f"the body is an object with some of {', '.join(names)}")
        for name, value in body.items():
            present = getattr(self, name)
            if isinstance(present, bool):
                if not isinstance(value, bool):
                    raise ValueError(f"{name} is true or false")
            elif isinstance(value, bool) or not isinstance(value, int | type(present)) or value < 0:
                kind = "whole number" if isinstance(present, int) else "number"
                raise ValueError(f"{name} is a {kind} of at least 0")
        chosen = replace(self, **body)
        if not 1 <= chosen.batch_size <= LARGEST_BATCH:
            raise ValueError(f"batch_size is a number from 1 to {LARGEST_BATCH}")
        if not 1 <= chosen.retry_factor <= 10 or chosen.timeout_s == 0:
            raise ValueError("retry_factor is a number from 1 to 10, and timeout_s more than 0")
        return chosen

    def retry_gap(self, attempts: int) -> float:
        """Return the gap after this many failed attempts."""
        # The exponent is bounded so that a long series cannot overflow.
        return min(self.max_retry_s, self.first_retry_s * self.retry_factor ** min(attempts - 1, 64))


class Sender:
    """The thread that delivers, with its settings and its memory of the last attempts."""

    def __init__(
        self, messages: OutboundMessages, organization_id: str, settings: DeliverySettings | None = None
    ) -> None:
        """Take the queue to deliver from; `settings` are those to begin with and to go back to."""
        self._messages = messages
        self._organization_id = organization_id
        self._at_start = settings or DeliverySettings()
        self._settings = self._at_start
        self._random = random.Random(self._settings.seed)  # noqa: S311  # a repeatable shuffle, not a secret
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy stands between a sandbox and its receiver
        self._lock = Lock()
        self._wake = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="outbound message sender", daemon=True)
        self._era = 0
        self._delivered = 0
        self._dropped = 0
        self._attempts: deque[dict[str, Any]] = deque(maxlen=ATTEMPTS_KEPT)

    def start(self) -> None:
        """Start delivering."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a message under way is waited for a moment and stays queued if not answered."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._http.close()

    def wake(self) -> None:
        """Look at the queue again, now."""
        self._wake.set()

    @property
    def settings(self) -> DeliverySettings:
        """The settings in force."""
        return self._settings

    def change(self, body: object) -> DeliverySettings:
        """Replace some settings. Raises ValueError, saying what is allowed."""
        self._settings = self._settings.changed(body)
        if isinstance(body, dict) and "seed" in body:
            self._random.seed(self._settings.seed)
        self._wake.set()
        return self._settings

    def reset(self) -> None:
        """Go back to the settings of the start, with nothing counted, not even what is under way."""
        with self._lock:
            self._era += 1
            self._delivered = self._dropped = 0
            self._attempts.clear()
        self._settings = self._at_start
        self._random.seed(self._settings.seed)
        self._wake.set()

    def report(self, *, bodies: bool) -> dict[str, Any]:
        """Return the counts of notifications, and the last attempts, one for each message that was sent."""
        with self._lock:
            shown = [
                {key: value for key, value in attempt.items() if bodies or key != "body"}
                for attempt in self._attempts
            ]
            return {
                "pending": self._messages.pending(),
                "delivered": self._delivered,
                "dropped": self._dropped,
                "attempts": shown,
            }

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self._deliver_due()
            self._wake.wait(0 if self._stopping else self._pause())

    def _pause(self) -> float | None:
        """Seconds until there is something to send or to drop, None if there is not."""
        times = self._messages.next_due()
        if times is None:
            return None
        due_at, queued_at = times
        drop_at = queued_at + self._settings.drop_after_s
        return max(0.0, (drop_at if self._settings.hold else min(due_at, drop_at)) - time.time())

    def _deliver_due(self) -> None:
        dropped = self._messages.drop_older_than(self._settings.drop_after_s)
        with self._lock:
            self._dropped += dropped
        era = self._era
        for message in self._messages.installed():
            for batch, is_duplicate in self._batches(message):
                if self._stopping or self._settings.hold or era != self._era:
                    return
                self._send(message, batch, is_duplicate=is_duplicate)

    def _batches(self, message: OutboundMessage) -> Iterator[tuple[list[Queued], bool]]:
        settings = self._settings
        if settings.hold:
            return
        due = self._messages.due(message)
        if settings.reorder:
            self._random.shuffle(due)
        size = settings.batch_size
        batches = [(due[start : start + size], False) for start in range(0, len(due), size)]
        batches += [(batch, True) for batch, _ in batches for _ in range(settings.duplicate)]
        if settings.reorder:
            self._random.shuffle(batches)
        yield from batches

    def _send(self, message: OutboundMessage, batch: list[Queued], *, is_duplicate: bool) -> None:
        era = self._era
        notifications = self._messages.contents(message, batch)
        if not notifications:  # a reset took the records away
            return
        body = envelope(self._organization_id, message.action_id, notifications)
        status, reason = self._post(message.url, body)
        with self._lock:
            if self._stopping or era != self._era:
                return
            if reason is None:
                self._delivered += self._messages.delivered(batch)
            else:
                gap = self._settings.retry_gap(1 + max(each.attempts for each in batch))
                self._messages.failed(batch, time.time() + gap)
            self._attempts.append(
                {
                    "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "name": message.name,
                    "action_id": message.action_id,
                    "notifications": [each.id for each in batch],
                    "records": [each.record_id for each in batch],
                    "duplicate": is_duplicate,
                    "status": status,
                    "outcome": "delivered" if reason is None else "failed",
                    "reason": reason,
                    "body": body.decode(),
                }
            )

    def _post(self, url: str, body: bytes) -> tuple[int | None, str | None]:
        """Return the status of the answer, and why it does not count as an acknowledgement."""
        try:
            answer = self._http.post(
                url, data=body, headers=HEADERS, timeout=self._settings.timeout_s, allow_redirects=False
            )
        except requests.Timeout:
            return None, "timed out"
        except requests.RequestException as error:
            # Its class only: the text holds the URL, and the URL holds the receiver's token.
            return None, f"no answer: {type(error).__name__}"
        return answer.status_code, refusal(answer.status_code, answer.content)


def settings_as_json(settings: DeliverySettings) -> dict[str, Any]:
    """Return the settings as the control API shows them."""
    return asdict(settings)
