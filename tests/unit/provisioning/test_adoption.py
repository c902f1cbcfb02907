"""What a person says of a member's account in an app (O3)."""

from dataclasses import replace

import pytest

from muster.errors import Problem
from muster.provisioning import adoption
from muster.roster.accounts import LINKED, NO_ACCOUNT, Account
from muster.roster.vault_state import Tries

AT = "2026-11-20T08:00:00.000Z"
TRIES = Tries(since=AT, last=AT)
THERE = Account(standing="linked", id="1", user_name="ada", access="given", active=True)
MATCHED = replace(NO_ACCOUNT, standing="matched", system="host", id="7", user_name="ada")
CONFLICT = replace(MATCHED, standing="conflict", why="several accounts carry the member's id")
FAILED = Account(user_name="ada", tries=TRIES, tried="x", why="400", full_since=AT)
BEING_MADE = Account(user_name="ada", access="given", unsure=True)
LOOKED_FOR = Account(system="host", user_name="ada", unsure=True)
IGNORED = replace(MATCHED, standing="ignored", origin="ignored:jane")


@pytest.mark.parametrize(
    ("account", "holder", "refused"),
    [
        (MATCHED, None, None),
        (CONFLICT, None, None),
        (IGNORED, None, None),
        (CONFLICT, "m-2", "linked to the member m-2"),
        (replace(CONFLICT, id=""), None, "not clear which account it is: several accounts carry"),
        (NO_ACCOUNT, None, "no account there is known"),
        (FAILED, None, "no account there is known"),
    ],
)
def test_what_can_be_adopted(account: Account, holder: str | None, refused: str | None) -> None:
    said = adoption.adopted("accounts.scim.app", account, "jane", holder)
    if isinstance(said, Problem):
        assert refused
        assert refused in said.message
        assert said.where == "accounts.scim.app"
        return
    assert refused is None
    linked = Account(standing=LINKED, system="host", id="7", user_name="ada", origin="adopted:jane")
    assert said == replace(linked, active=True, unsure=True)


@pytest.mark.parametrize(
    ("account", "is_in_reach", "refused"),
    [
        (MATCHED, True, None),
        (CONFLICT, True, None),
        (FAILED, True, None),
        (THERE, True, "one that Muster keeps"),
        (NO_ACCOUNT, True, "no account there is known"),
        (BEING_MADE, True, "may just have been made"),
        # Of an app that no push reaches any more.
        (THERE, False, None),
        (replace(THERE, unsure=True), False, None),
    ],
)
def test_what_can_be_ignored(account: Account, is_in_reach: bool, refused: str | None) -> None:
    said = adoption.ignored("accounts.scim.app", account, "jane", is_in_reach=is_in_reach)
    if isinstance(said, Problem):
        assert refused
        assert refused in said.message
        return
    assert refused is None
    assert (said.state, said.id, said.due, said.is_open) == ("ignored", account.id, None, False)
    assert said.origin == "ignored:jane"


@pytest.mark.parametrize(
    ("account", "becomes"),
    [
        (MATCHED, LOOKED_FOR),
        (CONFLICT, LOOKED_FOR),
        (IGNORED, LOOKED_FOR),
        (FAILED, replace(LOOKED_FOR, system="")),
        # Where it may have been made, what is known of that stays; it is looked for at once.
        (replace(BEING_MADE, tries=TRIES, tried="x"), BEING_MADE),
        (THERE, THERE),
        (NO_ACCOUNT, NO_ACCOUNT),
        (LOOKED_FOR, LOOKED_FOR),
    ],
)
def test_what_is_reconsidered_is_looked_for_at_once(account: Account, becomes: Account) -> None:
    after = adoption.reconsidered(account)
    assert after == becomes
    assert after.due == ("" if becomes.unsure else None)
    assert adoption.reconsidered(after) == after


def test_the_same_said_again_changes_nothing() -> None:
    adopted = adoption.adopted("", MATCHED, "jane", None)
    assert isinstance(adopted, Account)
    assert adoption.adopted("", adopted, "bob", "m-2") == adopted
    ignored = adoption.ignored("", MATCHED, "jane", is_in_reach=True)
    assert isinstance(ignored, Account)
    assert adoption.ignored("", ignored, "bob", is_in_reach=True) == ignored
