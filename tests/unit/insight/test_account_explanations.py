"""A member's account in an app explained, as a table: what is recorded, what is to be, what is said (Q1)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from muster.insight import account_explanations
from muster.provisioning.differences import Kind
from muster.provisioning.wanted_accounts import wanted
from muster.roster.accounts import NO_ACCOUNT, Account
from muster.roster.member import Json, Member
from muster.roster.seats import HELD_SEAT
from muster.roster.vault_state import Tries
from tests.examples import NOW, settings

KEY = "scim.gong"
AT = "2026-11-20T08:00:00.000Z"
SETTINGS = settings(
    seats={"gong": {}},
    assignments=[{"name": "Sales"}],
    connections={"scim": {"gong": {"host": "gong.example", "who": "everyone"}}},
)
ADA = Member(
    id="m1",
    organization="acme",
    active=True,
    email="ada@acme.example",
    first_name="Ada",
    last_name="Lovelace",
    assignment="Sales",
)
OWN = Account(
    standing="linked",
    system="gong.example/scim/v2",
    id="2819",
    user_name="ada@acme.example",
    origin="created",
    access="given",
    active=True,
    groups={"Sales": "g1"},
)
FAILED = Tries(since=AT, last=AT)


def connected(**keys: Any) -> Any:
    gong = {"host": "gong.example", "who": "everyone", **keys}
    return settings(seats={"gong": {}}, assignments=[{"name": "Sales"}], connections={"scim": {"gong": gong}})


def explained(member: Member, account: Account = NO_ACCOUNT, to: Any = SETTINGS) -> Json:
    member = replace(member, accounts={} if account == NO_ACCOUNT else {KEY: account})
    return account_explanations.of_member(member, to, {}, (), NOW)[KEY]


def brought_in_line(member: Member = ADA) -> Account:
    connection = SETTINGS.connections.scim["gong"]
    to_have = wanted(member, connection, SETTINGS, date(2026, 11, 20))
    assert to_have
    return replace(OWN, sent=to_have.values)


def test_of_an_account_that_is_as_it_is_to_be_nothing_is_due() -> None:
    said = explained(ADA, brought_in_line())
    assert (said["why"], said["due"], said["next"], said["do"]) == (None, None, [], None)


@pytest.mark.parametrize(
    ("account", "why", "do"),
    [
        (Account(standing="matched", id="7", user_name="ada"), "ada (7), was there before", "adopt it"),
        (Account(standing="conflict", why="two fit"), "not clear whose the account is: two fit.", "adopt"),
        (Account(standing="ignored", origin="ignored:jane"), "left alone, by jane", "reconsider"),
        (Account(full_since=AT, tries=FAILED), "no licence left for the member since 2026-11-20", "Buy"),
        (Account(tries=FAILED, why="no title"), "The latest try has failed: no title.", "Correct"),
        (replace(OWN, unsure=True), "may have arrived or not", None),
        (replace(OWN, active=False, others={"8": ()}), "Another account there is the member's", None),
        (replace(OWN, system="old.example/scim/v2"), "Its former account is in old.example/scim/v2", None),
        (NO_ACCOUNT, "There is none yet.", None),
    ],
)
def test_what_is_not_as_it_is_to_be_says_why_and_what_to_do(
    account: Account, why: str, do: str | None
) -> None:
    said = explained(ADA, account)
    assert why in said["why"]
    assert (do in said["do"]) if do else said["do"] is None


@pytest.mark.parametrize(
    ("member", "keys", "why"),
    [
        (replace(ADA, active=False), {}, "The member is not active."),
        (replace(ADA, end_date="2026-11-01"), {}, "end date"),
        (
            ADA,
            {"who": {"seat": "gong"}},
            "Only who holds the seat gong is in the app. The member does not get",
        ),
        (
            ADA,
            {"who": {"assignments": ["Support"]}},
            "the assignment Support are in the app; the member has Sales",
        ),
        (replace(ADA, email=None), {}, "The member has no userName, and the app needs it: nothing is sent."),
        (ADA, {"create": False}, "Muster makes none there (create is off in the settings)."),
    ],
)
def test_who_has_none_is_told_why(member: Member, keys: dict[str, Any], why: str) -> None:
    said = explained(member, to=connected(**keys))
    assert said["state"] is None
    assert why in said["why"]
    # Nothing is foreseen for who is not to have one.
    assert (said["due"], said["next"]) == (None, [])


def test_who_holds_the_seat_is_to_be_in() -> None:
    holder = replace(ADA, seats={"gong": HELD_SEAT})
    assert explained(holder, to=connected(who={"seat": "gong"}))["is_to_be_in"] is True


@pytest.mark.parametrize(
    ("member", "account", "due", "steps"),
    [
        (
            replace(ADA, changed_for=(KEY,)),
            NO_ACCOUNT,
            "",
            ["looks for the account", "makes it", "puts it into Sales"],
        ),
        # The settings have changed since, and no push has looked.
        (ADA, NO_ACCOUNT, "", ["makes it", "puts it into Sales"]),
        (
            replace(ADA, active=False, changed_for=(KEY,)),
            OWN,
            "",
            ["takes it out of Sales", "closes it", "reads back whether it is open"],
        ),
        (ADA, Account(tries=replace(FAILED, count=2), why="x"), "2026-11-20T14:00:00.000Z", None),
    ],
)
def test_what_the_next_push_does_is_foreseen(
    member: Member, account: Account, due: str, steps: list[str] | None
) -> None:
    said = explained(member, account)
    assert said["due"] == due
    assert said["next"] == steps or steps is None


def test_of_a_closed_account_it_is_said_what_cannot_be_ended() -> None:
    closed = replace(OWN, access="ended", active=False, groups={})
    said = explained(replace(ADA, active=False), closed)
    assert (said["state"], said["read_back"], said["due"]) == ("inactive", "closed", None)
    assert said["stays_valid"].startswith("SCIM has no call")


def test_an_app_that_is_not_in_the_settings_any_more_is_told_all_the_same() -> None:
    said = explained(ADA, OWN, settings())
    assert (said["state"], said["due"], said["is_to_be_in"]) == ("active", None, False)
    assert "not in the settings any more" in said["why"]


def test_every_step_has_words() -> None:
    assert account_explanations._DOES.keys() == {*Kind}
