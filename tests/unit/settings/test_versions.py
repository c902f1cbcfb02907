"""What counts as a difference between two versions."""

from typing import Any

import pytest

from muster.settings.versions import changes, is_same


def test_the_order_of_keys_does_not_count_and_kinds_do() -> None:
    assert is_same({"a": 1, "b": {"c": 2, "d": []}}, {"b": {"d": [], "c": 2}, "a": 1})
    assert not is_same({"a": 1}, {"a": True})
    assert not is_same({"a": [1, 2]}, {"a": [2, 1]})


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({}, {"a": None}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({}, {"a": {"b": 1}}, [("a", None, {"b": 1})]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": ["x", "y"]}, {"a": ["x"]}, [("a", ["x", "y"], ["x"])]),
        ({"a": [{"n": 1}]}, {"a": [{"n": 2}, {"n": 3}]}, [("a[0].n", 1, 2), ("a[1]", None, {"n": 3})]),
        ({"a": [{"n": 1}]}, {"a": []}, [("a[0]", {"n": 1}, None)]),
        ({"a": [{"n": 1}]}, {"a": ["x"]}, [("a", [{"n": 1}], ["x"])]),
        ({"w": {"North, EMEA": "A"}}, {"w": {"North, EMEA": "B"}}, [('w["North, EMEA"]', "A", "B")]),
    ],
)
def test_changes_name_each_place_that_differs(
    before: Any, after: Any, found: list[tuple[str, Any, Any]]
) -> None:
    assert [tuple(change.values()) for change in changes(before, after)] == found
