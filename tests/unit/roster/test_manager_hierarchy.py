import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.roster.manager_hierarchy import Managers, depths, loops

PEOPLE = list("abcdefgh")


@pytest.mark.parametrize(
    ("managers", "found"),
    [
        ({}, []),
        ({"a": None, "b": "a", "c": "b"}, []),
        ({"a": "a"}, [("a",)]),
        ({"b": "a", "a": "b"}, [("a", "b")]),
        ({"c": "b", "b": "a", "a": "c", "d": "a"}, [("a", "c", "b")]),
        ({"a": "b", "b": "a", "d": "c", "c": "d"}, [("a", "b"), ("c", "d")]),
        ({"a": "unknown"}, []),
    ],
)
def test_loops_are_found_once_and_begin_with_the_smallest(
    managers: Managers, found: list[tuple[str, ...]]
) -> None:
    assert loops(managers) == found


def test_depth_counts_the_managers_above() -> None:
    managers = {"a": None, "b": "a", "c": "b", "d": "gone", "x": "y", "y": "x", "z": "x"}
    assert depths(managers) == {"a": 0, "b": 1, "c": 2, "d": 0, "x": 0, "y": 0, "z": 1}


@given(st.dictionaries(st.sampled_from(PEOPLE), st.none() | st.sampled_from(PEOPLE)))
def test_without_its_loops_every_hierarchy_ends(managers: dict[str, str | None]) -> None:
    in_loops = {person for loop in loops(managers) for person in loop}
    deep = depths(managers)
    assert deep.keys() >= managers.keys()
    for person in managers:
        at: str | None = person
        for _ in range(len(PEOPLE) + 1):
            if at is None or at in in_loops:
                break
            at = managers.get(at)
        else:
            raise AssertionError(f"{person} leads nowhere")
        above = managers[person]
        if person not in in_loops and above in managers:
            assert deep[person] == deep[above] + 1
