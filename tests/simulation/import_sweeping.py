"""A scenario of imports under a fault: in the end all is as it would have been without it (T3, I9)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.simulation import import_results
from tests.simulation.company import Company, CompanyMoment, Said
from tests.simulation.faults import KINDS, Call, Fault, these
from tests.simulation.import_results import ImportResult
from tests.simulation.import_scenarios import ImportScenario
from tests.simulation.salesforce_wire import HTTP_KINDS, UNTRUSTWORTHY
from tests.simulation.world import Violation

_WRITES = frozenset(
    {"DeleteItem", "PutItem", "PutObject", "SendEmail", "SendMessage", "TransactWriteItems", "UpdateItem"}
)
_LOGIN = "POST /services/oauth2/token"
_FILTER = "SELECT+Id+FROM"
MOST_PIECES = 60
_ENDED = ("succeeded", "succeeded_with_errors", "parked")

type Points = Callable[[Sequence[Call]], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class ImportEnd:
    """Where a run ended: what was said, what it came to, and the calls it took."""

    said: Said
    result: ImportResult
    calls: tuple[Call, ...]
    # How many invocations it took.
    pieces: int = 1


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def everywhere(calls: Sequence[Call]) -> Iterator[Fault]:
    """Every kind of fault at every call."""
    for call in calls:
        for kind in (*KINDS, *_answers(call)):
            yield Fault(call.number, kind)


def where_it_tells(every: int, offset: int = 0) -> Points:
    """Return what finds most in least time: one of `every` of the points that differ.

    To die before a call is to die after the last one that wrote. So only after a write there is death,
    and before the very first.
    """

    def points(calls: Sequence[Call]) -> Iterator[Fault]:
        telling = list(_telling(calls))
        return iter(telling[offset % every :: every])

    return points


def _telling(calls: Sequence[Call]) -> Iterator[Fault]:
    for call in calls:
        if call.service == "salesforce":
            kinds: Sequence[str] = ("lost", "mute", *_answers(call))
        elif call.operation in _WRITES:
            kinds = ("after", "lost", "mute")
        else:
            kinds = ("busy",)
        for kind in kinds:
            yield Fault(call.number, kind)


def _answers(call: Call) -> Sequence[str]:
    """Return what an answer can be that is no answer; that nobody matches a filter may well be true."""
    if call.service != "salesforce":
        return ()
    is_of_users = call.operation.startswith("GET") and _FILTER not in call.parameters["url"]
    return HTTP_KINDS if is_of_users else [kind for kind in HTTP_KINDS if kind != "empty"]


# ── Breaking ─────────────────────────────────────────────────────────────────────────────────────


def sweep(company: Company, scenario: ImportScenario, points: Points, *, resume: bool | None = None) -> int:
    """Run a scenario under each fault; returns how many, raises `Violation`.

    After a death the run is resumed by its id, or left to the next import, whichever `resume` says;
    `None`: in turns.
    """
    start, clean = prepared(company, scenario)
    count = 0
    for fault in points(clean.calls):
        check(company, scenario, start, clean, fault, resume=count % 2 == 0 if resume is None else resume)
        count += 1
    return count


def prepared(company: Company, scenario: ImportScenario) -> tuple[CompanyMoment, ImportEnd]:
    """Return the moment from which a scenario is played, and where it ends without faults."""
    scenario.before(company)
    start = company.moment()
    clean = run(company, scenario, start)
    if clean.said["status"] != scenario.ends:
        raise Violation(f"{scenario.name}: without any fault it {clean.said}")
    return start, clean


def check(
    company: Company,
    scenario: ImportScenario,
    start: CompanyMoment,
    clean: ImportEnd,
    *faults: Fault,
    resume: bool = False,
) -> None:
    """Raise `Violation` unless the scenario with these faults ends like the clean run."""
    try:
        faulted = run(company, scenario, start, *faults, resume=resume)
        for difference in clean.result.differences(faulted.result):
            raise Violation(difference)
        retried = all(_is_retried(clean.calls[fault.call - 1], fault) for fault in faults)
        if retried and faulted.said["status"] != clean.said["status"]:
            raise Violation(f"a lost answer, which the client asks for again, made it {faulted.said}")
    except Violation as violation:
        where = ", ".join(
            f"{fault.kind} {clean.calls[fault.call - 1].operation} (call {fault.call})" for fault in faults
        )
        raise Violation(f"{scenario.name}; {where}{' resumed' * resume}: {violation}") from violation


def _is_retried(call: Call, fault: Fault) -> bool:
    return fault.kind == "lost" and call.operation != _LOGIN


def run(
    company: Company,
    scenario: ImportScenario,
    start: CompanyMoment,
    *faults: Fault,
    resume: bool = False,
) -> ImportEnd:
    """Act under these faults, see it through, and look at it from all sides; raises `Violation`."""
    company.go_back(start)
    before = company.rows_of_roster()
    company.world.wire.plan = these(*faults)
    said = scenario.act(company)
    calls = tuple(company.world.wire.calls)
    company.world.wire.plan = these()
    _demand(import_results.broken(company))
    trusted = not any(fault.kind in UNTRUSTWORTHY for fault in faults) or said["status"] in _ENDED
    if (scenario.keeps_the_roster or not trusted) and company.rows_of_roster() != before:
        raise Violation("what may not change the roster has changed it")
    if resume:
        said = resume_what_died(company) or said
    return see_through(company, scenario, said, calls)


def run_in_pieces(company: Company, scenario: ImportScenario, start: CompanyMoment, looks: int) -> ImportEnd:
    """Act while each invocation's time is up after so many looks at the clock; raises `Violation`."""
    company.go_back(start)
    before = company.rows_of_roster()
    company.world.looks = looks
    said = scenario.act(company)
    pieces = 1
    while said["status"] == "continue":
        _demand(import_results.broken(company))
        if pieces > MOST_PIECES:
            raise Violation("a run that is called again and again does not end")
        said = company.resume(said["run_id"])
        pieces += 1
    company.world.looks = None
    if said["status"] != scenario.ends:
        raise Violation(f"done in {pieces} pieces it is {said}")
    if scenario.keeps_the_roster and company.rows_of_roster() != before:
        raise Violation("what may not change the roster has changed it")
    return see_through(company, scenario, said, pieces=pieces)


def see_through(
    company: Company, scenario: ImportScenario, said: Said, calls: tuple[Call, ...] = (), pieces: int = 1
) -> ImportEnd:
    """Let time go by and imports come, then look at it from all sides; raises `Violation`."""
    if scenario.again:
        put_again(company, scenario.again)
    mended = company.mend(scenario.mode)
    if scenario.brings_everything and said["status"] == "succeeded" and mended["counts"]:
        raise Violation(f"the next import still found {mended['counts']}")
    _demand(import_results.broken(company))
    end = ImportEnd(said, import_results.result(company), calls, pieces)
    if scenario.mode != "full":
        # Whose manager has joined meanwhile is seen by who looks at everyone.
        company.mend()
    _demand(import_results.untrue(company))
    nothing_is_left_to_do(company)
    return end


def resume_what_died(company: Company) -> Said | None:
    """Go on with the runs whose function died, at once, for they hold the lease themselves.

    Returns what was said last.
    """
    said = None
    for name, found in company.roster().runs.items():
        while found["status"] == "running" and found["kind"] == "import":
            said = company.resume(name)
            if said["status"] not in (*_ENDED, "continue"):
                raise Violation(f"a run that is resumed ends as {said}")
            found = company.roster().runs[name]
    return said


def put_again(company: Company, act: Callable[[Company], Said]) -> None:
    """Ask for the same until it is so; what is parked on the way is approved."""
    for _ in range(4):
        company.world.clock.advance(minutes=20)
        said = act(company)
        if said["status"] == "parked":
            said = company.put(approve=said["run_id"])
        if said["status"] == "succeeded":
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


def _demand(problems: Iterator[str]) -> None:
    for problem in problems:
        raise Violation(problem)
