"""What a push needs of the system that it is to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from muster.checks import Check
from muster.error_log import LogEntry
from muster.roster.member import Member
from muster.runs.hooks import Progress
from muster.runs.ports import Guarded
from muster.runs.reasons import Reason
from muster.runs.run import Run


class Item(Guarded, Protocol):
    """One person's part of a plan, as the guard counts it and an answer shows it."""

    @property
    def is_sent(self) -> bool:
        """Whether anything is written to the target."""

    @property
    def is_shown(self) -> bool:
        """Whether an answer shows it."""

    def shown(self) -> dict[str, Any]:
        """Return it as an admin sees it in a preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan[I]:
    """What is to be sent, and what else is to be said of it; see `runs.hooks.Planned` for each.

    `reasons` are those that the guard does not know, `note` what a preview says after its own words.
    """

    items: Sequence[I]
    counts: Mapping[str, int]
    plan_hash: str
    read: int
    reasons: Sequence[Reason] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    errors: int = 0
    entries: Sequence[LogEntry] = ()
    standing: Sequence[LogEntry] = ()
    note: str = ""


class Target[I: Item, Shown](Protocol):
    """A system that members are pushed to, in one invocation of a push; `steps` leads through it.

    What it is called with, and what it plans, it keeps in the archive, so that the plan can be made again
    (Q4). It records what it sends with the members, before anything that rests on it is sent (P5).
    """

    @property
    def name(self) -> str:
        """The name of its connection, as people know it."""

    @property
    def progress(self) -> Progress:
        """What came of sending since it was last recorded."""

    def due(self, run: Run) -> Mapping[str, Member]:
        """Return, by id, who has changed, or whose time for another try has come."""

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> Shown:
        """Return what the target shows of them; `resumed`: an invocation before has begun with that."""

    def plan(self, run: Run, shown: Shown) -> Plan[I]:
        """Decide."""

    def failed_checks(self) -> Sequence[Check]:
        """Return the failed ones of the checks that sending depends on (U6)."""

    def written(self, items: Sequence[I]) -> bytes:
        """Return items as a part of the plan's file."""

    def read(self, part: bytes) -> Sequence[I]:
        """Return the items of a part of the plan's file."""

    def begin(self, run: Run, items: Sequence[I], *, resumed: bool) -> None:
        """Be told of the whole plan before the first chunk of this invocation is sent."""

    def chunks(self, items: Sequence[I]) -> Iterable[Sequence[I]]:
        """Return the items in order, in chunks that are sent together."""

    def arrived(self, run: Run, items: Sequence[I]) -> Sequence[I]:
        """Return what is still to be sent of a chunk that may have been sent; record what has arrived."""

    def send(self, run: Run, items: Sequence[I]) -> None:
        """Send a chunk to those for whom the plan still holds, and record it."""

    def all_sent(self, run: Run) -> None:
        """Do what comes once all is sent."""

    def outcome(self, run: Run, items: Sequence[I], summary: Mapping[str, Any]) -> None:
        """Read what has come of it, and record it; repeated if it is interrupted."""
