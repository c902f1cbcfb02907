"""What was known of users is in the archive as it was: a plan rests on it, and so does every write (Q4)."""

import pytest

from muster.imports.known_users import KnownUsers, part_of
from muster.roster.decisions import Known, Wanted
from muster.roster.links import Link
from tests.unit.imports.plans import crm_id, linked, member

ADA, BOB = member("ada"), member("bob", former_keys=("email#b@acme.example",), matched=("Sales",))
USER = crm_id("ada")
EMAIL = "email#ada@a.example"
WANTED = Wanted(match_keys=("username#stra\u00dfe@a.example", EMAIL), claims=(EMAIL,))
NOBODYS = dict.fromkeys(("username#strasse@a.example", EMAIL), frozenset[str]())


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (Known(matches=NOBODYS), WANTED),
        (Known(matches=NOBODYS, manager="m1"), WANTED),
        (Known(matches={**NOBODYS, EMAIL: frozenset({BOB.id})}, namesakes=(BOB,)), WANTED),
        (Known(matches={**NOBODYS, EMAIL: frozenset({"held by an erased one"})}), WANTED),
        (Known(link=Link(crm_id=USER, reason="unmatched", source="s", revision=2), matches=NOBODYS), WANTED),
        (Known(link=Link(crm_id=USER, reason="w", match_keys=("a", "b")), matches=NOBODYS), WANTED),
        (linked(ADA), Wanted(match_keys=WANTED.match_keys)),
        (linked(ADA, matches={EMAIL: frozenset()}), WANTED),
        (
            linked(ADA, matches={EMAIL: frozenset({BOB.id})}, namesakes=(BOB,), manager="m"),
            WANTED,
        ),
        (Known(matches=NOBODYS, former=BOB), WANTED),
    ],
)
def test_what_was_known_is_read_back_as_it_was(known: Known, wanted: Wanted) -> None:
    [found] = KnownUsers([part_of({USER: known})]).of([(USER, wanted)])
    assert found == known


def test_who_is_new_takes_no_room() -> None:
    part = part_of({USER: Known(matches=NOBODYS)})
    assert part == part_of({"another": Known(matches=NOBODYS)})


def test_users_come_back_in_their_order_over_several_parts() -> None:
    users = [(f"u{number}", Wanted()) for number in range(5)]
    managed = [(user, Known(matches={}, manager=user)) for user, _ in users]
    parts = [part_of(dict(managed[:3])), part_of(dict(managed[3:]))]
    assert [known.manager for known in KnownUsers(parts).of(users)] == [user for user, _ in users]


def test_members_are_found_in_any_part() -> None:
    users = KnownUsers([part_of({USER: linked(ADA)}), part_of({"u": Known(matches={}, namesakes=(BOB,))})])
    assert users.members({BOB.id, "nobody"}) == {BOB.id: BOB}
