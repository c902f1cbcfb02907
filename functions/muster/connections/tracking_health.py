"""Tracks a connection's health: one that keeps failing is tried less often, and reported once (P6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from muster.connections import quarantine
from muster.connections.ports import HealthStore
from muster.connections.quarantine import Health
from muster.engage.ports import Vault
from muster.error_log import entry_of
from muster.errors import (
    ApiCallsUsedUp,
    Downtime,
    LoginUnderWay,
    Misconfigured,
    MusterError,
    OutcomeUnknown,
    PasswordRefused,
    Problem,
    Unavailable,
)
from muster.runs.answer import Ended, RunAnswer
from muster.runs.ports import ErrorLog
from muster.times import timestamp


class _Tracked:
    """A client that remembers whether it was called, and the last failure since a call that worked."""

    def __init__(self, client: object) -> None:
        self._client = client
        self.called = False
        self.failure: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*given: Any, **named: Any) -> Any:
            with self._track():
                answer = method(*given, **named)
            return self._pages(answer) if isinstance(answer, Iterator) else answer

        return call

    def _pages(self, pages: Iterator[Any]) -> Iterator[Any]:
        with self._track():
            yield from pages

    @contextmanager
    def _track(self) -> Iterator[None]:
        self.called = True
        try:
            yield
        except (Unavailable, Misconfigured) as error:
            self.failure = error
            raise
        self.failure = None


@dataclass(frozen=True, slots=True)
class HealthTracker:
    """Tracks one connection of an organization.

    `count` is called with `failed`, `quarantined` or `recovered` when that happens, for metrics. That calls
    are used up, or that another process is logging in, says nothing of a connection's health.
    """

    organization: str
    connection: str
    store: HealthStore
    log: ErrorLog
    now: Callable[[], datetime]
    count: Callable[[str], None]

    def skipped(self, refusal: Callable[[], str | None]) -> RunAnswer | None:
        """Return the answer to a schedule that may not try the connection now, `None` if it may.

        `refusal` says why nobody logs in, if the password in the secret was refused, and calls no vault.
        """
        health = self._health()
        if health.reason == "password":
            why = _words_of(refusal)
            message = f"{self.connection} is left alone: {why}" if why else None
        elif health.is_due(self.now()):
            message = None
        else:
            message = quarantine.waiting(self.connection, health)
        return RunAnswer(ended=Ended.SKIPPED, message=message) if message else None

    @contextmanager
    def lent(
        self,
        vault: Vault,
        refusal: Callable[[], str | None],
        *,
        scheduled: bool,
        left_alone: Callable[[str], object],
    ) -> Iterator[Vault | None]:
        """Lend a vault as `watched` does; `None` if a schedule may not try it now: `left_alone` gets why."""
        skipped = self.skipped(refusal) if scheduled else None
        if skipped:
            left_alone(skipped.message)
            yield None
            return
        with self.watched(vault) as tracked:
            yield tracked

    def try_now(self, probe: Callable[[], object]) -> None:
        """Call what schedules leave alone, for somebody who has asked; raises what the call raises.

        A run that has nothing to ask would otherwise say that all is well. `probe` makes one harmless call.
        """
        health = self._health()
        if health.quarantined or health.in_maintenance:
            probe()

    def probe(self, call: Callable[[], object]) -> None:
        """Make one cheap call for a schedule, where nobody knows whether the connection works.

        That it fails is recorded, and stops no run that may have nothing to ask.
        """
        if self._health().is_to_be_probed(self.now()):
            with suppress(MusterError):
                call()

    @contextmanager
    def watched[Client](self, client: Client) -> Iterator[Client]:
        """Lend a client, and record afterwards whether its last call worked."""
        tracked = _Tracked(client)
        try:
            yield cast("Client", tracked)
        finally:
            if tracked.called:
                self._record(tracked.failure)

    def _record(self, failure: Exception | None) -> None:
        before = self._health()
        after = _health_after(before, failure, self.now())
        if after != before:
            self.store.save_health(self.organization, self.connection, asdict(after))
        if after.failures > before.failures:
            self.count("failed")
        if failure is None:
            if before.quarantined:
                self._report("recovered", quarantine.recovery_notice(self.connection, before))
                self.count("recovered")
        elif quarantine.entered(before, after):
            self._report("quarantined", quarantine.quarantine_notice(self.connection, after, str(failure)))
            self.count("quarantined")
        elif after.in_maintenance and not before.in_maintenance:
            self._report("maintenance", quarantine.maintenance_notice(self.connection, after, str(failure)))

    def _report(self, event: str, problem: Problem) -> None:
        entry = entry_of(
            problem,
            at=timestamp(self.now()),
            system=self.connection,
            code=f"connection_{event}",
            notification=self.connection,
        )
        self.log.park(self.organization, [entry], self.now().timestamp())

    def _health(self) -> Health:
        return Health(**self.store.health(self.organization, self.connection))


def _health_after(before: Health, failure: Exception | None, now: datetime) -> Health:
    """Return the health after calls of which the last one worked (`None`) or failed."""
    # A write that got no clear answer: what counts is why.
    cause = failure.__cause__ if isinstance(failure, OutcomeUnknown) else failure
    match cause:
        case None if failure is None:
            return quarantine.worked(before, now)
        case ApiCallsUsedUp() | LoginUnderWay():
            return before
        case PasswordRefused():
            return quarantine.refused(before, now)
        case Downtime():
            return quarantine.down(before, now, timedelta(seconds=cause.retry_after))
    return quarantine.failed(before, now)


def _words_of(refusal: Callable[[], str | None]) -> str | None:
    """Return what `refusal` returns, `None` if that cannot be read: whoever then tries sees why."""
    try:
        return refusal()
    except MusterError:
        return None
