"""Pushes to an app, the stream of leavers and imports as the harness plays them (O2, O3, O4)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.apps import results
from tests.simulation.apps.company import APP, AppCompany
from tests.simulation.apps.results import AppResult
from tests.simulation.harness import replays, salesforce_wire, scim_wire
from tests.simulation.harness.faults import GONE, KINDS, Call
from tests.simulation.harness.scim_wire import READS, USERS, WRITES
from tests.simulation.harness.subject import ENDED_WELL, Played, Race, Said, Subject, Watch, demand
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports.results import left_behind
from tests.simulation.imports.subject import RosterWatch, put_again

_TABLE_WRITES = frozenset({"DeleteItem", "PutItem", "PutObject", "TransactWriteItems", "UpdateItem"})


@dataclass(frozen=True, slots=True)
class AppScenario:
    """`before` happens without faults, `act` under them; it answers what was said to who started it.

    `ends` is the status of a clean run, `groups` who is in which group once all is quiet, and `let_in` whom
    the app lets in, with strangers. `again` is asked for once more after a fault, until it is so.
    """

    name: str
    before: Callable[["Provisioning"], object]
    act: Callable[[AppCompany], Said]
    groups: dict[str, str]
    let_in: str
    ends: str = "succeeded"
    again: Callable[[AppCompany], Said] | None = None


@dataclass(frozen=True, slots=True)
class AppRace(Race["Provisioning"]):
    """`let_in` are those whom the app lets in, once all is quiet; without it, the roster says."""

    let_in: str | None = None


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def answers(call: Call) -> Sequence[str]:
    """Return what an answer of the app can be, besides true or missing.

    That a group is there, and is not shown, is left out: one would be made that is there already.
    """
    method, _, path = call.operation.partition(" ")
    if method != "GET":
        return (*WRITES, *(("full",) if path.startswith(USERS) and method != "DELETE" else ()))
    return (
        READS if path.startswith(USERS) else tuple(kind for kind in READS if kind not in ("hidden", "short"))
    )


def everywhere(call: Call) -> Sequence[str]:
    """Every kind of fault."""
    return (*KINDS, GONE, *answers(call)) if call.service == scim_wire.SERVICE else KINDS


def telling(call: Call) -> Sequence[str]:
    """The kinds that differ: to die before a call is to die after the last one that wrote."""
    if call.service == scim_wire.SERVICE:
        deaths = () if call.operation.startswith("GET ") else ("before", "after")
        return (*deaths, "mute", GONE, *answers(call))
    if call.operation in _TABLE_WRITES:
        return ("after", "lost", "mute", "down")
    return () if call.service == salesforce_wire.SERVICE else ("busy",)


# ── Playing ──────────────────────────────────────────────────────────────────────────────────────


class Provisioning(AppCompany, Subject[AppScenario, AppResult, AppRace]):
    """A company whose pushes to an app are played."""

    PATIENCE = 8

    def __init__(self, world: World) -> None:
        AppCompany.__init__(self, world)
        Subject.__init__(self, world)

    def prepare(self, scenario: AppScenario) -> None:
        scenario.before(self)
        self.note_strangers()

    def about_to_play(self, scenario: AppScenario, *, in_pieces: bool) -> None:
        """From now on, look at each call to the app."""
        self.world.wire.on_call = self.look_at

    def act(self, scenario: AppScenario) -> Said:
        return scenario.act(self)

    def go_on(self, scenario: AppScenario, said: Said) -> Said:
        return self.push(run_id=said["run_id"])

    def broken(self) -> Iterator[str]:
        return results.broken(self)

    def look_at(self, call: Call) -> None:
        """Raise `Violation` if a call writes to an account that is no member's."""
        method, _, path = call.operation.partition(" ")
        if call.service != scim_wire.SERVICE or method in ("GET", "POST") or not path.startswith(f"{USERS}/"):
            return
        if (APP, path.removeprefix(f"{USERS}/")) not in self.roster().accounts:
            raise Violation(f"{method} is sent to an account that is no member's")

    def see_through(self, scenario: AppScenario, run: Played[AppResult], *, resume: bool) -> AppResult:
        """Let time go by and schedules go on, then look at it from all sides."""
        assert self.world.rules.archive
        demand(replays.differing(self.world.rules.archive))
        if scenario.again:
            put_again(self, scenario.again, ENDED_WELL)
        self.quiet()
        demand(results.broken(self))
        demand(results.untrue(self))
        return results.result(self)

    def flaws(self, scenario: AppScenario, clean: Played[AppResult]) -> Iterator[str]:
        if clean.said["status"] != scenario.ends:
            yield f"it is answered {clean.said}"
        if clean.result.groups != scenario.groups:
            yield f"the groups are {clean.result.groups}"
        if self.let_in() != scenario.let_in:
            yield f"let in are {self.let_in()}"

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    def watch(self, race: AppRace) -> Watch:
        """Take note of who is nobody's; return what looks whether anything is broken, or goes back."""
        self.note_strangers()
        return AppWatch(self)

    def once_quiet(self, race: AppRace) -> Iterator[str]:
        """Yield what is wrong once every message is through, and schedules have gone on for a while."""
        self.quiet()
        yield from left_behind(self)
        yield from results.broken(self)
        yield from results.untrue(self)
        if race.let_in is not None and self.let_in() != race.let_in:
            yield f"let in are {self.let_in()}, and should be {race.let_in}"


class AppWatch(RosterWatch):
    """Looks at the table and at each call to the app."""

    def __init__(self, apps: Provisioning) -> None:
        super().__init__(apps, apps.broken)
        self._apps = apps

    def __call__(self, call: Call | None = None) -> None:
        super().__call__(call)
        if call is not None:
            self._apps.look_at(call)
