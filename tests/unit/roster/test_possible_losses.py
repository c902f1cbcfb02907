"""What a change may free is foreseen: never less than what deciding then frees (A9, A14)."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from muster.roster import end_dates, seats
from muster.roster.decisions import Known
from muster.roster.links import Link, match_keys
from muster.roster.member import Member
from muster.roster.possible_losses import keys_perhaps_given_up, seats_perhaps_freed
from muster.roster.reasons import END_DATE, INACTIVE_USER, NAME_MISSING
from muster.roster.salesforce_lifecycle import decide, judged, wanted_for
from muster.roster.seats import HELD_SEAT, Pool
from muster.roster.writing_user_changes import given_up
from muster.settings import Settings
from muster.sources.user_changes import UserChange
from tests.examples import ADA, BOB, NOW, change, settings

BY_TITLE = {"field": "Title", "map": {"Rep": "gong", "Lead": "chorus"}}
SALES = {"name": "Sales", "filter": "A = 1", "seats": [BY_TITLE]}
PLAIN: dict[str, Any] = {
    "assignments": [SALES, {"name": "Support", "filter": "A = 2", "update_mode": "manual"}],
    "seats": {"gong": {"limit": 5}, "chorus": {"limit": 5, "requires": ["gong"]}},
}
ACME = settings(**PLAIN)
KEEPS = settings(**PLAIN, keep_active={"when_deactivated": True})
CONVERTS = settings(**PLAIN, domains={"primary": "acme.example", "convert": True})
GONG = dict.fromkeys(("gong", "chorus"), HELD_SEAT)

CHANGES = [
    {},
    {"IsActive": "false"},
    {"Title": "Lead"},
    {"Email": "ada@far.example", "Username": "ada@far.example"},
    {"Email": "ada@new.example"},
    {"FirstName": None},
    {"Username": "lovelace@acme.example", "Title": "Lead"},
]
ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {"own_email": "ada@far.example", "username": "ada@far.example"},
    {"former_keys": ("email#old@acme.example",)},
    {"active": False, "inactive_reason": INACTIVE_USER},
    {"active": False, "inactive_reason": END_DATE, "end_date": "2026-11-01"},
    {"end_date": "2026-11-01"},
    {"kept_reason": INACTIVE_USER},
    {"assignment": "Sales", "seats": GONG},
    {"assignment": "Support", "update_mode": "manual", "seats": GONG},
]
NEWCOMER = Member(
    id="n", organization="acme", active=True, email="ada@acme.example", crm={"salesforce": {"id": BOB}}
)
EMAIL, USERNAME = match_keys(None, NEWCOMER.email)[0], match_keys(NEWCOMER.email)[0]
SEATS = ("gong", "chorus")
# The assignment that matches, and the second of the change: the last one is older than what is known.
MATCHES = (("Sales", 31), ("Support", 31), ("", 31), ("Sales", 5))


def _member(**attributes: Any) -> Member:
    ada = Member(
        id="m",
        organization="acme",
        active=True,
        username="ada@acme.example",
        email="ada@acme.example",
        crm={"salesforce": {"id": ADA}},
        sources={"salesforce": "2026-11-20T08:15:20.000Z|~|read 2026-11-20T08:15:25.000Z|"},
        version=3,
    )
    return replace(ada, **attributes)


def _known(member: Member, how: str) -> Known:
    if how == "linked":
        return Known(link=Link(crm_id=ADA, member="m"), member=member)
    another = replace(member, crm={"salesforce": {"id": BOB}})
    return Known(former=another) if how == "former" else Known(matches={}, namesakes=(another,))


@pytest.mark.parametrize("organization", [ACME, KEEPS, CONVERTS], ids=["plain", "keeps", "converts"])
@pytest.mark.parametrize("how", ["linked", "former", "namesake"])
def test_whatever_deciding_frees_was_foreseen(organization: Settings, how: str) -> None:
    freed = 0
    for fields, attributes, (matches, second) in product(CHANGES, ATTRIBUTES, MATCHES):
        known = _known(_member(**attributes), how)
        user = replace(
            change(second, organization, **fields),
            matches=frozenset({matches} - {""}),
            succeeds=BOB if how == "former" else None,
        )
        freed += _is_foreseen(user, known, known, organization)
        if organization is CONVERTS:
            # While the others were decided about, somebody has come who has the address.
            later = replace(known, namesakes=(*known.namesakes, NEWCOMER))
            freed += _is_foreseen(user, known, later, organization, EMAIL)
    assert freed, "nothing was freed, so nothing was tried"


def _is_foreseen(
    user: UserChange, known: Known, later: Known, organization: Settings, *contested: str
) -> bool:
    """Decide on what is known later, and hold it against what was foreseen; returns whether it freed any."""
    verdict = judged(user, known.member, organization)
    keys = frozenset(keys_perhaps_given_up(user, wanted_for(user, organization), known, verdict, contested))
    decision = decide(user, later, organization, {"gong": Pool(5, 1), "chorus": Pool(5, 1)}, NOW)
    given = frozenset(given_up(decision)) if decision.after or decision.before else frozenset()
    assert given <= keys, (user.fields, known, decision)
    taken = frozenset[str]()
    if decision.after and decision.before:
        today = end_dates.today(NOW, organization.time_zone)
        foreseen = seats_perhaps_freed(decision.before, user, verdict, organization, today, SEATS)
        taken = seats.held(decision.before.seats) - seats.held(decision.after.seats)
        assert taken <= foreseen, (user.fields, known, decision)
    return bool(given or taken)


@pytest.mark.parametrize(
    ("fields", "attributes", "expected"),
    [
        ({"Title": "Lead"}, {}, set()),
        ({"Title": "Lead"}, {"former_keys": ("email#old@acme.example",)}, {"email#old@acme.example"}),
        ({"Email": "new@acme.example", "Username": "ada@acme.example"}, {}, {EMAIL}),
        ({"Email": "new@acme.example", "Username": "new@acme.example"}, {}, {EMAIL, USERNAME}),
        ({"IsActive": "false"}, {}, {EMAIL, USERNAME}),
    ],
)
def test_who_keeps_its_names_gives_up_none(fields: Any, attributes: Any, expected: set[str]) -> None:
    known = _known(_member(**attributes), "linked")
    user = replace(change(organization=ACME, **fields), matches=frozenset({"Sales"}))
    verdict = judged(user, known.member, ACME)
    assert set(keys_perhaps_given_up(user, wanted_for(user, ACME), known, verdict)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, {"chorus"}), ({"Title": "Lead"}, {"gong", "chorus"}), ({"IsActive": "false"}, {"gong", "chorus"})],
)
def test_a_seat_that_stays_is_not_taken_for_free(fields: Any, expected: set[str]) -> None:
    ada = _member(assignment="Sales", seats=GONG)
    user = replace(change(organization=ACME, **fields), matches=frozenset({"Sales"}))
    today = end_dates.today(NOW, ACME.time_zone)
    verdict = judged(user, ada, ACME)
    assert verdict.reason != NAME_MISSING
    assert seats_perhaps_freed(ada, user, verdict, ACME, today, SEATS) == expected
