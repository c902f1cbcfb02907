"""How many days are left until credentials end, by what an admin wrote into their secret (U5, N2)."""

from datetime import date

import pytest

from muster.connections.credential_expiry import days_left

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("2026-11-21", 0),
        ("2026-11-22", 1),
        ("2026-11-20", -1),
        ("2026-12-21", 30),
        ("2027-11-21", 365),
        ("2028-11-21", 731),  # 2028 has a 29th of February
        ("2024-02-29", -996),
        (" 2026-11-22\n", 1),
        ("0001-01-01", -739_940),
        ("9999-12-31", 2_912_118),
    ],
)
def test_days_are_counted_from_today(written: str, left: int) -> None:
    assert days_left({"expires_on": written, "password": "x"}, TODAY) == left


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "never",
        "2027",
        "2027-1-31",
        "2027-02-30",
        "2026-02-29",
        "2027-13-01",
        "0000-01-01",
        "31.01.2027",
        "01/31/2027",
        "20270131",
        "2027-W05-7",
        "2027-01-31T00:00:00Z",
        "+2027-01-31",
        "\uff12\uff10\uff12\uff17-01-31",
    ],
)
def test_what_is_no_iso_date_is_none(written: str) -> None:
    assert days_left({"expires_on": written}, TODAY) is None


def test_a_secret_without_the_key_has_none() -> None:
    assert days_left({"username": "u", "password": "2027-01-31"}, TODAY) is None
