"""What undoing a run needs from the outside world."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from muster.roster.member import Json
from muster.roster.ports import Roster, RosterViews
from muster.runs.ports import Archive, Runs
from muster.sources.ports import Salesforce


class Journal(Protocol):
    """Changes of members by time; the adapter is `adapters.aws.journal`."""

    def changes(self, organization: str, since: str, until: str, expected: int) -> Iterator[Json]:
        """Yield the history entries from `since` on and before `until`, newest first."""

    def begins(self, organization: str) -> str | None:
        """Return when the first change was recorded that can be read by time."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of an undo; without `salesforce`, what follows Salesforce is not looked at."""

    runs: Runs
    archive: Archive
    roster: Roster
    views: RosterViews
    journal: Journal
    salesforce: Salesforce | None = None
