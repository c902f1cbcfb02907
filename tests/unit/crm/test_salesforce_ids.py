import string

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from muster.crm import salesforce_ids

ALPHABET = string.ascii_letters + string.digits
ids_15 = st.text(ALPHABET, min_size=15, max_size=15)


@pytest.mark.parametrize(
    ("short", "suffix"),
    # Published samples of real ids.
    [
        ("00Dd0000000gzcr", "EAA"),
        ("00Dxx0000001gPF", "EAY"),
        ("00541000000b4LL", "AAY"),
        ("a0D30000001n7Pi", "EAI"),
    ],
)
def test_suffix_is_that_of_published_ids(short: str, suffix: str) -> None:
    assert salesforce_ids.to_18(short) == short + suffix
    assert salesforce_ids.to_18(short + suffix) == short + suffix
    assert salesforce_ids.to_18(short + "AAA") == short + suffix


@profile(deadline=None, database=None)
@given(ids_15)
def test_suffix_records_which_letters_are_capitals(short: str) -> None:
    long = salesforce_ids.to_18(short)
    recovered = "".join(
        letter.upper()
        if "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".index(long[15 + at // 5]) >> at % 5 & 1
        else letter
        for at, letter in enumerate(short.lower())
    )
    assert recovered == short


@pytest.mark.parametrize(
    "text",
    [
        "",
        "005",
        "00500000000000",
        "0050000000000011",
        "00500000000000é",
        "005000000000001aaa",
        "005000000000001AA6",
        "005000000000001AAA\n",
        " 005000000000001",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not salesforce_ids.is_valid(text)
    with pytest.raises(ValueError, match="not a Salesforce id"):
        salesforce_ids.to_18(text)


def test_same_compares_the_first_15_characters_with_their_case() -> None:
    assert salesforce_ids.same("00Dd0000000gzcr", "00Dd0000000gzcrEAA")
    assert salesforce_ids.same("00Dd0000000gzcrAAA", "00Dd0000000gzcrEAA")
    assert not salesforce_ids.same("00dd0000000gzcr", "00Dd0000000gzcr")
    assert not salesforce_ids.same("", "")
    assert not salesforce_ids.same("00D", "00D")
