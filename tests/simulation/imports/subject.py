"""Imports, saved settings, edits and messages as the harness plays them (I3, I4, I7, I9, T3)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.simulation.harness import replays
from tests.simulation.harness.faults import KINDS, Call
from tests.simulation.harness.salesforce_wire import HTTP_KINDS, SERVICE, UNTRUSTWORTHY
from tests.simulation.harness.strict_aws import Row
from tests.simulation.harness.subject import ENDED_WELL, Played, Race, Said, Subject, Watch, demand
from tests.simulation.harness.world import Violation, World
from tests.simulation.imports import results
from tests.simulation.imports.company import Company
from tests.simulation.imports.results import ImportResult

_WRITES = frozenset(
    {"DeleteItem", "PutItem", "PutObject", "SendEmail", "SendMessage", "TransactWriteItems", "UpdateItem"}
)
_LOGIN = "POST /services/oauth2/token"
_FILTER = "SELECT+Id+FROM"
_ENDED = (*ENDED_WELL, "parked")


@dataclass(frozen=True, slots=True)
class ImportScenario:
    """`before` happens without faults, `act` under them; it answers what was said to who started it.

    `ends` is the status of a clean run. `mode` is that of the imports that come by afterwards.
    `keeps_the_roster`: whatever fails, `act` itself changes nothing in it. `brings_everything`: when it
    succeeds, no import after it finds anything to do. `again` is asked for afterwards until it is so.
    `tells` are codes that the error log must hold in the end.
    """

    name: str
    before: Callable[[Company], object]
    act: Callable[[Company], Said]
    ends: str = "succeeded"
    mode: str = "full"
    keeps_the_roster: bool = False
    brings_everything: bool = False
    again: Callable[[Company], Said] | None = None
    tells: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportRace(Race["Importing"]):
    """`reported`: messages report all that changes; so the roster is right before any further import.

    `wakes`: the first one is taken for dead, and once the other is done it may change nothing any more.
    """

    reported: bool = False
    wakes: bool = False


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def everywhere(call: Call) -> Sequence[str]:
    """Every kind of fault."""
    return (*KINDS, *_answers(call))


def telling(call: Call) -> Sequence[str]:
    """The kinds that differ: to die before a call is to die after the last one that wrote."""
    if call.service == SERVICE:
        return ("lost", "mute", *_answers(call))
    return ("after", "lost", "mute") if call.operation in _WRITES else ("busy",)


def of_snapshots(call: Call) -> Sequence[str]:
    """The kinds that differ, of calls that write or list snapshots."""
    return telling(call) if call.service == "s3" and "_snapshots/" in str(call.parameters) else ()


def _answers(call: Call) -> Sequence[str]:
    """Return what an answer can be that is no answer; that nobody matches a filter may well be true."""
    if call.service != SERVICE:
        return ()
    is_of_users = call.operation.startswith("GET") and _FILTER not in call.parameters["url"]
    return HTTP_KINDS if is_of_users else [kind for kind in HTTP_KINDS if kind != "empty"]


# ── Playing ──────────────────────────────────────────────────────────────────────────────────────


class Importing(Company, Subject[ImportScenario, ImportResult, ImportRace]):
    """A company whose imports are played."""

    MOST_PIECES = 60

    def __init__(self, world: World) -> None:
        Company.__init__(self, world)
        Subject.__init__(self, world)
        self._before: list[Row] = []
        # What the roster was when whoever took over from one that was taken for dead was done.
        self.left: list[Row] | None = None

    def prepare(self, scenario: ImportScenario) -> None:
        scenario.before(self)

    def about_to_play(self, scenario: ImportScenario, *, in_pieces: bool) -> None:
        """Keep the roster as it is now."""
        self._before = self.rows_of_roster()

    def act(self, scenario: ImportScenario) -> Said:
        return scenario.act(self)

    def go_on(self, scenario: ImportScenario, said: Said) -> Said:
        return self.resume(said["run_id"])

    def broken(self) -> Iterator[str]:
        return results.broken(self)

    def see_through(
        self, scenario: ImportScenario, run: Played[ImportResult], *, resume: bool
    ) -> ImportResult:
        """Let time go by and imports come, then look at it from all sides."""
        trusted = run.said["status"] in _ENDED or not {fault.kind for fault in run.faults} & {*UNTRUSTWORTHY}
        if (scenario.keeps_the_roster or not trusted) and self.rows_of_roster() != self._before:
            raise Violation("what may not change the roster has changed it")
        if not run.faults and run.said["status"] != scenario.ends:
            raise Violation(f"without any fault, in {run.pieces} pieces, it is {run.said}")
        if resume:
            run.said = resume_what_died(self) or run.said
        assert self.world.rules.archive
        demand(replays.differing(self.world.rules.archive))
        if scenario.again:
            put_again(self, scenario.again)
        mended = self.mend(scenario.mode)
        if scenario.brings_everything and run.said["status"] == "succeeded" and mended["counts"]:
            raise Violation(f"the next import still found {mended['counts']}")
        demand(results.broken(self))
        result = results.result(self)
        if missing := scenario.tells - result.errors:
            raise Violation(f"the error log lacks {sorted(missing)}")
        if scenario.mode != "full":
            # Whose manager has joined meanwhile is seen by who looks at everyone.
            self.mend()
        demand(results.untrue(self))
        nothing_is_left_to_do(self)
        demand(results.snapshots(self))
        return result

    def unfair(self, clean: Played[ImportResult], faulted: Played[ImportResult]) -> Iterator[str]:
        """Yield where a lost answer, which the client asks for again, has made a difference."""
        retried = all(
            fault.kind == "lost" and clean.calls[fault.call - 1].operation != _LOGIN
            for fault in faulted.faults
        )
        if retried and faulted.said["status"] != clean.said["status"]:
            yield f"a lost answer, which the client asks for again, made it {faulted.said}"

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    def watch(self, race: ImportRace) -> Watch:
        self.left = None
        return RosterWatch(self, self.broken)

    def once_quiet(self, race: ImportRace) -> Iterator[str]:
        """Yield what is wrong once every message is through; then let one import come by, and another."""
        self.world.settle()
        if self.roster().lease:
            yield "nobody is at work any more, and the lease is not given back"
        yield from results.left_behind(self)
        if race.reported:
            yield from results.untrue(self)
        self.mend()
        yield from results.broken(self)
        yield from results.untrue(self)
        nothing_is_left_to_do(self)
        if race.wakes and self.rows_of_roster() != self.left:
            yield "one that was taken for dead changed the roster after all"


class RosterWatch(Watch):
    """Looks at the table between any two calls: nothing is ever broken, and nothing goes back."""

    def __init__(self, company: Company, broken: Callable[[], Iterator[str]]) -> None:
        self._company, self._broken = company, broken
        self._seen: list[Row] = []
        self._writes = -1
        # Member → revision and newest state that was known of it.
        self._newest: dict[str, tuple[int, str]] = {}

    def __call__(self, _: Call | None = None) -> None:
        writes = self._company.world.rules.writes
        if writes == self._writes:
            return
        self._writes = writes
        rows = self._company.rows_of_roster()
        if rows == self._seen:
            return
        self._seen = rows
        demand(self._broken())
        for member in self._company.roster().members.values():
            now = (member.revision, member.sources.get("salesforce", ""))
            before = self._newest.get(member.id, (0, ""))
            if now[0] < before[0] or now[1] < before[1]:
                raise Violation("a member went back to an older state")
            self._newest[member.id] = now


def resume_what_died(company: Company) -> Said | None:
    """Go on with the runs whose function died, at once, for they hold the lease themselves.

    Returns what was said last.
    """
    said = None
    for name, found in company.roster().runs.items():
        while found["status"] == "running" and found["kind"] in ("import", "undo"):
            said = company.resume(name)
            if said["status"] not in (*_ENDED, "continue"):
                raise Violation(f"a run that is resumed ends as {said}")
            found = company.roster().runs[name]
    return said


def put_again[T: Company](company: T, act: Callable[[T], Said], ends: Sequence[str] = ("succeeded",)) -> None:
    """Ask for the same until it is so; settings that are parked on the way are approved."""
    said: Said = {}
    for _ in range(4):
        company.world.clock.advance(minutes=20)
        said = act(company)
        if said["status"] == "parked":
            said = company.put(approve=said["run_id"])
        if said["status"] in ends:
            return
    raise Violation(f"asked for again, it is {said}")


def nothing_is_left_to_do(company: Company) -> None:
    """Raise `Violation` if one more import writes anything (I9)."""
    before = company.rows_of_roster()
    company.world.clock.advance(minutes=20)
    said = company.run_import()
    if said["status"] not in _ENDED or said["counts"]:
        raise Violation(f"another import came to {said}")
    after = company.rows_of_roster()
    for row in after:
        if row not in before:
            raise Violation(f"another import wrote {row['pk']['S'].split('#')[2]}")
    if after != before:
        raise Violation("another import took something away")
