"""The shares of the long simulations are all of them, none twice."""

import pytest

from tests.simulation.harness.faults import KINDS
from tests.simulation.harness.shares import SHARES, every_and_offset, named, of_share


def test_shares_are_all_there_is_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []
    for share in range(1, SHARES + 1):
        monkeypatch.setenv("SHARE", str(share))
        played += of_share(range(100))
        assert named() == f"share {share} of 7; SHARE={share} plays it again"
    assert sorted(played) == list(range(100))
    monkeypatch.setenv("SHARE", "all")
    assert of_share(range(100)) == range(100)
    assert every_and_offset() == (1, 0)


@pytest.mark.parametrize("ways", [len(KINDS), 10, 11, 12])
def test_a_share_has_every_way_of_failing(ways: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE", "3")
    assert {point % ways for point in of_share(range(200))} == set(range(ways))


def test_without_a_choice_it_is_the_share_of_the_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE", "")
    every, offset = every_and_offset()
    assert every == SHARES
    assert 0 <= offset < SHARES


@pytest.mark.parametrize("given", ["0", "8", "none"])
def test_a_share_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE", given)
    with pytest.raises(ValueError, match=given):
        every_and_offset()
