"""Take a snapshot of the roster once a day, after an import of everyone (Q2).

It never fails the import: what fails is told in the error log, and the next import of everyone tries again.
Parts are written first, each in place of what an interrupted attempt has left, the manifest last; so there is
a snapshot whole or not at all.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from muster import __version__
from muster.error_log import entry_of
from muster.errors import Incomplete, MusterError, Problem
from muster.roster import snapshots
from muster.roster.erasure import is_erased
from muster.roster.ports import Roster, RosterViews, Snapshots
from muster.roster.snapshots import MEMBERS_A_PART, Manifest, Part, PartFile
from muster.times import timestamp

CODE = "snapshot_failed"
# A part takes a few seconds, and the import has to answer after it.
_MARGIN_S = 45


@dataclass(frozen=True, slots=True)
class SnapshotTaker:
    """Takes snapshots of one organization; `remaining` returns the seconds left of the invocation."""

    organization: str
    views: RosterViews
    snapshots: Snapshots
    log: Roster
    now: Callable[[], datetime]
    remaining: Callable[[], float]

    def take(self, run: str) -> Manifest | None:
        """Take the day's snapshot after a run; returns it, or `None` if there is one, or it failed.

        Raises `MusterError` where the error log cannot be written either.
        """
        try:
            begun = self.now()
            day = f"{begun:%Y-%m-%d}"
            if day in self.snapshots.days(self.organization):
                return None
            return self._taken(run, day, begun)
        except MusterError as error:
            self._tell(run, error)
            return None

    def _taken(self, run: str, day: str, begun: datetime) -> Manifest:
        parts: list[Part] = []
        erased: list[str] = []
        active = 0
        states: dict[str, Counter[str]] = {}
        file = PartFile()
        for member in self.views.everyone(self.organization, None):
            if file.members == MEMBERS_A_PART:
                parts.append(self._put(day, len(parts) + 1, file))
                file = PartFile()
            file.add(member)
            active += member.active
            for app, account in member.accounts.items():
                if account.state:
                    states.setdefault(app, Counter())[account.state] += 1
            if is_erased(member):
                erased.append(member.id)
        if file.members:
            parts.append(self._put(day, len(parts) + 1, file))
        manifest = Manifest(
            organization=self.organization,
            day=day,
            begun_at=timestamp(begun),
            ended_at=timestamp(self.now()),
            run=run,
            members=sum(part.members for part in parts),
            active=active,
            parts=tuple(parts),
            erased=tuple(erased),
            accounts={app: dict(counts) for app, counts in states.items()},
            muster_version=__version__,
        )
        self.snapshots.put_manifest(manifest)
        return manifest

    def _put(self, day: str, number: int, file: PartFile) -> Part:
        if self.remaining() < _MARGIN_S:
            raise Incomplete("there was not enough time left to write down everyone")
        body = file.ended()
        self.snapshots.put_part(self.organization, day, number, body)
        return snapshots.described(body, file.members)

    def _tell(self, run: str, error: MusterError) -> None:
        at = self.now()
        remedy = "The next full import takes one: only if it tells this too, correct what it names."
        problem = Problem("The snapshot of the roster", f"was not taken: {error}", remedy)
        entry = entry_of(problem, at=timestamp(at), system="roster", code=CODE, notification=run)
        self.log.park(self.organization, [entry], at.timestamp())
