"""A push or an import that dies at any call to Align: the next ones make up for it (G9, T3)."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.integration.engage.align_desk import ENGAGE, RETRY, Desk

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics")


class Died(BaseException):
    """The function ended there and then."""


def begun(desk: Desk) -> Callable[[], Any]:
    """Prepare three people in Align; return what shows how it ended.

    One asks for a group, one is in a group and never filled in, one is new there and in no vault yet.
    """
    asks, of_asking = desk.person()
    holds = desk.licences.person()
    desk.licences.vault.update(holds, engage_group_request__v="US")
    desk.licences.vault.settle()
    crm_id = desk.licences.company.salesforce.create(Department="Sales")
    desk.licences.imported()
    of_holding = desk.record(email__aln=desk.licences.member(holds)["email"])
    email = desk.licences.company.roster()[crm_id]["email"]
    of_new = desk.record(email__aln=email, **{ENGAGE["request"]: "UK"})
    desk.edit(of_asking, **{ENGAGE["request"]: "UK", ENGAGE["status"]: RETRY})

    def ended() -> Any:
        return (
            [desk.shows(each) for each in (of_asking, of_holding, of_new)],
            [desk.licences.status(each) for each in (asks, holds)],
            desk.licences.company.roster()[crm_id]["engage"],
            [each for each in desk.licences.processed() if each[0] == asks],
            [code for code in desk.errors() if code.startswith("align")],
        )

    return ended


def work(desk: Desk) -> None:
    desk.licences.imported("incremental")
    desk.licences.push()
    desk.licences.imported("full")
    desk.licences.push()


# One of so many calls is tried in the gate; `make simulate` tries all the others.
SAMPLED = 3


@pytest.mark.parametrize(
    "offsets", [[0], pytest.param(range(1, SAMPLED), marks=pytest.mark.long)], ids=["sampled", "all others"]
)
def test_whatever_dies_after_a_call_to_align_is_made_good(offsets: Sequence[int], desk: Desk) -> None:
    desk.licences.vault.group("US", 5)
    ended = begun(desk)
    then = desk.snapshot()
    desk.calls()
    work(desk)
    calls, undisturbed = len(desk.calls()), ended()
    assert undisturbed[0] == [("UK", "success__aln", "UK"), ("US", "success__aln", "US"), ("UK", None, None)]
    for number in (each for each in range(calls) if each % SAMPLED in offsets):
        desk.go_back_to(then)
        left = number

        def dies(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Died

        desk.wire.after = dies
        with pytest.raises(Died):
            work(desk)
        desk.wire.after = lambda request, answer: None
        desk.licences.end_lease()
        work(desk)
        work(desk)
        assert ended() == undisturbed, f"died after call {number}"
