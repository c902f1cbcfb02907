"""What becomes of a member when its user in Vault CRM is read (I3, I9, I10, G4, A5)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from muster.crm import engage_features
from muster.crm.engage_features import CONNECT, ENGAGE, Seen
from muster.roster import engage_groups
from muster.roster.decisions import Decision, Known, Outcome
from muster.roster.engage_state import Engage
from muster.roster.links import vault_key
from muster.roster.member import Member
from muster.roster.vault_lifecycle import (
    AMBIGUOUS,
    REQUEST_KEPT,
    Notice,
    decide,
    in_order,
    notices,
    succeeding,
    wanted_for,
)
from muster.roster.vault_state import FormerGroup, VaultState
from muster.sources.vault_users import LinkLost, LostLink, VaultUser
from tests.examples import settings
from tests.members import changed as with_stored

NOW = datetime(2026, 11, 20, 8, 16, tzinfo=UTC)
VAULT = {"vault_crm": {"host": "acme-crm.veevavault.com", "manage_features": ["engage", "engage_connect"]}}
ACME = settings(connections=VAULT)
OVERWRITING = settings(connections=VAULT, pending_edits="overwrite")
ASSIGNMENTS = [
    {"name": "Sales", "update_mode": "automatic", "engage": {"group": "UK"}},
    {"name": "Support", "update_mode": "manual", "engage": {"group": "UK"}},
    {"name": "Other", "update_mode": "automatic", "engage_connect": {"group": "UK"}},
]
ASSIGNING = settings(connections=VAULT, assignments=ASSIGNMENTS)
ASSIGNING_OVER = settings(connections=VAULT, assignments=ASSIGNMENTS, pending_edits="overwrite")
RETRY, SENT, SUCCESS = engage_features.RETRY_REQUEST, engage_features.REQUEST_SENT, engage_features.SUCCESS
KEYS = (vault_key("10042"), "email#ada@acme.example")


def ada(
    request: str | None = None, status: str | None = None, group: str | None = None, **more: Any
) -> Member:
    """Return Ada, who is not in Vault CRM as far as Muster knows."""
    given: dict[str, Any] = {
        "email": "ada@acme.example",
        "active": True,
        "version": 3,
        ENGAGE: Engage(request, status, group),
    } | more
    return with_stored(Member(id="m1", organization="acme"), **given)


def linked(
    request: str | None = None,
    status: str | None = None,
    group: str | None = None,
    seen: str | None = None,
    **more: Any,
) -> Member:
    """Return Ada, linked; `seen` is the request that Vault CRM showed last."""
    digest = "" if status == RETRY else "d0"  # as an edit leaves it
    given: dict[str, Any] = {
        "crm": {"vault_crm": {"id": "10042", "username": "ada@acme.example"}},
        "vault": {"active": True, ENGAGE: seen, CONNECT: None, "digest": digest},
    } | more
    return ada(request, status, group, **given)


def user(
    request: str | None = None, status: str | None = None, group: str | None = None, **more: Any
) -> VaultUser:
    """Return Ada as Vault CRM shows her for engage."""
    given: dict[str, Any] = {
        "id": "10042",
        "username": "ada@acme.example",
        "email": "Ada@acme.example",
        "active": True,
        "seen": {ENGAGE: Seen(request, status, group), CONNECT: Seen()},
        "requests": {ENGAGE: request, CONNECT: None},
        "digest": "d1",
        "run": "run:1",
    } | more
    return VaultUser(**given)


def known(*members: Member) -> Known:
    return Known(matches={key: frozenset() for key in KEYS}, namesakes=members)


def engage(decision: Decision) -> tuple[str | None, str | None, str | None]:
    member = decision.after or decision.before
    assert member
    return member.engage.request, member.engage.status, member.engage.group


def changed(decision: Decision) -> set[str]:
    assert decision.history
    return {each.field for each in decision.history.changes}


# ── Whose user it is ─────────────────────────────────────────────────────────────────────────────


def test_a_user_is_looked_up_by_its_id_and_all_its_names() -> None:
    keys = ("vault_crm#10042", "username#ada@acme.example", "email#ada.l@acme.example")
    assert wanted_for(user(email="Ada.L@acme.example"), ACME).match_keys == keys
    assert wanted_for(user(username=None, email=None), ACME).match_keys == keys[:1]


def test_whom_nobody_matches_is_left_alone() -> None:
    decision = decide(user(), known(), ACME, {}, NOW)
    assert (decision.outcome, decision.writes) == (Outcome.UNLINKED, False)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "no_member"),
        ([ada(), ada(id="m2")], "ambiguous"),
        ([linked(crm={"vault_crm": {"id": "10001"}})], "member_linked_to_another"),
        ([linked(crm={"vault_crm": {"id": "10001"}}, active=False)], "member_left"),
    ],
)
def test_why_a_user_is_nobodys_is_said(members: list[Member], reason: str) -> None:
    decision = decide(user(), known(*members), ACME, {}, NOW)
    assert (decision.unlinked_reason, decision.unchanged) == (reason, tuple(members))


def test_who_matches_is_linked_under_the_conditions_that_were_read() -> None:
    decision = decide(user("UK", SUCCESS, "UK"), known(ada()), ACME, {}, NOW)
    assert decision.outcome is Outcome.LINKED
    assert decision.matches == {key: frozenset() for key in KEYS}
    assert decision.link is None
    assert decision.after
    assert decision.after.crm == {"vault_crm": {"id": "10042", "username": "ada@acme.example"}}
    assert engage(decision) == ("UK", SUCCESS, "UK")
    assert decision.after.origins == {"engage.request": "crm"}
    assert decision.after.vault.to_json() == {"active": True, ENGAGE: "UK", CONNECT: None, "digest": "d1"}
    assert decision.history
    assert (decision.history.origin, decision.history.run, decision.history.version) == ("crm", "run:1", 4)


def test_the_link_goes_before_the_address_while_the_user_goes_by_anything_of_its_member() -> None:
    moved, other = linked(email="countess@acme.example", username="ada@acme.example"), ada(id="m2")
    decision = decide(user("UK"), known(other, moved), ACME, {}, NOW)
    assert decision.before == moved
    assert decision.matches is None


def test_who_certainly_is_another_member_loses_the_link_first_and_what_it_showed() -> None:
    moved = linked(
        "UK", SUCCESS, "UK", "UK", email="x@acme.example", custom={"Country": "DE", "Region__c": "EU"}
    )
    kept = FormerGroup("DE", "crm")
    moved = replace(moved, vault=replace(moved.vault, former={ENGAGE: kept}, unfit=True))
    listed = settings(
        connections=VAULT,
        auto_provision={"custom_fields": ["Region__c"]},
        field_maps={"vault_crm": {"inbound": {"custom": {"custom.Country": "country__c"}}}},
    )
    decision = decide(user("UK"), known(ada(id="m2"), moved), listed, {}, NOW)
    assert (decision.outcome, decision.before) == (Outcome.UNLINKED, moved)
    after = decision.after
    assert after
    assert (engage(decision), after.crm, after.vault) == (
        ("UK", None, None),
        {},
        VaultState(former={ENGAGE: kept}),
    )
    assert after.custom == {"Region__c": "EU"}
    assert decide(user("UK"), known(ada(id="m2"), after), listed, {}, NOW).outcome is Outcome.LINKED


def test_of_two_members_with_one_user_whom_it_does_not_fit_loses_it() -> None:
    right, wrong = linked(), linked(id="m2", email="x@acme.example")
    for members in ((right, wrong), (wrong, right)):
        decision = decide(user(), known(*members), ACME, {}, NOW)
        assert (decision.outcome, decision.before) == (Outcome.UNLINKED, wrong)


def test_in_doubt_the_link_stays_and_is_looked_at_again() -> None:
    before = linked("UK", SUCCESS, "UK", "UK", email="x@acme.example")
    of_user = user("UK", SUCCESS, "UK")
    after = decide(of_user, known(before), ACME, {}, NOW).after
    assert after
    assert (after.vault.to_json()["unfit"], after.vault.to_json()["digest"]) == (True, "")
    assert not decide(of_user, known(after), ACME, {}, NOW).writes
    mended = decide(of_user, known(replace(after, email="ada@acme.example")), ACME, {}, NOW).after
    assert mended
    assert ("unfit" in mended.vault.to_json(), mended.vault.to_json()["digest"]) == (False, "d1")


@pytest.mark.parametrize(
    ("holds", "vault_id", "outcome"),
    [("m1", "10042", Outcome.UNLINKED), ("m2", "10042", Outcome.STALE), ("m1", "10043", Outcome.STALE)],
)
def test_a_lost_link_is_taken_from_whom_it_names_while_it_is_that_one(
    holds: str, vault_id: str, outcome: Outcome
) -> None:
    lost = LostLink(id="10042", member="m1", why=LinkLost.GONE)
    member = linked(id=holds, crm={"vault_crm": {"id": vault_id, "username": None}})
    assert wanted_for(lost, ACME).match_keys == (vault_key("10042"),)
    assert decide(lost, known(member), ACME, {}, NOW).outcome is outcome


def test_of_another_vault_no_id_says_anything() -> None:
    other, before = linked(id="m2", email="x@acme.example"), linked("UK", SUCCESS, "UK", "UK", crm=FORMER)
    of_user = user("DE", SUCCESS, "DE", moved=True, succeeds="10001")
    decision = decide(of_user, known(other, before), ACME, {}, NOW)
    assert decision.outcome is Outcome.LINKED
    assert decision.after
    assert (decision.after.id, engage(decision)) == ("m1", ("UK", RETRY, "DE"))
    # Made again, it changes nothing; and a second user with that address does not take its place.
    again = decide(of_user, known(other, decision.after), ACME, {}, NOW)
    assert (again.outcome, again.writes) == (Outcome.UNCHANGED, False)
    second = user(id="10099", moved=True)
    assert decide(second, known(decision.after), ACME, {}, NOW).outcome is Outcome.UNLINKED


@pytest.mark.parametrize(
    ("active", "outcome", "whose"),
    [
        ([False], Outcome.LINKED, "m0"),
        ([False, True], Outcome.LINKED, "m1"),
        ([True, False, False], Outcome.LINKED, "m0"),
        ([True, True], Outcome.AMBIGUOUS, None),
        ([False, False], Outcome.AMBIGUOUS, None),
    ],
)
def test_of_several_who_match_the_one_who_is_active_is_linked(
    active: list[bool], outcome: Outcome, whose: str | None
) -> None:
    namesakes = [ada(id=f"m{number}", active=each) for number, each in enumerate(active)]
    decision = decide(user(), known(*namesakes), ACME, {}, NOW)
    assert (decision.outcome, decision.after.id if decision.after else None) == (outcome, whose)


def test_an_ambiguous_user_is_told_without_naming_anybody() -> None:
    decision = decide(user(), known(ada(), ada(id="m2")), ACME, {}, NOW)
    assert not decision.writes
    [notice] = notices(user(), decision, ACME)
    assert notice.code == AMBIGUOUS
    assert "several members" in notice.problem.message
    assert "ada" not in f"{notice.problem.message} {notice.problem.remedy}".lower()


FORMER = {"vault_crm": {"id": "10001", "username": "ada@acme.example"}}
A_DAY_AGO = "2026-11-19T08:16:00.000Z"
FAILED = {"tries": {ENGAGE: {"since": A_DAY_AGO, "last": A_DAY_AGO, "failed": A_DAY_AGO}}}
LEFT: dict[str, Any] = {"active": False, ENGAGE: None, CONNECT: None, "digest": "d0"}


@pytest.mark.parametrize(
    ("member", "of_user", "outcome"),
    [
        (linked(crm=FORMER), {}, Outcome.UNLINKED),
        (linked(crm=FORMER), {"succeeds": "10002"}, Outcome.UNLINKED),
        (linked(crm=FORMER), {"succeeds": "10001"}, Outcome.LINKED),
        (linked(crm=FORMER, vault=LEFT), {}, Outcome.LINKED),
        (linked(crm=FORMER, vault=LEFT), {"active": False}, Outcome.UNLINKED),
        (linked(group="UK", crm=FORMER, vault=LEFT), {}, Outcome.UNLINKED),
        (linked(crm=FORMER, vault={**LEFT, ENGAGE: "UK"}), {}, Outcome.UNLINKED),
        (linked(group="UK", crm=FORMER, vault=LEFT | FAILED), {}, Outcome.LINKED),
        (linked(group="UK", crm=FORMER, vault={"active": True, "unfit": True}), {}, Outcome.LINKED),
        (linked(crm=FORMER, vault={"active": True, "unfit": True}), {"active": False}, Outcome.UNLINKED),
    ],
)
def test_who_is_linked_to_another_user_is_taken_over_only_when_that_one_leaves_nothing_behind(
    member: Member, of_user: dict[str, Any], outcome: Outcome
) -> None:
    assert decide(user(**of_user), known(member), ACME, {}, NOW).outcome is outcome


def test_a_new_user_starts_without_what_was_seen_of_the_former_one() -> None:
    waits = {ENGAGE: {"group": "DE", "since": "2026", "tried": "2026"}}
    former = linked("UK", "no_licenses_remaining", seen="UK", crm=FORMER, vault={**LEFT, "waits": waits})
    decision = decide(user(), known(former), ACME, {}, NOW)
    assert engage(decision) == ("UK", RETRY, None)
    assert decision.after
    assert decision.after.vault.to_json() == {"active": True, ENGAGE: None, CONNECT: None, "digest": "d1"}


@pytest.mark.parametrize(
    ("unseen", "succeeds"), [({"10001", "10009"}, "10001"), ({"10009"}, None), ({"10042"}, None)]
)
def test_a_user_comes_in_the_place_of_one_whom_the_vault_no_longer_shows(
    unseen: set[str], succeeds: str | None
) -> None:
    found = succeeding(user(), known(linked(crm=FORMER), ada(id="m2")), frozenset(unseen), ACME)
    assert found.succeeds == succeeds


def test_of_users_with_one_address_those_who_are_active_come_first() -> None:
    users = [user(id="9", active=False), user(id="10"), user(id="2")]
    assert [each.id for each in sorted(users, key=in_order)] == ["2", "10", "9"]


# ── The request, and what is to be sent ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("acme", "before", "shown", "after"),
    [
        # Nothing is pending: Vault CRM's values, request included (G4).
        (ACME, linked(), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (ACME, linked("UK", SUCCESS, "UK", "UK"), ("US", SUCCESS, "US"), ("US", SUCCESS, "US")),
        (ACME, linked("UK", SUCCESS, "UK", "UK"), (None, SUCCESS, None), (None, SUCCESS, None)),
        (ACME, linked("UK", SENT, None, "UK"), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (ACME, linked("UK", SENT, None, "UK"), ("UK", "brand_new__v", None), ("UK", "brand_new__v", None)),
        # What Vault CRM was asked to try again is under way, and not something to send from here.
        (ACME, linked("UK", SUCCESS, "UK", "UK"), ("UK", RETRY, "UK"), ("UK", SENT, "UK")),
        # An edit that is not sent yet (I10).
        (ACME, linked("US", RETRY, "UK", "UK"), ("UK", SUCCESS, "UK"), ("US", RETRY, "UK")),
        (ACME, linked(None, RETRY, "UK", "UK"), ("UK", SUCCESS, "UK"), (None, RETRY, "UK")),
        (ACME, linked("UK", RETRY, None, "UK"), ("UK", "request_failed", None), ("UK", RETRY, None)),
        (OVERWRITING, linked("US", RETRY, "UK", "UK"), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (OVERWRITING, linked(None, RETRY, "UK", "UK"), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (OVERWRITING, linked("UK", RETRY, None, "UK"), ("UK", "request_failed", None),
         ("UK", "request_failed", None)),
        # It is in Vault CRM already: a push died after it wrote. Nothing is asked for twice.
        (ACME, linked("US", RETRY, "UK", "UK"), ("US", SENT, "UK"), ("US", SENT, "UK")),
        (ACME, linked(None, RETRY, "UK", "UK"), (None, SUCCESS, None), (None, SUCCESS, None)),
        # Who is new keeps the request, in both modes; without one, Vault CRM's is taken.
        (ACME, ada("US"), (None, None, None), ("US", RETRY, None)),
        (OVERWRITING, ada("US"), (None, None, None), ("US", RETRY, None)),
        (OVERWRITING, ada("US"), ("UK", SUCCESS, "UK"), ("US", RETRY, "UK")),
        (ACME, ada("UK"), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (ACME, ada(), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        (ACME, ada(active=False), ("UK", SUCCESS, "UK"), ("UK", SUCCESS, "UK")),
        # An automatic assignment that speaks of the feature goes before Vault CRM (A5).
        (ASSIGNING, linked("UK", SUCCESS, "UK", "UK", assignment="Sales"), ("US", SUCCESS, "US"),
         ("UK", RETRY, "US")),
        (ASSIGNING_OVER, linked("UK", RETRY, None, None, assignment="Sales"), (None, None, None),
         ("UK", RETRY, None)),
        (ASSIGNING, linked("UK", SENT, None, "UK", assignment="Sales"), ("UK", SUCCESS, "UK"),
         ("UK", SUCCESS, "UK")),
        (ASSIGNING, ada(assignment="Sales"), ("US", SUCCESS, "US"), (None, RETRY, "US")),
        (ASSIGNING, linked("UK", SUCCESS, "UK", "UK", assignment="Support"), ("US", SUCCESS, "US"),
         ("US", SUCCESS, "US")),
        (ASSIGNING, linked("UK", SUCCESS, "UK", "UK", assignment="Other"), ("US", SUCCESS, "US"),
         ("US", SUCCESS, "US")),
        # Who leaves has been taken out of the group; that is not to be asked for over and over (G7).
        (ASSIGNING, linked("UK", SENT, None, None, assignment="Sales", crm_user_status="inactive"),
         (None, SUCCESS, None), ("UK", SUCCESS, None)),
        (ASSIGNING, linked("UK", SENT, None, None, assignment="Sales", end_date="2026-11-19"),
         (None, SUCCESS, None), ("UK", SUCCESS, None)),
        (ASSIGNING, linked("UK", SENT, None, None, assignment="Sales", end_date="2026-11-20"),
         (None, SUCCESS, None), ("UK", RETRY, None)),
    ],
)  # fmt: skip
def test_request_status_and_group(
    acme: Any, before: Member, shown: tuple[str | None, ...], after: tuple[str | None, ...]
) -> None:
    of_user = user(*shown)
    decision = decide(of_user, known(before), acme, {}, NOW)
    assert engage(decision) == after
    member = decision.after or before
    assert member.vault.to_json()[ENGAGE] == shown[0]
    # Read once more as it is: nothing is written (I9).
    again = decide(of_user, known(member), acme, {}, NOW.replace(hour=20))
    assert (again.outcome, again.writes) == (Outcome.UNCHANGED, False)


def test_an_edit_that_is_kept_is_looked_at_again_and_given_up_once_that_is_what_is_set() -> None:
    before, of_user = linked("US", RETRY, "UK", "UK"), user("UK", "request_failed", None)
    kept = decide(of_user, known(before), ACME, {}, NOW).after
    assert kept
    assert (kept.engage.request, kept.engage.group, kept.vault.to_json()["digest"]) == ("US", None, "")
    overwritten = decide(of_user, known(kept), OVERWRITING, {}, NOW)
    assert engage(overwritten) == ("UK", "request_failed", None)
    assert overwritten.after
    assert overwritten.after.vault.to_json()["digest"] == "d1"


@pytest.mark.parametrize(("digest", "request_then"), [("d1", "US"), ("d2", "UK")])
def test_the_request_of_who_is_new_holds_until_vault_crm_changes_the_user(
    digest: str, request_then: str
) -> None:
    new = decide(user("UK", SUCCESS, "UK"), known(ada("US")), OVERWRITING, {}, NOW).after
    assert new
    assert (new.engage.request, new.engage.status) == ("US", RETRY)
    then = decide(user("UK", SUCCESS, "UK", digest=digest), known(new), OVERWRITING, {}, NOW)
    assert engage(then)[0] == request_then


@pytest.mark.parametrize(
    ("acme", "before", "shown", "origin"),
    [
        (ACME, linked("UK", SUCCESS, "UK", "UK"), "US", "crm"),
        (ACME, linked("UK", SUCCESS, "UK", "UK"), "UK", "manual:jane"),
        (ACME, linked("US", RETRY, "UK", "UK"), "UK", "manual:jane"),
        (OVERWRITING, linked("US", RETRY, "UK", "UK"), "UK", "crm"),
    ],
)
def test_the_origin_of_a_request_says_who_has_it_their_way(
    acme: Any, before: Member, shown: str, origin: str
) -> None:
    edited = replace(before, origins={"engage.request": "manual:jane", "end_date": "manual:jane"})
    decision = decide(user(shown, SUCCESS, "UK"), known(edited), acme, {}, NOW)
    assert (decision.after or edited).origins == {"engage.request": origin, "end_date": "manual:jane"}


@pytest.mark.parametrize(
    ("acme", "before", "of_user", "codes"),
    [
        (ACME, linked("US", RETRY, "UK", "UK"), user("UK", SUCCESS, "UK"), [REQUEST_KEPT]),
        (ACME, linked("UK", RETRY, None, "UK"), user("UK", "request_failed"), []),
        (ACME, linked("UK", SUCCESS, "UK", "UK"), user("US", SUCCESS, "US"), []),
        (OVERWRITING, linked("US", RETRY, "UK", "UK"), user("UK", SUCCESS, "UK"), []),
        (ACME, ada("US"), user("UK", SUCCESS, "UK"), []),
        (ASSIGNING, linked("UK", RETRY, None, None, assignment="Sales"), user("US"), []),
        (ACME, linked("US", RETRY, "UK", "UK"), user("UK", requests={}), []),
    ],
)
def test_an_edit_that_is_kept_is_reported(
    acme: Any, before: Member, of_user: VaultUser, codes: list[str]
) -> None:
    found = notices(of_user, decide(of_user, known(before), acme, {}, NOW), acme)
    assert [each.code for each in found] == codes
    for each in found:
        assert isinstance(each, Notice)
        assert each.problem.where == "engage_group_request__v"
        assert each.problem.remedy


@pytest.mark.parametrize(
    ("inbound", "after"),
    [
        ({"custom": {"engage.request": None}}, ("UK", SUCCESS, "US")),
        ({"system": ["engage.group"]}, ("US", SENT, "US")),
        ({"system": ["engage.status"]}, ("US", SUCCESS, "UK")),
        ({"system": [], "custom": {"engage.request": None}}, ("UK", SENT, "UK")),
    ],
)
def test_what_is_not_mapped_stays_as_it_was(inbound: dict[str, Any], after: tuple[str | None, ...]) -> None:
    acme = settings(connections=VAULT, field_maps={"vault_crm": {"inbound": inbound}})
    spoken_of = {} if "custom" in inbound else {ENGAGE: "US"}
    of_user = user("US", SUCCESS, "US", requests=spoken_of)
    assert engage(decide(of_user, known(linked("UK", SENT, "UK", "UK")), acme, {}, NOW)) == after


def test_the_features_are_followed_independently() -> None:
    before = linked("UK", SUCCESS, "UK", "UK", engage_connect=Engage("C", RETRY, None))
    of_user = user(
        "US",
        SUCCESS,
        "US",
        seen={ENGAGE: Seen("US", SUCCESS, "US"), CONNECT: Seen(None, None, None)},
        requests={ENGAGE: "US", CONNECT: None},
    )
    decision = decide(of_user, known(before), ACME, {}, NOW)
    assert engage(decision) == ("US", SUCCESS, "US")
    assert decision.after
    assert decision.after.engage_connect == Engage("C", RETRY, None)


def test_who_finds_no_licence_keeps_the_place_in_line_while_the_wish_is_the_same() -> None:
    none = "no_licenses_remaining"
    first = decide(user("UK", none), known(linked("UK", SENT, None, "UK")), ACME, {}, NOW).after
    assert first
    at = "2026-11-20T08:16:00.000Z"
    assert first.vault.to_json()["waits"] == {ENGAGE: {"group": "UK", "since": at, "tried": at}}
    later = NOW.replace(hour=20)
    same = decide(user("UK", none, digest="d2"), known(first), ACME, {}, later).after
    assert same
    assert same.vault.to_json()["waits"] == first.vault.to_json()["waits"]
    other = decide(user("US", none, digest="d2"), known(first), ACME, {}, later).after
    assert other
    assert other.vault.to_json()["waits"][ENGAGE]["group"] == "US"
    assert other.vault.to_json()["waits"][ENGAGE]["since"] != at


def test_custom_fields_and_the_username_are_followed_and_those_of_others_stay() -> None:
    before = linked(custom={"Region__c": "EMEA", "Country": "DE", "Former": "x"})
    of_user = user(custom={"Country": "GB"}, username="countess@acme.example", active=False)
    listed = settings(
        connections=VAULT,
        auto_provision={"custom_fields": ["Region__c"]},
        field_maps={"vault_crm": {"inbound": {"custom": {"custom.Country": "country__c"}}}},
    )
    decision = decide(of_user, known(before), listed, {}, NOW)
    # What no mapping gives any more is gone.
    assert changed(decision) == {"custom.Country", "custom.Former", "crm.vault_crm.username"}
    assert decision.outcome is Outcome.UPDATED
    assert decision.after
    assert decision.after.custom == {"Region__c": "EMEA", "Country": "GB"}
    assert decision.after.vault.to_json()["active"] is False
    # Whether somebody may work here is Salesforce's to say.
    assert decision.after.active


def test_a_row_that_differs_in_nothing_that_matters_moves_the_digest_without_history() -> None:
    decision = decide(user("UK", SUCCESS, "UK"), known(linked("UK", SUCCESS, "UK", "UK")), ACME, {}, NOW)
    assert (decision.outcome, decision.history) == (Outcome.UNCHANGED, None)
    assert decision.after
    assert (decision.after.version, decision.after.vault.to_json()["digest"]) == (3, "d1")


def test_of_a_feature_that_is_not_managed_what_the_crm_shows_is_shown() -> None:
    unmanaged = settings(connections={"vault_crm": {"host": VAULT["vault_crm"]["host"]}})
    before = linked("UK", RETRY, None, None)
    assert engage(decide(user("UK", SUCCESS, "UK"), known(before), unmanaged, {}, NOW)) == (
        "UK",
        SUCCESS,
        "UK",
    )


# ── While the feature is not pushed (G12) ────────────────────────────────────────────────────────

UNMANAGED = settings(connections={"vault_crm": {"host": VAULT["vault_crm"]["host"]}})
UNMANAGED_OVER = settings(
    connections={"vault_crm": {"host": VAULT["vault_crm"]["host"]}}, pending_edits="overwrite"
)
UNSENT = linked("US", RETRY, "UK", "UK")
ASIDE = linked(
    "US", SUCCESS, "UK", vault={"active": True, ENGAGE: "UK", CONNECT: None, "set_aside": [ENGAGE]}
)
IN_UK, IN_DE = ("UK", SUCCESS, "UK"), ("DE", SUCCESS, "DE")


@pytest.mark.parametrize(
    ("acme", "before", "shown", "after", "is_set_aside"),
    [
        (UNMANAGED, ada("US"), (None, None, None), ("US", None, None), True),
        (UNMANAGED, UNSENT, IN_UK, ("US", SUCCESS, "UK"), True),
        (UNMANAGED, ASIDE, IN_UK, ("US", SUCCESS, "UK"), True),
        (UNMANAGED, ASIDE, IN_DE, ("US", SUCCESS, "DE"), True),
        # The same request as before in Vault CRM says nothing against the one made here.
        (UNMANAGED_OVER, UNSENT, IN_UK, ("US", SUCCESS, "UK"), True),
        (UNMANAGED_OVER, ASIDE, IN_DE, IN_DE, False),
        # Somebody has asked for it in Vault CRM.
        (UNMANAGED, ASIDE, ("US", SUCCESS, "US"), ("US", SUCCESS, "US"), False),
        # Nothing is pending.
        (UNMANAGED, linked(*IN_UK, "UK"), IN_DE, IN_DE, False),
        # Pushed again: it is to be sent.
        (ACME, ASIDE, IN_UK, ("US", RETRY, "UK"), False),
        (OVERWRITING, ASIDE, IN_UK, ("US", RETRY, "UK"), False),
        (OVERWRITING, ASIDE, IN_DE, IN_DE, False),
    ],
)
def test_a_request_waits_while_its_feature_is_not_pushed(
    acme: Any,
    before: Member,
    shown: tuple[str | None, ...],
    after: tuple[str | None, ...],
    is_set_aside: bool,
) -> None:
    of_user = user(*shown)
    decision = decide(of_user, known(before), acme, {}, NOW)
    assert engage(decision) == after
    member = decision.after or before
    assert ("set_aside" in member.vault.to_json()) == is_set_aside
    assert engage_groups.is_unsent(member, ENGAGE) == (is_set_aside or after[1] == RETRY)
    again = decide(of_user, known(member), acme, {}, NOW.replace(hour=20))
    assert not again.writes


def test_another_request_by_hand_or_one_that_is_sent_is_not_set_aside_any_more() -> None:
    asked = replace(ASIDE, **engage_groups.request_group(ASIDE, ENGAGE, "DE"))
    sent = replace(ASIDE, **engage_groups.sent(ASIDE, ENGAGE, {"request": "US"}))
    assert (asked.engage.status, "set_aside" in asked.vault.to_json()) == (RETRY, False)
    assert (sent.engage.status, "set_aside" in sent.vault.to_json()) == (SENT, False)


def test_a_request_that_is_set_aside_is_due_at_once() -> None:
    due = engage_groups.due(ASIDE)
    assert due
    assert (due.since, due.what) == ("", frozenset({ENGAGE}))
