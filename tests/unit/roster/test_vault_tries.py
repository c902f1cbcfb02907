"""What is tried in Vault CRM until it is done: when it is next, and what of it is told (G7, P3)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from muster.crm.engage_features import CONNECT, ENGAGE
from muster.roster import vault_tries
from muster.roster.member import Member
from muster.roster.vault_state import NOTHING_KNOWN, Tries, VaultState
from muster.times import timestamp

FIRST = "2026-11-20T08:16:00.000Z"
ACTIVE = VaultState(active=True)


def after(**by: float) -> str:
    return timestamp(datetime.fromisoformat(FIRST) + timedelta(**by))


def member(vault: VaultState) -> Member:
    return Member(id="ada", organization="acme", vault=vault)


@pytest.mark.parametrize(
    ("count", "failed", "under_way"),
    [
        (1, "", after(hours=6)),
        (2, after(hours=6), after(hours=6)),
        (3, after(days=1), after(days=1)),
        (30, after(days=1), after(days=1)),
    ],
)
def test_each_try_waits_longer_and_one_without_an_answer_for_hours(
    count: int, failed: str, under_way: str
) -> None:
    tries = Tries(since="2026-01-01T00:00:00.000Z", last=FIRST, count=count)
    assert (tries.next(), tries.next(under_way=True)) == (failed, under_way)


def test_a_try_that_is_recorded_once_more_counts_once() -> None:
    once = vault_tries.tried(ACTIVE, ENGAGE, FIRST)
    assert once.to_json() == {"active": True, "tries": {ENGAGE: {"since": FIRST, "last": FIRST, "count": 1}}}
    assert vault_tries.tried(once, ENGAGE, FIRST) == once
    twice = vault_tries.tried(once, ENGAGE, after(hours=1))
    assert vault_tries.of(member(twice), ENGAGE) == Tries(since=FIRST, last=after(hours=1), count=2)


def test_nothing_is_left_of_what_is_done() -> None:
    both = vault_tries.tried(vault_tries.tried(ACTIVE, ENGAGE, FIRST), CONNECT, FIRST)
    assert vault_tries.of(member(vault_tries.done(both, ENGAGE)), ENGAGE) is None
    assert vault_tries.has(vault_tries.done(both, ENGAGE), CONNECT)
    assert vault_tries.done(vault_tries.done(both, ENGAGE), CONNECT) == ACTIVE


def test_what_was_never_tried_is_not_looked_at() -> None:
    assert vault_tries.looked_at(ACTIVE, ENGAGE, FIRST, failed=True) == ACTIVE


@pytest.mark.parametrize(
    ("at", "failed", "found", "news"),
    [
        (after(minutes=1), False, (None, None), False),
        (after(minutes=1), True, (after(minutes=1), None), True),
        # Without an answer for so long it is as good as failed.
        (after(hours=6), False, (after(hours=6), None), True),
        (after(days=7), True, (after(days=7), after(days=7)), True),
    ],
)
def test_a_failure_is_news_and_so_is_that_it_takes_a_week(
    at: str, failed: bool, found: tuple[str | None, str | None], news: bool
) -> None:
    before = vault_tries.tried(NOTHING_KNOWN, ENGAGE, FIRST)
    looked_at = vault_tries.looked_at(before, ENGAGE, at, failed=failed)
    tries = vault_tries.of(member(looked_at), ENGAGE)
    assert tries
    assert (tries.failed, tries.overdue) == found
    assert vault_tries.has_news(member(before), member(looked_at), ENGAGE) is news
    assert not vault_tries.has_news(member(looked_at), member(looked_at), ENGAGE)
    again = vault_tries.looked_at(looked_at, ENGAGE, after(days=30), failed=True)
    assert vault_tries.of(member(again), ENGAGE) == replace(
        tries, failed=tries.failed or after(days=30), overdue=tries.overdue or after(days=30)
    )


def test_what_vault_crm_did_not_save_has_failed_at_once_and_a_saved_try_is_no_failure() -> None:
    refused = vault_tries.tried(NOTHING_KNOWN, ENGAGE, FIRST, saved=False, blanked=True)
    expected = Tries(since=FIRST, last=FIRST, failed=FIRST, unsaved=True, blanked=True)
    assert vault_tries.of(member(refused), ENGAGE) == expected
    saved = vault_tries.of(member(vault_tries.tried(refused, ENGAGE, after(hours=6))), ENGAGE)
    assert saved == replace(expected, last=after(hours=6), count=2, unsaved=False)


def test_asking_for_a_group_and_taking_somebody_out_of_one_are_counted_apart() -> None:
    refused = vault_tries.tried(NOTHING_KNOWN, ENGAGE, FIRST, saved=False, adds=True)
    assert vault_tries.of_removal(member(refused), ENGAGE) is None
    assert vault_tries.of_addition(member(refused), ENGAGE) == Tries(
        since=FIRST, last=FIRST, failed=FIRST, unsaved=True, adds=True
    )
    leaves = member(vault_tries.tried(refused, ENGAGE, after(hours=1)))
    assert vault_tries.of_addition(leaves, ENGAGE) is None
    assert vault_tries.of_removal(leaves, ENGAGE) == Tries(since=after(hours=1), last=after(hours=1))
