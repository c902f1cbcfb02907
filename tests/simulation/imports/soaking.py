"""Days of a company in which anything happens and anything fails, from one seed (I3, I7, T3).

People come, go, move and change; messages are lost, doubled and late; imports of all kinds start,
die, run out of time and are resumed; settings are saved; and any call may fail.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.harness.faults import Plan, nothing
from tests.simulation.harness.salesforce_wire import SERVICE, UNTRUSTWORTHY
from tests.simulation.harness.soaking import Failing
from tests.simulation.harness.subject import Said, demand
from tests.simulation.harness.world import Violation
from tests.simulation.imports import results
from tests.simulation.imports.company import SALES, SUPPORT, Company
from tests.simulation.imports.results import ImportResult
from tests.simulation.imports.subject import nothing_is_left_to_do

LIKELIHOODS = (0.0, 0.02, 0.1)
STEPS = 12
_DEPARTMENTS = ("Sales", "Support", "Kitchen")
# An answer without rows may be true: it is for the guard, not for the reader, to doubt it.
_ANSWERS = tuple(kind for kind in UNTRUSTWORTHY if kind != "empty")


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a seed came to, to be compared with itself: what happened, and the result."""

    happened: tuple[str, ...]
    faults: int
    result: ImportResult


def soak(company: Company, seed: int) -> Soaked:
    """Run one seed, then let faults be over and an import come by; raises `Violation`."""
    chance = random.Random(seed)  # noqa: S311 - a test's own luck
    company.begin(seats={"gong": {"limit": chance.randint(1, 3)}})
    for name in ("ada", "bob", "carol", "dave"):
        company.hire(name, Department=chance.choice(_DEPARTMENTS))
    plan = Failing(
        chance, chance.choice(LIKELIHOODS), lambda call: _ANSWERS if call.service == SERVICE else ()
    )
    happened: list[str] = []
    try:
        for _ in range(STEPS):
            happened.append(_step(company, chance, plan))
            demand(results.broken(company))
        company.world.wire.plan, company.world.looks = nothing, None
        company.mend()
        demand(results.untrue(company))
        result = results.result(company)
        nothing_is_left_to_do(company)
    except Violation as violation:
        raise Violation(f"seed {seed}, {', '.join(happened)}: {violation}") from violation
    return Soaked(tuple(happened), len(plan.noted), result)


def _step(company: Company, chance: random.Random, plan: Plan) -> str:
    """Let one thing happen and time go by; returns its name."""
    name = chance.choice(list(_STEPS))
    company.world.wire.plan = plan
    company.world.looks = chance.choice([None, None, None, chance.randint(1, 12)])
    said = _STEPS[name](company, chance)
    company.world.wire.plan, company.world.looks = nothing, None
    company.world.clock.advance(minutes=chance.choice([0, 5, 16, 40]))
    return f"{name} {said['status']}" if said else name


def _hires(company: Company, chance: random.Random) -> None:
    name = f"new{len(company.people)}"
    manager = chance.choice([None, *company.people])
    company.hire(name, Department=chance.choice(_DEPARTMENTS), manager=manager)
    _perhaps_tells(company, chance, name)


def _changes(company: Company, chance: random.Random) -> None:
    name = chance.choice(list(company.people))
    fields: list[Mapping[str, Any]] = [
        {"Department": chance.choice(_DEPARTMENTS)},
        {"Title": chance.choice(["Lead", "Rep", None])},
        {"IsActive": chance.random() < 0.5},
        {"manager": chance.choice([None, *(each for each in company.people if each != name)])},
    ]
    company.change(name, **chance.choice(fields))
    _perhaps_tells(company, chance, name)


def _perhaps_tells(company: Company, chance: random.Random, name: str) -> None:
    for _ in range(chance.choice([0, 1, 1, 2])):
        company.tell(name)
    if chance.random() < 0.7:
        company.world.work()
        chance.shuffle(company.world.queue)


def _imports(company: Company, chance: random.Random) -> Said:
    said = company.run_import(chance.choice(["full", "incremental", "incremental"]))
    if said["status"] == "continue" and chance.random() < 0.7:
        company.world.looks = None
        return company.resume(said["run_id"])
    return said


def _imports_somebody(company: Company, chance: random.Random) -> Said:
    members = [company.people[name] for name in chance.sample(list(company.people), k=2)]
    return company.run_import(None, by="jane", members=members, preview=chance.random() < 0.3)


def _saves(company: Company, chance: random.Random) -> Said:
    was = dict(company.document)
    workspaces = {"EMEA": chance.choice(["Team member", "Manager"])}
    said = company.put(assignments=chance.choice([[{**SALES, "workspaces": workspaces}, SUPPORT], [SALES]]))
    # What was not saved is not what the roster is measured by.
    if company.saved()[1] != company.document:
        company.document = was
    return said


_STEPS: Mapping[str, Callable[[Company, random.Random], Said | None]] = {
    "hire": _hires,
    "change": _changes,
    "change again": _changes,
    "import": _imports,
    "import again": _imports,
    "import somebody": _imports_somebody,
    "save": _saves,
}
