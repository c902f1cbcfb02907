"""What the morning digest needs of the world outside, beside what questions need."""

from datetime import datetime
from typing import Protocol

from muster.insight.ports import Organizations
from muster.settings.versions import StoredSettings


class SettingsStore(Organizations, Protocol):
    """The organizations and their settings; the adapter is `adapters.aws.settings_table`."""

    def current(self, organization: str) -> StoredSettings | None:
        """Return the current version."""


class DigestNote(Protocol):
    """The note of the last digest; the adapter is `adapters.aws.digest_note`."""

    def take(self, scheduled: datetime, now: datetime) -> datetime | None:
        """Take over the sending of a digest; returns from when on it tells, `None` where it has been sent.

        Raises `Rejected` for a moment that lies ahead, `Unavailable` while another invocation is sending it.
        """

    def sent(self) -> None:
        """Note that it has been sent."""

    def not_sent(self) -> None:
        """Note that it has not, so that whoever tries again need not wait."""


class Topic(Protocol):
    """Who is informed; the adapter is `adapters.aws.inform_topic`."""

    def publish(self, subject: str, text: str) -> None:
        """Send a mail to all of them; if the answer is lost, it may have been sent all the same."""
