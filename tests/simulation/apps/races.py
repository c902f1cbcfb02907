"""Pushes to an app, imports, the stream of leavers and admins that meet over the same accounts.

Every call to AWS, to Salesforce and to the app is where another may go on. What must hold at any moment is
looked at after each of them; in the end, once all is quiet, the app must have whom the roster has.
"""

from collections.abc import Callable
from functools import partial

from tests.simulation.apps.scenarios import (
    about_to_leave,
    adopts,
    joined,
    much_has_happened,
    pushes,
    settled,
    waits_to_be_adopted,
)
from tests.simulation.apps.subject import AppRace, Provisioning
from tests.simulation.imports.races import works
from tests.simulation.imports.scenarios import imports
from tests.simulation.pushes.scenarios import well

type Task = Callable[[Provisioning], object]


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def changed_again(apps: Provisioning) -> None:
    """By the roster Bob is to move, and Carol has left; in Salesforce both are back, and Frank has left."""
    much_has_happened(apps)
    apps.change("bob", Department="Sales", Title="Lead")
    apps.change("carol", IsActive=True)
    apps.change("frank", IsActive=False)


def left_and_back(apps: Provisioning) -> None:
    """Erin, whose account is closed, is back by the roster, and leaves again by Salesforce."""
    settled(apps)
    apps.change("erin", IsActive=True)
    well(apps.run_import())
    apps.leave("erin")
    apps.tell("erin")


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def leaves(apps: Provisioning) -> None:
    """Have the worker hear of who has left, and the stream followed."""
    works(apps)
    apps.follow()


def ends(apps: Provisioning, name: str) -> None:
    """End somebody by hand, and have the stream followed."""
    well(apps.edit({"member": name, "crm_user_status": "inactive"}))
    apps.follow()


RACES = [
    AppRace(
        "a push and an import", changed_again, (pushes, imports()), let_in="ada bob carol david erin stan"
    ),
    AppRace("a push and the stream", about_to_leave, (pushes, leaves), let_in="ada bob dave stan"),
    AppRace(
        "a push lets in who leaves again", left_and_back, (pushes, leaves), let_in="ada bob carol dave stan"
    ),
    AppRace(
        "a push makes whom an admin ends",
        joined,
        (pushes, partial(ends, name="frank")),
        let_in="ada bob carol dave gina stan",
    ),
    AppRace("a push and an adoption", waits_to_be_adopted, (pushes, adopts), let_in="ada bob stan tove"),
    AppRace("two pushes", much_has_happened, (pushes, pushes), let_in="ada bob david erin frank stan"),
    AppRace(
        "two pushes, the stream and an import",
        about_to_leave,
        (pushes, leaves, imports(), pushes),
        let_in="ada bob dave stan",
    ),
]
