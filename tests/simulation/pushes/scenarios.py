"""What pushes, group assignments and imports of Vault CRM may meet, each once: to be run under any fault."""

from tests.simulation.harness.subject import ENDED_WELL, Said
from tests.simulation.harness.world import Violation
from tests.simulation.imports.scenarios import STRICT_GUARD, parked_run
from tests.simulation.pushes.company import PushCompany
from tests.simulation.pushes.subject import PushScenario

UPDATES = "/api/v26.1/vobjects/user__sys"

# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def settled(pushing: PushCompany) -> None:
    """Two with the UK's two licences and two in line, two in the US, one of them in Connect, one refused."""
    pushing.begin()
    for name, licences in (("UK", 2), ("US", 2), ("DE", 3), ("FR", 3)):
        pushing.vault.group(name, licences)
    pushing.vault.group("Reps", None, feature="engage_connect")
    pushing.hire_all("ada", "bob", "carol", "dave", "erin", "frank", "gina", "heidi", "ivan")
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
    pushing.world.clock.advance(minutes=20)


def much_is_asked_for(pushing: PushCompany) -> None:
    """Removals, additions, a move, a retry, somebody who left and somebody who is to be inactive."""
    settled(pushing)
    pushing.vault.group("Italy", 1)
    pushing.leave("frank")
    well(pushing.run_import())
    well(pushing.edit({"member": "erin", "crm_user_status": "inactive"}))
    well(
        pushing.ask_for(
            ("ada", "remove", None, "engage"),
            ("gina", "assign", "US", "engage"),
            ("heidi", "retry", None, "engage"),
            ("ivan", "assign", "FR", "engage"),
        )
    )
    pushing.world.clock.advance(minutes=20)


def guarded(pushing: PushCompany) -> None:
    """The same, and a guard that lets nobody go."""
    much_is_asked_for(pushing)
    pushing.put(guard=STRICT_GUARD)


def parked(pushing: PushCompany) -> None:
    """A push of it waits for a word."""
    guarded(pushing)
    pushing.push()


def changed_in_vault(pushing: PushCompany) -> None:
    """Somebody new to Muster, groups given in Vault CRM itself, and edits that are not sent yet."""
    settled(pushing)
    pushing.hire_all("judy", "ken")
    pushing.vault.update(pushing.vault_ids["judy"], engage_group_request__v="DE")
    pushing.vault.update(pushing.vault_ids["gina"], engage_group_request__v="FR")
    pushing.vault.update(pushing.vault_ids["ivan"], engage_group_request__v="FR")
    well(pushing.ask("assign", "ivan", group="US"))
    well(pushing.ask("remove", "erin"))
    pushing.world.clock.advance(minutes=20)


def titles_are_mapped(pushing: PushCompany) -> None:
    """Titles are written to Vault CRM; some have changed, one is there already, one has an admin's."""
    settled(pushing)
    pushing.put(field_maps={"vault_crm": {"outbound": {"custom": {"title": "title__sys"}}}})
    for name in ("ada", "bob", "carol", "frank"):
        pushing.change(name, Title=f"Title of {name}")
    pushing.vault.log_in()
    pushing.vault.update(pushing.vault_ids["bob"], title__sys="Title of bob")
    pushing.vault.update(pushing.vault_ids["carol"], title__sys="Something else")
    well(pushing.run_import())
    pushing.leave("frank")
    well(pushing.run_import())


def swapped_in_vault(pushing: PushCompany) -> None:
    """Ivan's user, who is in DE, was handed on to Gina, and hers to him; both of their own requests stand."""
    settled(pushing)
    pushing.vault.log_in()
    users = pushing.vault_ids
    for name, address in (("gina", "between"), ("ivan", "gina"), ("gina", "ivan")):
        names = dict.fromkeys(("username__sys", "email__sys"), f"{address}@acme.example")
        pushing.vault.update(users[name], **names)
    users["gina"], users["ivan"] = users["ivan"], users["gina"]
    pushing.world.clock.advance(minutes=20)


def well(said: Said) -> None:
    """Raise `Violation` unless it went well."""
    if said["status"] not in ENDED_WELL:
        raise Violation(f"without any fault it does not end well: {said}")


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def pushes(pushing: PushCompany) -> Said:
    """Start what the schedule starts."""
    return pushing.push()


def _previews(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", preview=True)


def _approves(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", approve=parked_run(pushing, "push"))


def _rejects(pushing: PushCompany) -> Said:
    return pushing.push(by="jane", reject=parked_run(pushing, "push"))


def _assigns(pushing: PushCompany) -> Said:
    return pushing.ask_for(
        ("gina", "assign", "DE", "engage"),
        ("gina", "assign", "Reps", "engage_connect"),
        ("ada", "remove", None, "engage"),
        ("heidi", "retry", None, "engage"),
        ("ivan", "assign", "FR", "engage"),
    )


def spoiled(pushing: PushCompany) -> Said:
    """Start it while Vault CRM refuses every call with a certain record as a whole."""
    refused = {"fault": "refuse_call", "record": pushing.vault_ids["gina"], "count": 9_999}
    pushing.vault.control("POST", "faults", [{"path": UPDATES, **refused}])
    return pushing.push()


def _mended(pushing: PushCompany) -> Said:
    """The record is put right, and asked for once more."""
    pushing.vault.control("POST", "faults", [])
    return pushing.ask("retry", "gina")


def imports(pushing: PushCompany) -> Said:
    """Start what the schedule starts."""
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
    PushScenario("much is pushed", much_is_asked_for, pushes, PUSHED),
    PushScenario("one record spoils its call", much_is_asked_for, spoiled, PUSHED, again=_mended),
    PushScenario("a preview of a push", much_is_asked_for, _previews, PUSHED),
    PushScenario("a push is parked", guarded, pushes, PUSHED, ends="parked"),
    PushScenario("a parked push is approved", parked, _approves, PUSHED),
    PushScenario("a parked push is rejected", parked, _rejects, PUSHED),
    PushScenario("nothing is to be pushed", settled, pushes, BEFORE),
    PushScenario(
        "fields are written",
        titles_are_mapped,
        pushes,
        {**BEFORE, "engage US": "erin"},
    ),
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
        imports,
        {**BEFORE, "engage DE": "judy", "engage FR": "gina", "engage US": "frank ivan"},
    ),
    PushScenario(
        "an import finds users handed on",
        swapped_in_vault,
        imports,
        {**BEFORE, "engage DE": "gina ivan"},
        ends="succeeded_with_errors",
    ),
]
