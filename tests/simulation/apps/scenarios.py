"""What pushes to an app and the stream of leavers may meet, each once: to be run under any fault."""

from tests.simulation.apps.company import AppCompany
from tests.simulation.apps.subject import AppScenario, Provisioning
from tests.simulation.harness.scim_wire import USERS
from tests.simulation.harness.subject import Said
from tests.simulation.imports.scenarios import parked_run
from tests.simulation.pushes.scenarios import well

# One may go of an import, and be closed by a push.
ONE_MAY_GO = {"floor": 1, "count": 0, "percent": 0}

# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def met(apps: AppCompany) -> None:
    """Three people, one of whom has an account in the app already, and a stranger in Sales."""
    apps.begin()
    apps.stranger("stan", "Sales")
    apps.stranger("tove")
    apps.hire_all("Sales", "ada", "tove")
    apps.hire_all("Support", "bob")
    well(apps.run_import())


def waits_to_be_adopted(apps: AppCompany) -> None:
    """They are in the app, but for Tove."""
    met(apps)
    well(apps.push())
    apps.world.clock.advance(minutes=20)


def settled(apps: Provisioning) -> None:
    """Five people in the app, of whom Erin has left again, and a stranger."""
    apps.start("before", "settled", lambda: _settle(apps))()


def _settle(apps: AppCompany) -> None:
    apps.begin()
    apps.stranger("stan", "Sales")
    apps.hire_all("Sales", "ada", "bob", "carol", "erin")
    apps.hire_all("Support", "dave")
    well(apps.run_import())
    well(apps.push())
    apps.leave("erin")
    well(apps.run_import())
    apps.follow()
    well(apps.push())
    apps.world.clock.advance(minutes=20)


def much_has_happened(apps: Provisioning) -> None:
    """Frank joins, Bob moves, Carol leaves, Erin comes back as somebody else, and Dave has another name."""
    settled(apps)
    apps.hire("frank", Department="Sales")
    apps.change("bob", Department="Support")
    apps.leave("carol")
    apps.change("erin", IsActive=True, Title="Lead")
    apps.change("dave", FirstName="David", Email="david@acme.example", Username="david@acme.example")
    well(apps.run_import())
    apps.world.clock.advance(minutes=20)


def parked(apps: Provisioning) -> None:
    """Bob leaves as well; a push that closes both waits for a word."""
    much_has_happened(apps)
    apps.leave("bob")
    well(apps.run_import())
    apps.put(guard=ONE_MAY_GO)
    apps.push()


def group_is_gone(apps: Provisioning) -> None:
    """Somebody has deleted the group Support by hand; Bob moves into it."""
    settled(apps)
    apps.delete_group("Support")
    apps.change("bob", Department="Support")
    well(apps.run_import())
    apps.world.clock.advance(minutes=20)


def full(apps: Provisioning) -> None:
    """The app has as many seats as are used; Frank waits for one, and Carol leaves."""
    settled(apps)
    apps.world.scim.quirks(seats=5)
    apps.hire("frank", Department="Sales")
    well(apps.run_import())
    well(apps.push())
    apps.leave("carol")
    well(apps.run_import())
    apps.world.clock.advance(minutes=20)


def not_for_support(apps: Provisioning) -> None:
    """The app is for Sales alone from now on."""
    settled(apps)
    well(apps.connect(who={"assignments": ["Sales"]}))


def about_to_leave(apps: Provisioning) -> None:
    """Carol has left, and Salesforce says so."""
    settled(apps)
    apps.change("bob", Title="Lead")
    well(apps.run_import())
    apps.leave("carol")
    apps.tell("carol")


def joined(apps: Provisioning) -> None:
    """Frank and Gina have joined, and no push has made their accounts yet."""
    settled(apps)
    apps.hire_all("Sales", "frank", "gina")
    well(apps.run_import())


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def pushes(apps: AppCompany) -> Said:
    """Start what the schedule starts."""
    return apps.push()


def adopts(apps: AppCompany) -> Said:
    """Say that the account is the member's."""
    return apps.say("adopt", "tove")


def _adopts_and_pushes(apps: AppCompany) -> Said:
    adopts(apps)
    return apps.push()


def _approves(apps: AppCompany) -> Said:
    return apps.push(by="jane", approve=parked_run(apps, "push"))


def closes(apps: AppCompany) -> Said:
    """Have the worker hear of who has left, and the stream followed; then push."""
    apps.world.work()
    apps.follow()
    return apps.push()


def _makes_one_who_leaves(apps: AppCompany) -> Said:
    """Push, and then one of those who have just been made leaves before any other push."""
    said = apps.push()
    apps.leave("frank")
    apps.tell("frank")
    apps.world.work()
    apps.follow()
    return said


def _without_effect(apps: AppCompany) -> Said:
    """Push while the app answers the first change of a user with success, and does nothing."""
    apps.world.scim.fault("no_effect", USERS, method="PATCH", count=1)
    return apps.push()


AFTERWARDS = {"Sales": "ada erin frank stan", "Support": "bob david"}
SETTLED = {"Sales": "ada bob carol stan", "Support": "dave"}
SCENARIOS = [
    AppScenario(
        "a first contact",
        met,
        pushes,
        {"Sales": "ada stan", "Support": "bob"},
        "ada bob stan tove",
        ends="succeeded_with_errors",
    ),
    AppScenario(
        "an account is adopted",
        waits_to_be_adopted,
        _adopts_and_pushes,
        {"Sales": "ada stan tove", "Support": "bob"},
        "ada bob stan tove",
        again=adopts,
    ),
    AppScenario("much has happened", much_has_happened, pushes, AFTERWARDS, "ada bob david erin frank stan"),
    AppScenario(
        "a parked push is approved",
        parked,
        _approves,
        AFTERWARDS | {"Support": "david"},
        "ada david erin frank stan",
    ),
    AppScenario(
        "a write has no effect",
        much_has_happened,
        _without_effect,
        AFTERWARDS,
        "ada bob david erin frank stan",
        ends="succeeded_with_errors",
    ),
    AppScenario(
        "a group was deleted by hand",
        group_is_gone,
        pushes,
        {"Sales": "ada carol stan", "Support": "bob dave"},
        "ada bob carol dave stan",
    ),
    AppScenario(
        "a full app and a leaver",
        full,
        pushes,
        {"Sales": "ada bob frank stan", "Support": "dave"},
        "ada bob dave frank stan",
    ),
    AppScenario(
        "another who",
        not_for_support,
        pushes,
        {"Sales": "ada bob carol stan", "Support": ""},
        "ada bob carol stan",
    ),
    AppScenario(
        "a leaver is closed by the stream",
        about_to_leave,
        closes,
        {"Sales": "ada bob stan", "Support": "dave"},
        "ada bob dave stan",
    ),
    AppScenario(
        "somebody leaves who has just been made",
        joined,
        _makes_one_who_leaves,
        {"Sales": "ada bob carol gina stan", "Support": "dave"},
        "ada bob carol dave gina stan",
    ),
]
