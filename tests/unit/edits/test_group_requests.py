"""What may be asked about Engage groups by hand, and what comes of it (G1, G6, G7, A5)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from muster.crm.engage_features import (
    FEATURES,
    INVALID_GROUP_NAME,
    NO_LICENSES_REMAINING,
    REQUEST_FAILED,
    REQUEST_SENT,
    RETRY_REQUEST,
    SUCCESS,
    Feature,
)
from muster.edits import group_requests
from muster.edits.group_requests import read
from muster.errors import Rejected
from muster.roster.decisions import Decision, Outcome
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from tests.examples import NOW, settings
from tests.members import changed, vault_state

BY = "jane@acme.example"
SALES = {"name": "Sales", "engage": {"group": "UK"}}
PILOT = {"name": "Pilot", "update_mode": "manual", "engage": {"group": "UK"}}
VAULT = {"host": "acme-crm.veevavault.com", "manage_features": ["engage", "engage_connect"]}


def acme(*, outbound: list[str] | None = None, **connection: Any) -> Any:
    """Return settings with this Vault CRM connection."""
    maps = {} if outbound is None else {"vault_crm": {"outbound": {"system": outbound}}}
    return settings(
        connections={"vault_crm": {**VAULT, **connection}}, field_maps=maps, assignments=[SALES, PILOT]
    )


def held(request: str | None, status: str | None = None, group: str | None = None) -> Engage:
    return Engage(request, status, group)


IN_UK = held("UK", SUCCESS, "UK")


def member(seen: str | None = None, **attributes: Any) -> Member:
    """Return Ada, who is in Vault CRM, where `seen` is her Engage request, and in the manual assignment."""
    ada = Member(
        id="ada",
        organization="acme",
        active=True,
        assignment="Pilot",
        update_mode="manual",
        crm={"vault_crm": {"id": "10042"}},
        vault=vault_state(active=True, engage=seen, engage_connect=None, digest="as imported"),
        version=3,
        revision=5,
    )
    return changed(ada, **attributes)


def tried(count: int) -> dict[str, Any]:
    """Return the `vault` of somebody who was to leave the group so often."""
    at = "2026-11-01T08:16:00.000Z"
    return {"active": True, "tries": {"engage": {"since": at, "last": at, "count": count, "failed": at}}}


def decided(ada: Member, action: str, group: str | None = None, in_: Any = None, **asked: Any) -> Decision:
    document = {"member": "ada", "action": action, "feature": "engage", "group": group, **asked}
    return group_requests.decide(ada, read(document), BY, in_ or acme(), NOW, "groups:1")


def after(ada: Member, action: str, group: str | None = None, **asked: Any) -> Member:
    found = decided(ada, action, group, **asked).after
    assert found
    return found


def refusal(ada: Member, action: str, group: str | None = None, **asked: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        decided(ada, action, group, **asked)
    [problem] = refused.value.problems
    assert problem.remedy
    return problem.where, problem.message


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────

ASK = {"member": "ada", "action": "assign", "feature": "engage", "group": "UK"}


@pytest.mark.parametrize(
    ("asked", "where", "message"),
    [
        ({"action": "add"}, "action", "is not one of assign, remove, retry"),
        ({"action": None}, "action", "has no value"),
        ({"feature": "connect"}, "feature", "is not one of engage, engage_connect"),
        ({"member": ""}, "member", "is empty"),
        ({"member": 5}, "member", "is not text"),
        ({"group": ""}, "group", "is empty"),
        ({"group": None}, "group", "is empty"),
        ({"group": 5}, "group", "is not text"),
        ({"group": "x" * 256}, "group", "is longer than 255 characters"),
        ({"group": " UK"}, "group", "begins or ends with a blank, or holds a control character"),
        ({"group": "UK\n"}, "group", "begins or ends with a blank, or holds a control character"),
        ({"group": "U\x00K"}, "group", "begins or ends with a blank, or holds a control character"),
        ({"action": "remove"}, "group", "does not go with remove"),
        ({"action": "retry"}, "group", "does not go with retry"),
        ({"action": "remove", "group": ""}, "group", "does not go with remove"),
        ({"status": "success"}, "status", "is not a known key"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(Rejected) as refused:
        read({**ASK, **asked})
    assert [(problem.where, problem.message) for problem in refused.value.problems] == [(where, message)]
    assert all(problem.remedy for problem in refused.value.problems)


@pytest.mark.parametrize("document", [None, "ada", 5, ["ada"]])
def test_what_is_no_request_is_refused_as_a_whole(document: object) -> None:
    with pytest.raises(Rejected) as refused:
        read(document)
    assert [problem.where for problem in refused.value.problems] == [""]


@pytest.mark.parametrize("group", ["U", "x" * 255, "Équipe n° 1, Süd", "UK 'A' \"B\" \\ #1"])
def test_a_group_is_called_what_it_is_called(group: str) -> None:
    assert read({**ASK, "group": group}).group == group


@pytest.mark.parametrize("action", ["remove", "retry"])
def test_no_group_is_as_good_as_none_given(action: str) -> None:
    assert read({**ASK, "action": action, "group": None}).group is None


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("feature", FEATURES)
def test_a_request_is_set_with_retry_request_and_who_asked(feature: Feature) -> None:
    decision = decided(member(), "assign", "UK", feature=feature)
    ada = decision.after
    assert ada
    assert decision.outcome is Outcome.UPDATED
    assert ada.feature(feature) == held("UK", RETRY_REQUEST)
    assert ada.origins == {f"{feature}.request": f"manual:{BY}"}
    assert decision.history
    assert (decision.history.origin, decision.history.run) == (f"manual:{BY}", "groups:1")
    assert {change.field for change in decision.history.changes} == {
        f"{feature}.request",
        f"{feature}.status",
    }


def test_a_request_is_taken_back() -> None:
    ada = after(member("UK", engage=IN_UK), "remove")
    assert ada.engage == held(None, RETRY_REQUEST, "UK")
    assert ada.origins == {"engage.request": f"manual:{BY}"}


def test_a_retry_says_nothing_about_who_asked_for_the_group() -> None:
    before = member("UK", engage=held("UK", INVALID_GROUP_NAME), origins={"engage.request": "crm"})
    ada = after(before, "retry")
    assert (ada.engage, ada.origins) == (held("UK", RETRY_REQUEST), {"engage.request": "crm"})


@pytest.mark.parametrize("group", ["UK", None])
def test_who_is_not_in_vault_crm_yet_is_asked_for_without_a_status(group: str | None) -> None:
    ada = after(member(crm={}, vault={}, engage=held("US")), "assign" if group else "remove", group)
    assert ada.engage == held(group)


@pytest.mark.parametrize(
    ("ada", "action", "group"),
    [
        (member("UK", engage=IN_UK), "assign", "UK"),
        (member("UK", engage=held("UK", RETRY_REQUEST, "US")), "assign", "UK"),
        (member("UK", engage=held("UK", REQUEST_SENT, "US")), "assign", "UK"),
        (member("UK", engage=held("UK", NO_LICENSES_REMAINING)), "assign", "UK"),
        (member("UK", engage=held("UK", INVALID_GROUP_NAME, "US")), "assign", "UK"),
        (member(), "remove", None),
        (member(engage=held(None, SUCCESS)), "remove", None),
        (member("UK", engage=held(None, RETRY_REQUEST, "UK")), "remove", None),
        (member(engage=held(None, REQUEST_SENT, "UK")), "remove", None),
        (member("UK", engage=held("UK", RETRY_REQUEST)), "retry", None),
        (member(crm={}, vault={}, engage=held("UK")), "assign", "UK"),
        (member(crm={}, vault={}), "remove", None),
        (member(crm={}, vault={}, engage=held("UK")), "retry", None),
    ],
)
def test_what_is_so_or_under_way_stays_as_it_is(ada: Member, action: str, group: str | None) -> None:
    decision = decided(ada, action, group)
    assert (decision.outcome, decision.history) == (Outcome.UNCHANGED, None)


@pytest.mark.parametrize(
    ("ada", "action", "group"),
    [
        # Somebody has changed it in Vault CRM, and the request is not imported from there.
        (member("US", engage=held("UK", SUCCESS, "US")), "assign", "UK"),
        (member("US", engage=held(None, SUCCESS, "US")), "remove", None),
        (member("US", engage=held(None, INVALID_GROUP_NAME)), "remove", None),
        # A removal that failed.
        (member(engage=held(None, REQUEST_FAILED, "UK")), "remove", None),
    ],
)
def test_where_vault_crm_shows_something_else_the_same_request_is_sent(
    ada: Member, action: str, group: str | None
) -> None:
    before = ada.engage
    assert after(ada, action, group).engage == replace(before, status=RETRY_REQUEST)


@pytest.mark.parametrize(
    "status", [SUCCESS, REQUEST_SENT, NO_LICENSES_REMAINING, REQUEST_FAILED, "on_hold__v"]
)
def test_a_retry_is_a_retry_whatever_the_status(status: str) -> None:
    assert after(member("UK", engage=held("UK", status)), "retry").engage == held("UK", RETRY_REQUEST)


@pytest.mark.parametrize(
    ("action", "group"), [("assign", "US"), ("remove", None), ("retry", None)], ids=lambda each: str(each)
)
def test_the_same_again_changes_nothing(action: str, group: str | None) -> None:
    once = after(member("UK", engage=held("UK", REQUEST_FAILED, "EU")), action, group)
    assert decided(once, action, group).outcome is Outcome.UNCHANGED


# ── Refusing ──────────────────────────────────────────────────────────────────────────────────────────

EVERY_ACTION = pytest.mark.parametrize(
    ("action", "group"), [("assign", "UK"), ("remove", None), ("retry", None)]
)
EVERYTHING = ["engage.request", "engage.status", "engage_connect.request", "engage_connect.status"]


@EVERY_ACTION
@pytest.mark.parametrize(
    ("organization", "message"),
    [
        (settings(), "leads nowhere: the settings have no Vault CRM connection"),
        (acme(manage_features=[]), "is not managed: it is imported and shown, and never pushed"),
        (
            acme(manage_features=["engage_connect"]),
            "is not managed: it is imported and shown, and never pushed",
        ),
        (acme(outbound=EVERYTHING[1:]), "is not pushed: the mapping of its request is switched off"),
    ],
)
def test_a_feature_that_is_not_pushed_is_refused(
    action: str, group: str | None, organization: Any, message: str
) -> None:
    ada = member("US", engage=held("US", SUCCESS, "US"))
    assert refusal(ada, action, group, in_=organization) == ("feature", message)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"active": False, "inactive_reason": "inactive_user", "assignment": None}, "is not active"),
        ({"crm_user_status": "inactive"}, "is set inactive (crm_user_status)"),
        ({"end_date": "2026-11-19"}, "is past the end date, 2026-11-19"),
    ],
)
def test_who_leaves_gets_no_group_and_is_taken_out_of_one(attributes: dict[str, Any], message: str) -> None:
    ada = member("UK", engage=IN_UK, **attributes)
    assert refusal(ada, "assign", "US") == ("member", message)
    assert refusal(member(engage=held("UK"), **attributes), "retry") == ("member", message)
    # While the member is still in the group, a retry has the removal sent at once.
    assert after(ada, "retry").engage == held("UK", RETRY_REQUEST, "UK")
    out = after(ada, "remove")
    assert out.engage == held(None, RETRY_REQUEST, "UK")
    failed = replace(out, engage=held(None, REQUEST_FAILED, "UK"))
    assert after(failed, "retry").engage == held(None, RETRY_REQUEST, "UK")


@pytest.mark.parametrize(
    ("zone", "is_past"), [("Pacific/Kiritimati", True), ("UTC", False), ("Pacific/Honolulu", False)]
)
def test_the_last_day_ends_in_the_organizations_time_zone(zone: str, is_past: bool) -> None:
    organization = settings(connections={"vault_crm": VAULT}, time_zone=zone)
    ada, asked = member(end_date="2026-11-20"), read(ASK)
    late = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    if is_past:
        with pytest.raises(Rejected, match="past the end date"):
            group_requests.decide(ada, asked, BY, organization, late, "groups:1")
    else:
        assert group_requests.decide(ada, asked, BY, organization, late, "groups:1").history


def test_what_an_automatic_assignment_decides_is_not_for_hands_to_change() -> None:
    ada = member("UK", assignment="Sales", update_mode="automatic", engage=held("UK", INVALID_GROUP_NAME))
    governed = ("feature", "follows Salesforce through assignment 'Sales' (automatic)")
    assert refusal(ada, "assign", "US") == refusal(ada, "assign", "UK") == refusal(ada, "remove") == governed
    assert after(ada, "retry").engage == held("UK", RETRY_REQUEST)
    # It does not speak of the other feature.
    assert after(ada, "assign", "US", feature="engage_connect").engage_connect == held("US", RETRY_REQUEST)


@pytest.mark.parametrize(
    "attributes",
    [
        {"assignment": "Pilot", "update_mode": "manual"},
        {"assignment": None, "update_mode": None},
        {"assignment": "Gone", "update_mode": "automatic"},
        # The settings are newer than the member.
        {"assignment": "Pilot", "update_mode": "automatic"},
    ],
)
def test_what_no_automatic_assignment_of_the_settings_decides_is(attributes: dict[str, Any]) -> None:
    assert after(member(**attributes), "assign", "US").engage == held("US", RETRY_REQUEST)


@pytest.mark.parametrize("ada", [member(), member(crm={}, vault={})])
def test_what_was_never_asked_for_cannot_be_asked_for_again(ada: Member) -> None:
    assert refusal(ada, "retry") == ("action", "has nothing to repeat: no group was ever asked for")


@pytest.mark.parametrize(
    ("seen", "mine"),
    [(None, held(None, SUCCESS)), (None, held(None, None, "UK")), ("UK", held(None)), (None, held("UK"))],
)
def test_whatever_there_is_of_it_can_be_sent_again(seen: str | None, mine: Engage) -> None:
    assert after(member(seen, engage=mine), "retry").engage == replace(mine, status=RETRY_REQUEST)


def test_where_no_status_is_sent_a_request_that_vault_crm_has_cannot_be_repeated() -> None:
    no_status = acme(outbound=["engage.request"])
    ada = member("UK", engage=held("UK", INVALID_GROUP_NAME))
    assert refusal(ada, "retry", in_=no_status)[0] == "action"
    moved = member("US", engage=held("UK", INVALID_GROUP_NAME))
    assert after(moved, "retry", in_=no_status).engage == held("UK", RETRY_REQUEST)


# ── Telling ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ada", "told"),
    [
        (member(engage=held("UK", RETRY_REQUEST)), "The next push asks Vault CRM for group 'UK'."),
        (member("UK", engage=held(None, RETRY_REQUEST, "UK")), "The next push clears the request"),
        (
            member("UK", engage=held("UK", RETRY_REQUEST)),
            "Retry Request, because Vault CRM holds this request",
        ),
        (member(engage=held(None, RETRY_REQUEST, "UK")), "Retry Request, because Vault CRM has no request"),
        (member("UK", active=False, engage=held("UK", RETRY_REQUEST)), "The next push clears the request"),
        (member("UK", engage=held("UK", REQUEST_SENT)), "It has been sent"),
        (member("UK", engage=held("UK", NO_LICENSES_REMAINING)), "No licence is free"),
        (member("UK", engage=held("UK", INVALID_GROUP_NAME)), "(invalid_group_name)"),
        (member("UK", engage=IN_UK), "Nothing has to be sent: Vault CRM shows it done."),
        (member(), "Nothing has to be sent: Vault CRM shows it done."),
        (member("UK", engage=held("UK", "on_hold__v")), "shows group none and status on_hold__v"),
        (member("UK", engage=held("UK")), "shows group none and status none"),
        (member(crm={}, vault={}, engage=held("UK")), "it is sent once an import has linked the member"),
        (member(crm={}, vault={}), "Nothing has to be sent: the person is not in Vault CRM yet."),
        (member(engage=held("UK", RETRY_REQUEST), vault={"active": False}), "is inactive in Vault CRM"),
        (
            member(engage=held(None, REQUEST_FAILED, "UK"), active=False, vault=tried(2)),
            "(request_failed), and is tried again from 2026-11-01T14:16:00.000Z on",
        ),
        (member(engage=held(None, REQUEST_FAILED, "UK"), vault=tried(1)), "tried again by the next push"),
    ],
)
def test_what_the_next_push_makes_of_it(ada: Member, told: str) -> None:
    assert told in group_requests.note(ada, "engage", acme(), NOW)
