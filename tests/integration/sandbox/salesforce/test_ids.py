import pytest

from sandbox.salesforce import ids
from tests.doubles.salesforce_over_http import Organization, error_of, suffix_by_the_book

# Public sample ids with their published suffix.
SAMPLES = [
    ("00Dd0000000gzcr", "EAA"),
    ("00Dxx0000001gPF", "EAY"),
    ("00541000000b4LL", "AAY"),
    ("a0D30000001n7Pi", "EAI"),
]


@pytest.mark.parametrize(("id15", "suffix"), SAMPLES)
def test_the_suffix_is_the_published_one(id15: str, suffix: str) -> None:
    assert ids.with_suffix(id15) == id15 + suffix
    assert suffix_by_the_book(id15) == suffix


@pytest.mark.parametrize(("id15", "suffix"), SAMPLES)
@pytest.mark.parametrize("change", [str, str.lower, str.upper, str.swapcase])
def test_an_18_character_id_survives_a_change_of_case(id15: str, suffix: str, change: type[str]) -> None:
    assert ids.canonical(change(id15 + suffix)) == id15 + suffix


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00D",
        "00Dd0000000gzcrE",
        "00Dd0000000gzcr EA",
        "00Dd0000000gzc-",
        "00Dd0000000gzcrEA6",
        "0" * 15 + "AAB",
    ],
)
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="not a record id"):
        ids.canonical(text)


def test_ids_ascend_and_have_the_right_suffix(org: Organization) -> None:
    created = [org.create() for _ in range(70)]
    assert created == sorted(created)
    assert len(set(created)) == 70
    for each in created:
        assert each[:3] == "005"
        assert each[15:] == suffix_by_the_book(each[:15])


def test_ids_are_not_handed_out_again_after_a_reset(org: Organization) -> None:
    before = org.create()
    org.control("POST", "reset")
    assert org.create() > before


def test_a_user_answers_to_every_form_of_its_id(org: Organization) -> None:
    user = org.create(LastName="Hopper")
    for form in (user, user[:15], user.lower(), user.upper()):
        assert org.user(form)["LastName"] == "Hopper"
        assert org.found(f"Id = '{form}'") == ["Hopper"]
        org.update(form, Title=form)
        assert org.user(user)["Title"] == form


def test_the_15_character_form_is_sensitive_to_case(org: Organization) -> None:
    user = org.create()
    answer = org.call("GET", f"/sobjects/User/{user[:15].swapcase()}")
    assert error_of(answer) == (404, "NOT_FOUND")
