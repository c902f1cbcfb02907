"""Events told once more from the history, which has them longer than the stream's day (O1).

They are the same events with the same ids, the oldest first: a consumer that had them drops them. Entries
that 0.1.0 wrote are in no order of time: they are sent only by member.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched

from muster.errors import MusterError, Problem, Rejected
from muster.events_out.bus_events import UnreadableEntry, bus_events
from muster.events_out.packing import Placed
from muster.events_out.ports import EventBus, History
from muster.events_out.publishing import put_all
from muster.insight import periods
from muster.insight.periods import Period
from muster.roster import finding, history
from muster.roster.member import Json
from muster.roster.ports import RosterViews
from muster.settings import Settings

# So many entries are made events of, and sent, at a time.
CHUNK = 100
# Of a member everything is sent unless `since` says otherwise.
_EVER = timedelta(days=100 * 365)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where entries are read, and where their events go."""

    history: History
    views: RosterViews
    bus: EventBus


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is sent again: of everybody since a moment, or of a member; `cursor`: where an answer ended."""

    since: str | None = None
    until: str | None = None
    member: str | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent; `last` is the place of the last entry that was sent whole, `why` what ended it early."""

    entries: int = 0
    events: int = 0
    unreadable: int = 0
    last: str | None = None
    why: MusterError | None = None


def resend(
    sources: Sources, settings: Settings, asked: Asked, now: datetime, has_time: Callable[[], bool]
) -> Json:
    """Send the events again and return `{entries, events, unreadable, cursor}`; a cursor: there is more.

    Goes on until the time is up, or until the bus takes no more; where not even one entry was sent, that
    is raised (`Unavailable`, `Misconfigured`). Raises `Rejected` and `NotFound` for what is asked wrongly.
    """
    period = periods.period(asked.since, asked.until, now, settings.time_zone, _EVER)
    if asked.cursor:
        _require_place(asked.cursor)
    sent = Sent(last=asked.cursor)
    for chunk in batched(_wanted(sources, settings.organization, asked, period), CHUNK, strict=False):
        sent = _sent(chunk, sources.bus, settings, sent, has_time)
        if sent.why is not None:
            break
    if sent.why is not None and sent.last == asked.cursor:
        raise sent.why
    return {
        "entries": sent.entries,
        "events": sent.events,
        "unreadable": sent.unreadable,
        "cursor": sent.last if sent.why is not None else None,
    }


def _wanted(sources: Sources, organization: str, asked: Asked, period: Period) -> Iterator[Json]:
    """Yield the entries that are sent, the oldest first."""
    if asked.member is None:
        yield from sources.history.oldest_first(organization, asked.cursor or period.since, period.until)
        return
    member = finding.find(sources.views, organization, asked.member).id
    above = int(asked.cursor.rpartition("|")[2]) if asked.cursor else 0
    entries = sources.history.of_member(organization, member, above)
    yield from (entry for entry in entries if period.has(entry["at"]))


def _sent(
    chunk: Sequence[Json], bus: EventBus, settings: Settings, before: Sent, has_time: Callable[[], bool]
) -> Sent:
    """Send a chunk; return what was sent until then and with it."""
    events: list[Placed] = []
    unreadable = []
    for number, entry in enumerate(chunk):
        try:
            made = bus_events(settings.organization, entry, personal_data=settings.events.personal_data)
        except UnreadableEntry:
            unreadable.append(number)
        else:
            events += (Placed(number, entry["member"], event) for event in made)
    told, stop = put_all(events, bus, has_time)
    done = len(chunk) if stop is None else stop.entry
    last = _place(chunk[done - 1]) if done else before.last
    return replace(
        before,
        entries=before.entries + done,
        events=before.events + told,
        unreadable=before.unreadable + sum(number < done for number in unreadable),
        last=last,
        why=None if stop is None else stop.why,
    )


def _place(entry: Json) -> str:
    return history.place(entry["at"], entry["member"], entry["version"])


def _require_place(cursor: str) -> None:
    at, *rest = cursor.split("|")
    try:
        datetime.fromisoformat(at)
        if len(rest) == 2 and int(rest[1]) > 0:
            return
    except ValueError:
        pass
    raise Rejected(Problem("cursor", "is not one that an answer had", "Copy cursor from the answer."))
