"""A batch of history entries told outward, in order and up to the first that cannot be told (O1).

What comes after that one is left to the next try, so that nothing is skipped; what was told already may then
be told again, with the same ids.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from muster.errors import MusterError, Unavailable
from muster.events_out.bus_events import UnreadableEntry, bus_events, entry_of
from muster.events_out.packing import Placed, packs
from muster.events_out.ports import EventBus, GivenUp


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the stream has it: its number there, and the document of the item with that sort key."""

    number: str
    organization: str
    key: str
    document: str


@dataclass(frozen=True, slots=True)
class Published:
    """How far it came: the number of the entry to begin with next time (`None`: all were told), and why.

    `events` were taken by the bus for certain; `given_up` entries nobody can read.
    """

    events: int = 0
    given_up: int = 0
    next: str | None = None
    why: MusterError | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """What publishing works with; `shows_personal_data` says of an organization what its settings say."""

    bus: EventBus
    given_up: GivenUp
    shows_personal_data: Callable[[str], bool]
    has_time: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Stop:
    """The first entry that could not be told, by its place in the batch."""

    entry: int
    why: MusterError


def publish(entries: Sequence[Recorded], ports: Ports) -> Published:
    """Tell all events of these entries; raises nothing that a system is to blame for."""
    events, unreadable, stop = _gathered(entries, ports)
    told, stopped = put_all(events, ports.bus, ports.has_time)
    if stopped is not None:
        stop = Stop(stopped.entry, stopped.why)
    kept = 0
    for entry in unreadable:
        if stop is not None and entry >= stop.entry:
            break
        try:
            ports.given_up.keep(entries[entry].organization, entries[entry].key)
        except MusterError as error:
            stop = Stop(entry, error)
            break
        kept += 1
    if stop is None:
        return Published(told, kept)
    return Published(told, kept, entries[stop.entry].number, stop.why)


def _gathered(entries: Sequence[Recorded], ports: Ports) -> tuple[list[Placed], list[int], Stop | None]:
    """Return the events, the places of entries nobody can read, and where gathering had to stop."""
    events: list[Placed] = []
    unreadable = []
    for place, recorded in enumerate(entries):
        try:
            shown = ports.shows_personal_data(recorded.organization)
            entry = entry_of(recorded.document)
            made = bus_events(recorded.organization, entry, personal_data=shown)
        except UnreadableEntry:
            unreadable.append(place)
        except MusterError as error:
            return events, unreadable, Stop(place, error)
        else:
            events += (Placed(place, str(entry["member"]), event) for event in made)
    return events, unreadable, None


def put_all(events: Sequence[Placed], bus: EventBus, has_time: Callable[[], bool]) -> tuple[int, Stop | None]:
    """Put events on the bus up to the first that it does not take; return how many it took for certain."""
    told = 0
    for pack in packs(events, bus.source):
        if not has_time():
            return told, Stop(pack[0].entry, Unavailable("the time was up"))
        try:
            refusals = bus.put([each.event for each in pack])
        except MusterError as error:
            return told, Stop(pack[0].entry, error)
        told += refusals.count(None)
        for each, refusal in zip(pack, refusals, strict=True):
            if refusal is not None:
                return told, Stop(each.entry, Unavailable(f"the event bus did not take an event: {refusal}"))
    return told, None
