"""Whose account in an app keeps a member from being erased, and what is said of the others (T5, O3)."""

from dataclasses import replace

import pytest

from muster.roster import erasure
from muster.roster.accounts import Account
from muster.roster.member import Member
from muster.roster.vault_state import Tries
from tests.examples import settings

ACME = settings(
    connections={
        "scim": {"app": {"host": "api.example.com", "who": "everyone"}},
        "cognito": {"staff": {"user_pool": "us-east-1_Aa1Bb2Cc3"}},
    }
)
APP, POOL, GONE = "scim.app", "cognito.staff", "scim.gone"
HERE = "api.example.com/scim/v2"
OPEN = Account(standing="linked", system=HERE, id="7", user_name="ada", access="given", active=True)
CLOSED = replace(OPEN, access="ended", active=False)
TRIED = Tries(since="2026-11-20T08:00:00.000Z", last="2026-11-20T08:00:00.000Z")
PUSH = "for which a push has work: app (SCIM) (ada)"
STAYS = "The account in app (SCIM) (ada) stays there: delete it there."
BY_HAND = "which no push closes any more"


@pytest.mark.parametrize(
    ("app", "account", "refused"),
    [
        (APP, OPEN, PUSH),
        (APP, replace(OPEN, active=None, access="ended"), PUSH),
        (APP, replace(OPEN, system=""), PUSH),
        # It is closed, and something is to be done still: a group could not be left.
        (APP, replace(CLOSED, tries=TRIED, why="the group Sales: 500"), PUSH),
        # It may just have been made.
        (APP, Account(user_name="ada", access="given", unsure=True), PUSH),
        (APP, replace(OPEN, system="old.example.com/scim/v2"), BY_HAND),
        (GONE, OPEN, BY_HAND),
        (APP, CLOSED, None),
        (GONE, CLOSED, None),
        (APP, replace(CLOSED, access="deleted", id=""), None),
        (APP, replace(OPEN, standing="ignored"), None),
        (APP, Account(standing="matched", id="7", user_name="ada"), None),
        (APP, Account(standing="conflict", user_name="ada", why="several"), None),
    ],
)
def test_whose_account_is_open_is_not_erased(app: str, account: Account, refused: str | None) -> None:
    problem = erasure.refusal(Member(id="m-1", organization="acme", accounts={app: account}), ACME)
    assert (problem is None) == (refused is None)
    assert problem is None or (refused or "") in problem.message


@pytest.mark.parametrize(("app", "refused"), [(POOL, True), (APP, False), (GONE, False)])
def test_where_others_make_accounts_whoever_leaves_is_looked_for_first(app: str, refused: bool) -> None:
    left = Member(id="m-1", organization="acme", changed_for=(app,))
    assert (erasure.refusal(left, ACME) is not None) == refused


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (CLOSED, [STAYS]),
        (replace(CLOSED, access="deleted", id=""), ["The account in app (SCIM) was deleted."]),
        (
            replace(OPEN, standing="ignored"),
            ["The account in app (SCIM) (ada) stays there: delete it there."],
        ),
        (Account(user_name="ada"), []),
    ],
)
def test_what_apps_hold_of_the_person_is_said(account: Account, said: list[str]) -> None:
    assert erasure.kept_by_apps(Member(id="m-1", organization="acme", accounts={APP: account})) == said
