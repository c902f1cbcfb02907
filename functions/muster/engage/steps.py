"""Vault CRM as a push is to it: Engage groups, users' statuses and fields; and Align (P1 to P5, G7, G8).

`pushes.steps` leads through it. Each item is sent once. The plan keeps how Vault CRM showed each user before:
a resumed run, and a run that lost the answer to a write, first checks whether the write has arrived.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.checks import Check
from muster.crm.vault_records import RECORDS_A_CALL
from muster.engage import push_basis, push_items, push_plan
from muster.engage.gathering_due import DueGathering, Gathered
from muster.engage.licence_lines import Removals
from muster.engage.ports import Ports
from muster.engage.push_items import VAULT_CRM, PushItem, Step
from muster.engage.reading_outcomes import OutcomeReader
from muster.engage.sending_items import ItemSender
from muster.engage.syncing_align import AlignSync
from muster.error_log import LogEntry
from muster.errors import Problem, Rejected
from muster.pushes.ports import Plan
from muster.roster.engage_errors import REMOVAL_SUCCEEDED, under_way_too_long, user_not_seen
from muster.roster.member import Member
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Progress
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.mappings import is_pushed, pushed_features
from muster.times import timestamp


@dataclass(slots=True)
class EngageTarget:
    """Vault CRM in one invocation of a push; `pushes.ports.Target` says what each method does.

    What raises `Misconfigured` is that everybody has yet to be linked to the users of another vault (G10).
    """

    ports: Ports
    clock: RunClock
    settings: Settings
    progress: Progress = field(init=False)
    align_sync: AlignSync = field(init=False)
    sender: ItemSender = field(init=False)
    outcomes: OutcomeReader = field(init=False)
    gathering: DueGathering = field(init=False)
    # How many requests in Align could not be taken.
    _refused: int = 0
    _planned: Sequence[PushItem] = ()
    _resumed: bool = False
    # What the removals have freed, once that was waited for.
    _left: Removals | None = None

    def __post_init__(self) -> None:
        """Build the parts; that of Align does nothing where Align is not connected."""
        ports, clock, settings = self.ports, self.clock, self.settings
        self.progress = Progress(good_news=frozenset({REMOVAL_SUCCEEDED}))
        self.align_sync = AlignSync(
            settings, ports.align, ports.roster, ports.runs, clock, ports.align_preflight
        )
        self.sender = ItemSender(ports, clock, settings, self.progress)
        self.outcomes = OutcomeReader(ports, clock, settings, self.sender, self.progress)
        self.gathering = DueGathering(ports, clock, settings, self.sender)

    @property
    def name(self) -> str:
        """The name of the system, as people know it."""
        return VAULT_CRM

    def due(self, run: Run) -> Mapping[str, Member]:
        """Return who is due, after what is requested in Align was taken over."""
        requested, self._refused = self.align_sync.take_requests(run)
        return self.gathering.due(run, requested)

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> Gathered:
        """Return what Vault CRM shows of them, and of who in line may get a licence."""
        shown = self.gathering.look(run, due, resumed=resumed)
        parts = AttemptParts(self.ports.archive, run)
        parts.put_decided_with(push_basis.keep(shown, self.settings, parts))
        return shown

    def plan(self, run: Run, shown: Gathered) -> Plan[PushItem]:
        """Decide."""
        members, now = shown.members, timestamp(self.clock.now())
        plan = push_plan.make_plan(
            members.values(), shown.users, shown.in_line, self.settings, at_of(run), shown.writable
        )
        return Plan(
            items=plan.items,
            counts=push_items.counts(plan.items),
            plan_hash=push_items.plan_hash(plan.items),
            read=len(members),
            errors=len(plan.unseen) + self._refused,
            entries=[user_not_seen(members[name], now, run.id) for name in plan.unseen],
            standing=[*shown.entries, *self._what_takes_long(members.values())],
        )

    def failed_checks(self) -> Sequence[Check]:
        """Return the failed ones of the checks that sending depends on (U6)."""
        return self.ports.preflight()

    def written(self, items: Sequence[PushItem]) -> bytes:
        """Return items as a part of the plan's file."""
        return push_items.written(items)

    def read(self, part: bytes) -> Sequence[PushItem]:
        """Return the items of a part of the plan's file."""
        return push_items.read(part)

    def begin(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> None:
        """Be told of the whole plan: some of it waits for what is before it."""
        if resumed:
            self.gathering.require_the_vault_of_the_links(run)
        self._planned, self._resumed = items, resumed

    def chunks(self, items: Sequence[PushItem]) -> Iterator[Sequence[PushItem]]:
        """Yield the items in order, in chunks of one step that fit in a call."""
        return push_items.chunks(items, RECORDS_A_CALL)

    def arrived(self, run: Run, items: Sequence[PushItem]) -> Sequence[PushItem]:
        """Return what Vault CRM does not have yet of a chunk that may have been sent."""
        if items[0].step is Step.OUTCOME:
            return items
        return self.sender.arrived(run, items)

    def send(self, run: Run, items: Sequence[PushItem]) -> None:
        """Send one chunk, or record it if its outcomes are those of earlier requests."""
        if items[0].step is Step.OUTCOME:
            self.outcomes.record_earlier(run, items, resumed=self._resumed)
            return
        if self._left is None and any(item.awaits or item.step is Step.INACTIVATION for item in items):
            removals = [item for item in self._planned if item.step is Step.REMOVAL]
            self._left = self.outcomes.wait_for(run, removals)
        left = self._left
        self.sender.send(run, items if left is None else [item for item in items if left.allow(item)])

    def all_sent(self, run: Run) -> None:
        """Note that all free licences of pushed features were offered; those freed later are not."""
        _, free = self.ports.roster.licence_lines(run.organization)
        features = pushed_features(self.settings)
        offered = {line: number for line, number in free.items() if line[0] in features}
        self.ports.roster.offered(run.organization, offered)

    def outcome(self, run: Run, items: Sequence[PushItem], summary: Mapping[str, Any]) -> None:
        """Read what has come of what was sent, and show it in Align."""
        asked = [item for item in items if item.step in (Step.REMOVAL, Step.ADDITION)]
        self.outcomes.wait_for(run, asked)
        self.progress.entries += self.align_sync.report(run, {item.member for item in items})

    def _what_takes_long(self, members: Iterable[Member]) -> list[LogEntry]:
        """Return entries about requests that have been under way for a day (P3)."""
        now = self.clock.now()
        return [entry for member in members for entry in under_way_too_long(member, now)]


def require_something_to_push(settings: Settings) -> None:
    """Raise `Rejected` if no feature is managed, and no field written (G1)."""
    if not is_pushed(settings):
        raise Rejected(
            Problem(
                "connections.vault_crm.manage_features",
                "names no feature, and no custom mapping writes a field, so nothing is pushed",
                "Add engage, engage_connect or both, once an import has filled the groups.",
            )
        )
