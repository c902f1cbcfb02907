"""What admins read of who is left out."""

import pytest

from muster.presentation.left_out import in_words


@pytest.mark.parametrize(
    ("counts", "people", "told"),
    [
        ({}, "people", ""),
        # Who is deactivated in Salesforce is out because somebody wants it.
        ({"inactive_user": 4_000}, "people", ""),
        (
            {"unmatched": 2, "call_center_missing": 1_005, "inactive_user": 4},
            "people",
            "1,007 people are left out: 1,005 without a call center, 2 matched by no assignment",
        ),
        ({"name_missing": 1}, "people", "1 person is left out: 1 without a first or last name"),
        ({"name_missing": 1}, "of those read", "1 of those read is left out: 1 without a first or last name"),
        ({"email_domain": 2}, "of those read", "2 of those read are left out: 2 of another e-mail domain"),
        ({"some_other_reason": 2}, "people", "2 people are left out: 2 some other reason"),
    ],
)
def test_how_many_are_left_out_is_one_sentence(counts: dict[str, int], people: str, told: str) -> None:
    assert in_words(counts, people) == told
