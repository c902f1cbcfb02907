"""Setups of the webhook as the harness plays them: asked again, as an admin would (U7, W3)."""

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from muster.webhook import tokens
from tests.simulation.harness.faults import KINDS, Call
from tests.simulation.harness.salesforce_wire import SERVICE
from tests.simulation.harness.soaking import Failing
from tests.simulation.harness.subject import ENDED_WELL, Moment, Played, Race, Said, Subject, Watch, demand
from tests.simulation.harness.world import Violation, World
from tests.simulation.webhook_setup.company import A_CLAIM, A_MINUTE, SetupCompany, SetupWatch

# How an answer of Salesforce can break, besides what can break any call. That rows are missing from a
# well-formed answer is not among them: the Tooling API's totals are checked, and nothing is deleted for it.
ANSWERS = ("failed", "html", "cut", "ended")
# An admin sends the same event again so often before giving up.
MOST_TIMES = 3
# Of a soak: how likely a call fails, and how many do at most.
ODDS = 0.08
MOST_FAULTS = 4
# A slow deployment is waiting for so many polls, and then under way for as many.
POLLS = 2
_WRITES = ("PutItem", "POST /services/data", "PATCH")
# Who comes while another is at work is answered who that is, and since when.
_BUSY = re.compile(r"organization is being set up already, by jane@acme\.example since 2026-[-:TZ.0-9]+\.")


@dataclass(frozen=True, slots=True)
class SetupScenario:
    """What there is before, and what is asked then.

    `deploys`: how many deployments it takes; `amiss`: the links of the chain that no setup can mend;
    `patient`: it is asked again while calls may still fail.
    """

    name: str
    before: Callable[[SetupCompany], None]
    action: str
    deploys: int = 1
    amiss: frozenset[str] = frozenset()
    patient: bool = False


@dataclass(frozen=True, slots=True)
class SetupRace(Race[SetupCompany]):
    """What there is before, and what is asked at once.

    `forgets`: tokens that gave way may end at once, for somebody may rotate twice. `wakes`: the first one
    is taken for dead, and goes on all the same, which Lambda does not let happen; so it may find another
    in its place, and what it has put into Salesforce last may be refused until the next refresh.
    """

    forgets: bool = False
    wakes: bool = False


@dataclass(frozen=True, slots=True)
class SetupResult:
    """What Salesforce has in the end but for the token."""

    message: Said | None
    flow: Said | None
    versions: int
    deploys: int

    def differences(self, other: "SetupResult") -> Iterator[str]:
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


def everywhere(call: Call) -> Sequence[str]:
    """Every kind of fault."""
    return (*KINDS, *_answers(call))


def telling(call: Call) -> Sequence[str]:
    """The kinds that differ: all at a write, at a read a fault that it shows."""
    if call.operation.startswith(_WRITES):
        return everywhere(call)
    return ("mute", "cut", "ended") if call.service == SERVICE else ("busy",)


def _answers(call: Call) -> Sequence[str]:
    return ANSWERS if call.service == SERVICE else ()


# ── Playing ──────────────────────────────────────────────────────────────────────────────────────


class Setup(SetupCompany, Subject[SetupScenario, SetupResult, SetupRace]):
    """An organization whose setups are played."""

    MOST_PIECES = 20

    def __init__(self, world: World) -> None:
        SetupCompany.__init__(self, world)
        Subject.__init__(self, world)
        self._watch: SetupWatch | None = None
        self._deployed = 0

    def prepare(self, scenario: SetupScenario) -> None:
        scenario.before(self)

    def about_to_play(self, scenario: SetupScenario, *, in_pieces: bool) -> None:
        """Watch from now on; where invocations are cut short, Salesforce is slow."""
        self._deployed = self.deployments()
        if in_pieces:
            self.control("deploys", pending_polls=POLLS, in_progress_polls=POLLS)
        self._watch = self.world.wire.on_call = SetupWatch(self)

    def act(self, scenario: SetupScenario) -> Said:
        said = self.ask(scenario.action)
        return self._again(scenario.action, said) if scenario.patient else said

    def go_on(self, scenario: SetupScenario, said: Said) -> Said:
        self.world.clock.moment += A_MINUTE
        return self.ask(scenario.action)

    def see_through(self, scenario: SetupScenario, run: Played[SetupResult], *, resume: bool) -> SetupResult:
        """Ask again until it is done, then look at it from all sides."""
        assert self._watch
        if run.faults or scenario.patient:
            run.said = self._again(scenario.action, run.said)
        _ended(run.said)
        self._watch.at_the_end()
        message, (flow, versions) = self.message(), self.flow()
        deploys = self.deployments() - self._deployed
        demand(self.amiss(scenario.action, scenario.amiss), f"answered {run.said}")
        self._watch.at_the_end()
        self.world.wire.on_call = None
        return SetupResult(_without_token(message), flow, versions, deploys)

    def flaws(self, scenario: SetupScenario, clean: Played[SetupResult]) -> Iterator[str]:
        if clean.result.deploys != scenario.deploys:
            yield f"there were {clean.result.deploys} deployments"

    def soak(self, scenario: SetupScenario, start: Moment, clean: Played[SetupResult], seed: int) -> int:
        """Ask while any call may fail, and so may those of the next times; returns how many did.

        Salesforce then has what it should, if with a deployment or two more.
        """
        plan = Failing(random.Random(seed), ODDS, _answers, MOST_FAULTS)  # noqa: S311 - faults, not secrets
        start()
        try:
            ended = self.play(replace(scenario, patient=True), plan=plan)
            demand(replace(clean.result, deploys=0).differences(replace(ended.result, deploys=0)))
        except Violation as violation:
            raise Violation(f"{scenario.name}, seed {seed}, {plan.noted}: {violation}") from violation
        return len(plan.noted)

    def refused(self, scenario: SetupScenario) -> None:
        """Have Salesforce refuse what is deployed: all is as before then, and the next time it is done."""
        scenario.before(self)
        known, held = {token.sha256 for token in self.registered()}, self.held()
        before = self.flow(), self.message()
        self.control("deploys", error_message="The server is out of order.")
        said = self.ask(scenario.action)
        if said["status"] != "rejected" or "out of order" not in said["errors"][0]["message"]:
            raise Violation(f"{scenario.name}: what is refused is answered {said}")
        if (self.flow(), self.message()) != before or {each.sha256 for each in self.registered()} - known:
            raise Violation(f"{scenario.name}: what is refused leaves something behind")
        if held and not self.accepts(held):
            raise Violation(f"{scenario.name}: what is refused costs the token in use")
        self.control("deploys", error_message="")
        _ended(self.ask(scenario.action))
        demand(self.amiss(scenario.action, scenario.amiss), f"{scenario.name}, refused once")

    def _again(self, action: str, said: Said) -> Said:
        """Send the same event again until it is done, as an admin would, a few times."""
        for _ in range(MOST_TIMES):
            if said["status"] == "died" and self._is_done(action):
                return {"status": "succeeded"}
            if said["status"] in ENDED_WELL:
                return said
            gone = said["status"] == "died" or "is being set up already" in said["message"]
            self.world.clock.moment += A_CLAIM if gone else A_MINUTE
            said = self.ask(action)
        return said

    def _is_done(self, action: str) -> bool:
        """Tell whether a rotation was recorded as done before it died: the next would be another one."""
        last = self.recorded()
        return action == "rotate_token" and (last.get("action"), last.get("outcome")) == (action, "succeeded")

    def amiss(self, action: str = "refresh", links: frozenset[str] = frozenset()) -> Iterator[str]:
        """Yield what is wrong once an action is done, but for these links of the chain.

        Asks for the status, and once more for what is to change nothing.
        """
        held, lasting, removed = self.held(), self.lasting(), action == "remove"
        if removed:
            if self.message() or self.flow()[1]:
                yield "something of Muster is left in Salesforce"
            if lasting:
                yield "a token that nobody uses is accepted without an end"
        elif held is None or lasting != {tokens.digest(held)}:
            yield "not just the token in use is accepted without an end"
        status = self.ask("status")
        if status["setup"]["outcome"] != "succeeded":
            yield f"the status tells {status['setup']}"
        broken = {
            each["check"] for each in status["checks"] if each["result"] in ("failed", "could_not_check")
        }
        if not removed and broken != links:
            yield f"the status tells of {broken}"
        self.world.clock.moment += A_MINUTE
        before = self.deployments(), self.registered(), self.flow()
        said = self.ask("remove" if removed else "refresh")
        if said["status"] not in ENDED_WELL or said.get("changed"):
            yield f"once more it is answered {said}"
        if (self.deployments(), self.registered(), self.flow()) != before:
            yield "once more it changed something"

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    def watch(self, race: SetupRace) -> Watch:
        return _RaceWatch(self, race)

    def unfair_answer(self, race: SetupRace, said: object) -> Iterator[str]:
        """Yield what is wrong with an answer: it is done, or another is at work, and who that is."""
        assert isinstance(said, dict)
        if said["status"] in ENDED_WELL or race.wakes:
            return
        message = said["message"]
        if said["status"] == "rejected" and (_BUSY.fullmatch(message) or "no outbound message" in message):
            return
        # Of two who save at once one is answered so; that is not about setups.
        if said["status"] != "rejected" or "meanwhile" not in message:
            yield f"it is answered {said}"

    def once_quiet(self, race: SetupRace) -> Iterator[str]:
        """Yield what is wrong after one more refresh."""
        self.world.clock.moment += A_CLAIM
        # Settings that were overtaken are saved again, as whoever saved them is asked to.
        for said in (self.put(), self.ask("refresh")):
            if said["status"] not in ENDED_WELL:
                yield f"once it is quiet, it is answered {said}"
        yield from self.amiss()


class _RaceWatch(Watch):
    """Looks whether what Salesforce sends is accepted, and whether one at a time writes to Salesforce."""

    def __init__(self, setup: Setup, race: SetupRace) -> None:
        self._tokens, self._wakes = SetupWatch(setup, forgets=race.forgets), race.wakes
        self._writers: list[int] = []

    def __call__(self, call: Call | None = None) -> None:
        if not self._wakes:
            self._tokens(call)

    def goes_on(self, call: Call, task: int) -> None:
        """Note who writes."""
        if call.operation.endswith("/deployRequest") or call.operation.startswith("PATCH"):
            self._writers.append(task)

    def at_the_end(self) -> None:
        """Look once more, and whether one has written between two writes of another."""
        self()
        turns = [task for task, _ in itertools.groupby(self._writers)]
        if not self._wakes and len(turns) != len(set(turns)):
            raise Violation(f"setups worked at the same time: {turns}")


def _ended(said: Said) -> None:
    """Raise `Violation` for an answer that does not say that it is done."""
    if said["status"] not in ENDED_WELL:
        raise Violation(f"asked as often as it may be, it is still answered {said}")


def _without_token(message: Said | None) -> Said | None:
    return message and {**message, "endpointUrl": str(message["endpointUrl"]).partition("?token=")[0]}
