"""The steps from what was sent to what is wanted, and what comes of each (O2, O3)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_resources import Resource
from muster.errors import Problem
from muster.provisioning import step_outcomes
from muster.provisioning.differences import Kind, Step, aim, difference
from muster.provisioning.first_contact import Match
from muster.provisioning.group_changes import GroupChange, group_changes, still_to_send
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import CONFLICT, LINKED, NO_ACCOUNT, UNKNOWN, Account
from muster.roster.vault_state import Tries
from muster.settings.scim_connection import ScimConnection
from muster.settings.user_pool_connection import UserPoolConnection

AT, LATER = "2026-11-30T08:00:00.000Z", "2026-11-30T14:00:01.000Z"
VALUES = {"userName": "ada", "title": "Rep"}
WANTED = WantedAccount(VALUES, ("Sales",))
LEFT: WantedAccount | None = None
THERE = Account(
    standing=LINKED, id="1", user_name="ada", access="given", active=True, sent=VALUES, groups={"Sales": "g1"}
)
TRIED = Tries(since=AT, last=AT, count=2)


def changed(**values: Any) -> Account:
    return replace(THERE, **values)


def steps(account: Account, wanted: WantedAccount | None, at: str = AT, **keys: Any) -> list[str]:
    looked = keys.pop("has_looked", False)
    connection = ScimConnection.model_validate({"host": "api.example.com", "who": "everyone", **keys})
    return [str(step.kind) for step in difference(account, wanted, connection, at, has_looked=looked)]


@pytest.mark.parametrize(
    ("account", "wanted", "keys", "expected"),
    [
        # Somebody comes.
        (NO_ACCOUNT, WANTED, {}, ["look", "create", "join"]),
        (NO_ACCOUNT, WANTED, {"has_looked": True}, ["create", "join"]),
        (NO_ACCOUNT, WantedAccount(VALUES), {"has_looked": True}, ["create"]),
        (NO_ACCOUNT, WANTED, {"create": False}, ["look"]),
        (NO_ACCOUNT, WantedAccount({}, (), ("userName",)), {}, []),
        (NO_ACCOUNT, LEFT, {}, []),
        # Somebody is there.
        (THERE, WANTED, {}, []),
        (THERE, WantedAccount(VALUES | {"title": "Lead"}, ("Sales",)), {}, ["change"]),
        (THERE, WantedAccount({"userName": "ada"}, ("EMEA",)), {}, ["leave", "change", "join"]),
        (changed(active=False), WANTED, {}, ["activate", "read_back"]),
        (changed(active=None), WANTED, {}, ["read_back"]),
        (changed(active=None, access="ended"), WANTED, {}, ["activate", "read_back"]),
        (changed(active=False, sent={}, groups={}), WANTED, {}, ["activate", "read_back", "change", "join"]),
        (changed(active=False, access="deleted"), WANTED, {}, ["look", "create", "join"]),
        # Somebody leaves.
        (THERE, LEFT, {}, ["leave", "deactivate", "read_back"]),
        (changed(groups={}), LEFT, {}, ["deactivate", "read_back"]),
        (changed(groups={}, active=None, access="ended"), LEFT, {}, ["read_back"]),
        (changed(groups={}, active=False, access="ended"), LEFT, {}, []),
        (changed(active=False, access="ended"), LEFT, {}, ["leave"]),
        (THERE, LEFT, {"on_leave": "delete"}, ["leave", "delete", "read_back"]),
        (changed(groups={}, active=False), LEFT, {"on_leave": "delete"}, ["delete", "read_back"]),
        (changed(groups={}, active=None, access="deleted"), LEFT, {"on_leave": "delete"}, ["read_back"]),
        (changed(groups={}, active=False, access="deleted"), LEFT, {"on_leave": "delete"}, []),
        # An answer was lost.
        (changed(unsure=True), WANTED, {}, ["look"]),
        (changed(unsure=True), LEFT, {}, ["look", "leave", "deactivate", "read_back"]),
        (replace(NO_ACCOUNT, unsure=True), LEFT, {}, ["look"]),
        (replace(NO_ACCOUNT, unsure=True), WANTED, {}, ["look", "create", "join"]),
        # Whose it is is for a person to say.
        (replace(NO_ACCOUNT, standing="matched", user_name="ada"), WANTED, {}, []),
        (replace(NO_ACCOUNT, standing="conflict", user_name="ADA"), WANTED, {}, []),
        (replace(NO_ACCOUNT, standing="conflict", user_name="eve"), WANTED, {}, ["look", "create", "join"]),
        (replace(NO_ACCOUNT, standing="ignored", user_name="eve"), WANTED, {}, []),
        (replace(NO_ACCOUNT, standing="matched", user_name="ada"), LEFT, {}, []),
    ],
)
def test_what_there_is_to_do(
    account: Account, wanted: WantedAccount | None, keys: dict[str, Any], expected: list[str]
) -> None:
    assert steps(account, wanted, **keys) == expected


# ── Where Muster only ends access ────────────────────────────────────────────────────────────────────

ADA = WantedAccount({"userName": "ada"})
USER = Account(standing=LINKED, id="1", user_name="ada", active=True, sent=ADA.values)
IN_VAIN = replace(NO_ACCOUNT, user_name="ada", tried=aim(ADA))
SEVERAL = replace(NO_ACCOUNT, standing="conflict", user_name="ada", tried=aim(ADA), why="several")


@pytest.mark.parametrize(
    ("account", "wanted", "expected"),
    [
        (NO_ACCOUNT, ADA, ["look"]),
        (NO_ACCOUNT, LEFT, []),
        # One may have come up since: so it is asked once more before somebody is gone.
        (IN_VAIN, ADA, []),
        (IN_VAIN, WantedAccount({"userName": "eve"}), ["look"]),
        (IN_VAIN, LEFT, ["look"]),
        (replace(IN_VAIN, tried=aim(LEFT)), LEFT, []),
        (replace(IN_VAIN, tried=aim(LEFT)), ADA, ["look"]),
        (SEVERAL, ADA, []),
        (SEVERAL, LEFT, ["look"]),
        (replace(SEVERAL, tried=aim(LEFT)), LEFT, []),
        (replace(SEVERAL, standing="ignored"), LEFT, []),
        (USER, ADA, []),
        (USER, WantedAccount({"userName": "ada.king"}), ["change"]),
        (USER, LEFT, ["deactivate", "read_back"]),
        (replace(USER, active=False, access="ended"), LEFT, []),
        (replace(USER, active=False, access="ended"), ADA, ["activate", "read_back"]),
        (replace(USER, active=None, access="ended"), ADA, ["activate", "read_back"]),
        (replace(USER, active=False, access="given"), ADA, ["activate", "read_back"]),
        # Whom somebody else has disabled.
        (replace(USER, active=False), ADA, []),
        (replace(USER, active=False), LEFT, []),
        # Gone from the pool, and back in the roster.
        (replace(USER, id="", access="deleted", active=False), ADA, ["look"]),
    ],
)
def test_what_there_is_to_do_in_a_user_pool(
    account: Account, wanted: WantedAccount | None, expected: list[str]
) -> None:
    pool = UserPoolConnection(user_pool="eu-central-1_AbC123dEf")
    assert [str(step.kind) for step in difference(account, wanted, pool, AT)] == expected


@pytest.mark.parametrize("wanted", [WANTED, LEFT])
def test_a_look_in_vain_is_noted_and_leaves_the_tries_of_what_failed(wanted: WantedAccount | None) -> None:
    failed = Account(user_name="ada", tries=TRIED, tried=aim(WANTED), why="is answered 400")
    looked = step_outcomes.looked(failed, Match(UNKNOWN), wanted)
    assert (looked.tried, looked.tries) == (aim(wanted), TRIED if wanted else None)


def test_that_it_is_not_clear_whose_account_it_is_is_told_again_of_who_leaves() -> None:
    before = step_outcomes.looked(NO_ACCOUNT, Match(CONFLICT, why="several"), ADA)
    after = step_outcomes.looked(before, Match(CONFLICT, why="several"), LEFT)
    assert (before.why, after.why) == ("several", "the member has left, and several")


# ── When ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wanted", [WantedAccount(VALUES | {"title": "Lead"}, ("Sales",)), LEFT])
def test_what_failed_waits_and_what_is_another_thing_does_not(wanted: WantedAccount | None) -> None:
    failed = changed(tries=TRIED, tried=aim(wanted))
    assert steps(failed, wanted) == []
    assert steps(failed, wanted, LATER) != []
    assert steps(replace(failed, tried="another"), wanted) != []


# ── What comes of a step ─────────────────────────────────────────────────────────────────────────────

PROBLEM = Problem("1", "is answered 400", "Correct it.")


def after(account: Account, kind: Kind, outcome: Outcome, wanted: WantedAccount | None = WANTED) -> Account:
    problem = None if outcome is Outcome.WRITTEN else PROBLEM
    return step_outcomes.written(account, Step(kind), wanted, Written(outcome, None, problem), AT)


def test_a_refusal_is_tried_later_and_counted_once_a_time() -> None:
    once = after(THERE, Kind.CHANGE, Outcome.REFUSED)
    assert (once.tries, once.tried, once.why) == (
        Tries(since=AT, last=AT, failed=AT),
        WANTED.digest,
        "is answered 400",
    )
    assert after(once, Kind.CHANGE, Outcome.REFUSED).tries == once.tries
    again = step_outcomes.written(once, Step(Kind.CHANGE), WANTED, Written(Outcome.REFUSED), LATER)
    assert again.tries == Tries(since=AT, last=LATER, failed=AT, count=2)
    assert after(again, Kind.CHANGE, Outcome.WRITTEN).tries is None


@pytest.mark.parametrize(
    ("kind", "outcome", "wanted", "expected"),
    [
        (Kind.ACTIVATE, Outcome.WRITTEN, WANTED, {"access": "given", "active": None}),
        (Kind.DEACTIVATE, Outcome.WRITTEN, LEFT, {"access": "ended", "active": None}),
        (Kind.DELETE, Outcome.WRITTEN, LEFT, {"access": "deleted", "active": None}),
        # It may have another id now: it is looked for, before it counts as closed.
        (
            Kind.DEACTIVATE,
            Outcome.GONE,
            LEFT,
            {"unsure": True, "id": "", "active": None, "groups": {"Sales": "g1"}},
        ),
        (Kind.CHANGE, Outcome.GONE, WANTED, {"standing": "", "id": "", "groups": {}}),
        (Kind.CREATE, Outcome.TAKEN, WANTED, {"taken": True, "unsure": True, "tries": None, "access": ""}),
        (Kind.CREATE, Outcome.FULL, WANTED, {"full_since": AT, "access": ""}),
    ],
)
def test_what_comes_of_a_write(
    kind: Kind, outcome: Outcome, wanted: WantedAccount | None, expected: dict[str, object]
) -> None:
    became = after(THERE, kind, outcome, wanted)
    assert {name: getattr(became, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("shown", "wanted", "active", "is_told"),
    [
        ({"active": False}, LEFT, False, False),
        ({"active": "False"}, LEFT, False, False),
        ({"active": True}, LEFT, True, True),
        ({}, LEFT, False, True),
        (None, LEFT, None, False),
        ({"active": True}, WANTED, True, False),
        ({"active": False}, WANTED, False, True),
        ({}, WANTED, True, True),
        (None, WANTED, None, False),
    ],
)
def test_what_reading_back_shows(
    shown: dict[str, object] | None, wanted: WantedAccount | None, active: bool | None, is_told: bool
) -> None:
    sent = changed(access="given" if wanted else "ended", active=None)
    became = step_outcomes.read_back(sent, None if shown is None else Resource("1", shown), wanted, AT)
    assert (became.active, bool(became.why)) == (active, is_told)


def test_an_account_is_stored_and_read_as_it_is() -> None:
    account = changed(
        sent={"userName": "ada", "entitlements": ("Gong",)},
        tries=Tries(since=AT, last=LATER, count=3, failed=AT, overdue=LATER),
        tried="x",
        full_since=AT,
        unknown=(("newer", 1),),
    )
    assert Account.from_json(account.to_json()) == account
    assert account.to_json()["sent"] == {"userName": "ada", "entitlements": ["Gong"]}
    assert NO_ACCOUNT.to_json() == {}


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────


def test_members_are_gathered_by_group() -> None:
    two, three = changed(id="2"), changed(id="3", active=False)
    gathered = group_changes(
        [
            (THERE, Step(Kind.JOIN, ("EMEA", "Sales"))),
            (two, Step(Kind.LEAVE, ("Sales",))),
            # Who is not active is put into no group, and taken out of any.
            (three, Step(Kind.JOIN, ("EMEA",))),
            (three, Step(Kind.LEAVE, ("Sales",))),
            (NO_ACCOUNT, Step(Kind.JOIN, ("EMEA",))),
        ]
    )
    assert gathered == [GroupChange("EMEA", ("1",)), GroupChange("Sales", ("1",), ("2", "3"))]
    assert still_to_send(gathered[1], frozenset({"1", "3"})) == GroupChange("Sales", (), ("3",))
