"""What pushes, group assignments and imports of Vault CRM may meet, each once: to be run under any fault."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.company import Said
from tests.simulation.import_scenarios import STRICT_GUARD, parked_run
from tests.simulation.push_company import PushCompany
from tests.simulation.world import Violation


@dataclass(frozen=True, slots=True)
class PushScenario:
    """`before` happens without faults, `act` under them; it answers what was said to who started it.

    `ends` is the status of a clean run, `groups` who is in which group of the server once all is quiet.
    `again` is asked for once more after a fault, until it is so.
    """

    name: str
    before: Callable[[PushCompany], object]
    act: Callable[[PushCompany], Said]
    groups: dict[str, str]
    ends: str = "succeeded"
    again: Callable[[PushCompany], Said] | None = None


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def settled(pushing: PushCompany) -> None:
    """Two with the UK's two licences and two in line, two in the US, one of them in Connect, one refused."""
    pushing.begin()
    for name, licences in (("UK", 2), ("US", 2), ("DE", 3), ("FR", 3)):
        pushing.vault.group(name, licences)
    pushing.vault.group("Reps", None, feature="engage_connect")
    pushing.hire("ada", "bob", "carol", "dave", "erin", "frank", "gina", "heidi", "ivan")
    well(pushing.run_import())
    well(pushing.ask("assign", "ada", "bob", group="UK"))
    well(pushing.ask("assign", "erin", "frank", group="US"))
    well(pushing.ask("assign", "erin", group="Reps", feature="engage_connect"))
    well(pushing.ask("assign", "heidi", group="Italy"))
    well(pushing.ask("assign", "ivan", group="DE"))
    well(pushing.push())
    for name in ("carol", "dave"):
        well(pushing.ask("assign", name, group="UK"))
        well(pushing.push())
    pushing.company.world.clock.advance(minutes=20)


def much_is_asked_for(pushing: PushCompany) -> None:
    """Removals, additions, a move, a retry, somebody who left and somebody who is to be inactive."""
    settled(pushing)
    pushing.vault.group("Italy", 1)
    pushing.company.leave("frank")
    well(pushing.run_import())
    well(pushing.company.edit({"member": "erin", "crm_user_status": "inactive"}))
    well(
        pushing.ask_for(
            ("ada", "remove", None, "engage"),
            ("gina", "assign", "US", "engage"),
            ("heidi", "retry", None, "engage"),
            ("ivan", "assign", "FR", "engage"),
        )
    )
    pushing.company.world.clock.advance(minutes=20)


def guarded(pushing: PushCompany) -> None:
    """The same, and a guard that lets nobody go."""
    much_is_asked_for(pushing)
    pushing.company.put(guard=STRICT_GUARD)


def parked(pushing: PushCompany) -> None:
    """A push of it waits for a word."""
    guarded(pushing)
    pushing.push()


def changed_in_vault(pushing: PushCompany) -> None:
    """Somebody new to Muster, groups given in Vault CRM itself, and edits that are not sent yet."""
    settled(pushing)
    pushing.hire("judy", "ken")
    pushing.vault.update(pushing.users["judy"], engage_group_request__v="DE")
    pushing.vault.update(pushing.users["gina"], engage_group_request__v="FR")
    pushing.vault.update(pushing.users["ivan"], engage_group_request__v="FR")
    well(pushing.ask("assign", "ivan", group="US"))
    well(pushing.ask("remove", "erin"))
    pushing.company.world.clock.advance(minutes=20)


def well(said: Said) -> None:
    """Raise `Violation` unless it went well."""
    if said["status"] not in ("succeeded", "succeeded_with_errors"):
        raise Violation(f"without any fault it does not end well: {said}")


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def _pushes(pushing: PushCompany) -> Said:
    return pushing.push()


def _previews(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", preview=True)


def _approves(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", approve=parked_run(pushing.company, "push"))


def _rejects(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", reject=parked_run(pushing.company, "push"))


def _assigns(pushing: PushCompany) -> Said:
    return pushing.ask_for(
        ("gina", "assign", "DE", "engage"),
        ("gina", "assign", "Reps", "engage_connect"),
        ("ada", "remove", None, "engage"),
        ("heidi", "retry", None, "engage"),
        ("ivan", "assign", "FR", "engage"),
    )


def _imports(pushing: PushCompany) -> Said:
    return pushing.run_import()


PUSHED = {
    "engage DE": "",
    "engage FR": "ivan",
    "engage Italy": "heidi",
    "engage UK": "bob carol",
    "engage US": "gina",
    "engage_connect Reps": "",
}
BEFORE = {
    "engage DE": "ivan",
    "engage FR": "",
    "engage UK": "ada bob",
    "engage US": "erin frank",
    "engage_connect Reps": "erin",
}
PUSHES = [
    PushScenario("much is pushed", much_is_asked_for, _pushes, PUSHED),
    PushScenario("a preview of a push", much_is_asked_for, _previews, PUSHED),
    PushScenario("a push is parked", guarded, _pushes, PUSHED, ends="parked"),
    PushScenario("a parked push is approved", parked, _approves, PUSHED),
    PushScenario("a parked push is rejected", parked, _rejects, PUSHED),
    PushScenario("nothing is to be pushed", settled, _pushes, BEFORE),
    PushScenario(
        "several are assigned",
        settled,
        _assigns,
        {
            **BEFORE,
            "engage DE": "gina",
            "engage FR": "ivan",
            "engage UK": "bob carol",
            "engage_connect Reps": "erin gina",
        },
        again=_assigns,
    ),
    PushScenario(
        "an import links and takes over",
        changed_in_vault,
        _imports,
        {**BEFORE, "engage DE": "judy", "engage FR": "gina", "engage US": "frank ivan"},
    ),
]
