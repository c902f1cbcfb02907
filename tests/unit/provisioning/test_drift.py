"""In what an account in an app is not as it was left (O2)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.crm.scim_attributes import Values
from muster.crm.scim_resources import Resource
from muster.provisioning.drift import Seen, drift, with_spelling
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import LINKED, Account

SENT: Values = {
    "userName": "ada@acme.example",
    "title": "Rep",
    "phoneNumbers.mobile": "+44 20 7946",
    "entitlements": ("forecast", "gong"),
}
WANTED = WantedAccount(SENT, ("Sales",))
GROUPS = {"Sales": "g1", "EMEA": "g2"}
ADA = Account(
    standing=LINKED,
    id="1",
    user_name="ada@acme.example",
    access="given",
    active=True,
    sent=SENT,
    groups={"Sales": "g1"},
)
GONE = replace(ADA, access="ended", active=False, groups={})
BODY: dict[str, Any] = {
    "id": "1",
    "userName": "ada@acme.example",
    "active": True,
    "title": "Rep",
    "phoneNumbers": [{"type": "mobile", "value": "+44207946"}],
    "entitlements": [{"value": "gong"}, {"value": "forecast"}, {"value": "another's"}],
}


def shown(*groups: str, others: tuple[Resource, ...] = (), **body: Any) -> Seen:
    given = {name: value for name, value in {**BODY, **body}.items() if value is not None}
    return Seen(Resource("1", given), frozenset(groups), others)


@pytest.mark.parametrize(
    ("account", "wanted", "seen", "expected"),
    [
        (ADA, WANTED, shown("g1"), ()),
        # Another spelling, and what is not shown at all, say nothing.
        (ADA, WANTED, shown("g1", userName="ADA@acme.example", title=" Rep "), ()),
        (ADA, WANTED, shown("g1", title=None, phoneNumbers=None, active=None), ()),
        (ADA, WANTED, shown("g1", title="Queen", userName="eve@acme.example"), ("changed: title, userName",)),
        (ADA, WANTED, shown("g1", entitlements=[{"value": "gong"}]), ("changed: entitlements",)),
        (ADA, WANTED, shown("g1", active="False"), ("closed",)),
        (ADA, WANTED, shown(), ("out of: Sales",)),
        (ADA, WANTED, shown("g1", "g2", "g3"), ("put into: EMEA",)),
        (ADA, WANTED, Seen(None), ("gone",)),
        # Whoever has left: what counts is whether the account lets anybody in.
        (GONE, None, shown(active=False, title="Queen"), ()),
        (GONE, None, Seen(None), ()),
        (GONE, None, shown(), ("opened",)),
        (GONE, None, shown("g1", active=False), ("put into: Sales",)),
        (ADA, WANTED, shown("g1", others=(Resource("2", {"id": "2"}),)), ("another account: 2",)),
    ],
)
def test_what_is_not_as_it_was_left(
    account: Account, wanted: WantedAccount | None, seen: Seen, expected: tuple[str, ...]
) -> None:
    found = drift(account, wanted, seen, GROUPS, deletes=False)
    assert (found.words if found else ()) == expected


def test_what_is_shown_otherwise_right_after_it_was_sent_is_the_apps_own_way() -> None:
    seen = shown("g2", title="REPRESENTATIVE")
    known = with_spelling(ADA, seen, GROUPS)
    assert known == Account.from_json(known.to_json())
    assert drift(known, WANTED, seen, GROUPS, deletes=False) is None
    # Anything else is news, and so is the same of another value.
    other = drift(known, WANTED, shown("g2", title="Queen"), GROUPS, deletes=False)
    assert other
    assert other.words == ("changed: title",)
    changed = replace(known, sent={**SENT, "title": "Lead"})
    assert drift(changed, WANTED, seen, GROUPS, deletes=False)
