"""Who of another Salesforce org is who in the roster (A14)."""

import pytest

from muster.imports.succession import Person, heirs


def person(crm_id: str, username: str | None, email: str | None = None, *, active: bool = True) -> Person:
    return Person(crm_id, username, email, active)


ADA = person("new", "ada@acme.example", "ada@acme.example")


@pytest.mark.parametrize(
    ("username", "email"),
    [
        ("ada@acme.example", None),
        ("ADA@Acme.example", "else@acme.example"),
        ("ada@acme.example.uat", None),
        ("x@acme.example", "Ada@acme.example"),
        ("x@acme.example.uat", "ada@acme.example.invalid"),
        (None, "ada@acme.example"),
    ],
)
def test_the_same_person_is_found_by_username_and_address_in_both_directions(
    username: str | None, email: str | None
) -> None:
    there = person("old", username, email)
    assert heirs([ADA], [there]) == {"new": "old"}
    assert heirs([there], [ADA]) == {"old": "new"}


@pytest.mark.parametrize(
    ("username", "email"),
    [
        (None, None),
        ("ada@else.example", "ada@else.example"),
        ("ada@acme.example.uat.copy", "x@acme.example"),
        ("adal@acme.example", "ada@acme.example.invalid.invalid"),
    ],
)
def test_others_are_others(username: str | None, email: str | None) -> None:
    assert heirs([ADA], [person("old", username, email)]) == {}


def test_a_sandbox_that_is_named_like_a_top_level_domain_is_not_taken_for_one() -> None:
    assert heirs([person("new", "ada@acme")], [person("old", "ada@acme.example")]) == {}


def test_a_username_goes_before_an_address() -> None:
    by_address = person("old1", "other@acme.example", "ada@acme.example")
    by_username = person("old2", "ada@acme.example.uat", "ada@else.example")
    assert heirs([ADA], [by_address, by_username]) == {"new": "old2"}


def test_of_several_the_only_active_one() -> None:
    some = [person(f"old{n}", f"x{n}@acme.example", "ada@acme.example", active=n == 2) for n in range(4)]
    assert heirs([ADA], some) == {"new": "old2"}
    assert heirs(some, [ADA]) == {"old2": "new"}
    assert heirs([ADA], [each for each in some if not each.active]) == {}
    assert heirs([ADA], [each._replace(active=True) for each in some]) == {}


def test_nobody_is_two_and_two_are_not_one() -> None:
    users = [person("new1", "ada@acme.example", "one@acme.example"), person("new2", None, "one@acme.example")]
    assert heirs(users, [person("old", "ada@acme.example", "one@acme.example")]) == {"new1": "old"}


def test_who_is_inactive_in_both_is_left_alone() -> None:
    gone = ADA._replace(crm_id="old", active=False)
    assert heirs([ADA._replace(active=False)], [gone]) == {}
    assert heirs([ADA], [gone]) == {"new": "old"}
