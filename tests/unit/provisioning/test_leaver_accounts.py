"""Which accounts of leavers are closed beside a push, and what is recorded where it has written (O4)."""

from dataclasses import replace

import pytest

from muster.provisioning.leaver_accounts import is_to_be_closed, recorded
from muster.provisioning.step_outcomes import NOT_SHOWN
from muster.roster.accounts import CONFLICT, IGNORED, LINKED, MATCHED, NO_ACCOUNT, Account
from muster.roster.vault_state import Tries
from tests.doubles.scim_target import connection_to

AT = "2026-11-30T08:00:00.000Z"
APP = connection_to("http://127.0.0.1:8004")
OPEN = Account(standing=LINKED, id="7", user_name="ada@acme.example", access="given", active=True)
SENT = replace(OPEN, access="ended", active=None)
CLOSED = replace(OPEN, access="ended", active=False)
TRIED = Tries(since=AT, last=AT, failed=AT)


@pytest.mark.parametrize(
    ("account", "closes"),
    [
        (NO_ACCOUNT, False),
        (OPEN, True),
        (replace(OPEN, system=APP.leads_to), True),
        (replace(OPEN, system="another.example/scim/v2"), False),
        (replace(OPEN, active=None), True),
        (replace(OPEN, unsure=True), True),
        # A push is closing it, and reads it back; or nobody knows whether it was closed.
        (SENT, False),
        (replace(SENT, unsure=True), True),
        (CLOSED, False),
        (replace(CLOSED, unsure=True), False),
        # A push is about to let it in.
        (replace(CLOSED, access="given", unsure=True), True),
        # It is just being made, or is nobody's to close.
        (Account(user_name="ada@acme.example", access="given", unsure=True), False),
        (replace(OPEN, id="", unsure=True), False),
        (replace(OPEN, standing=MATCHED), False),
        (replace(OPEN, standing=CONFLICT), False),
        (replace(OPEN, standing=IGNORED), False),
        # It was refused, and told: for pushes. What was refused before that is another matter.
        (replace(OPEN, tries=TRIED, tried="left"), False),
        (replace(OPEN, tries=TRIED, tried="another"), True),
    ],
)
def test_which_accounts_are_closed_at_once(account: Account, closes: bool) -> None:
    assert is_to_be_closed(account, APP, AT) is closes


REGROUPED = replace(OPEN, groups={"Sales": "9"})


@pytest.mark.parametrize(
    ("account", "there", "expected"),
    [
        # Nobody has written meanwhile: a push looks once more, but where looking shows nothing.
        (CLOSED, OPEN, replace(CLOSED, unsure=True)),
        (SENT, OPEN, replace(SENT, unsure=True)),
        (replace(CLOSED, why=NOT_SHOWN), OPEN, replace(CLOSED, why=NOT_SHOWN)),
        (replace(OPEN, tries=TRIED, tried="left"), OPEN, replace(OPEN, tries=TRIED, tried="left")),
        (replace(CLOSED, id="", access="deleted"), OPEN, replace(CLOSED, id="", access="deleted")),
        # What a push has recorded stays; only how the account is, nobody knows.
        (CLOSED, REGROUPED, replace(REGROUPED, access="ended", unsure=True)),
        (CLOSED, replace(CLOSED, groups={}, why="x"), replace(CLOSED, why="x", unsure=True)),
        # Another account by now, or nobody's: that is none of ours.
        (CLOSED, replace(OPEN, id="8"), replace(OPEN, id="8")),
        (CLOSED, replace(OPEN, standing=IGNORED), replace(OPEN, standing=IGNORED)),
    ],
)
def test_what_is_recorded_after_closing(account: Account, there: Account, expected: Account) -> None:
    assert recorded(account, OPEN, there) == expected
