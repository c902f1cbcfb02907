"""What a member can keep of a user, and that nobody stays for a text that is too long."""

import pytest

from muster.errors import Rejected
from muster.sources.user_changes import MAX_ADDRESS, MAX_TEXT, storable, text_size

ADA = {"Id": "005000000000001AAA", "IsActive": "true", "Username": "ada@acme.example", "Title": None}


def test_whatever_fits_is_kept() -> None:
    fields = {**ADA, "Username": "a" * MAX_ADDRESS, "Note__c": "ß" * (MAX_TEXT // 2 - 500)}
    assert storable(fields, ["Username", "Email"]) == fields


@pytest.mark.parametrize(
    ("longer", "where", "told"),
    [
        ({"Username": "a" * 2_000}, "address", "in Username has 2,000 characters, and 254 are the most"),
        ({"Note__c": "ß" * (MAX_TEXT // 2)}, "fields", "a member keeps 32,768 at most"),
    ],
)
def test_what_is_too_long_is_told_with_its_size_and_nothing_of_it(
    longer: dict[str, str], where: str, told: str
) -> None:
    with pytest.raises(Rejected) as caught:
        storable({**ADA, **longer}, ["Username", "Email"])
    [problem] = caught.value.problems
    assert problem.where == where
    assert told in problem.message
    assert "aaa" not in problem.message


def test_of_whoever_leaves_the_rest_is_kept() -> None:
    gone = {**ADA, "IsActive": "false", "Username": "a" * 2_000, "A__c": "x" * 20_000, "B__c": "y" * 20_000}
    kept = storable(gone, ["Username", "Email"])
    assert kept == {"Id": ADA["Id"], "IsActive": "false", "Title": None}
    assert text_size(kept) <= MAX_TEXT
