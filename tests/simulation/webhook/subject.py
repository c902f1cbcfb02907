"""The webhook and its worker as the harness plays them: messages are sent, lost, doubled and overtaken."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.harness import invariants
from tests.simulation.harness.faults import Call
from tests.simulation.harness.invariants import Result, Roster
from tests.simulation.harness.subject import Moment, Played, Race, Said, Subject, Watch, demand
from tests.simulation.harness.world import ACME, Violation, World
from tests.simulation.webhook import oracle

type View = Callable[[dict[str, Roster]], Result]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`play` sends messages and lets the worker work; `view` says what of the end must not vary.

    `errors` are the codes that the error log must hold, but for those about namesakes; `dead_letters` the
    bodies that nobody can apply.
    `every`: of how many points one is tried in the gate, times as many as of any scenario.
    """

    name: str
    play: Callable[[World], None]
    documents: tuple[dict[str, Any], ...] = (ACME,)
    view: View = invariants.result
    shared_addresses: bool = False
    errors: tuple[str, ...] = ()
    dead_letters: tuple[str, ...] = ()
    every: int = 1


@dataclass(frozen=True, slots=True)
class WebhookRace(Race["Receiving"]):
    """`active`: user to the second of the state that must have won; `None`: must not be active."""

    active: Mapping[str, int | None] = field(default_factory=dict)
    shared_addresses: bool = False


class Receiving(Subject[Scenario, Result, WebhookRace]):
    """A world whose messages are followed."""

    def moment(self) -> Moment:
        return self.world.moment()

    def prepare(self, scenario: Scenario) -> None:
        self.world.reset(*scenario.documents)

    def act(self, scenario: Scenario) -> Said:
        scenario.play(self.world)
        return {"status": "succeeded"}

    def see_through(self, scenario: Scenario, run: Played[Result], *, resume: bool = False) -> Result:
        """Deliver again what SQS lost sight of, or Salesforce never heard of, then look at it."""
        self.world.settle()
        rosters = invariants.read(self.world.rows())
        demand(self.amiss(scenario, rosters))
        return scenario.view(rosters)

    def amiss(self, scenario: Scenario, rosters: Mapping[str, Roster]) -> Iterator[str]:
        """Yield what must not be so in the end, whatever happened on the way."""
        for document in scenario.documents:
            roster = rosters.get(document["organization"], Roster())
            yield from invariants.broken(roster, shared_addresses=scenario.shared_addresses)
            yield from oracle.untrue(self.world.reported.get(document["organization"], ()), roster, document)
        for organization in rosters.keys() - {document["organization"] for document in scenario.documents}:
            yield f"there is something of {organization}, which does not exist"
        codes = {entry["code"] for roster in rosters.values() for entry in roster.errors}
        if codes - invariants.ABOUT_NAMESAKES != set(scenario.errors):
            yield f"the error log holds {sorted(codes)}"
        if sorted(message.body for message in self.world.dead_letters) != sorted(scenario.dead_letters):
            yield f"{len(self.world.dead_letters)} dead letters"

    def unfair(self, clean: Played[Result], faulted: Played[Result]) -> Iterator[str]:
        """Yield where a lost answer, which the client asks for again, has failed a message."""
        lost = {fault.kind for fault in faulted.faults} <= {"lost"}
        if lost and self.world.returned and not self.world.dead_letters:
            yield "a lost answer, which the client asks for again, failed a message"

    def play_with_unread_keys(self, scenario: Scenario, seed: int) -> Played[Result]:
        """Play what is prepared while DynamoDB leaves keys unread, as a seed says."""
        self.world.rules.leaves_out = random.Random(seed)  # noqa: S311 - a test's own luck
        try:
            return self.play(scenario)
        finally:
            self.world.rules.leaves_out = None

    # ── Races ────────────────────────────────────────────────────────────────────────────────────

    def watch(self, race: WebhookRace) -> Watch:
        return _RosterWatch(self.world, race)

    def once_quiet(self, race: WebhookRace) -> Iterator[str]:
        """Yield who is not what they should be."""
        rosters = invariants.read(self.world.rows())
        ended = invariants.result(rosters)
        for crm_id, second in race.active.items():
            shown: dict[str, Any] | None = ended.active.get(f"acme/{crm_id}")
            expected = second and f"2024-05-06T08:15:{second:02d}.000Z"
            if (shown and shown["source_version"]) != expected:
                yield f"{crm_id} is {'' if shown else 'not '}active, expected the state of second {second}"
        yield from oracle.untrue(self.world.reported["acme"], rosters["acme"], ACME)


class _RosterWatch(Watch):
    """Looks at the table between any two calls: nothing is ever broken, and no state goes back."""

    def __init__(self, world: World, race: WebhookRace) -> None:
        self._world, self._race = world, race
        self._newest: dict[str, str] = {}
        self._seen, self._writes = "", -1

    def __call__(self, _: Call | None = None) -> None:
        writes = self._world.rules.writes
        if writes == self._writes:
            return
        self._writes = writes
        rows = self._world.rows()
        seen = json.dumps(rows, sort_keys=True)
        if seen == self._seen:
            return
        self._seen = seen
        for roster in invariants.read(rows).values():
            demand(invariants.broken(roster, shared_addresses=self._race.shared_addresses))
            for crm_id in roster.links:
                source = roster.source(crm_id) or ""
                if source < self._newest.get(crm_id, ""):
                    raise Violation(f"what is known of {crm_id} went back to an older state")
                self._newest[crm_id] = source
