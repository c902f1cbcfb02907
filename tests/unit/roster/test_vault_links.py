"""Whose a user of Vault CRM is, by its names, and what is told of links (A14, G10)."""

from dataclasses import replace
from typing import Any

import pytest

from muster.crm.engage_features import CONNECT, ENGAGE, Seen
from muster.roster import vault_links
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.sources.vault_users import LinkLost, LostLink, VaultUser
from tests.examples import settings
from tests.members import changed, vault_state

ACME = settings(connections={"vault_crm": {"host": "acme-crm.veevavault.com"}})
BY_USERNAME = settings(connections={"vault_crm": {"host": "acme-crm.veevavault.com", "match": "username"}})
AT = "2026-11-20T08:16:00.000Z"


def member(name: str, **more: Any) -> Member:
    """Return a member of that name; its id is the name."""
    address = f"{name}@acme.example"
    given: dict[str, Any] = {"username": address, "email": address, "active": True} | more
    return changed(Member(id=name, organization="acme"), **given)


def user(name: str | None, username: str | None = None, **more: Any) -> VaultUser:
    """Return a user with the address of that name, and the username of another if it is given."""
    return VaultUser(
        id=more.pop("id", "10042"),
        username=f"{username or name}@acme.example",
        email=f"{name}@acme.example" if name else None,
        active=True,
        seen={ENGAGE: Seen(), CONNECT: Seen()},
        **more,
    )


ADA, BOB, CAROL = member("ada"), member("bob"), member("carol")
CONVERTED = member("kim", own_email="kim@agency.example")


@pytest.mark.parametrize(
    ("of_user", "linked", "others", "whose"),
    [
        # It goes by something of its member.
        (user("ada"), ADA, [BOB], None),
        (user("ADA"), ADA, [BOB], None),
        (user("bob", "ada"), ADA, [BOB], None),
        (user("ada", "bob"), ADA, [BOB], None),
        (user("kim", "x"), CONVERTED, [BOB], None),
        # It goes by nothing of its member, and by another's own names.
        (user("bob"), ADA, [BOB], "bob"),
        (user("bob", "else"), ADA, [BOB], "bob"),
        (user("bob"), ADA, [BOB, member("bob2", email="bob@acme.example", active=False)], "bob"),
        # In doubt.
        (user("else"), ADA, [BOB], None),
        (user(None, "else"), ADA, [BOB], None),
        (user("else", "bob"), ADA, [BOB], None),
        (user("bob", "carol"), ADA, [BOB, CAROL], None),
        (user("bob"), ADA, [BOB, member("bob2", email="bob@acme.example")], None),
        (user("kim"), ADA, [member("kim", username="k", own_email="kim@agency.example")], None),
        (user("bob"), replace(ADA, former_keys=("email#bob@acme.example",)), [BOB], None),
    ],
)
def test_a_user_is_another_members_only_where_that_is_certain(
    of_user: VaultUser, linked: Member, others: list[Member], whose: str | None
) -> None:
    found = vault_links.owner(of_user, linked, [linked, *others], ACME)
    assert (found.id if found else None) == whose


def test_by_what_users_are_linked_the_settings_say() -> None:
    found = vault_links.owner(user("else", "bob"), ADA, [BOB], BY_USERNAME)
    assert found == BOB
    assert vault_links.candidates(user("bob", "ada"), [ADA, BOB], BY_USERNAME) == (ADA,)
    assert vault_links.candidates(user("bob", "ada"), [ADA, BOB], ACME) == (BOB,)


@pytest.mark.parametrize(("address", "found"), [("kim@agency.example", True), ("kim@acme.example", False)])
def test_a_converted_address_links_nobody(address: str, found: bool) -> None:
    of_user = replace(user("x"), email=address)
    assert bool(vault_links.candidates(of_user, [CONVERTED], ACME)) is found


LINKED = replace(ADA, crm={"vault_crm": {"id": "10001", "username": None}})
IN_UK = replace(LINKED, engage=Engage("UK", "success", "UK"))
RELINKED = replace(ADA, crm={"vault_crm": {"id": "10042", "username": None}})
UNFIT = replace(RELINKED, vault=vault_state(unfit=True))


@pytest.mark.parametrize(
    ("change", "before", "after", "told"),
    [
        (user("ada"), ADA, RELINKED, []),
        (user("ada"), LINKED, RELINKED, []),
        (user("ada"), IN_UK, RELINKED, [("vault_user_left_in_group", "10001")]),
        (user("ada", moved=True), IN_UK, RELINKED, []),
        (user("x"), RELINKED, UNFIT, [("vault_user_renamed", "10042")]),
        (
            user("x"),
            UNFIT,
            replace(UNFIT, title="x"),
            [],
        ),
        (LostLink(id="10001", member="ada", why=LinkLost.GONE), IN_UK, ADA, [("vault_user_gone", "10001")]),
        (
            LostLink(id="10001", member="ada", why=LinkLost.HANDED_ON, to="bob"),
            IN_UK,
            ADA,
            [("vault_user_handed_on", "10001")],
        ),
        (LostLink(id="10001", member="ada", why=LinkLost.OTHER_VAULT), IN_UK, ADA, []),
    ],
)
def test_what_is_told_of_links(
    change: VaultUser | LostLink, before: Member, after: Member, told: list[tuple[str, str]]
) -> None:
    found = list(vault_links.entries(change, before, after, AT, "1"))
    assert [(each.code, each.record) for each in found] == told
    for each in found:
        assert each.remedy
        assert "(member ada)" in each.message
        assert "acme.example" not in each.message
