"""Who would lose a group by the next push, as a table."""

from datetime import date
from typing import Any

import pytest

from muster.engage.expected_losses import Loss, expected_losses
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from tests.examples import settings

DAY = date(2026, 11, 20)
SETTINGS = settings(
    connections={"vault_crm": {"host": "acme.veevavault.com", "manage_features": ["engage"]}},
)


def holds(group: str | None, request: str | None = None) -> Engage:
    return Engage(request, None, group)


@pytest.mark.parametrize(
    ("about", "loses"),
    [
        ({"engage": holds("UK", "UK")}, False),
        ({"engage": holds(None, "UK")}, False),
        ({"engage": holds("UK")}, True),
        ({"engage": holds("UK", "US")}, True),
        ({"engage": holds("UK", "UK"), "active": False}, True),
        ({"engage": holds("UK", "UK"), "end_date": "2026-11-19"}, True),
        ({"engage": holds("UK", "UK"), "end_date": "2026-11-20"}, False),
        ({"engage": holds(None, "UK"), "active": False}, False),
        ({"engage_connect": holds("UK")}, False),
    ],
)
def test_who_is_to_be_in_no_group_or_another_one_loses_the_one_there_is(
    about: dict[str, Any], loses: bool
) -> None:
    known: dict[str, Any] = {"active": True, "crm": {"vault_crm": {"id": "10"}}, "assignment": "Sales"}
    member = Member(id="m1", organization="acme", **{**known, **about})
    assert expected_losses([member], SETTINGS, DAY) == ([Loss("Sales")] if loses else [])
