"""What differs of each member in the end: history entries folded, each value with what set it. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from muster.insight import causes, member_news
from muster.insight.member_news import JOINED, MemberNews
from muster.roster import past_rosters
from muster.roster.member import Json

# Of who joins, what is told of them is kept: all else is what a new member has.
_OF_NEW = frozenset({"active", "assignment", "email", "id", "inactive_reason", "name", "username"})
_OF_NEW_NAMED = ("engage.", "engage_connect.", "seats.", "workspaces.")

type Cause = tuple[str, str, str, str | None]


@dataclass(slots=True)
class NetChange:
    """What differs of one member: `news` folds the entries, `last` has by value when and by what it was set.

    A cause is `(at, run, origin, why)`.
    """

    news: MemberNews
    last: dict[str, Cause] = field(default_factory=dict)

    def add(self, entry: Json) -> None:
        """Add an entry that is older than all that were added before."""
        if past_rosters.joins(entry):
            entry = {**entry, "changes": [each for each in entry["changes"] if _is_told(each["field"])]}
        self.news.add(entry)
        cause = (entry["at"], entry["run"], entry["origin"], entry.get("why"))
        for change in entry["changes"]:
            self.last.setdefault(change["field"], cause)

    @property
    def differs(self) -> bool:
        """Whether anything differs in the end."""
        return any(before != after for before, after in self.news.changes.values())

    @property
    def causes(self) -> list[tuple[str, str, str | None]]:
        """What set the values that differ, the latest first: `(run, origin, why)`."""
        set_by = {self.last[name] for name, (before, after) in self.news.changes.items() if before != after}
        return list(
            dict.fromkeys(cause[1:] for cause in sorted(set_by, reverse=True, key=lambda each: each[0]))
        )

    def shown(self) -> Json:
        """Return it as JSON: as `member_news.shown`, with the causes of what differs in the end."""
        said = member_news.shown(self.news)
        named = [
            {"run": run, "origin": origin, **({"why": why} if why else {})}
            for run, origin, why in self.causes
        ]
        return {**said, "causes": named}

    def differences(self) -> list[Json]:
        """Return `{field, before, after, at, run, origin, why?}` for what differs; nothing of who is new."""
        if member_news.kind(self.news) == JOINED:
            return []
        return [
            {"field": name, "before": before, "after": after, **_shown(self.last[name])}
            for name, (before, after) in self.news.changes.items()
            if before != after
        ]


@dataclass(slots=True)
class NetChanges:
    """What differs of all; `entries` counts what was added."""

    of: dict[str, NetChange] = field(default_factory=dict)
    entries: int = 0

    def add(self, entry: Json) -> None:
        """Add an entry; they come newest first."""
        self.entries += 1
        member = entry["member"]
        if member not in self.of:
            self.of[member] = NetChange(MemberNews(member, entry["at"]))
        self.of[member].add(entry)

    def differing(self) -> Iterator[NetChange]:
        """Yield those of whom anything differs in the end."""
        return (each for each in self.of.values() if each.differs)

    def by_cause(self) -> list[Json]:
        """Return what brought the differences, and to how many people, those of most people first.

        `{cause, run, by, people}`: `cause` is a kind, `run` the id of the run, if it was one, and `by` who
        made the change by hand.
        """
        people = Counter(
            each for change in self.differing() for each in {_by(*cause) for cause in change.causes}
        )
        ordered = sorted(people, key=lambda by: (-people[by], *(each or "" for each in by)))
        return [dict(zip(("cause", "run", "by"), by, strict=True)) | {"people": people[by]} for by in ordered]


def _by(run: str, origin: str, _: str | None) -> tuple[str, str | None, str | None]:
    entry = {"run": run, "origin": origin}
    return causes.kind_of(entry, {}), causes.run_of(entry), causes.by_hand(entry)


def _is_told(name: str) -> bool:
    return name in _OF_NEW or name.startswith(_OF_NEW_NAMED)


def _shown(cause: Cause) -> Json:
    at, run, origin, why = cause
    return {"at": at, "run": run, "origin": origin, **({"why": why} if why else {})}
