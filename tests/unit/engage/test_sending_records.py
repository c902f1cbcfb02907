"""Records are sent in as few calls as go: one that spoils its call is found by halving (P3)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pytest

from muster.crm.pages import Page
from muster.crm.vault_records import Outcome, Written
from muster.engage.sending_records import MOST_CALLS, sent_in_calls
from muster.errors import NotAllowed, Problem, Rejected, Unavailable

PROBLEM = Problem("user__sys", "INVALID_DATA: no", "Correct it.")


class Spoiled:
    """A vault that refuses each call with one of the `bad` records in it."""

    def __init__(self, bad: Collection[str], error: Exception | None = None) -> None:
        self.bad = bad
        self.error = error or Rejected(PROBLEM)
        self.calls: list[list[str]] = []
        self.saved: list[str] = []

    def update(self, name: str, records: Sequence[Mapping[str, Any]]) -> list[Written]:
        ids = [record["id"] for record in records]
        self.calls.append(ids)
        if set(ids) & set(self.bad):
            raise self.error
        self.saved += ids
        return [Written(each, Outcome.WRITTEN) for each in ids]

    def query(self, vql: str) -> Iterator[Page]:
        raise NotImplementedError

    def more(self, next_url: str) -> Iterator[Page]:
        raise NotImplementedError


def records(number: int) -> list[Mapping[str, Any]]:
    return [{"id": f"{each}"} for each in range(number)]


@pytest.mark.parametrize("bad", [0, 1, 249, 250, 499])
def test_one_among_five_hundred_is_found_by_nineteen_calls(bad: int) -> None:
    vault = Spoiled({f"{bad}"})
    answers = [each for some in sent_in_calls(vault, "user__sys", records(500), list) for each in some]
    assert [each.id for each in answers] == [f"{each}" for each in range(500)]
    assert [each.id for each in answers if each.outcome is Outcome.REFUSED] == [f"{bad}"]
    assert len(vault.calls) <= 19


@pytest.mark.parametrize(
    ("number", "bad"), [(500, range(500)), (500, range(0, 500, 2)), (500, range(250)), (3, range(3))]
)
def test_however_many_are_at_fault_calls_are_bounded(number: int, bad: range) -> None:
    vault = Spoiled({f"{each}" for each in bad})
    answers = [each for some in sent_in_calls(vault, "user__sys", records(number), list) for each in some]
    # What is still to be sent by then is tried once, in as many parts as it was halved into.
    assert len(vault.calls) <= MOST_CALLS + 9
    assert {each.id for each in answers if each.outcome is Outcome.REFUSED} <= set(vault.bad)
    assert [each.id for each in answers if each.outcome is Outcome.WRITTEN] == vault.saved
    assert len(answers) >= min(number, 40)


def test_the_good_half_is_sent_though_the_bad_one_uses_up_the_calls() -> None:
    vault = Spoiled({f"{each}" for each in range(250)})
    assert sum(len(some) for some in sent_in_calls(vault, "user__sys", records(500), list)) < 500
    assert {f"{each}" for each in range(250, 500)} <= set(vault.saved)


def test_each_call_is_made_once_the_outcomes_before_are_taken() -> None:
    vault = Spoiled({"0"})
    sending = sent_in_calls(vault, "user__sys", records(4), list)
    next(sending)
    assert vault.saved == []


@pytest.mark.parametrize(
    ("error", "forbidden"), [(Rejected(PROBLEM), False), (NotAllowed("it may not", PROBLEM), True)]
)
def test_whether_it_is_a_matter_of_permissions_is_said(error: Exception, forbidden: bool) -> None:
    [[answer]] = sent_in_calls(Spoiled({"0"}, error), "user__sys", records(1), list)
    assert (answer.outcome, answer.forbidden) == (Outcome.REFUSED, forbidden)
    assert answer.problem is not None
    assert answer.problem.message == PROBLEM.message


def test_what_is_no_refusal_is_raised() -> None:
    with pytest.raises(Unavailable):
        list(sent_in_calls(Spoiled({"0"}, Unavailable("down")), "user__sys", records(2), list))


def test_nobody_is_sent_in_no_call() -> None:
    vault = Spoiled(set())
    assert list(sent_in_calls(vault, "user__sys", [], list)) == []
    assert vault.calls == []
