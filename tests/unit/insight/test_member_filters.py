"""What members are listed by, as a table: filter, member, whether it is listed."""

from collections.abc import Mapping
from typing import Any

import pytest

from muster.errors import Rejected
from muster.insight import member_filters
from muster.roster.accounts import Account, of_shown
from muster.roster.member import Member
from tests.examples import settings

ACME = settings(connections={"scim": {"gong": {"host": "gong.example", "who": "everyone"}}})


def member(**states: str) -> Member:
    accounts: Mapping[str, Account] = {
        f"scim.{app}": of_shown({"state": state}) for app, state in states.items()
    }
    return Member(id="m", organization="acme", accounts=accounts)


@pytest.mark.parametrize(
    ("account", "which", "is_listed"),
    [
        ("conflict", member(gong="conflict"), True),
        ("Conflict", member(slack="conflict", gong="active"), True),
        ("conflict", member(gong="active"), False),
        ({"scim.gong": "to_adopt"}, member(gong="to_adopt"), True),
        ({"scim.gong": "to_adopt"}, member(slack="to_adopt"), False),
        ({"scim.gong": "to_adopt", "scim.slack": "active"}, member(gong="to_adopt", slack="active"), True),
        ({"scim.gong": "to_adopt", "scim.slack": "active"}, member(gong="to_adopt"), False),
        ({"scim.gong": True}, member(gong="inactive"), True),
        ({"scim.gong": True}, member(slack="active"), False),
        ({"scim.gong": None}, member(slack="active"), True),
        ({"scim.gong": None}, member(gong="failed"), False),
    ],
)
def test_members_are_listed_by_their_accounts(account: Any, which: Member, is_listed: bool) -> None:
    wanted = member_filters.parsed({"account": account})
    assert wanted.matches(which) is is_listed
    # Whoever has left may have one that is open.
    assert wanted.active is None
    assert member_filters.parsed({"account": account, "active": True}).active is True


@pytest.mark.parametrize(
    ("filters", "nearest"),
    [
        ({"account": "conflct"}, "conflict"),
        ({"account": {"scim.gong": "to_adobt"}}, "to_adopt"),
        ({"account": {"scim.gnog": "to_adopt"}}, "scim.gong"),
        ({"account.scim.gnog": "to_adopt"}, "scim.gong"),
    ],
)
def test_a_state_or_an_app_that_there_is_none_of_is_refused_with_the_nearest(
    filters: dict[str, Any], nearest: str
) -> None:
    with pytest.raises(Rejected) as refused:
        member_filters.require_known(member_filters.parsed(filters), {}, ACME)
    assert refused.value.problems[0].remedy == f"Did you mean {nearest!r}?"
