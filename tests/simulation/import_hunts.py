"""Checks of imports, each raising `Violation`: what `import_mutants` puts in, one of these finds.

Sweeps and races of a few points, and situations that no sweep meets by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from tests.simulation import import_races, import_results, import_sweeping
from tests.simulation.company import Company
from tests.simulation.faults import Call, Fault
from tests.simulation.import_races import ZOMBIES
from tests.simulation.import_scenarios import IMPORTS, ImportScenario, hired, parked, parked_run, settled
from tests.simulation.import_sweeping import Points
from tests.simulation.world import Violation, World

type Hunt = Callable[[World], object]


# ── Sweeps and races ─────────────────────────────────────────────────────────────────────────────


def scenario(name: str) -> ImportScenario:
    """Return the scenario of that name."""
    return next(each for each in IMPORTS if each.name == name)


def clean(name: str) -> Hunt:
    """Hunt in a scenario without any fault."""
    return lambda world: import_sweeping.prepared(Company(world), scenario(name))


def sweep(name: str, kind: str, operation: str, most: int = 3, *, resume: bool = False) -> Hunt:
    """Hunt in a scenario with one of the first few calls of an operation broken."""
    return lambda world: import_sweeping.sweep(
        Company(world), scenario(name), _only(kind, operation, most), resume=resume
    )


def _only(kind: str, operation: str, most: int) -> Points:
    def points(calls: Sequence[Call]) -> Iterator[Fault]:
        asked = (call for call in calls if call.operation.startswith(operation))
        return islice((Fault(call.number, kind) for call in asked), most)

    return points


def pieces(name: str, looks: int = 1) -> Hunt:
    """Hunt in a scenario whose invocations are cut short."""

    def hunt(world: World) -> None:
        company, played = Company(world), scenario(name)
        start, whole = import_sweeping.prepared(company, played)
        ended = import_sweeping.run_in_pieces(company, played, start, looks)
        for difference in whole.result.differences(ended.result):
            raise Violation(difference)

    return hunt


def race(name: str, seeds: int) -> Hunt:
    """Hunt in seeded schedules of a race."""

    def hunt(world: World) -> None:
        company = Company(world)
        [meeting] = [each for each in import_races.RACES if each.name == name]
        meeting.before(company)
        start = company.moment()
        for seed in range(seeds):
            import_races.race_seeded(company, meeting, seed, start)

    return hunt


def zombie(name: str, every: int) -> Hunt:
    """Hunt in a run that was taken for dead, and wakes up."""
    [meeting] = [each for each in ZOMBIES if each.name == name]
    return lambda world: import_races.zombies(Company(world), meeting, every)


# ── Situations ───────────────────────────────────────────────────────────────────────────────────


def somebody_is_hidden(world: World) -> None:
    """Whom the integration user cannot see any more has not left."""
    company = Company(world)
    settled(company)
    world.salesforce.call("POST", "/sandbox/users/vanish", {"ids": [company.people["ada"]]})
    before = company.rows_of_roster()
    said = company.run_import()
    world.salesforce.call("POST", "/sandbox/users/reappear", {"ids": [company.people["ada"]]})
    if company.rows_of_roster() != before:
        raise Violation("who could not be seen was changed")
    if said["status"] != "succeeded_with_errors":
        raise Violation("nobody was told that somebody could not be seen")


def approved_too_late(world: World, change: Callable[[Company], None]) -> None:
    """What is approved is what was shown, and nothing that came after."""
    company = Company(world)
    parked(company)
    before = company.rows_of_roster()
    change(company)
    said = company.run_import(None, by="jane", approve=parked_run(company, "import"))
    if company.rows_of_roster() != before:
        raise Violation(f"the source has moved on, and the approval was carried out: {said}")


another_leaves = partial(approved_too_late, change=lambda company: company.leave("carol"))
who_left_returns = partial(approved_too_late, change=lambda company: company.change("ada", IsActive=True))


def resumed_after_a_change(world: World) -> None:
    """What a run read before it was interrupted is older than what a message brought meanwhile.

    The user's own SystemModstamp does not tell, for it is the manager who changes.
    """
    company = Company(world)
    titles = ("Boss", "Chief", "Lead")
    company.begin(assignments=[{"name": title, "filter": f"Manager.Title = '{title}'"} for title in titles])
    company.hire("grace", Title="Boss")
    company.hire("ada", manager="grace")
    company.run_import()
    company.change("grace", Title="Chief")
    company.world.looks = 0
    said = company.run_import()
    while not _has_read_filters(world, said):
        said = company.resume(said["run_id"])
    company.change("grace", Title="Lead")
    company.tell("ada")
    world.work()
    company.world.looks = None
    company.resume(said["run_id"])
    [ada] = [each for each in company.roster().members.values() if each.first_name == "Ada"]
    if ada.assignment != "Lead":
        raise Violation("what was read before overwrote what was read later")


def _has_read_filters(world: World, said: dict[str, str]) -> bool:
    assert world.rules.archive is not None
    return any(f"{said['run_id']}/1/filters/3" in name for name in world.rules.archive.objects)


def a_loop(world: World) -> None:
    """Who report to one another have no managers; whoever reports to one of them has."""
    company = Company(world)
    hired(company)
    company.change("ada", manager="bob")
    company.change("bob", manager="ada")
    company.change("carol", manager="ada")
    said = company.run_import()
    members = {
        company.name_of(each.crm["salesforce"]["id"]): each for each in company.roster().members.values()
    }
    if members["ada"].manager or members["bob"].manager:
        raise Violation("a loop of managers is in the roster")
    if members["carol"].manager != members["ada"].id:
        raise Violation("who reports to somebody in a loop has no manager")
    if said["status"] != "succeeded_with_errors":
        raise Violation("nobody was told of the loop")
    for problem in import_results.broken(company):
        raise Violation(problem)
