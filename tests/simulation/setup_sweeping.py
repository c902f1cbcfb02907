"""A setup under a fault, sent again as an admin would: in the end all is as without the fault (U7, T3)."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from muster.webhook import tokens
from tests.simulation.faults import KINDS, Call, Fault, Plan, these
from tests.simulation.setup_company import (
    A_CLAIM,
    A_MINUTE,
    ENDED_WELL,
    Said,
    SetupCompany,
    SetupMoment,
    SetupWatch,
)
from tests.simulation.setup_scenarios import SetupScenario
from tests.simulation.world import Violation

# How an answer of Salesforce can break, besides what can break any call. That rows are missing from a
# well-formed answer is not among them: the Tooling API's totals are checked, and nothing is deleted for it.
ANSWERS = ("failed", "html", "cut", "ended")
# An admin sends the same event again so often before giving up.
MOST_TIMES = 3
MOST_PIECES = 20
# Of a soak: how likely a call fails, and how many do at most.
ODDS = 0.08
MOST_FAULTS = 4
# A slow deployment is waiting for so many polls, and then under way for as many.
POLLS = 2
_WRITES = ("PutItem", "POST /services/data", "PATCH")

type Points = Callable[[Sequence[Call]], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class SetupEnd:
    """Where it ended: what Salesforce has then but for the token, and the calls of the first invocation."""

    message: Said | None
    flow: Said | None
    versions: int
    deploys: int
    calls: tuple[Call, ...]

    def differences(self, other: "SetupEnd") -> Iterator[str]:
        """Yield in what another end is not as good as this one."""
        if other.message != self.message:
            yield f"the outbound message is {other.message}, and should be {self.message}"
        if other.flow != self.flow:
            yield f"the flow that runs is {other.flow}, and should be {self.flow}"
        if not self.versions <= other.versions <= self.versions + 1:
            yield f"the flow has {other.versions} versions, and should have {self.versions}"
        if other.deploys != self.deploys:
            yield f"{other.deploys} deployments were made, and {self.deploys} are enough"


# ── Where to break ───────────────────────────────────────────────────────────────────────────────


def everywhere(calls: Sequence[Call]) -> Iterator[Fault]:
    """Every kind of fault at every call."""
    for call in calls:
        for kind in (*KINDS, *(ANSWERS if call.service == "salesforce" else ())):
            yield Fault(call.number, kind)


def where_it_tells(every: int, offset: int = 0) -> Points:
    """Return one of `every` of the points that differ: all at a write, at a read a fault that it shows."""

    def points(calls: Sequence[Call]) -> Iterator[Fault]:
        telling = [fault for fault in everywhere(calls) if _tells(fault, calls[fault.call - 1])]
        return iter(telling[offset % every :: every])

    return points


def _tells(fault: Fault, call: Call) -> bool:
    if call.operation.startswith(_WRITES):
        return True
    return fault.kind in (("mute", "cut", "ended") if call.service == "salesforce" else ("busy",))


# ── Breaking ─────────────────────────────────────────────────────────────────────────────────────


def sweep(setup: SetupCompany, scenario: SetupScenario, points: Points) -> int:
    """Run a scenario under each fault; returns how many, raises `Violation`."""
    start, clean = prepared(setup, scenario)
    count = 0
    for fault in points(clean.calls):
        check(setup, scenario, start, clean, fault)
        count += 1
    return count


def prepared(setup: SetupCompany, scenario: SetupScenario) -> tuple[SetupMoment, SetupEnd]:
    """Return the moment from which a scenario is played, and where it ends without faults."""
    scenario.before(setup)
    start = setup.moment()
    clean = run(setup, scenario, start)
    if clean.deploys != scenario.deploys:
        raise Violation(f"{scenario.name}: without any fault there were {clean.deploys} deployments")
    return start, clean


def check(
    setup: SetupCompany, scenario: SetupScenario, start: SetupMoment, clean: SetupEnd, *faults: Fault
) -> None:
    """Raise `Violation` unless the scenario with these faults ends like the clean run."""
    try:
        for difference in clean.differences(run(setup, scenario, start, *faults)):
            raise Violation(difference)
    except Violation as violation:
        where = ", ".join(
            f"{fault.kind} {clean.calls[fault.call - 1].operation} (call {fault.call})" for fault in faults
        )
        raise Violation(f"{scenario.name}; {where}: {violation}") from violation


def run(setup: SetupCompany, scenario: SetupScenario, start: SetupMoment, *faults: Fault) -> SetupEnd:
    """Ask under these faults, then again until it is done, and look at it from all sides."""
    return _played(setup, scenario, start, these(*faults))


def soak(setup: SetupCompany, scenario: SetupScenario, start: SetupMoment, clean: SetupEnd, seed: int) -> int:
    """Ask while any call may fail, and so may those of the next times; returns how many did.

    Salesforce then has what it should, if with a deployment or two more.
    """
    chance = random.Random(seed)  # noqa: S311 - faults, not secrets
    hit: list[Fault] = []

    def plan(call: Call) -> str | None:
        if len(hit) == MOST_FAULTS or chance.random() > ODDS:
            return None
        of_salesforce = ANSWERS if call.service == "salesforce" else ()
        hit.append(Fault(call.number, chance.choice((*KINDS, *of_salesforce))))
        return hit[-1].kind

    try:
        ended = _played(setup, scenario, start, plan, lasts=True)
        for difference in replace(clean, deploys=0).differences(replace(ended, deploys=0)):
            raise Violation(difference)
    except Violation as violation:
        raise Violation(f"{scenario.name}, seed {seed}, {hit}: {violation}") from violation
    return len(hit)


def run_in_pieces(
    setup: SetupCompany, scenario: SetupScenario, start: SetupMoment, looks: int
) -> tuple[SetupEnd, int]:
    """Ask while each invocation's time is up after so many looks at the clock; returns how many it took."""
    setup.go_back(start)
    before, pieces, said = setup.deployments(), 0, {"status": "continue"}
    setup.control("deploys", pending_polls=POLLS, in_progress_polls=POLLS)
    watch = SetupWatch(setup)
    setup.world.wire.on_call = watch
    setup.world.looks = looks
    while said["status"] == "continue":
        if pieces == MOST_PIECES:
            raise Violation("what is asked again and again does not end")
        setup.world.clock.moment += A_MINUTE
        said = setup.ask(scenario.action)
        pieces += 1
    setup.world.looks = None
    return _seen_through(setup, scenario, watch, said, before), pieces


def refused(setup: SetupCompany, scenario: SetupScenario) -> None:
    """Have Salesforce refuse what is deployed: all is as before then, and the next time it is done."""
    scenario.before(setup)
    known, held = {token.sha256 for token in setup.registered()}, setup.held()
    before = setup.flow(), setup.message()
    setup.control("deploys", error_message="The server is out of order.")
    said = setup.ask(scenario.action)
    if said["status"] != "rejected" or "out of order" not in said["errors"][0]["message"]:
        raise Violation(f"{scenario.name}: what is refused is answered {said}")
    if (setup.flow(), setup.message()) != before or {each.sha256 for each in setup.registered()} - known:
        raise Violation(f"{scenario.name}: what is refused leaves something behind")
    if held and not setup.accepts(held):
        raise Violation(f"{scenario.name}: what is refused costs the token in use")
    setup.control("deploys", error_message="")
    ended(setup.ask(scenario.action))
    for problem in amiss(setup, scenario.action, scenario.amiss):
        raise Violation(f"{scenario.name}, refused once: {problem}")


def _played(
    setup: SetupCompany, scenario: SetupScenario, start: SetupMoment, plan: Plan, *, lasts: bool = False
) -> SetupEnd:
    """Play with this plan for the calls of the first time, or if it `lasts` of some of the next ones."""
    setup.go_back(start)
    wire, before = setup.world.wire, setup.deployments()
    watch = SetupWatch(setup)
    wire.on_call, wire.plan = watch, plan
    said = setup.ask(scenario.action)
    calls = tuple(wire.calls)
    if lasts:
        said = again(setup, scenario.action, said)
    wire.plan = these()
    said = ended(again(setup, scenario.action, said))
    return replace(_seen_through(setup, scenario, watch, said, before), calls=calls)


def _seen_through(
    setup: SetupCompany, scenario: SetupScenario, watch: SetupWatch, said: Said, before: int
) -> SetupEnd:
    """Look at it from all sides; `before`: how many deployments there were."""
    watch.at_the_end()
    message, (flow, versions) = setup.message(), setup.flow()
    end = SetupEnd(_without_token(message), flow, versions, setup.deployments() - before, ())
    for problem in amiss(setup, scenario.action, scenario.amiss):
        raise Violation(f"{problem}; it was answered {said}")
    watch.at_the_end()
    setup.world.wire.on_call = None
    return end


def again(setup: SetupCompany, action: str, said: Said) -> Said:
    """Send the same event again until it is done, as an admin would, a few times; returns the last answer."""
    for _ in range(MOST_TIMES):
        if said["status"] == "died" and _is_done(setup, action):
            return {"status": "succeeded"}
        if said["status"] in ENDED_WELL:
            return said
        gone = said["status"] == "died" or "is being set up already" in said["message"]
        setup.world.clock.moment += A_CLAIM if gone else A_MINUTE
        said = setup.ask(action)
    return said


def _is_done(setup: SetupCompany, action: str) -> bool:
    """Tell whether a rotation was recorded as done before it died; sent again, it would be another one."""
    last = setup.recorded()
    return action == "rotate_token" and (last.get("action"), last.get("outcome")) == (action, "succeeded")


def ended(said: Said) -> Said:
    """Return an answer that says that it is done; raises `Violation` for any other."""
    if said["status"] not in ENDED_WELL:
        raise Violation(f"sent {MOST_TIMES} times more, it is still answered {said}")
    return said


def amiss(setup: SetupCompany, action: str = "refresh", links: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield what is wrong once an action is done, but for these links of the chain.

    Asks for the status, and once more for what is to change nothing.
    """
    held, lasting, removed = setup.held(), setup.lasting(), action == "remove"
    if removed:
        if setup.message() or setup.flow()[1]:
            yield "something of Muster is left in Salesforce"
        if lasting:
            yield "a token that nobody uses is accepted without an end"
    elif held is None or lasting != {tokens.digest(held)}:
        yield "not just the token in use is accepted without an end"
    status = setup.ask("status")
    if status["setup"]["outcome"] != "succeeded":
        yield f"the status tells {status['setup']}"
    broken = {each["check"] for each in status["checks"] if each["result"] in ("failed", "could_not_check")}
    if not removed and broken != links:
        yield f"the status tells of {broken}"
    setup.world.clock.moment += A_MINUTE
    before = setup.deployments(), setup.registered(), setup.flow()
    said = setup.ask("remove" if removed else "refresh")
    if said["status"] not in ENDED_WELL or said.get("changed"):
        yield f"once more it is answered {said}"
    if (setup.deployments(), setup.registered(), setup.flow()) != before:
        yield "once more it changed something"


def _without_token(message: Said | None) -> Said | None:
    return message and {**message, "endpointUrl": str(message["endpointUrl"]).partition("?token=")[0]}
