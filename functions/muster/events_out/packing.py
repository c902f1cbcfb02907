"""Events packed into calls of PutEvents. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from muster.events_out.bus_events import MOST_BYTES, BusEvent

# What PutEvents takes at once.
MOST_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Placed:
    """An event, and which entry of how it was read it is of; `of` is that entry's member."""

    entry: int
    of: str
    event: BusEvent


def packs(events: Iterable[Placed], source: str) -> Iterator[list[Placed]]:
    """Yield the events in order, ten or 200 KB at once.

    Two entries of one member are never in the same: each event of a call may fail on its own, and what is
    later must not be told before what was earlier.
    """
    pack: list[Placed] = []
    size = 0
    for event in events:
        more = event.event.size(source)
        is_later = any(each.of == event.of and each.entry != event.entry for each in pack)
        if pack and (len(pack) == MOST_EVENTS or size + more > MOST_BYTES or is_later):
            yield pack
            pack, size = [], 0
        pack.append(event)
        size += more
    if pack:
        yield pack
