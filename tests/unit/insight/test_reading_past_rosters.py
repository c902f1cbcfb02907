"""Rosters as they were: whatever happened, also while they were read, from snapshots and from now alike."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.insight import reading_past_rosters
from muster.insight.reading_past_rosters import PastRoster, PastSources, past_roster
from muster.roster.as_of import IN_ROSTER, NOT_RECORDED, NOT_YET
from muster.roster.history import HistoryEntry, changes_between, place, values_of
from muster.roster.member import Json, Member
from muster.roster.ports import RosterViews
from muster.roster.snapshots import Manifest
from muster.roster.taking_snapshots import SnapshotTaker
from muster.times import timestamp
from tests.members import changed
from tests.unit.roster.test_as_of import STEP

BEGIN = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
NAMES = [f"m{number}" for number in range(4)]

type Roster = dict[str, Json]
type Step = tuple[str, dict[str, Any]]


@dataclass
class World:
    """A roster whose members change a step at a time, an hour apart; `steps` are those still to come."""

    steps: list[Step]
    # While everybody is read, so many steps happen.
    meanwhile: int = 0
    at: datetime = BEGIN
    members: dict[str, Member] = field(default_factory=dict)
    entries: list[Json] = field(default_factory=list)
    rosters: dict[datetime, Roster] = field(default_factory=dict)
    files: dict[tuple[str, int], bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def go_on(self) -> None:
        """Take a step, and remember what the roster is after it."""
        self.at += timedelta(hours=1)
        if self.steps:
            name, step = self.steps.pop(0)
            before = self.members.get(name)
            after = changed(before or Member(id=name, organization="acme"), **step)
            if changes := changes_between(before, after):
                version = (before.version if before else 0) + 1
                after = replace(after, version=version, updated_at=timestamp(self.at))
                made = HistoryEntry(
                    member=name,
                    version=version,
                    at=timestamp(self.at),
                    origin="crm",
                    run="run:r",
                    changes=changes,
                )
                self.entries.append(asdict(made))
                self.members[name] = after
        self.rosters[self.at] = {name: values_of(each) for name, each in self.members.items()}

    def snapshot(self, meanwhile: int) -> None:
        """Take a snapshot, while so many steps are taken."""
        self.meanwhile = meanwhile
        unused: Any = None  # nothing fails
        views = cast(RosterViews, self)
        taker = SnapshotTaker("acme", views, self, unused, lambda: self.at, lambda: 900.0)
        taker.take("r1")
        self.meanwhile = 0

    # ── As views, journal and snapshots ──────────────────────────────────────────────────────────

    def everyone(self, organization: str, active: bool | None) -> Iterator[Member]:
        for name in NAMES:
            if name in self.members:
                yield self.members[name]
            if self.meanwhile:
                self.meanwhile -= 1
                self.go_on()

    def member(self, organization: str, member: str) -> Member | None:
        return self.members.get(member)

    def history(
        self, organization: str, member: str, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        return [each for each in reversed(self.entries) if each["member"] == member], None

    def changes(self, organization: str, since: str, until: str, expected: int) -> Iterator[Json]:
        def placed(each: Json) -> str:
            return place(each["at"], each["member"], each["version"])

        found = [each for each in self.entries if since <= placed(each) < until]
        yield from sorted(found, key=placed, reverse=True)

    def begins(self, organization: str) -> str | None:
        return min((each["at"] for each in self.entries), default=None)

    def errors(self, organization: str, since: str, until: str) -> Iterator[Json]:
        yield from ()

    def days(self, organization: str) -> list[str]:
        return sorted(self.manifests)

    def manifest(self, organization: str, day: str) -> Manifest:
        return Manifest.from_json(self.manifests[day].to_json())

    def part(self, organization: str, day: str, number: int) -> bytes:
        return self.files[day, number]

    def put_part(self, organization: str, day: str, number: int, body: bytes) -> None:
        self.files[day, number] = body

    def put_manifest(self, manifest: Manifest) -> None:
        self.manifests[manifest.day] = manifest


def past(world: World, moment: datetime) -> PastRoster:
    sources = PastSources(cast(RosterViews, world), world, world)
    return past_roster(sources, "acme", moment, world.at)


def read(found: PastRoster) -> Roster:
    return {member.id: values_of(member) for member in found.members()}


STEPS = st.lists(st.tuples(st.sampled_from(NAMES), STEP), min_size=1, max_size=14)
SNAPSHOTS = st.dictionaries(st.integers(0, 13), st.integers(0, 4), max_size=3)


@settings(max_examples=60)
@given(steps=STEPS, taken=SNAPSHOTS, meanwhile=st.integers(0, 2))
def test_at_any_moment_it_is_what_it_was(steps: list[Step], taken: dict[int, int], meanwhile: int) -> None:
    world = World(list(steps))
    count = 0
    while world.steps:
        if count in taken:
            world.snapshot(taken[count])
        world.go_on()
        count += 1
    # Of a time before the first change, everybody is known not to have been there.
    nobody: Roster = {}
    truth = {BEGIN: nobody, **world.rosters}
    moments = [(at + timedelta(minutes=30), roster) for at, roster in truth.items()]
    for moment, roster in moments:
        assert read(past(world, moment)) == roster
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading_past_rosters, "_snapshots", lambda *_: (None, None))
            # What happens while everybody is read was not known when the changes were.
            world.steps = [(name, {"title": str(moment)}) for name in NAMES[::-1][:meanwhile]]
            world.meanwhile = meanwhile
            assert read(past(world, moment)) == roster
            world.meanwhile = 0


def lived(*steps: Step) -> World:
    world = World(list(steps))
    while world.steps:
        world.go_on()
    return world


def test_who_was_there_before_the_journal_is_told_as_not_recorded() -> None:
    world = lived(("m0", {"title": "Rep"}), ("m1", {"title": "Rep"}), ("m0", {"title": "Lead"}))
    # As until 0.2.0 entries were, which the index has not.
    world.entries = world.entries[1:]
    found = past(world, BEGIN + timedelta(hours=1, minutes=30))
    assert read(found) == {}
    assert found.standings == {NOT_RECORDED: 1, NOT_YET: 1}
    later = past(world, BEGIN + timedelta(hours=2, minutes=30))
    assert read(later) == world.rosters[BEGIN + timedelta(hours=2)]
    assert later.standings == {IN_ROSTER: 2}


def test_a_snapshot_is_begun_with_where_it_is_nearer_or_a_day_further_than_now() -> None:
    world = lived(("m0", {"title": "Rep"}))
    world.snapshot(0)
    for hours, from_snapshot in ((1, True), (40, True), (44, False), (59, False)):
        world.at = BEGIN + timedelta(hours=60)
        found = past(world, BEGIN + timedelta(hours=hours, minutes=30))
        assert (found.snapshot is not None) == from_snapshot
