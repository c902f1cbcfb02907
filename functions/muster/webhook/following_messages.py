"""Follow a queued message as far as it is worth it, and remember that it was followed (W13)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from muster.errors import ApiCallsUsedUp, MusterError
from muster.settings import Settings
from muster.webhook import deliveries
from muster.webhook.applying_changes import Applied, needs_salesforce
from muster.webhook.deliveries import ASKED_EVERY, CallsUsed, Followed
from muster.webhook.messages import QueuedMessage
from muster.webhook.ports import Deliveries

REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class MessageFollower:
    """Follows messages of one organization; `settings` are `None` where it has none.

    `calls_used` returns how many of the org's API calls were used, of how many, at the last call of this
    process; `warn` is told what could not be remembered.
    """

    settings: Settings | None
    deliveries: Deliveries
    calls_used: Callable[[], tuple[int, int] | None]
    warn: Callable[[MusterError], None]

    def follow(
        self, message: QueuedMessage, now: datetime, apply: Callable[[QueuedMessage], Applied]
    ) -> Applied:
        """Apply what of the message was not followed before, and count the rest as `repeated`.

        Raises `ApiCallsUsedUp` where it needs Salesforce and has to wait, and what `apply` raises.
        """
        if self.settings is None or not self.settings.auto_provision.enabled:
            return apply(message)
        asks = needs_salesforce(self.settings)
        reads_back = asks and self.settings.auto_provision.read_back
        organization = message.organization
        followed, calls = self.deliveries.read(organization, deliveries.records_of(message))
        fresh = deliveries.yet_to_follow(message, followed, reads_back=reads_back)
        repeated = len(message.changes) + len(message.parked) - len(fresh.changes) - len(fresh.parked)
        if not fresh.changes and not fresh.parked:
            return Applied(Counter({REPEATED: repeated}))
        if asks and fresh.changes:
            self._wait_for_calls(organization, calls, now)
        try:
            applied = apply(fresh)
        finally:
            if asks:
                self._note_calls(organization, calls, now)
        self._remember(message, deliveries.with_message(followed, fresh, now if reads_back else None), now)
        return replace(applied, outcomes=applied.outcomes + Counter({REPEATED: repeated}))

    def _wait_for_calls(self, organization: str, calls: CallsUsed | None, now: datetime) -> None:
        """Raise `ApiCallsUsedUp` while the org's calls are spent, unless this message may ask anew."""
        if calls is None or not calls.is_spent:
            return
        if now >= calls.at + ASKED_EVERY and self.deliveries.claim(organization, calls, now):
            return
        share = calls.used / max(calls.limit, 1)
        raise ApiCallsUsedUp(
            f"{share:.0%} of the Salesforce org's API calls of 24 hours are used; messages wait, for imports"
            " and other integrations. Find out what uses them (Setup > Company Information), or buy more",
            retry_after=ASKED_EVERY.total_seconds(),
        )

    def _note_calls(self, organization: str, known: CallsUsed | None, now: datetime) -> None:
        """Share with other processes that the calls are spent, or that they no longer are."""
        if (count := self.calls_used()) is None:
            return
        calls = CallsUsed(*count, at=now)
        if calls.is_spent or (known is not None and known.is_spent):
            try:
                self.deliveries.note_calls(organization, calls)
            except MusterError as error:
                self.warn(error)

    def _remember(self, message: QueuedMessage, followed: list[Followed], now: datetime) -> None:
        try:
            self.deliveries.remember(message.organization, followed, now)
        except MusterError as error:
            # The message has been followed; if it comes again, it is followed again.
            self.warn(error)
