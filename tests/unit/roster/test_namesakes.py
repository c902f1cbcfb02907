"""Who is taken for whom, and whose an address is (A14)."""

from dataclasses import replace

import pytest

from muster.adapters.aws.roster_keys import link_item, to_link
from muster.roster import namesakes
from muster.roster.decisions import Known, Outcome
from muster.roster.links import Link, bucket, match_keys, same_text
from muster.roster.member import Member
from muster.roster.reasons import NAMESAKE_ACTIVE, NAMESAKE_LEFT, UNMATCHED
from muster.roster.salesforce_lifecycle import decide, given_way
from tests.examples import ADA, BOB, NOW, change, settings

CONVERT = settings(
    auto_provision={"require_call_center": False}, domains={"primary": "acme.example", "convert": True}
)
OWN, FOREIGN = "john@acme.example", "john@far.example"
EMPLOYEE = Member(id="m1", organization="acme", active=True, username=OWN, email=OWN, version=3)
CONTRACTOR = replace(EMPLOYEE, username=FOREIGN, own_email=FOREIGN)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ADA@acme.example", "ada@ACME.example", True),
        ("J\u00d6RG@acme.example", "j\u00f6rg@acme.example", True),
        ("jo\u0308rg@acme.example", "j\u00f6rg@acme.example", True),
        ("stra\u00dfe@acme.example", "strasse@acme.example", False),
        ("STRA\u1e9eE@acme.example", "stra\u00dfe@acme.example", True),
        ("ba\u017f@acme.example", "bas@acme.example", False),
        ("\u0130da@acme.example", "ida@acme.example", False),
        ("\uff41da@acme.example", "ada@acme.example", False),
    ],
)
def test_which_addresses_are_the_same(one: str, other: str, same: bool) -> None:
    assert (same_text(one) == same_text(other)) is same
    assert (match_keys(one, None) == match_keys(other, None)) is same


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("email#ada@acme.example", "email#ada@acme.example"),
        ("email#stra\u00dfe@acme.example", "email#strasse@acme.example"),
        ("vault_crm#V0Z", "vault_crm#V0Z"),
    ],
)
def test_keys_are_stored_where_earlier_versions_stored_them(key: str, stored: str) -> None:
    assert bucket(key) == stored


@pytest.mark.parametrize(
    ("username", "email", "member", "taken"),
    [
        ("john@acme.example", "x@acme.example", EMPLOYEE, True),
        ("x@acme.example", "JOHN@acme.example", EMPLOYEE, True),
        ("x@acme.example", "john@far.example", EMPLOYEE, False),
        ("x@acme.example", "john@acme.example", CONTRACTOR, False),
        ("x@acme.example", "john@far.example", CONTRACTOR, True),
        ("john@far.example", "x@acme.example", CONTRACTOR, True),
    ],
)
def test_who_is_taken_for_whom(username: str, email: str, member: Member, taken: bool) -> None:
    found = namesakes.taken_for(change(Username=username, Email=email), Known(namesakes=(member,)), CONVERT)
    assert found == ([member] if taken else [])


@pytest.mark.parametrize(
    ("there", "email"),
    [
        ((), "john@acme.example"),
        ((EMPLOYEE,), "john@far.example"),
        ((CONTRACTOR,), "john@far.example"),
        ((replace(EMPLOYEE, active=False),), "john@acme.example"),
    ],
)
def test_an_address_is_made_up_only_where_nobody_has_it(there: tuple[Member, ...], email: str) -> None:
    newcomer = change(Id=BOB, Username="second@far.example", Email="john@far.example")
    known = Known(namesakes=tuple(replace(each, own_email=None, username="x@acme.example") for each in there))
    decision = decide(newcomer, known, CONVERT, {}, NOW)
    assert decision.after
    assert decision.after.email == email
    told = email == "john@far.example"
    assert decision.after.own_email == (None if told else "john@far.example")
    assert (decision.entry.code if decision.entry else None) == ("address_taken" if told else None)


def test_who_has_an_address_of_its_own_takes_it_from_who_has_it_made_up() -> None:
    known = Known(matches={"email#john@acme.example": frozenset({"m1"})}, namesakes=(CONTRACTOR,))
    decision = decide(
        change(Id=BOB, Username="j@acme.example", Email="john@acme.example"), known, CONVERT, {}, NOW
    )
    assert (decision.outcome, decision.gives_way, decision.unchanged) == (
        Outcome.CREATED,
        (CONTRACTOR,),
        (CONTRACTOR,),
    )
    given = given_way(replace(CONTRACTOR, crm={"salesforce": {"id": ADA}}), CONVERT, NOW, "run:1")
    assert given.after
    assert (given.after.email, given.after.own_email) == ("john@far.example", None)
    assert given.after.former_keys == ("email#john@acme.example",)
    assert given.entry
    assert (given.entry.code, given.entry.record) == ("address_taken", ADA)


WAITS = Link(
    crm_id=BOB, reason=NAMESAKE_ACTIVE, source="2026|2|~2026|", match_keys=("email#john@acme.example",)
)


@pytest.mark.parametrize(
    "known",
    [
        Known(),
        Known(link=replace(WAITS, reason=UNMATCHED)),
        Known(link=replace(WAITS, reason=NAMESAKE_LEFT)),
        Known(link=WAITS, namesakes=(replace(EMPLOYEE, active=False), replace(EMPLOYEE, id="m2"))),
    ],
)
def test_who_does_not_wait_or_still_has_somebody_in_the_way_is_left_alone(known: Known) -> None:
    assert namesakes.no_longer_blocked(known, "webhook:04l", NOW) is None


def test_who_cannot_be_read_again_stays_out_and_is_told() -> None:
    known = Known(link=WAITS, namesakes=(replace(EMPLOYEE, active=False),))
    decision = namesakes.no_longer_blocked(known, "webhook:04l", NOW)
    assert decision
    assert (decision.outcome, decision.after, decision.link) == (
        Outcome.WAITING,
        None,
        replace(WAITS, reason=NAMESAKE_LEFT),
    )
    assert decision.entry
    assert (decision.entry.code, decision.entry.notification) == ("namesake_left", "04l")


def test_nobody_believes_what_earlier_versions_remembered_of_who_waits() -> None:
    item = link_item("acme", WAITS, None)
    remembered = '{"fields":{"Email":"john@acme.example"},"matches":["Sales"],'
    item["doc"]["S"] = item["doc"]["S"].replace("{", remembered, 1)
    assert to_link(item) == WAITS
