"""Days of a company whose Engage server fails, is slow, refuses and forgets, from one seed (G7, G11, T3).

Imports and pushes come as schedules have them, an import some minutes before each push. People come, leave
and return; admins ask for groups, take them back, and set people inactive. Once no trouble is left,
schedules alone must bring every licence home: admins only do what the error log says about additions.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES, Feature
from muster.roster import end_dates, engage_groups
from muster.roster.member import Member
from tests.simulation.harness.clock import START
from tests.simulation.harness.faults import nothing
from tests.simulation.harness.soaking import Failing
from tests.simulation.harness.subject import demand
from tests.simulation.harness.world import Violation
from tests.simulation.imports.company import SALES
from tests.simulation.pushes import results
from tests.simulation.pushes.scenarios import well
from tests.simulation.pushes.subject import Pushing

LIKELIHOODS = (0.0, 0.02)
STEPS = 14
IMPORT_TO_PUSH, PUSH_TO_IMPORT = 7, 8
# After the last trouble; the last try before may have been almost a day ago.
QUIET_ROUNDS = 8
SUPPORT = {"name": "Support", "filter": "Department = 'Support'", "engage": {"group": "DE"}}
_WRITE = {"path": "/api/v26.1/vobjects/user__sys", "method": "PUT", "count": 99}
_CONNECT_TROUBLES = ("missing", "create_fails", "update_fails")
FORGETTING_S = 10**9

type Trouble = Callable[[Pushing], object]


# ── Troubles ─────────────────────────────────────────────────────────────────────────────────────


def _connect_says(how: str) -> Trouble:
    def of_everybody(pushing: Pushing) -> None:
        for vault_id in pushing.vault_ids.values():
            pushing.vault.control("PUT", f"engage/connect-users/{vault_id}", {"state": how})

    return of_everybody


def _settles_after(seconds: float) -> Trouble:
    return lambda pushing: pushing.vault.control("PUT", "engage/settle", {"delay_s": seconds})


def _faults(**fault: object) -> Trouble:
    return lambda pushing: pushing.vault.control("POST", "faults", [{**_WRITE, **fault}])


TROUBLES: Mapping[str, Trouble] = {
    "Engage fails": _faults(fault="engage_fails"),
    "records are refused": _faults(fault="fail_rows", rows=9, error="INVALID_DATA"),
    "Engage is slow": _settles_after(20 * 60),
    "Engage forgets": _settles_after(FORGETTING_S),
    **{f"Connect says {how}": _connect_says(how) for how in _CONNECT_TROUBLES},
}


def ends_trouble(pushing: Pushing) -> None:
    """Have everything work again; what the Engage server was to forget it forgets."""
    delay = pushing.vault.vault.configuration.settle.delay_s
    if delay == FORGETTING_S:
        with pushing.vault.vault.store.transaction() as database:
            database.execute("DELETE FROM engage_request WHERE outcome IS NULL")
    pushing.vault.control("POST", "faults", [])
    pushing.vault.control("PUT", "engage/settle", {"delay_s": 0})
    _connect_says("ok")(pushing)


# ── Schedules ────────────────────────────────────────────────────────────────────────────────────


def scheduled(pushing: Pushing, mode: str = "incremental") -> None:
    """Let a quarter of an hour go by: an import, and a push some minutes later."""
    pushing.world.clock.advance(minutes=PUSH_TO_IMPORT)
    _approved(pushing, pushing.run_import(mode))
    pushing.world.clock.advance(minutes=IMPORT_TO_PUSH)
    pushing.push_approved()
    pushing.vault.log_in()


def _approved(pushing: Pushing, said: Mapping[str, object]) -> None:
    if said["status"] == "parked":
        pushing.run_import(None, by="jane", approve=said["run_id"])


def comes_home(pushing: Pushing) -> None:
    """Let schedules go on for days without trouble; raises `Violation` if a licence is not home then."""
    ends_trouble(pushing)
    pushing.world.settle()
    # A lease or a quarantine of the time before is over by then.
    pushing.world.clock.advance(hours=3)
    for _ in range(QUIET_ROUNDS):
        scheduled(pushing, "full")
        _retry_additions(pushing)
        pushing.world.clock.advance(hours=6)
    pushing.quiet()
    demand(results.broken(pushing))
    demand(results.untrue(pushing))
    demand(_not_where_it_belongs(pushing))
    pushing.nothing_is_left_to_do()


def _retry_additions(pushing: Pushing) -> None:
    """Ask for a retry of every addition that failed, or that nothing is heard of: as the error log says."""
    for name, member in _members(pushing):
        for feature in FEATURES:
            status = member.feature(feature).status
            failed = status in engage_features.FAILED - {engage_features.NO_LICENSES_REMAINING}
            if (failed or status == engage_features.REQUEST_SENT) and _wanted(pushing, member, feature):
                well(pushing.ask("retry", name, feature=feature))


def _not_where_it_belongs(pushing: Pushing) -> Iterator[str]:
    """Yield who holds a licence that they should not hold, or should hold one that is free."""
    licences = {
        (feature, group["name"]): group["licenses"]
        for feature in FEATURES
        for group in pushing.vault.control("GET", f"engage/{feature}/groups")
    }
    inside = pushing.in_groups()
    for (feature, group), number in licences.items():
        who = set(inside[f"{feature} {group}"])
        wanted = {name for name, member in _members(pushing) if _wanted(pushing, member, feature) == group}
        if who - wanted:
            yield f"{who - wanted} hold {feature} {group}, and should not"
        if len(who) < min(len(wanted), len(wanted) if number is None else number):
            yield f"{wanted - who} should hold {feature} {group}, which has {number} licences: {who}"


def _wanted(pushing: Pushing, member: Member, feature: Feature) -> str | None:
    today = end_dates.today(pushing.world.clock.now(), "UTC")
    return engage_groups.wanted(member, feature, today)


def _members(pushing: Pushing) -> list[tuple[str, Member]]:
    found = []
    for member in pushing.roster().members.values():
        if vault_id := member.crm.get(engage_features.CONNECTION, {}).get("id"):
            found.append((pushing.name_in_vault(vault_id), member))
    return found


# ── A trouble at one stage ───────────────────────────────────────────────────────────────────────


def leaver_in_trouble(pushing: Pushing, trouble: str, stage: int, rounds: int) -> None:
    """Have somebody leave who holds both licences, with a trouble from a stage on, for so many rounds."""
    pushing.begin()
    pushing.vault.group("UK", 1)
    pushing.vault.group("Reps", None, feature="engage_connect")
    pushing.hire_all("ada", "bob")
    well(pushing.run_import())
    well(pushing.ask("assign", "ada", group="UK"))
    well(pushing.ask("assign", "ada", group="Reps", feature="engage_connect"))
    well(pushing.push())
    well(pushing.ask("assign", "bob", group="UK"))
    for number in range(max(2, stage + rounds + 1)):
        if number == stage:
            TROUBLES[trouble](pushing)
        if number == 1:
            well(pushing.edit({"member": "ada", "crm_user_status": "inactive"}))
        scheduled(pushing)
    comes_home(pushing)
    if pushing.in_groups() != {"engage UK": ["bob"], "engage_connect Reps": []}:
        raise Violation(f"{trouble} at {stage} for {rounds}: {pushing.in_groups()}")
    if pushing.shown("ada")["status__v"] != ["inactive__v"]:
        raise Violation(f"{trouble} at {stage} for {rounds}: ada is not inactive")
    about_ada = [each for each in pushing.roster().errors if each["record"] == pushing.vault_ids["ada"]]
    told = Counter((each["code"], each["message"]) for each in about_ada)
    if any(times > 1 for times in told.values()):
        raise Violation(f"{trouble} at {stage} for {rounds}: it is told again and again: {told}")


# ── Anything, from a seed ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a seed came to, to be compared with itself: what happened, and who is in which group."""

    happened: tuple[str, ...]
    faults: int
    groups: Mapping[str, list[str]]


def soak(pushing: Pushing, seed: int) -> Soaked:
    """Run one seed, then let troubles be over and schedules go on; raises `Violation`."""
    chance = random.Random(seed)  # noqa: S311 - a test's own luck
    pushing.begin(assignments=[SALES_WITHOUT_SEATS, SUPPORT])
    for name, licences in (("UK", 2), ("US", 3), ("DE", 9)):
        pushing.vault.group(name, licences)
    pushing.vault.group("Reps", None, feature="engage_connect")
    pushing.hire_all("ada", "bob", "carol", "dave", "erin")
    # Ids come of moments, and the first to live in a world looks at the clock more often.
    pushing.world.clock.moment = START + timedelta(minutes=1)
    well(pushing.run_import())
    plan = Failing(chance, chance.choice(LIKELIHOODS), most=6)
    happened: list[str] = []
    try:
        for _ in range(STEPS):
            for _ in range(chance.choice([1, 1, 2])):
                happened.append(_happens(pushing, chance))
            pushing.world.wire.plan = plan
            scheduled(pushing, chance.choice(["full", "incremental", "incremental"]))
            pushing.world.wire.plan = nothing
            pushing.world.clock.advance(minutes=chance.choice([0, 0, 0, 60, 6 * 60, 24 * 60]))
            demand(results.broken(pushing))
        comes_home(pushing)
    except Violation as violation:
        raise Violation(f"seed {seed}, {', '.join(happened)}: {violation}") from violation
    return Soaked(tuple(happened), len(plan.noted), pushing.in_groups())


SALES_WITHOUT_SEATS = {"name": SALES["name"], "filter": SALES["filter"], "update_mode": "manual"}


def _happens(pushing: Pushing, chance: random.Random) -> str:
    name = chance.choice(list(_EVENTS))
    pushing.vault.log_in()
    _EVENTS[name](pushing, chance)
    return name


def _trouble(pushing: Pushing, chance: random.Random) -> None:
    TROUBLES[chance.choice(list(TROUBLES))](pushing)


def _no_trouble(pushing: Pushing, _: random.Random) -> None:
    ends_trouble(pushing)


def _joins(pushing: Pushing, _: random.Random) -> None:
    if len(pushing.people) < 9:
        pushing.hire_all(f"new{len(pushing.people)}")


def _leaves_or_returns(pushing: Pushing, chance: random.Random) -> None:
    name = _somebody(pushing, chance)
    pushing.change(name, IsActive=chance.random() < 0.4)


def _moves(pushing: Pushing, chance: random.Random) -> None:
    pushing.change(_somebody(pushing, chance), Department=chance.choice(["Sales", "Support"]))


def _asks(pushing: Pushing, chance: random.Random) -> None:
    feature, group = chance.choice(
        [("engage", "UK"), ("engage", "US"), ("engage_connect", "Reps"), ("engage_connect", "Reps")]
    )
    action = chance.choice(["assign", "assign", "remove", "retry"])
    # Who may not be asked for now is refused.
    pushing.ask(
        action, _somebody(pushing, chance), group=group if action == "assign" else None, feature=feature
    )


def _is_set(pushing: Pushing, chance: random.Random) -> None:
    yesterday = (pushing.world.clock.now() - timedelta(days=1)).date().isoformat()
    changes: list[dict[str, str | None]] = [
        {"crm_user_status": "inactive"},
        {"end_date": yesterday},
        {"crm_user_status": "active", "end_date": None},
    ]
    change = chance.choice(changes)
    pushing.edit({"member": _somebody(pushing, chance), **change})


def _is_set_in_vault(pushing: Pushing, chance: random.Random) -> None:
    """Somebody is made active or inactive in Vault CRM, by an admin who knows that Connect needs the user."""
    name = _somebody(pushing, chance)
    row = pushing.shown(name)
    if not row["engage_connect_group_request__v"] and not row["engage_connect_group__v"]:
        status = chance.choice(["active__v", "inactive__v"])
        pushing.vault.update(pushing.vault_ids[name], status__v=status)


def _somebody(pushing: Pushing, chance: random.Random) -> str:
    return chance.choice(sorted(pushing.vault_ids))


_EVENTS: Mapping[str, Callable[[Pushing, random.Random], None]] = {
    "trouble": _trouble,
    "more trouble": _trouble,
    "no trouble": _no_trouble,
    "joins": _joins,
    "leaves or returns": _leaves_or_returns,
    "again leaves or returns": _leaves_or_returns,
    "moves": _moves,
    "asks": _asks,
    "asks again": _asks,
    "is set": _is_set,
    "is set in Vault": _is_set_in_vault,
}
