"""What imports, messages and settings may meet, each once: to be run under any fault."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation.harness.subject import Said
from tests.simulation.imports.company import SALES, SUPPORT, Company
from tests.simulation.imports.subject import ImportScenario

# Anything that is taken away needs a word.
STRICT_GUARD = {"floor": 0, "count": 100, "percent": 1}
# Two may go, of a run and of an hour of messages.
DOOR_GUARD = {"floor": 2, "count": 0, "percent": 0}
LOADED = ("ada", "bob", "carol", "dave", "eve")


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


def ended(company: Company) -> None:
    """Two who hold seats have an end date, which has passed; one of them leaves in Salesforce as well."""
    settled(company)
    last_day = company.world.clock.moment.date().isoformat()
    company.edit({"member": "ada", "end_date": last_day}, {"member": "bob", "end_date": last_day})
    company.world.clock.advance(minutes=2 * 24 * 60)
    company.leave("bob")


def succeeded_by_namesakes(company: Company) -> None:
    """Bob has waited for ada, who leaves; ivan has waited for an address that heidi gives up."""
    company.begin()
    for name in ("ada", "heidi"):
        company.hire(name, Department="Sales")
    company.run_import()
    company.hire("bob", Department="Support", Email="ada@acme.example")
    company.hire("ivan", Department="Support", Email="heidi@acme.example")
    company.run_import()
    company.leave("ada")
    company.change("heidi", Email="heidi.new@acme.example")
    company.world.clock.advance(minutes=15)


def converted(company: Company) -> None:
    """Ada's address is a converted one, and bob, whose own it is, joins; dave cannot have carol's."""
    company.begin(domains={"primary": "acme.example", "convert": True})
    company.hire("ada", Department="Sales", Email="ada@far.example", Username="ada@far.example")
    company.hire("carol", Department="Sales")
    company.run_import()
    company.hire("bob", Department="Sales", Email="ada@acme.example")
    company.hire("dave", Department="Support", Email="carol@far.example")
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
    _puts_what_parks(company)


def staffed(company: Company) -> None:
    """Six in Sales and the two seats that they want, and a guard that lets two of them go."""
    company.begin(guard=DOOR_GUARD)
    for name in (*LOADED, "frank"):
        company.hire(name, Department="Sales")
    company.run_import()
    company.world.clock.advance(minutes=20)


def loaded(company: Company) -> None:
    """Then a data load moves five of them out of every assignment."""
    staffed(company)
    for name in LOADED:
        company.change(name, Department="Field Sales")


def load_told(company: Company) -> None:
    """Messages of it wait: of two people, of one, and of two more."""
    loaded(company)
    for names in (LOADED[:2], LOADED[2:3], LOADED[3:]):
        company.tell(*names)


def let_in_by_a_message(company: Company) -> None:
    """A leaver is active again, by a message that is believed and nobody in Salesforce has sent."""
    company.begin(auto_provision={"require_call_center": False, "read_back": False})
    for name in ("ada", "bob"):
        company.hire(name, Department="Sales")
    company.leave("ada")
    company.run_import()
    company.claim("ada", IsActive="true", Department="Sales")
    company.world.work()
    company.world.clock.advance(minutes=5)


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def imports(mode: str = "full") -> Callable[[Company], Said]:
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


def approves(company: Company) -> Said:
    """Let the parked import pass."""
    return company.run_import(None, by="jane", approve=parked_run(company, "import"))


def rejects(company: Company, by: str = "jane") -> Said:
    """Do not let it pass."""
    return company.run_import(None, by=by, reject=parked_run(company, "import"))


def puts(company: Company, **sales: Any) -> Said:
    """Save settings under which Sales gets something else."""
    return company.put(assignments=[{**SALES, **(sales or {"workspaces": {"EMEA": "Manager"}})}, SUPPORT])


_puts_what_parks = partial(puts, seats=[])


def _approves_settings(company: Company) -> Said:
    return company.put(approve=parked_run(company, "settings"), assignments=[{**SALES, "seats": []}, SUPPORT])


def _hears_of_them(company: Company) -> Said:
    company.tell("ken")
    company.tell("ada", "bob", "dave")
    company.tell("frank", "heidi", "gone")
    company.world.work()
    return {"status": "succeeded"}


def _hears_of_the_load(company: Company) -> Said:
    """Of three at once, of two, of one; and of one who leaves, and one who joins."""
    company.leave("frank")
    company.hire("grace", Department="Sales")
    for names in (LOADED[:3], LOADED[3:], LOADED[:1], ("frank", "grace")):
        company.world.clock.advance(seconds=2)
        company.tell(*names)
        company.world.work()
    return {"status": "succeeded"}


def _edits(company: Company) -> Said:
    return company.edit(
        {"member": "grace", "seats": []},
        {"member": "dave", "workspaces": {"EMEA": "Lead"}},
        {"member": "bob", "crm_user_status": "inactive"},
    )


def _edits_by_file(company: Company) -> Said:
    return company.edit_by_file(
        "member,seats,workspaces.EMEA,crm_user_status",
        "grace,null,,",
        "dave,,Lead,",
        "bob,,,inactive",
    )


IMPORTS = [
    ImportScenario("a first import", hired, imports("full"), brings_everything=True),
    ImportScenario("much has changed", moved, imports("full"), brings_everything=True),
    ImportScenario("much has changed, incrementally", moved, imports("incremental"), mode="incremental"),
    ImportScenario("some people are imported", moved, _imports_some),
    ImportScenario("a preview", moved, _previews, keeps_the_roster=True),
    ImportScenario("an import is parked", guarded, imports("full"), ends="parked", keeps_the_roster=True),
    ImportScenario("a parked import is approved", parked, approves, brings_everything=True),
    ImportScenario("a parked import is rejected", parked, rejects, keeps_the_roster=True),
    ImportScenario("nothing has changed", settled, imports("full"), keeps_the_roster=True),
    ImportScenario("settings are saved", settled, puts, keeps_the_roster=True, again=puts),
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
    ImportScenario(
        "a data load comes by messages",
        loaded,
        _hears_of_the_load,
        tells=frozenset({"held_deactivation"}),
    ),
    ImportScenario(
        "a message is refuted",
        let_in_by_a_message,
        imports("full"),
        brings_everything=True,
        tells=frozenset({"message_refuted"}),
    ),
    ImportScenario("end dates have passed", ended, imports("incremental"), mode="incremental"),
    ImportScenario("namesakes come in", succeeded_by_namesakes, imports("full"), brings_everything=True),
    ImportScenario(
        "namesakes come in, incrementally", succeeded_by_namesakes, imports("incremental"), mode="incremental"
    ),
    ImportScenario("an address has an owner", converted, imports("full"), ends="succeeded_with_errors"),
    ImportScenario("members are edited", settled, _edits, again=_edits),
    ImportScenario("members are edited by a file", settled, _edits_by_file, again=_edits_by_file),
]
