"""What a push does: gather who is due, decide, send, read the outcome (P1 to P5, G7, G8).

`runs.work` leads through it. Each item is sent once. The plan keeps how Vault CRM showed each user before: a
resumed run, and a run that lost the answer to a write, first checks whether the write has arrived.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from muster.checks import Check
from muster.error_log import LogEntry
from muster.pushes import push_basis, push_items, push_plan
from muster.pushes.blocked import blocked_by
from muster.pushes.gathering_due import DueGathering
from muster.pushes.ports import Ports
from muster.pushes.push_basis import PushBasis
from muster.pushes.push_items import PushItem, Step
from muster.pushes.reading_outcomes import OutcomeReader
from muster.pushes.sending import PlanSender
from muster.pushes.sending_items import ItemSender
from muster.pushes.syncing_align import AlignSync
from muster.roster.engage_errors import REMOVAL_SUCCEEDED, under_way_too_long, user_not_seen
from muster.roster.member import Member
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.parking import SHOWN
from muster.runs.reasons import Trip
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.times import timestamp


@dataclass(slots=True)
class PushJob:
    """One invocation's part of a push, with the settings it decides by."""

    ports: Ports
    clock: RunClock
    settings: Settings
    has_summary: bool = field(default=False, init=False)
    progress: Progress = field(init=False)
    align_sync: AlignSync = field(init=False)
    sender: ItemSender = field(init=False)
    outcomes: OutcomeReader = field(init=False)

    def __post_init__(self) -> None:
        """Build the parts; that of Align does nothing where Align is not connected."""
        ports, clock, settings = self.ports, self.clock, self.settings
        self.progress = Progress(good_news=frozenset({REMOVAL_SUCCEEDED}))
        self.align_sync = AlignSync(
            settings, ports.align, ports.roster, ports.runs, clock, ports.align_preflight
        )
        self.sender = ItemSender(ports, clock, settings, self.progress)
        self.outcomes = OutcomeReader(ports, clock, settings, self.sender, self.progress)

    @property
    def _gathering(self) -> DueGathering:
        return DueGathering(self.ports, self.clock, self.settings, self.sender)

    def plan(self, run: Run, *, resumed: bool) -> Planned[PushItem]:
        """Gather who is due and decide.

        It is blocked if a check fails that sending depends on (U6). Raises `Misconfigured` if everybody has
        yet to be linked to the users of another vault (G10).
        """
        requested, refused = self.align_sync.take_requests(run)
        due = self._gathering.gathered(run, requested, resumed=resumed)
        self._keep(run, due)
        plan = push_plan.make_plan(
            due.members.values(), due.users, due.in_line, self.settings, at_of(run), due.writable
        )
        now = timestamp(self.clock.now())
        sends = [item for item in plan.items if item.step in push_items.SENT]
        failed = self.ports.preflight() if sends else ()
        trips = guard.tripped(plan.items, self.ports.runs.state(run.organization).active, self.settings)
        return Planned(
            items=plan.items,
            counts=push_items.counts(plan.items),
            plan_hash=push_items.plan_hash(plan.items),
            shown=PlanShown(changes=[item.shown() for item in sends[:SHOWN]]),
            reasons=trips,
            blocked=f"the push is {blocked_by(failed)}" if failed else None,
            summary={"read": len(due.members)},
            errors=len(plan.unseen) + refused,
            entries=[user_not_seen(due.members[name], now, run.id) for name in plan.unseen],
            standing=[*due.entries, *self._what_takes_long(due.members.values())],
            note=_note(failed, trips),
            details={"blocked_by": [asdict(check) for check in failed]},
        )

    def _keep(self, run: Run, basis: PushBasis) -> None:
        parts = AttemptParts(self.ports.archive, run)
        parts.put_decided_with(push_basis.keep(basis, self.settings, parts))

    def written(self, items: Sequence[PushItem]) -> bytes:
        """Return items as a part of the plan's file."""
        return push_items.written(items)

    def read(self, part: bytes) -> Sequence[PushItem]:
        """Return the items of a part of the plan's file."""
        return push_items.read(part)

    def applying(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> PlanSender:
        """Return what sends the plan; raises `Misconfigured` as `plan` does."""
        if resumed:
            self._gathering.require_the_vault_of_the_links(run)
        return PlanSender(self.ports, self.settings, self.sender, self.outcomes, run, items, resumed)

    def after(self, run: Run, items: Sequence[PushItem], summary: Mapping[str, Any]) -> None:
        """Read what has come of what was sent, and show it in Align."""
        asked = [item for item in items if item.step in (Step.REMOVAL, Step.ADDITION)]
        self.outcomes.wait_for(run, asked)
        self.progress.entries += self.align_sync.report(run, {item.member for item in items})

    def ending(self, run: Run, items: Sequence[PushItem], summary: Mapping[str, Any]) -> Ending:
        """Return how the push ends: all that is to be said of it is counted."""
        return Ending()

    def _what_takes_long(self, members: Iterable[Member]) -> list[LogEntry]:
        """Return entries about requests that have been under way for a day (P3)."""
        now = self.clock.now()
        return [entry for member in members for entry in under_way_too_long(member, now)]


def _note(failed: Sequence[Check], trips: Sequence[Trip]) -> str:
    if failed:
        return f" It would be {blocked_by(failed)}."
    return "" if trips else " Nothing blocks it: it is safe to push now."
