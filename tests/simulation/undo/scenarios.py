"""What an undo of an import may meet, each once: to be run under any fault, and at once with others."""

from functools import partial

from tests.simulation.harness.subject import LATE, Said
from tests.simulation.imports.company import SALES, SUPPORT, Company
from tests.simulation.imports.scenarios import STRICT_GUARD, imports, parked_run
from tests.simulation.imports.subject import ImportRace, ImportScenario
from tests.simulation.pushes.company import PushCompany
from tests.simulation.pushes.scenarios import BEFORE, settled, well
from tests.simulation.pushes.subject import PushScenario

NOBODY = "Department = 'Nobody'"


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def staffed(company: Company, seats: int = 2) -> None:
    """Five in two assignments, two seats for all who want one, and what an admin has edited of them."""
    company.begin(seats={"gong": {"limit": seats}, "notes": {}})
    company.hire("grace", Department="Support")
    for name in ("ada", "bob"):
        company.hire(name, Department="Sales", manager="grace")
    for name in ("carol", "dave"):
        company.hire(name, Department="Support", manager="ada")
    company.hire("ken", Department="Kitchen")
    company.run_import()
    company.edit(
        {"member": "dave", "seats": ["notes"], "workspaces": {"EMEA": "Lead"}},
        {"member": "grace", "end_date": "2031-12-31", "data_capture": {"import_emails": "disabled"}},
    )
    company.world.clock.advance(minutes=20)


def closed(company: Company) -> None:
    """Filters that match nobody have closed everybody, and are mended."""
    staffed(company)
    company.put(assignments=[{**SALES, "filter": NOBODY}, {**SUPPORT, "filter": NOBODY}])
    company.run_import()
    company.put(assignments=[SALES, SUPPORT])
    company.world.clock.advance(minutes=20)


def shared(company: Company) -> None:
    """A filter has closed Sales, whose seats have gone to Support, and is mended."""
    staffed(company)
    company.put(assignments=[{**SALES, "filter": NOBODY}, SUPPORT])
    company.run_import()
    company.put(assignments=[SALES, SUPPORT])
    company.world.clock.advance(minutes=20)


def let_in(company: Company) -> None:
    """Somebody was in Sales by mistake and has come in; whatever takes something away needs a word."""
    staffed(company)
    company.put(guard=STRICT_GUARD)
    company.change("ken", Department="Sales")
    company.run_import()
    company.change("ken", Department="Kitchen")
    company.world.clock.advance(minutes=20)


def let_in_and_parked(company: Company) -> None:
    """The undo of that waits for a word."""
    let_in(company)
    undoes(company)


def undone(company: Company) -> None:
    """What the bad filters have done is put back."""
    closed(company)
    undoes(company)
    company.world.clock.advance(minutes=20)


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def _newest(company: Company, kind: str, *counts: str) -> str:
    runs = company.roster().runs
    return max(run for run, said in runs.items() if said["kind"] == kind and {*counts} & {*said["counts"]})


def undoes(company: Company, preview: bool = False) -> Said:
    """Undo the import that closed somebody or let somebody in last."""
    run = _newest(company, "import", "deactivated", "created")
    return company.run_import(None, by="jane", undo=run, **({"preview": True} if preview else {}))


def undoes_the_undo(company: Company) -> Said:
    """Undo the undo."""
    run = _newest(company, "undo", "reactivated")
    return company.run_import(None, by="jane", undo=run)


def approves(company: Company) -> Said:
    """Let the parked undo pass."""
    return company.run_import(None, by="john", approve=parked_run(company, "undo"))


UNDOS = [
    ImportScenario("an import is undone", closed, undoes, brings_everything=True, again=undoes),
    ImportScenario("an undo is previewed", closed, partial(undoes, preview=True), keeps_the_roster=True),
    ImportScenario("seats have gone to others", shared, undoes, brings_everything=True, again=undoes),
    ImportScenario("an undo is parked", let_in, undoes, ends="parked", keeps_the_roster=True),
    ImportScenario("a parked undo is approved", let_in_and_parked, approves, brings_everything=True),
    ImportScenario("an undo is undone", undone, undoes_the_undo, brings_everything=True),
]


# ── Races ────────────────────────────────────────────────────────────────────────────────────────


def _told(company: Company) -> None:
    closed(company)
    for name in ("ada", "dave"):
        company.tell(name)


def _works(company: Company) -> None:
    company.world.follow_next()


def _edits(company: Company) -> Said:
    return company.edit(
        {"member": "dave", "crm_user_status": "inactive"}, {"member": "bob", "end_date": "2030-01-01"}
    )


def _bob_leaves(company: Company) -> None:
    company.leave("bob")
    company.tell("bob")
    _works(company)


RACES = [
    ImportRace("an undo and an edit", closed, (undoes, _edits), LATE),
    ImportRace("an undo and two messages", _told, (undoes, _works, _works), LATE),
    ImportRace("an undo, and somebody leaves", closed, (undoes, _bob_leaves), LATE),
    ImportRace("an undo and an import", closed, (undoes, imports("full")), LATE),
    ImportRace("two undos", closed, (undoes, undoes), LATE),
    ImportRace("approved twice", let_in_and_parked, (approves, approves), LATE),
]


# ── Pushes ───────────────────────────────────────────────────────────────────────────────────────


def pushed(pushing: PushCompany) -> None:
    """A push has put gina into a group and has exchanged ivan's."""
    settled(pushing)
    well(pushing.ask_for(("gina", "assign", "FR", "engage"), ("ivan", "assign", "FR", "engage")))
    well(pushing.push())
    pushing.world.clock.advance(minutes=20)


def undoes_the_push(pushing: PushCompany) -> Said:
    """Undo the push that added them last."""
    runs = pushing.roster().runs
    run = max(run for run, said in runs.items() if said["kind"] == "push" and "added" in said["counts"])
    return pushing.push(by="jane", undo=run)


UNDOS_OF_PUSHES = [
    PushScenario("a push is undone", pushed, undoes_the_push, BEFORE, again=undoes_the_push),
]
