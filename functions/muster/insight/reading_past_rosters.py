"""Read the roster as it was at a moment: from a snapshot, or from now, and the changes in between (Q2)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from muster.errors import Problem, Rejected, Unavailable
from muster.insight.periods import Period
from muster.insight.ports import Journal
from muster.roster import past_rosters, snapshots
from muster.roster.as_of import IN_ROSTER, IS_ERASED, NOT_RECORDED, NOT_YET, as_json
from muster.roster.as_of import as_of as of_one
from muster.roster.erasure import is_erased
from muster.roster.member import Json, Member
from muster.roster.past_rosters import Changes, Missing, Stretch
from muster.roster.ports import RosterViews, Snapshots
from muster.roster.snapshots import Manifest, member_of
from muster.times import timestamp

# More than that is more than a function has memory and time for.
MOST_CHANGES = 200_000
MOST_BYTES = 150_000_000
# A change is recorded with the moment it was decided at, by another function's clock, and then written.
_SLACK = timedelta(minutes=2)
# To read everybody from the table costs more than the changes of a day, and a snapshot less.
_TABLE_COSTS = timedelta(days=1)
_HISTORY_PAGE = 100


@dataclass(frozen=True, slots=True)
class PastSources:
    """What the past is read from."""

    views: RosterViews
    journal: Journal
    snapshots: Snapshots


@dataclass(slots=True)
class PastRoster:
    """The roster right before a moment; `standings` counts those who were seen, once `members` is read.

    `snapshot` is the manifest of the snapshot that it is read from; `None`: from the roster as it is now.
    `is_whole`: all that was changed between is known; else only of who has joined since it is.
    """

    sources: PastSources
    organization: str
    moment: datetime
    snapshot: Manifest | None
    stretch: Stretch
    erased: frozenset[str]
    is_whole: bool
    standings: Counter[str] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        """How many changes lie between the roster that was read and the moment."""
        return sum(map(len, self.stretch.of.values()))

    def members(self) -> Iterator[Member]:
        """Yield the members who were in the roster, as they were, in no order; without versions and times."""
        self.standings.clear()
        seen: set[str] = set()
        for member in self._everyone():
            if member.id in self.stretch.of:
                seen.add(member.id)
            yield from self._counted(member)
        for name in self.stretch.of.keys() - seen:
            yield from self._counted(past_rosters.nobody(self.organization, name))

    def _everyone(self) -> Iterator[Member]:
        if self.snapshot is None:
            yield from self.sources.views.everyone(self.organization, None)
            return
        for number, part in enumerate(self.snapshot.parts, 1):
            file = self.sources.snapshots.part(self.organization, self.snapshot.day, number)
            if sha256(file).hexdigest() != part.sha256:
                what = f"part {number} of the snapshot of {self.snapshot.day} is not the one that was written"
                raise Unavailable(what)
            yield from snapshots.read(file)

    def _counted(self, member: Member) -> Iterator[Member]:
        standing, then = self._then(member)
        self.standings[standing] += 1
        if then:
            yield then

    def _then(self, member: Member) -> tuple[str, Member | None]:
        if is_erased(member) or member.id in self.erased:
            return IS_ERASED, None
        changes = self.stretch.of.get(member.id, {})
        try:
            if self._may_lack(member, changes):
                raise Missing
            then = past_rosters.at_the_moment(member, changes)
        except Missing:
            return self._by_own_history(member.id)
        if then is None:
            return NOT_YET, None
        return (IN_ROSTER, then) if self.is_whole else (NOT_RECORDED, None)

    def _may_lack(self, member: Member, changes: Changes) -> bool:
        """Whether an entry that was not read, for it is too new, may have changed a member since."""
        if member.version in changes or not self.is_whole:
            return False
        second = len("2026-11-20T08:15:31")
        return (member.updated_at or "")[:second] >= timestamp(self.moment)[:second]

    def _by_own_history(self, name: str) -> tuple[str, Member | None]:
        """Return what a member was by the member's own history, all of which is read."""
        member = self.sources.views.member(self.organization, name)
        if member is None:
            return NOT_RECORDED, None
        past = of_one(member, list(self._history(name)), self.moment)
        return past.standing, member_of(as_json(past.values)) if past.standing == IN_ROSTER else None

    def _history(self, name: str) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page, cursor = self.sources.views.history(self.organization, name, _HISTORY_PAGE, cursor)
            yield from page
            if cursor is None:
                return


def past_roster(sources: PastSources, organization: str, moment: datetime, now: datetime) -> PastRoster:
    """Return the roster right before a moment; nobody in it has been read yet, but the changes have.

    Raises `Rejected` where there are too many of them.
    """
    newest, nearest = _snapshots(sources.snapshots, organization, moment, now)
    end = now + _SLACK
    if nearest is None:
        begun, first, last = now, moment, end
    else:
        begun, ended = (datetime.fromisoformat(at) for at in (nearest.begun_at, nearest.ended_at))
        first, last = min(moment, begun - _SLACK), max(moment, ended + _SLACK)
    found = _read(
        sources.journal, organization, Period(timestamp(first), timestamp(last)), Stretch(moment, begun)
    )
    erased = {*found.erased, *(newest.erased if newest else ())}
    if newest and nearest:
        # Who was erased since then is answered no more, whatever a snapshot has (T5).
        since = datetime.fromisoformat(newest.begun_at) - _SLACK
        since = last if first <= since <= last else since
        entries = sources.journal.changes(organization, timestamp(since), timestamp(end), MOST_CHANGES)
        erased |= {entry["member"] for entry in entries if past_rosters.is_erasure(entry)}
    is_whole = nearest is not None and datetime.fromisoformat(nearest.begun_at) <= moment
    if not is_whole:
        begins = sources.journal.begins(organization)
        is_whole = begins is not None and datetime.fromisoformat(begins) <= moment
    return PastRoster(sources, organization, moment, nearest, found, frozenset(erased), is_whole)


def _snapshots(
    files: Snapshots, organization: str, moment: datetime, now: datetime
) -> tuple[Manifest | None, Manifest | None]:
    """Return the newest snapshot, and the one to begin with; `None` where to begin with now costs less."""
    days = files.days(organization)
    if not days:
        return None, None
    day = f"{moment.astimezone(UTC):%Y-%m-%d}"
    near = {
        *[each for each in days if each <= day][-1:],
        *[each for each in days if each > day][:1],
        days[-1],
    }
    manifests = {each: files.manifest(organization, each) for each in near}

    def distance(each: Manifest) -> timedelta:
        return abs(datetime.fromisoformat(each.begun_at) - moment)

    nearest = min(manifests.values(), key=distance)
    is_nearer = distance(nearest) <= now - moment + _TABLE_COSTS
    return manifests[days[-1]], nearest if is_nearer else None


def _read(journal: Journal, organization: str, when: Period, into: Stretch) -> Stretch:
    entries = journal.changes(organization, when.since, when.until, MOST_CHANGES)
    for number, entry in enumerate(entries, 1):
        into.add(entry)
        if number > MOST_CHANGES or into.size > MOST_BYTES:
            what = f"has more than {number - 1:,} changes between it and what is known of everybody"
            remedy = "Ask about a moment nearer to now or to the end of a full import, or about one member."
            raise Rejected(Problem("at", what, remedy))
    return into
