"""What imports, messages and settings may meet, each once: to be run under any fault."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.company import SALES, SUPPORT, Company, Said

# Anything that is taken away needs a word.
STRICT_GUARD = {"floor": 0, "count": 100, "percent": 1}


@dataclass(frozen=True, slots=True)
class ImportScenario:
    """`before` happens without faults, `act` under them; it answers what was said to who started it.

    `ends` is the status of a clean run. `mode` is that of the imports that come by afterwards.
    `keeps_the_roster`: whatever fails, `act` itself changes nothing in it. `brings_everything`: when it
    succeeds, no import after it finds anything to do. `again` is asked for afterwards until it is so.
    """

    name: str
    before: Callable[[Company], object]
    act: Callable[[Company], Said]
    ends: str = "succeeded"
    mode: str = "full"
    keeps_the_roster: bool = False
    brings_everything: bool = False
    again: Callable[[Company], Said] | None = None


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def hired(company: Company) -> None:
    """Two assignments, a manager who comes in after her reports, and two seats for all who want one."""
    company.begin()
    company.hire("grace", Department="Support")
    for name in ("ada", "bob", "carol"):
        company.hire(name, Department="Sales", manager="grace")
    company.hire("dave", Department="Support", manager="grace")
    company.hire("frank", Department="Kitchen")
    company.hire("gone", Department="Sales", IsActive=False)
    company.hire("ken", Department="Kitchen")
    company.hire("judy", Department="Sales", manager="ken")


def settled(company: Company) -> None:
    """The same, imported."""
    hired(company)
    company.run_import()
    company.world.clock.advance(minutes=20)


def settled_and_guarded(company: Company) -> None:
    """The same, and a guard that lets nobody go."""
    settled(company)
    company.put(guard=STRICT_GUARD)


def moved(company: Company) -> None:
    """Then somebody leaves a seat to who waits, and others change, move, join, return or become a manager."""
    settled(company)
    company.leave("ada")
    company.change("bob", Title="Lead")
    company.change("dave", Department="Sales")
    company.change("frank", Department="Sales", manager="bob")
    company.change("ken", Department="Support")
    company.change("gone", IsActive=True)
    company.hire("heidi", Department="Support", manager="ken")
    # Longer ago than runs overlap, so that only the watermark knows from when on to read.
    company.world.clock.advance(minutes=15)


def guarded(company: Company) -> None:
    """All of it, and a guard that lets nobody go."""
    moved(company)
    company.put(guard=STRICT_GUARD)


def parked(company: Company) -> None:
    """An import of them waits for a word."""
    guarded(company)
    company.run_import()


def to_be_saved(company: Company) -> None:
    """Settings wait for a word: they take the seats of a whole assignment away."""
    settled_and_guarded(company)
    company.put(assignments=[{**SALES, "seats": []}, SUPPORT])


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def imports(mode: str) -> Callable[[Company], Said]:
    """Return the act of a scheduled import."""
    return lambda company: company.run_import(mode)


def _imports_some(company: Company) -> Said:
    members = [company.people["ada"], "frank@acme.example", "grace@acme.example"]
    return company.run_import(None, by="jane", members=members)


def _previews(company: Company) -> Said:
    return company.run_import(by="jane", preview=True)


def parked_run(company: Company, kind: str) -> str:
    """Return the run of that kind that waits, or waited last."""
    runs = company.roster().runs
    of_kind = sorted(run for run, said in runs.items() if said["kind"] == kind)
    waiting = [run for run in of_kind if runs[run]["status"] == "parked"]
    return (waiting or of_kind)[-1]


def _approves(company: Company) -> Said:
    return company.run_import(None, by="jane", approve=parked_run(company, "import"))


def _rejects(company: Company) -> Said:
    return company.run_import(None, by="jane", reject=parked_run(company, "import"))


def _puts(company: Company) -> Said:
    return company.put(assignments=[{**SALES, "workspaces": {"EMEA": "Manager"}}, SUPPORT])


def _puts_what_parks(company: Company) -> Said:
    return company.put(assignments=[{**SALES, "seats": []}, SUPPORT])


def _approves_settings(company: Company) -> Said:
    return company.put(approve=parked_run(company, "settings"), assignments=[{**SALES, "seats": []}, SUPPORT])


def _hears_of_them(company: Company) -> Said:
    company.tell("ken")
    company.tell("ada", "bob", "dave")
    company.tell("frank", "heidi", "gone")
    company.world.work()
    return {"status": "succeeded"}


def _edits(company: Company) -> Said:
    return company.edit(
        {"member": "grace", "seats": []},
        {"member": "dave", "workspaces": {"EMEA": "Lead"}},
        {"member": "bob", "crm_user_status": "inactive"},
    )


IMPORTS = [
    ImportScenario("a first import", hired, imports("full"), brings_everything=True),
    ImportScenario("much has changed", moved, imports("full"), brings_everything=True),
    ImportScenario("much has changed, incrementally", moved, imports("incremental"), mode="incremental"),
    ImportScenario("some people are imported", moved, _imports_some),
    ImportScenario("a preview", moved, _previews, keeps_the_roster=True),
    ImportScenario("an import is parked", guarded, imports("full"), ends="parked", keeps_the_roster=True),
    ImportScenario("a parked import is approved", parked, _approves, brings_everything=True),
    ImportScenario("a parked import is rejected", parked, _rejects, keeps_the_roster=True),
    ImportScenario("nothing has changed", settled, imports("full"), keeps_the_roster=True),
    ImportScenario("settings are saved", settled, _puts, keeps_the_roster=True, again=_puts),
    ImportScenario(
        "settings are parked",
        settled_and_guarded,
        _puts_what_parks,
        ends="parked",
        keeps_the_roster=True,
        again=_puts_what_parks,
    ),
    ImportScenario(
        "parked settings are approved",
        to_be_saved,
        _approves_settings,
        keeps_the_roster=True,
        again=_puts_what_parks,
    ),
    ImportScenario("messages bring the same", moved, _hears_of_them),
    ImportScenario("members are edited", settled, _edits, again=_edits),
]
