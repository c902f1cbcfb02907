"""Sends the plan of a push, chunk by chunk; waits for removals where a later step rests on them (G7, G8)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from muster.crm.vault_records import RECORDS_A_CALL
from muster.pushes import push_items
from muster.pushes.licence_lines import Removals
from muster.pushes.ports import Ports
from muster.pushes.push_items import PushItem, Step
from muster.pushes.reading_outcomes import OutcomeReader
from muster.pushes.sending_items import ItemSender
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.mappings import pushed_features


@dataclass(slots=True)
class PlanSender:
    """One invocation's share of sending a plan of these items.

    `resumed`: the invocation before may have sent the first chunk, and died before it recorded that.
    """

    ports: Ports
    settings: Settings
    sender: ItemSender
    outcomes: OutcomeReader
    run: Run
    items: Sequence[PushItem]
    resumed: bool
    # What the removals have freed, once that was waited for.
    _left: Removals | None = None
    _in_doubt: bool = field(init=False)

    def __post_init__(self) -> None:
        """Be in doubt about the first chunk only."""
        self._in_doubt = self.resumed

    def chunks(self, items: Sequence[PushItem]) -> Iterator[Sequence[PushItem]]:
        """Yield the items in order, in chunks of one step that fit in a call."""
        return push_items.chunks(items, RECORDS_A_CALL)

    def apply(self, items: Sequence[PushItem]) -> None:
        """Send one chunk, or record it if its outcomes are those of earlier requests."""
        in_doubt, self._in_doubt = self._in_doubt, False
        if items[0].step is Step.OUTCOME:
            self.outcomes.record_earlier(self.run, items, resumed=self.resumed)
            return
        if self._left is None and any(item.awaits or item.step is Step.INACTIVATION for item in items):
            removals = [item for item in self.items if item.step is Step.REMOVAL]
            self._left = self.outcomes.wait_for(self.run, removals)
        left = self._left
        going = items if left is None else [item for item in items if left.allow(item)]
        self.sender.send(self.run, going, in_doubt=in_doubt)

    def finish(self, record: Callable[[], None]) -> None:
        """Note that all free licences of pushed features were offered; those freed later are not."""
        _, free = self.ports.roster.licence_lines(self.run.organization)
        features = pushed_features(self.settings)
        offered = {line: number for line, number in free.items() if line[0] in features}
        self.ports.roster.offered(self.run.organization, offered)
