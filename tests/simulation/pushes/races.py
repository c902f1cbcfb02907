"""Pushes, imports, workers and group assignments that meet over the same people and the last licence.

Every call to AWS, Salesforce and Vault CRM is where another may go on. What must hold at any moment is
looked at after each of them; in the end, once all is quiet, the roster and the Engage server must agree,
and of each of them with who was asked for what last.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.simulation.harness.subject import LATE, Said
from tests.simulation.harness.world import Violation
from tests.simulation.imports.races import works
from tests.simulation.pushes.company import A_WHILE, PushCompany
from tests.simulation.pushes.scenarios import imports, pushes, well
from tests.simulation.pushes.subject import Pushing, PushRace

# A fault of the vault.
REFUSED_ONCE = {"path": "/api/v26.1/vobjects/user__sys", "fault": "fail_rows", "rows": 1}

type Task = Callable[[Pushing], object]


# ── Before ───────────────────────────────────────────────────────────────────────────────────────


def three(pushing: PushCompany) -> None:
    """Three people, one licence in the UK and room in the US, and nothing asked for."""
    pushing.begin("engage")
    pushing.vault.group("UK", 1)
    pushing.vault.group("US", 3)
    pushing.hire_all("ada", "bob", "carol")
    well(pushing.run_import())
    pushing.world.clock.advance(minutes=A_WHILE)


def _asked(pushing: PushCompany) -> None:
    """One of them asks for the licence."""
    three(pushing)
    well(pushing.ask("assign", "ada", group="UK"))


def _held(pushing: PushCompany) -> None:
    """One of them holds it."""
    _asked(pushing)
    well(pushing.push())
    pushing.world.clock.advance(minutes=A_WHILE)


def _waited_for(pushing: PushCompany) -> None:
    """And another is in line."""
    _held(pushing)
    well(pushing.ask("assign", "bob", group="UK"))
    well(pushing.push())
    pushing.world.clock.advance(minutes=A_WHILE)


def _given_up(pushing: PushCompany) -> None:
    """And the licence is to be given up."""
    _waited_for(pushing)
    well(pushing.ask("remove", "ada"))


def _about_to_leave(pushing: PushCompany) -> None:
    """Whoever holds it has left in Salesforce, which says so."""
    _waited_for(pushing)
    pushing.leave("ada")
    pushing.tell("ada")


def _hidden_group(pushing: PushCompany) -> None:
    """Somebody in a group that Vault CRM does not show a request for: out of it by a retry alone."""
    _held(pushing)
    pushing.vault.log_in()
    pushing.vault.write(
        "PUT",
        [{"id": pushing.vault_ids["ada"], "engage_group_request__v": None}],
        headers={"X-VaultAPI-NoTriggers": "true"},
    )
    well(pushing.run_import())
    well(pushing.ask("retry", "ada"))


def _half_pushed(pushing: PushCompany) -> None:
    """A push is out of time after a removal, with an addition still to be sent."""
    _held(pushing)
    well(pushing.ask("remove", "ada"))
    well(pushing.ask("assign", "bob", group="UK"))
    world = pushing.world
    said = {"status": "", "run_id": ""}
    while not said["run_id"] or pushing.roster().runs[said["run_id"]]["cursor"] < 1:
        world.looks = (world.looks or 0) + 1
        said = pushing.push(**({"run_id": said["run_id"]} if said["run_id"] else {}))
        if said["status"] != "continue":
            raise Violation(f"it is not cut short: {said}")
    world.looks = None


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def _goes_on(pushing: PushCompany) -> Said:
    return pushing.push(run_id=max(pushing.roster().runs))


def _pushes_later(pushing: PushCompany) -> Said:
    """Push once the lease of whoever is at work has expired."""
    pushing.world.clock.advance(minutes=A_WHILE)
    return pushing.push()


def _assign(name: str, group: str) -> Task:
    return lambda pushing: pushing.ask("assign", name, group=group)


def _remove(pushing: PushCompany, name: str) -> Said:
    return pushing.ask("remove", name)


def _race(name: str, before: Task, *tasks: Task, uk: str, us: str = "", **others: Any) -> PushRace:
    """Return a race; `uk` and `us` say who may be in the group in the end."""
    ends = {"engage UK": tuple(uk.split("|")), "engage US": (us,)}
    return PushRace(name, before, tasks, ends=ends, **others)


_removes_ada = partial(_remove, name="ada")
RACES = [
    _race(
        "two ask for the last licence",
        three,
        _assign("ada", "UK"),
        _assign("bob", "UK"),
        pushes,
        uk="ada|bob",
    ),
    _race(
        "somebody wishes for something else meanwhile", _asked, pushes, _assign("ada", "US"), uk="", us="ada"
    ),
    _race("a wish is taken back meanwhile", _asked, pushes, _removes_ada, imports, uk=""),
    _race(
        "a removal is taken back meanwhile",
        *(_given_up, pushes, _assign("ada", "UK")),
        uk="ada|bob",
        repeats=True,
    ),
    _race(
        "who was to be taken out is to be let in",
        *(_hidden_group, pushes, _assign("ada", "US")),
        uk="",
        us="ada",
    ),
    _race(
        "what is being sent is not wished for any more",
        *(_half_pushed, _goes_on, _assign("bob", "US")),
        uk="",
        us="bob",
    ),
    _race(
        "what is refused is not wished for any more",
        *(_half_pushed, _goes_on, _assign("bob", "US")),
        uk="",
        us="bob",
        faults=(REFUSED_ONCE,),
    ),
    _race(
        "somebody leaves while all are at work",
        *(_about_to_leave, works, pushes, imports, _assign("carol", "US")),
        uk="bob",
        us="carol",
    ),
    _race("two pushes and an import", _given_up, pushes, imports, pushes, uk="bob"),
]
ZOMBIES = [
    _race(
        "a push that was taken for dead",
        *(_given_up, pushes, _pushes_later),
        uk="bob",
        fair=LATE - {"parked"},
        # A lease outlives any function, so nobody wakes up like that. If one did, no fence would be in the
        # way of its next write to Vault CRM, which whoever took over may have made as well.
        repeats=True,
    )
]
