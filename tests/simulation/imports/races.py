"""Imports, workers, saved settings and edits that meet over the same people and one seat (I4, I7, T3).

Every call to AWS and to Salesforce is where another may go on. What must hold at any moment is looked
at after each of them; in the end, once all is quiet, Salesforce and the roster must agree.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation.harness.subject import FAIR, LATE, Said
from tests.simulation.imports.company import Company
from tests.simulation.imports.scenarios import STRICT_GUARD, approves, imports, load_told, puts, rejects
from tests.simulation.imports.subject import Importing, ImportRace

type Task = Callable[[Importing], object]

_FAIR = FAIR | {"parked"}


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def _four(company: Company) -> None:
    """Four people who want the one seat there is; one of them holds no place in the roster yet."""
    company.begin(seats={"gong": {"limit": 1}})
    for name in ("ada", "bob"):
        company.hire(name, Department="Sales")
    company.hire("dave", Department="Support", manager="ada")
    company.hire("carol", Department="Kitchen", manager="dave")


def _settled(company: Company) -> None:
    _four(company)
    company.run_import()
    company.world.clock.advance(minutes=20)


def _told_nobody_yet(company: Company) -> None:
    _four(company)
    company.tell("ada")
    company.tell("bob", "dave")


def _three_told(company: Company) -> None:
    _four(company)
    company.change("carol", Department="Sales")
    for name in ("ada", "bob", "carol"):
        company.tell(name)
    company.change("dave", IsActive=False)


def _seat_given_up(company: Company) -> None:
    _settled(company)
    company.leave("ada")
    company.change("carol", Department="Sales")
    company.tell("ada")
    company.tell("carol")


def _left_and_returned(company: Company) -> None:
    _settled(company)
    company.leave("ada")
    company.tell("ada")
    company.world.work()
    company.change("ada", IsActive=True)
    company.tell("ada")


def _left(company: Company) -> None:
    _settled(company)
    company.leave("bob")
    company.tell("bob")
    company.world.work()


def _held_by_hand(company: Company) -> None:
    """Dave, whose seat is an admin's to take away, has the one there is; ada and bob come to wait for it."""
    company.begin(seats={"gong": {"limit": 1}})
    company.hire("dave", Department="Support")
    company.run_import()
    company.world.clock.advance(minutes=20)
    company.hire("ada", Department="Sales", manager="dave")
    company.hire("bob", Department="Sales")
    company.tell("ada")
    company.tell("bob")


def _parked(company: Company) -> None:
    _seat_given_up(company)
    company.put(guard=STRICT_GUARD)
    company.run_import()


def _lead_for_a_while(company: Company) -> None:
    _settled(company)
    company.change("bob", Title="Lead")


def _interrupted(company: Company) -> None:
    """An import was out of time after its third look at the clock."""
    _seat_given_up(company)
    company.world.looks = 3
    company.run_import()
    company.world.looks = None


# ── What happens ─────────────────────────────────────────────────────────────────────────────────

_imports = imports()


def works(company: Company) -> None:
    """Follow the next message of the queue."""
    company.world.follow_next()


def _changes(company: Company, name: str, **fields: Any) -> None:
    """Change a user in Salesforce, which says so."""
    company.change(name, **fields)
    company.tell(name)
    works(company)


def _takes_the_seat_away(company: Company) -> Said:
    return company.edit({"member": "dave", "seats": [], "crm_user_status": "inactive"})


def _resumes(company: Company) -> Said:
    return company.resume(max(company.roster().runs))


def _imports_later(company: Importing) -> Said:
    """Import once the lease of whoever is at work has expired."""
    company.world.clock.advance(minutes=20)
    said = company.run_import()
    company.left = company.rows_of_roster()
    return said


def _taken_back_and_imported(company: Importing) -> Said:
    company.change("bob", Title=None)
    return _imports_later(company)


def _race(
    name: str, before: Task, *tasks: Task, reported: bool = False, fair: frozenset[str] = _FAIR
) -> ImportRace:
    return ImportRace(name, before, tasks, fair, reported=reported)


RACES = [
    _race("three messages want one seat", _three_told, works, works, works, reported=True),
    _race("a first import and two messages want one seat", _told_nobody_yet, works, works, _imports),
    _race("a seat is given up while an import reads", _seat_given_up, works, works, _imports),
    _race(
        "somebody leaves while an import works",
        *(_seat_given_up, _imports, partial(_changes, name="bob", IsActive=False), works),
    ),
    _race(
        "somebody returns while an import works",
        *(_left_and_returned, imports("incremental"), works, partial(_changes, name="ada", Title="Lead")),
    ),
    _race("settings are saved while others work", _seat_given_up, puts, works, works, _imports),
    _race(
        "a seat is taken away while others work",
        *(_held_by_hand, _takes_the_seat_away, works, works, _imports),
    ),
    _race("a data load and three workers", load_told, works, works, works),
    _race("a data load, two workers and an import", load_told, works, works, _imports),
    _race("two imports", _seat_given_up, _imports, _imports),
    _race("two imports and a message", _told_nobody_yet, _imports, works, _imports),
    _race(
        "approved twice, and rejected",
        *(_parked, approves, partial(rejects, by="john"), approves),
        fair=LATE,
    ),
    _race("approved while an import starts and a message comes", _parked, approves, _imports, works),
    _race("resumed twice", _interrupted, _resumes, _resumes, fair=LATE),
]
# What is known to go wrong: see `test_import_races`.
OVERTAKEN = [
    _race(
        "changed and changed back",
        *(_settled, partial(_changes, name="bob", Title="Lead"), partial(_changes, name="bob", Title=None)),
        reported=True,
    ),
    _race(
        "returned and left again",
        _left,
        partial(_changes, name="bob", IsActive=True),
        partial(_changes, name="bob", IsActive=False),
        reported=True,
    ),
]
ZOMBIES = [
    ImportRace(name, before, (_imports, other), LATE, wakes=True)
    for name, before, other in (
        ("an import that was taken for dead", _seat_given_up, _imports_later),
        ("an import of what was taken back", _lead_for_a_while, _taken_back_and_imported),
        ("a first import that was taken for dead", _four, _imports_later),
    )
]
