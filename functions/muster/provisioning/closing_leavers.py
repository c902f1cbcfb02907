"""Members who leave, as the table's stream names them: closed in every app within seconds (O4, W10).

An app that is down holds up nobody for long: whoever cannot be closed is tried again until two minutes have
passed, and is then left to the next push. All others of the batch are closed meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from muster.errors import Misconfigured, MusterError, Unavailable
from muster.provisioning.ending_access import AccessEnding, Ended
from muster.provisioning.ports import Target
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection

PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Leaver:
    """A member who has left, as a record of the stream says: its number there, and when it was written.

    `written_at` is in epoch seconds.
    """

    number: str
    organization: str
    member: str
    written_at: float


@dataclass(frozen=True, slots=True)
class LeaverPorts:
    """The outside world of closing leavers.

    `settings` returns an organization's settings, `None` where it has none; it may raise. `app` returns an
    app, `None` if it is left alone for now; it may raise. `now` returns the time (aware), `has_time` whether
    there is time for one more account.
    """

    settings: Callable[[str], Settings | None]
    roster: Roster
    app: Callable[[Settings, TargetConnection], Target | None]
    now: Callable[[], datetime]
    has_time: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Closed:
    """An account that the app shows to let nobody in, seconds after the member was known to have left."""

    organization: str
    connection: str
    seconds: float


@dataclass(slots=True)
class LeaverClosing:
    """One batch of the stream.

    `closed` are the accounts that were closed, `left` counts those that are left to the next push, `next` is
    the number of the record to begin with next time (`None`: all are done), and `why` of the last failure.
    """

    ports: LeaverPorts
    closed: list[Closed] = field(default_factory=list, init=False)
    left: int = field(default=0, init=False)
    next: str | None = field(default=None, init=False)
    why: MusterError | None = field(default=None, init=False)
    _apps: dict[tuple[str, str], Target | None] = field(default_factory=dict, init=False)
    _down: set[tuple[str, str]] = field(default_factory=set, init=False)

    def close(self, leavers: Sequence[Leaver]) -> None:
        """Close all of them, as far as there is time; raises nothing that a system is to blame for."""
        first: dict[tuple[str, str], Leaver] = {}
        for leaver in leavers:
            first.setdefault((leaver.organization, leaver.member), leaver)
        for leaver in first.values():
            if not self.ports.has_time():
                self.next = self.next or leaver.number
                return
            self._close(leaver)

    def _close(self, leaver: Leaver) -> None:
        try:
            settings = self.ports.settings(leaver.organization)
            member = self.ports.roster.members(leaver.organization, [leaver.member]).get(leaver.member)
            if settings is None or member is None:
                return
            ending = AccessEnding(settings, self.ports.roster, self.ports.now)
            if member.active:
                ending.look_again(member)
                return
            ended = [self._close_in(ending, member, connection) for connection in ending.apps(member)]
        except Unavailable as error:
            self.why = error
            ended = [Ended.AGAIN]
        except Misconfigured as error:
            self.why = error
            ended = [Ended.LEFT]
        again = ended.count(Ended.AGAIN)
        if again and self.ports.now().timestamp() - leaver.written_at < PATIENCE_S:
            self.next = self.next or leaver.number
            again = 0
        self.left += ended.count(Ended.LEFT) + again

    def _close_in(self, ending: AccessEnding, member: Member, connection: TargetConnection) -> Ended:
        where = member.organization, connection.key
        if where in self._down:
            return Ended.AGAIN
        try:
            app = self._app(ending.settings, connection)
        except MusterError as error:
            self.why = error
            return Ended.AGAIN if isinstance(error, Unavailable) else Ended.LEFT
        if app is None:
            return Ended.LEFT
        ended = ending.close(member, connection, app)
        self.why = ending.why or self.why
        if ended is Ended.AGAIN:
            # Who is next in it would wait as long for no answer.
            self._down.add(where)
        if ended is Ended.CLOSED:
            self.closed.append(Closed(*where, self._seconds_since(member)))
        return ended

    def _app(self, settings: Settings, connection: TargetConnection) -> Target | None:
        where = settings.organization, connection.key
        if where not in self._apps:
            self._apps[where] = self.ports.app(settings, connection)
        return self._apps[where]

    def _seconds_since(self, member: Member) -> float:
        now = self.ports.now()
        left_at = datetime.fromisoformat(member.inactive_since) if member.inactive_since else now
        return max(0.0, (now - left_at).total_seconds())
