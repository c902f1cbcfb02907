"""Applies a plan: each item is decided on what is stored now, and written whole or not at all.

Decisions made in the same invocation are written as they are; their conditions fail if the member has
changed since. Applying an item twice changes nothing. A user who cannot be written goes to the error log
and holds up no other (I8); if nobody can be written, the run stops.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched, groupby

from muster.error_log import LogEntry, entry_of
from muster.errors import MusterError, Problem, Unavailable
from muster.imports.erasing_leavers import erase_leavers
from muster.imports.plan_items import ARRIVING, Item
from muster.roster import refuted_messages, salesforce_lifecycle, vault_lifecycle
from muster.roster.decisions import Decision, Outcome
from muster.roster.ports import LOOKED_UP_AT_ONCE, Change, Roster, Rules
from muster.roster.serving_seat_lines import SeatLineServer
from muster.roster.writing_user_changes import PATIENCE, ReadAgain, UserChangeWriter
from muster.runs.clock import OutOfTime, RunClock
from muster.runs.hooks import Progress
from muster.runs.run import Run
from muster.settings import Settings
from muster.sources.newest_changes import read_version
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import LinkLost, LostLink, VaultUser
from muster.times import timestamp


@dataclass(slots=True)
class PlanApplier:
    """One invocation's share of applying a plan of these items; adds to the run's `progress`.

    `read_again` reads users by id, as they are now. `ready` are the decisions this invocation has already
    made, by CRM id.
    """

    settings: Settings
    roster: Roster
    clock: RunClock
    run: Run
    items: Sequence[Item]
    read_again: ReadAgain
    progress: Progress
    ready: Mapping[str, Decision]
    _planned: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Know whom the plan is about."""
        self._planned = frozenset(item.user for item in self.items)

    def chunks(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Yield the items in order, in chunks that the same rules are for."""
        for _, same in groupby(items, key=lambda item: _rules(item.change)):
            yield from batched(same, LOOKED_UP_AT_ONCE, strict=False)

    def apply(self, items: Sequence[Item]) -> None:
        """Apply one chunk.

        Raises `Stale` if the lease is lost, and the first error if nobody can be written, or not everybody of
        another vault.
        """
        # Who is served from a line has no change: `serve_lines` serves them when all else is done.
        if changes := [item.change for item in items if item.change]:
            self._write(changes, _rules(changes[0]))

    def finish(self, record: Callable[[], None]) -> None:
        """Link to new managers, serve the lines, and after an import of everyone erase who left long ago."""
        self.second_pass()
        self.serve_lines(record)
        if self.run.mode == "full":
            self.erase_leavers()

    def second_pass(self) -> None:
        """Link members who were written before their manager to it (A10); these writes are not counted."""
        order = {item.user: number for number, item in enumerate(self.items)}
        new = {item.user for item in self.items if item.outcome in ARRIVING}
        read_at = datetime.fromisoformat(self.run.gathered_at or self.run.started_at)
        later = read_at + timedelta(milliseconds=1)
        waiting = [
            replace(change, source=read_version(change.fields, later))
            for change in (item.change for item in self.items)
            if isinstance(change, UserChange)
            and (manager := change.fields.get("ManagerId")) in new
            and order[manager] > order[change.crm_id]
        ]
        counted = self.progress.outcomes.copy()
        for number, some in enumerate(batched(waiting, LOOKED_UP_AT_ONCE, strict=False)):
            if number:
                self.clock.check()
            self._write(some, salesforce_lifecycle, decided=False)
        self.progress.outcomes = counted

    def serve_lines(self, record: Callable[[], None]) -> None:
        """Give free seats to the members waiting for them; calls `record` before it raises `OutOfTime`."""
        lines = SeatLineServer(self.settings, self.roster, self.clock.now(), self.clock.lease)

        def check() -> None:
            self._count(lines.outcomes)
            lines.outcomes.clear()
            try:
                self.clock.check()
            except OutOfTime:
                record()
                raise

        lines.serve_lines(f"run:{self.run.id}", check)
        self._count(lines.outcomes)

    def erase_leavers(self) -> None:
        """Erase whoever left longer ago than the settings keep members for (T5)."""
        erased, told = erase_leavers(self.settings, self.roster, self.clock, f"run:{self.run.id}")
        if erased:
            self.progress.outcomes[Outcome.ERASED] += erased
        self.progress.entries += told

    def _write(self, changes: Sequence[Change], rules: Rules, *, decided: bool = True) -> None:
        now, lease = self.clock.now(), self.clock.lease
        writer = UserChangeWriter(
            self.settings,
            self.roster,
            now,
            lease,
            rules,
            read_again=self.read_again,
            apart=self._planned,
        )
        failures = writer.write(changes, self.ready if decided else None)
        self._count(writer.outcomes)
        self.progress.outcomes[refuted_messages.CODE] += len(writer.refuted)
        self.progress.errors += writer.told
        down = sum(isinstance(error, Unavailable) for _, error in failures) >= PATIENCE
        # Whoever stays linked by an id of another vault would have somebody else's licence.
        half_moved = any(_moves(change) for change, _ in failures)
        if down or half_moved or len(failures) == len(changes) > PATIENCE:
            raise failures[0][1]
        self.progress.entries += [self._entry(change, error) for change, error in failures]

    def _count(self, outcomes: Counter[str]) -> None:
        self.progress.outcomes.update({name: n for name, n in outcomes.items() if name != Outcome.UNCHANGED})

    def _entry(self, change: Change, error: MusterError) -> LogEntry:
        problem = Problem(
            "the member",
            f"could not be written: {error}",
            "If the error was temporary, there is nothing to do: the next full import writes the member."
            " Otherwise see docs/operations.md.",
        )
        return entry_of(
            problem,
            at=timestamp(self.clock.now()),
            system="roster",
            code="not_written",
            notification=self.run.id,
            record=change.crm_id,
        )


def _rules(change: UserChange | VaultUser | LostLink | None) -> Rules:
    return vault_lifecycle if isinstance(change, VaultUser | LostLink) else salesforce_lifecycle


def _moves(change: Change) -> bool:
    """Whether the change belongs to the move to another vault, which holds for all or for none."""
    if isinstance(change, LostLink):
        return change.why is LinkLost.OTHER_VAULT
    return isinstance(change, VaultUser) and change.moved
