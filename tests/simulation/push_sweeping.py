"""A scenario of pushes under a fault: in the end all is as it would have been without it (T3, I9, P5)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from muster.pushes.licence_lines import PROBE
from tests.simulation import push_results, vault_wire
from tests.simulation.company import Said
from tests.simulation.faults import DEATHS, KINDS, Call, Fault, Plan, these
from tests.simulation.push_company import A_WHILE, ENDED_WELL, PushCompany, PushMoment
from tests.simulation.push_results import PushResult
from tests.simulation.push_scenarios import PushScenario
from tests.simulation.salesforce_wire import SERVICE as SALESFORCE
from tests.simulation.vault_wire import VAULT_KINDS, WRITE
from tests.simulation.world import Violation

# The answer is lost, and from then on nothing reaches the service.
GONE = "gone"
MOST_PIECES = 80

_WRITES = frozenset({"DeleteItem", "PutItem", "PutObject", "TransactWriteItems", "UpdateItem"})

type Points = Callable[[Sequence[Call]], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class PushEnd:
    """Where a run ended: what was said, what it came to, and the calls it took."""

    said: Said
    result: PushResult
    calls: tuple[Call, ...]


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def everywhere(calls: Sequence[Call]) -> Iterator[Fault]:
    """Every kind of fault at every call; what answers of Salesforce can be, imports are swept for."""
    for call in calls:
        of_vault = (*VAULT_KINDS, GONE) if call.service == vault_wire.SERVICE else ()
        for kind in (*KINDS, *of_vault):
            yield Fault(call.number, kind)


def in_preflight(calls: Sequence[Call]) -> Iterator[Fault]:
    """Death, silence and nonsense at the calls with which a push asks whether it may send (U6)."""
    for call in calls:
        if call.operation.startswith("GET /api/"):
            for kind in (*DEATHS, GONE, "html"):
                yield Fault(call.number, kind)


def where_it_tells(every: int, offset: int = 0) -> Points:
    """Return what finds most in least time: one of `every` of the points that differ.

    To die before a call is to die after the last one that wrote. So only after a write there is death.
    """

    def points(calls: Sequence[Call]) -> Iterator[Fault]:
        telling = list(_telling(calls))
        return iter(telling[offset % every :: every])

    return points


def _telling(calls: Sequence[Call]) -> Iterator[Fault]:
    for call in calls:
        if call.operation.startswith(WRITE):
            kinds: Sequence[str] = ("before", "after", "lost", "busy", GONE, *VAULT_KINDS)
        elif call.service == vault_wire.SERVICE:
            kinds = ("lost", GONE, "short")
        elif call.operation in _WRITES:
            kinds = ("after", "lost", "mute", "down")
        elif call.service != SALESFORCE:
            kinds = ("busy",)
        else:
            continue
        for kind in kinds:
            yield Fault(call.number, kind)


def plan_of(fault: Fault, calls: Sequence[Call]) -> Plan:
    """Return what becomes of each call under a fault of a run that made these calls."""
    if fault.kind != GONE:
        return these(fault)
    service = calls[fault.call - 1].service

    def plan(call: Call) -> str | None:
        if call.number == fault.call:
            return "lost"
        return "down" if call.number > fault.call and call.service == service else None

    return plan


# ── Breaking ─────────────────────────────────────────────────────────────────────────────────────


def sweep(pushing: PushCompany, scenario: PushScenario, points: Points) -> int:
    """Run a scenario under each fault; returns how many, raises `Violation`."""
    start, clean = prepared(pushing, scenario)
    count = 0
    for fault in points(clean.calls):
        check(pushing, scenario, start, clean, fault)
        count += 1
    return count


def prepared(pushing: PushCompany, scenario: PushScenario) -> tuple[PushMoment, PushEnd]:
    """Return the moment from which a scenario is played, and where it ends without faults."""
    scenario.before(pushing)
    start = pushing.moment()
    clean = run(pushing, scenario, start)
    if clean.said["status"] not in (scenario.ends, "succeeded_with_errors"):
        raise Violation(f"{scenario.name}: without any fault it {clean.said}")
    groups = {name: " ".join(who) for name, who in clean.result.groups.items()}
    if groups != scenario.groups:
        raise Violation(f"{scenario.name}: without any fault the groups are {groups}")
    return start, clean


def check(
    pushing: PushCompany, scenario: PushScenario, start: PushMoment, clean: PushEnd, fault: Fault
) -> None:
    """Raise `Violation` unless the scenario with this fault ends like the clean run."""
    try:
        faulted = run(pushing, scenario, start, plan_of(fault, clean.calls))
        for difference in clean.result.differences(faulted.result):
            raise Violation(difference)
    except Violation as violation:
        where = f"{fault.kind} {clean.calls[fault.call - 1].operation} (call {fault.call})"
        raise Violation(f"{scenario.name}; {where}: {violation}") from violation


def run(pushing: PushCompany, scenario: PushScenario, start: PushMoment, plan: Plan | None = None) -> PushEnd:
    """Act under these faults, see it through, and look at it from all sides; raises `Violation`."""
    pushing.go_back(start)
    world = pushing.company.world
    world.wire.plan = plan or these()
    said = scenario.act(pushing)
    calls = tuple(world.wire.calls)
    world.wire.plan = these()
    _demand(push_results.broken(pushing))
    return see_through(pushing, scenario, said, calls)


def run_in_pieces(
    pushing: PushCompany, scenario: PushScenario, start: PushMoment, looks: int
) -> tuple[PushEnd, int]:
    """Act while each invocation's time is up after so many looks at the clock; returns how many it took."""
    pushing.go_back(start)
    world = pushing.company.world
    world.looks = looks
    said = scenario.act(pushing)
    pieces = 1
    while said["status"] == "continue":
        _demand(push_results.broken(pushing))
        if pieces > MOST_PIECES:
            raise Violation("a push that is called again and again does not end")
        # Where so little time brings it no further, there is more.
        world.looks = looks + pieces // 8
        said = pushing.push(run_id=said["run_id"])
        pieces += 1
    world.looks = None
    return see_through(pushing, scenario, said), pieces


def see_through(
    pushing: PushCompany, scenario: PushScenario, said: Said, calls: tuple[Call, ...] = ()
) -> PushEnd:
    """Let time go by and schedules go on, then look at it from all sides; raises `Violation`."""
    if scenario.again:
        _ask_again(pushing, scenario.again)
    pushing.quiet()
    # Whom a fault has cost the turn in line is tried again by then.
    pushing.company.world.clock.advance(seconds=PROBE.total_seconds())
    while pushing.push_approved()["counts"]:
        pushing.company.world.clock.advance(minutes=A_WHILE)
    # Whom a push has written to an import looks at again.
    pushing.company.mend()
    _demand(push_results.broken(pushing))
    _demand(push_results.untrue(pushing))
    end = PushEnd(said, push_results.result(pushing), calls)
    nothing_is_left_to_do(pushing)
    return end


def _ask_again(pushing: PushCompany, act: Callable[[PushCompany], Said]) -> None:
    said: Said = {}
    for _ in range(4):
        pushing.company.world.clock.advance(minutes=20)
        said = act(pushing)
        if said["status"] in ENDED_WELL:
            return
    raise Violation(f"asked for again, it is {said}")


def nothing_is_left_to_do(pushing: PushCompany) -> None:
    """Raise `Violation` if one more import and push write or send anything (I9)."""
    before, asked = pushing.company.rows_of_roster(), pushing.processed()
    pushing.company.world.clock.advance(minutes=20)
    made = len(pushing.company.world.wire.calls)
    for said in (pushing.run_import(), pushing.push()):
        if said["status"] not in ENDED_WELL or said["counts"]:
            raise Violation(f"one more import and push came to {said}")
    if pushing.company.rows_of_roster() != before:
        raise Violation("one more import and push changed the roster")
    calls = pushing.company.world.wire.calls[made:]
    if pushing.processed() != asked or any(call.operation.startswith(WRITE) for call in calls):
        raise Violation("one more import and push sent something")


def _demand(problems: Iterator[str]) -> None:
    for problem in problems:
        raise Violation(problem)
