"""Optimistic writes: what was overtaken is decided again, and nothing else is."""

from collections.abc import Sequence

import pytest

from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.retrying_writes import ATTEMPTS, write_until_it_holds


class Table:
    """A table in which others overtake each key so many times; keeps what was decided and written."""

    def __init__(self, **overtaken: int) -> None:
        self.overtaken = overtaken
        self.decided: list[list[str]] = []
        self.written: list[list[str]] = []

    def decide(self, keys: Sequence[str]) -> dict[str, Decision]:
        """Decide about each key: `same…` has nothing to write, `gone…` is left out."""
        self.decided.append([*keys])
        return {key: decision_of(key) for key in keys if not key.startswith("gone")}

    def write(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Return the decisions whose member was overtaken once more."""
        members = {each.after.id: each for each in decisions if each.after}
        self.written.append([*members])
        void = [key for key in members if self.overtaken.get(key, 0) > 0]
        for key in void:
            self.overtaken[key] -= 1
        return [members[key] for key in void]


def decision_of(key: str) -> Decision:
    after = None if key.startswith("same") else Member(id=key, organization="acme")
    return Decision(outcome=Outcome.UPDATED, after=after)


@pytest.mark.parametrize(
    ("keys", "overtaken", "decided", "written"),
    [
        ([], {}, [], []),
        (["ada", "bob"], {}, [["ada", "bob"]], [["ada", "bob"]]),
        (["ada", "bob"], {"bob": 1}, [["ada", "bob"], ["bob"]], [["ada", "bob"], ["bob"]]),
        (["ada", "gone"], {}, [["ada", "gone"]], [["ada"]]),
        (["ada", "same"], {"ada": 1}, [["ada", "same"], ["ada"]], [["ada"], ["ada"]]),
        # The last attempt counts like any other.
        (["ada"], {"ada": ATTEMPTS - 1}, [["ada"]] * ATTEMPTS, [["ada"]] * ATTEMPTS),
    ],
)
def test_what_was_overtaken_is_decided_and_written_again(
    keys: list[str], overtaken: dict[str, int], decided: list[list[str]], written: list[list[str]]
) -> None:
    table = Table(**overtaken)
    held, left = write_until_it_holds(keys, table.decide, table.write)
    assert (table.decided, table.written) == (decided, written)
    assert held == {key: decision_of(key) for key in keys if key != "gone"}
    assert left == []


def test_what_is_overtaken_every_time_is_given_up_and_holds_up_nothing_else() -> None:
    table = Table(bob=ATTEMPTS)
    held, left = write_until_it_holds(["ada", "bob"], table.decide, table.write)
    assert (list(held), left) == (["ada"], ["bob"])
    assert len(table.written) == ATTEMPTS


def test_an_error_while_writing_is_raised() -> None:
    def fail(_: Sequence[Decision]) -> list[Decision]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write_until_it_holds(["ada"], Table().decide, fail)
