from typing import Any

import pytest

from muster.crm.salesforce_fields import DEFAULT_SALESFORCE_MAP, FirstValidEmail, Join, is_valid_email, mapped
from tests.examples import USER


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("ada@acme.example", True),
        ("ada.o'neil+x@mail.acme.example", True),
        ("ada@acme.example.uat", True),
        ("ivan@e1.xn--p1ai", True),
        ("ünal@acme.example", True),
        ("ADA@ACME.EXAMPLE", True),
        ("ada@acme.exam\N{KELVIN SIGN}ple", False),
        ("ada@acme.xn--", False),
        ("ada@acme.1", False),
        ("ada@acme", False),
        ("ada", False),
        ("", False),
        (None, False),
        ("ada@@acme.example", False),
        ("ada lovelace@acme.example", False),
        ("ada@acme..example", False),
        ("ada@-acme.example", False),
        ("ada@acme.example\n", False),
        ("a" * 65 + "@acme.example", False),
        ("a@" + "b" * 250 + ".example", False),
    ],
)
def test_an_email_address_is_known_by_its_form(value: str | None, valid: bool) -> None:
    assert is_valid_email(value) is valid


def test_the_default_map_is_the_seeds_table() -> None:
    assert mapped(DEFAULT_SALESFORCE_MAP, USER) == {
        "username": "ada@acme.example",
        "email": "ada@acme.example",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "name": "Ada Lovelace",
        "title": "Rep",
        "phone_numbers.mobile": "+44 7700 900001",
        "phone_numbers.other": "+44 20 7946 0001",
        "extension": "12",
        "locale": "en_GB",
        "language": "en_US",
        "time_zone": "Europe/London",
        "picture_url": "https://acme.my.salesforce.com/profilephoto/005/T",
        "crm.username": "ada@acme.example",
        "crm.email": "ada@acme.example",
        "crm.call_center_id": "04v000000000001AAA",
        "crm.profile_id": "00e000000000001AAA",
        "crm.user_role_id": "00E000000000001AAA",
        "crm.user_type": "Standard",
        "crm.language": "en_US",
    }


@pytest.mark.parametrize(
    ("source", "fields", "expected"),
    [
        ("Title", {"Title": "Rep"}, {"title": "Rep"}),
        ("Title", {"Title": None}, {"title": None}),
        ("Title", {}, {}),
        (None, {"Title": "Rep"}, {}),
        (
            FirstValidEmail(("A", "B")),
            {"A": "ada@acme.example", "B": "b@acme.example"},
            {"title": "ada@acme.example"},
        ),
        (FirstValidEmail(("A", "B")), {"A": "ada", "B": "b@acme.example"}, {"title": "b@acme.example"}),
        (FirstValidEmail(("A", "B")), {"A": "ada", "B": "b"}, {"title": "b"}),
        (FirstValidEmail(("A", "B")), {"A": "ada@acme.example"}, {}),
        (Join(("A", "B")), {"A": "Ada", "B": "Lovelace"}, {"title": "Ada Lovelace"}),
        (Join(("A", "B")), {"A": None, "B": "Lovelace"}, {"title": "Lovelace"}),
        (Join(("A", "B")), {"A": None, "B": None}, {"title": None}),
        (Join(("A", "B")), {"A": "Ada"}, {}),
    ],
)
def test_a_source_gives_its_value_null_or_nothing_when_a_field_is_unknown(
    source: Any, fields: dict[str, str | None], expected: dict[str, str | None]
) -> None:
    assert mapped({"title": source}, fields) == expected
