"""Pushes, group assignments and imports of Vault CRM as the harness plays them (T3, I9, P5)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from muster.engage.licence_lines import PROBE
from tests.simulation.harness import replays, salesforce_wire, vault_wire
from tests.simulation.harness.faults import DEATHS, GONE, KINDS, Call
from tests.simulation.harness.subject import ENDED_WELL, Played, Race, Said, Subject, Watch, demand
from tests.simulation.harness.vault_wire import VAULT_KINDS, WRITE
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.results import left_behind
from tests.simulation.imports.subject import RosterWatch, put_again
from tests.simulation.pushes import results
from tests.simulation.pushes.company import A_WHILE, PushCompany
from tests.simulation.pushes.results import PushResult

_WRITES = frozenset({"DeleteItem", "PutItem", "PutObject", "TransactWriteItems", "UpdateItem"})


@dataclass(frozen=True, slots=True)
class PushScenario:
    """`before` happens without faults, `act` under them; it answers what was said to who started it.

    `ends` is the status of a clean run, `groups` who is in which group of the server once all is quiet.
    `again` is asked for once more after a fault, until it is so.
    """

    name: str
    before: Callable[[PushCompany], object]
    act: Callable[[PushCompany], Said]
    groups: dict[str, str]
    ends: str = "succeeded"
    again: Callable[[PushCompany], Said] | None = None


@dataclass(frozen=True, slots=True)
class PushRace(Race["Pushing"]):
    """In `ends` a group maps to one of several sets of people, in words: who of two gets the last licence is
    luck. `repeats`: what is changed and changed back before it was sent is asked of the server once more.
    `faults` are the vault's.
    """

    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repeats: bool = False
    faults: tuple[Said, ...] = ()


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def everywhere(call: Call) -> Sequence[str]:
    """Every kind of fault; what answers of Salesforce can be, imports are swept for."""
    return (*KINDS, *VAULT_KINDS, GONE) if call.service == vault_wire.SERVICE else KINDS


def in_preflight(call: Call) -> Sequence[str]:
    """Death, silence and nonsense at the calls with which a push asks whether it may send (U6)."""
    return (*DEATHS, GONE, "html") if call.operation.startswith("GET /api/") else ()


def telling(call: Call) -> Sequence[str]:
    """The kinds that differ: to die before a call is to die after the last one that wrote."""
    if call.operation.startswith(WRITE):
        return ("before", "after", "lost", "busy", GONE, *VAULT_KINDS)
    if call.service == vault_wire.SERVICE:
        return ("lost", GONE, "short")
    if call.operation in _WRITES:
        return ("after", "lost", "mute", "down")
    return () if call.service == salesforce_wire.SERVICE else ("busy",)


# ── Playing ──────────────────────────────────────────────────────────────────────────────────────


class Pushing(PushCompany, Subject[PushScenario, PushResult, PushRace]):
    """A company whose pushes are played."""

    PATIENCE = 8

    def __init__(self, world: World) -> None:
        PushCompany.__init__(self, world)
        Subject.__init__(self, world)

    def prepare(self, scenario: PushScenario) -> None:
        scenario.before(self)

    def act(self, scenario: PushScenario) -> Said:
        return scenario.act(self)

    def go_on(self, scenario: PushScenario, said: Said) -> Said:
        return self.push(run_id=said["run_id"])

    def broken(self) -> Iterator[str]:
        return results.broken(self)

    def see_through(self, scenario: PushScenario, run: Played[PushResult], *, resume: bool) -> PushResult:
        """Let time go by and schedules go on, then look at it from all sides."""
        assert self.world.rules.archive
        demand(replays.differing(self.world.rules.archive))
        if scenario.again:
            put_again(self, scenario.again, ENDED_WELL)
        self.quiet()
        # Whom a fault has cost the turn in line is tried again by then.
        self.world.clock.advance(seconds=PROBE.total_seconds())
        while self.push_approved()["counts"]:
            self.world.clock.advance(minutes=A_WHILE)
        # Whom a push has written to an import looks at again.
        self.mend()
        demand(results.broken(self))
        demand(results.untrue(self))
        result = results.result(self)
        self.nothing_is_left_to_do()
        return result

    def flaws(self, scenario: PushScenario, clean: Played[PushResult]) -> Iterator[str]:
        if clean.said["status"] not in (scenario.ends, "succeeded_with_errors"):
            yield f"it is answered {clean.said}"
        groups = {name: " ".join(who) for name, who in clean.result.groups.items()}
        if groups != scenario.groups:
            yield f"the groups are {groups}"

    def nothing_is_left_to_do(self) -> None:
        """Raise `Violation` if one more import and push write or send anything (I9)."""
        before, asked = self.rows_of_roster(), self.processed()
        self.world.clock.advance(minutes=20)
        made = len(self.world.wire.calls)
        for said in (self.run_import(), self.push()):
            if said["status"] not in ENDED_WELL or said["counts"]:
                raise Violation(f"one more import and push came to {said}")
        if self.rows_of_roster() != before:
            raise Violation("one more import and push changed the roster")
        calls = self.world.wire.calls[made:]
        if self.processed() != asked or any(call.operation.startswith(WRITE) for call in calls):
            raise Violation("one more import and push sent something")

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    def watch(self, race: PushRace) -> Watch:
        """Have the vault misbehave; return what looks whether anything is broken, or goes back."""
        self.vault.control("POST", "faults", race.faults)
        return RosterWatch(self, self.broken)

    def once_quiet(self, race: PushRace) -> Iterator[str]:
        """Yield what is wrong once every message is through, and schedules have gone on for a while."""
        self.vault.control("POST", "faults", [])
        self.quiet()
        if results.lines(self):
            # Whom it has cost the turn in line that others were at work is tried again by then.
            self.world.clock.advance(seconds=PROBE.total_seconds())
            self.quiet()
        yield from left_behind(self)
        yield from results.broken(self)
        yield from results.untrue(self)
        if not race.repeats:
            yield from results.asked_twice(self)
        for group, who in self.in_groups().items():
            if " ".join(who) not in race.ends[group]:
                yield f"in {group} is {who or 'nobody'}, and should be {race.ends[group]}"
        self.nothing_is_left_to_do()
