"""The guard at the door, with a record that others write too: what passes is recorded first, once (W12)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from muster.errors import Unavailable
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.reasons import UNMATCHED
from muster.sources.user_changes import UserChange
from muster.times import timestamp
from muster.webhook.guarding_losses import LossGuard
from muster.webhook.losses import Loss, Recorded
from tests.examples import NOW, change, settings

# Five may go in an hour.
ACME = settings()


@dataclass
class Record:
    """What is recorded; `meanwhile` happens before each of the next writes."""

    losses_: tuple[Loss, ...] = ()
    revision: int = 0
    calls: list[str] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    loses_answers: bool = False

    def losses(self, organization: str) -> Recorded:
        self.calls.append("read")
        return Recorded({}, self.losses_, self.revision)

    def replace(self, organization: str, was: Recorded, losses: Sequence[Loss]) -> bool:
        self.calls.append("write")
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if was.revision != self.revision:
            return False
        self.losses_, self.revision = tuple(losses), self.revision + 1
        return not self.loses_answers

    def others(self, *numbers: int) -> None:
        """Record losses of these members, as another worker does."""
        new = tuple(Loss(f"m{number}", "deactivate", None, timestamp(NOW)) for number in numbers)
        self.losses_, self.revision = (*self.losses_, *new), self.revision + 1

    def members(self) -> list[str]:
        return sorted(loss.member for loss in self.losses_)


def leaving(*numbers: int, leaves: bool = True) -> list[tuple[UserChange, Decision]]:
    """Return decisions that deactivate these members, or change their titles."""
    found = []
    for number in numbers:
        before = Member(id=f"m{number}", organization="acme", active=True)
        after = replace(before, title="Lead")
        if leaves:
            after = replace(before, active=False, inactive_reason=UNMATCHED)
        outcome = Outcome.DEACTIVATED if leaves else Outcome.UPDATED
        found.append(
            (change(Id=f"005{number:012d}AAA"), Decision(outcome=outcome, before=before, after=after))
        )
    return found


def outcomes(decisions: Sequence[Decision]) -> list[str]:
    return [decision.outcome for decision in decisions]


def test_what_passes_is_recorded_before_anybody_can_write_it() -> None:
    record = Record()
    decided = leaving(1, 2, 3)
    assert LossGuard(ACME, record, NOW).judge(decided) == [decision for _, decision in decided]
    assert record.members() == ["m1", "m2", "m3"]


def test_of_one_message_all_pass_or_none() -> None:
    record = Record()
    door = LossGuard(ACME, record, NOW)
    titles = leaving(7, leaves=False)
    decisions = door.judge([*leaving(*range(1, 7)), *titles])
    assert outcomes(decisions) == ["held"] * 6 + ["updated"]
    assert not any(decision.writes for decision in decisions[:6])
    assert record.members() == []
    assert [held.change.crm_id for held in door.held.values()] == [f"005{n:012d}AAA" for n in range(1, 7)]


def test_what_takes_nothing_costs_no_call_and_what_was_judged_is_not_judged_again() -> None:
    record = Record()
    door = LossGuard(ACME, record, NOW)
    door.judge(leaving(1, leaves=False))
    assert record.calls == []
    door.judge(leaving(*range(1, 7)))
    assert record.calls == ["read"]
    assert outcomes(door.judge(leaving(3))) == ["held"]
    assert record.calls == ["read"]
    # Somebody else has changed the member meanwhile: it has nothing to lose any more.
    assert outcomes(door.judge(leaving(3, leaves=False))) == ["updated"]
    assert len(door.held) == 5


def test_a_message_that_comes_again_passes_and_is_not_counted_twice() -> None:
    record = Record()
    LossGuard(ACME, record, NOW).judge(leaving(*range(5)))
    later = NOW + timedelta(minutes=50)
    assert outcomes(LossGuard(ACME, record, later).judge(leaving(*range(5)))) == ["deactivated"] * 5
    assert record.members() == [f"m{n}" for n in range(5)]
    # It is written now, so its hour begins now.
    much_later = NOW + timedelta(minutes=100)
    assert outcomes(LossGuard(ACME, record, much_later).judge(leaving(9))) == ["held"]
    assert outcomes(LossGuard(ACME, record, later + timedelta(hours=1)).judge(leaving(9))) == ["deactivated"]
    assert record.members() == ["m9"]


def test_what_was_let_through_before_passes_beside_what_is_held() -> None:
    record = Record()
    record.others(1, 2)
    assert (
        outcomes(LossGuard(ACME, record, NOW).judge(leaving(*range(1, 9))))
        == ["deactivated"] * 2 + ["held"] * 6
    )
    assert record.members() == ["m1", "m2"]


def test_two_workers_do_not_both_use_what_is_left() -> None:
    record = Record()
    record.meanwhile.append(lambda: record.others(11, 12, 13))
    assert outcomes(LossGuard(ACME, record, NOW).judge(leaving(1, 2, 3))) == ["held"] * 3
    assert record.members() == ["m11", "m12", "m13"]
    record.meanwhile.append(lambda: record.others(14))
    assert outcomes(LossGuard(ACME, record, NOW).judge(leaving(1))) == ["deactivated"]
    assert record.members() == ["m1", "m11", "m12", "m13", "m14"]


def test_a_write_whose_answer_was_lost_is_found_to_be_ours() -> None:
    record = Record(loses_answers=True)
    assert outcomes(LossGuard(ACME, record, NOW).judge(leaving(1, 2))) == ["deactivated"] * 2
    assert record.calls == ["read", "write", "read"]


def test_a_message_comes_again_where_others_are_always_faster() -> None:
    record = Record()
    record.meanwhile += [record.others] * 99
    door = LossGuard(ACME, record, NOW)
    with pytest.raises(Unavailable):
        door.judge(leaving(1))
    assert record.members() == []
