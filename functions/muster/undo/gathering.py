"""Gathers what an undo decides on: whom the run changed, what has become of that, and the users as they are.

Members are found by the journal, and each one's history is complete up to the member as it is stored: where
the index lags behind, it is read from the table. Users are read again in Salesforce by id, for nobody is let
in from what is remembered (A14). All is archived, a hundred members a part.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from muster.roster.member import Json, Member
from muster.roster.ports import LOOKED_UP_AT_ONCE
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.run import Run
from muster.settings import Settings
from muster.sources.reading_by_id import read_users
from muster.times import timestamp
from muster.undo import touched
from muster.undo.ports import Ports
from muster.undo.touched import PART, Touched
from muster.undo.undone import undone

_HISTORY_PAGE = 100
_SALESFORCE = "salesforce"


@dataclass(frozen=True, slots=True)
class UndoGatherer:
    """Gathers for one attempt of an undo; `target` is the run that is undone."""

    ports: Ports
    settings: Settings
    clock: RunClock
    run: Run
    target: Run

    def gathered(self, *, resumed: bool) -> list[Touched]:
        """Return whom the run changed, by id; those that an invocation before gathered are read back.

        Raises `Unavailable`, `Misconfigured`, and `OutOfTime` with what is gathered archived.
        """
        parts = AttemptParts(self.ports.archive, self.run)
        found = touched.gathered(parts.parts(PART)) if resumed else []
        number = self._parts_there() if resumed else 0
        names = self._names() - {each.undone.member for each in found}
        later = self._later(names)
        for some in batched(sorted(names), LOOKED_UP_AT_ONCE, strict=False):
            self.clock.check()
            number += 1
            people = self._some(some, later)
            parts.put(PART, number, touched.written(people))
            found += people
        return sorted(found, key=lambda each: each.undone.member)

    def _parts_there(self) -> int:
        run = self.run
        return self.ports.archive.count(run.organization, run.id, run.attempt, PART)

    def _names(self) -> set[str]:
        until = after(self.target.finished_at or self.target.updated_at or timestamp(self.clock.now()))
        found = entries_of(self.ports, self.target, until)
        return {entry["member"] for entry in found}

    def _later(self, names: set[str]) -> dict[str, list[Json]]:
        """Return these members' history from the run on, newest first."""
        by_member: dict[str, list[Json]] = {name: [] for name in names}
        if not names:
            return by_member
        until = after(timestamp(self.clock.now()))
        for entry in self.ports.journal.changes(
            self.run.organization, self.target.started_at, until, 2 * len(names)
        ):
            if (mine := by_member.get(entry["member"])) is not None:
                mine.append(entry)
        return by_member

    def _some(self, names: Sequence[str], later: dict[str, list[Json]]) -> list[Touched]:
        members = self.ports.roster.members(self.run.organization, names)
        users = {name: _user_of(members.get(name)) for name in names}
        asked = [user for user in users.values() if user]
        changes = {}
        if self.ports.salesforce and asked:
            now = self.clock.now()
            changes = dict(
                read_users(asked, self.settings, self.ports.salesforce, now, f"run:{self.run.id}").changes
            )
        return [
            Touched(
                undone=undone(name, self._whole(members.get(name), later[name]), f"run:{self.target.id}"),
                user=users[name],
                run=f"run:{self.run.id}",
                change=changes.get(users[name]),
            )
            for name in names
        ]

    def _whole(self, member: Member | None, entries: Sequence[Json]) -> Sequence[Json]:
        """Return a member's history from the run on; from the table, where the index has not all of it."""
        newest = max((entry["version"] for entry in entries), default=0)
        if member is None or newest == member.version:
            return entries
        return list(self._from_the_table(member))

    def _from_the_table(self, member: Member) -> Iterator[Json]:
        cursor = None
        while True:
            some, cursor = self.ports.views.history(member.organization, member.id, _HISTORY_PAGE, cursor)
            for entry in some:
                if entry["at"] < self.target.started_at:
                    return
                yield entry
            if cursor is None:
                return


def entries_of(ports: Ports, target: Run, until: str) -> Iterable[Json]:
    """Yield the history entries of a run, newest first."""
    entries = ports.journal.changes(target.organization, target.started_at, until, max(1, target.planned))
    return (entry for entry in entries if entry["run"] == f"run:{target.id}")


def after(at: str) -> str:
    """Return the moment right after one (ISO 8601)."""
    return timestamp(datetime.fromisoformat(at) + timedelta(milliseconds=1))


def _user_of(member: Member | None) -> str:
    return (member and member.crm.get(_SALESFORCE, {}).get("id")) or ""
