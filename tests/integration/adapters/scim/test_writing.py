"""Writing to a SCIM target that gets the protocol wrong: what came of it is known, or known to be unknown."""

from collections.abc import Callable
from itertools import batched, product
from typing import Any

import pytest

from muster.crm import scim_attributes, scim_patches
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_attributes import ENTERPRISE, Values
from muster.crm.scim_patches import Operation
from muster.errors import NotServed, OutcomeUnknown
from muster.settings.scim_profiles import PROFILES
from tests.doubles.host import Host
from tests.doubles.scim_target import ScimTarget, client_at

ADA: Values = {
    "userName": "ada@acme.example",
    "externalId": "m-1",
    "name.givenName": "Ada",
    "name.familyName": "Lovelace",
    "displayName": "Ada Lovelace",
    "emails.work": "ada@acme.example",
}
WIDE: Values = {
    **ADA,
    "title": "Rep",
    "phoneNumbers.work": "+44 20 7946 0001",
    "phoneNumbers.mobile": "+44 7700 900001",
    "entitlements": ("Gong",),
    f"{ENTERPRISE}:department": "Sales",
}


def new(values: Values = ADA) -> dict[str, Any]:
    return scim_attributes.body(values) | {"active": True}


def made(target: ScimTarget, values: Values = ADA, profile: str = "generic") -> str:
    written = target.client(profile).create("Users", new(values))
    assert written.outcome is Outcome.WRITTEN
    assert written.resource is not None
    return written.resource.id


# ── Making ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "quirks",
    [
        {"create_status": 200},
        {"create_status": 202},
        {"no_location": True},
        {"bom": True},
        {"leaves_out": ["schemas", "meta", "userName"]},
        {"request_type": "json_only"},
        {"request_type": "scim_only"},
        {"text_booleans": "refused"},
        {"lowercases_user_names": True},
    ],
    ids=str,
)
def test_a_user_is_made(target: ScimTarget, quirks: dict[str, Any]) -> None:
    target.quirks(**quirks)
    assert made(target) == target.users()["ada@acme.example"]["id"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_user_is_made_and_changed_as_a_profile_has_it(target: ScimTarget, profile: str) -> None:
    named = {
        "aws_identity_center": "aws_identity_center",
        "gong": "gong",
        "slack": "slack",
        "github_emu": "github",
    }
    target.quirks(**({"profile": named[profile]} if profile in named else {"members_per_call": 1}))
    user = made(target, ADA, profile)
    client = target.client(profile)
    after = {**ADA, "name.familyName": "King", "emails.work": "ada.king@acme.example"}
    assert client.change(user, ADA, after).outcome is Outcome.WRITTEN
    assert client.activate(user, False, after).outcome is Outcome.WRITTEN
    shown = target.users()["ada@acme.example"]
    assert scim_attributes.shown(shown, after) == after
    assert shown["active"] is False
    assert [each["value"] for each in shown["emails"]] == ["ada.king@acme.example"]


@pytest.mark.parametrize(
    ("quirks", "outcome"),
    [
        ({"taken": ["ada@acme.example"]}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "conflict_status": 400}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "no_scim_type"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "no_scim_type", "conflict_status": 400}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "no_status"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "text"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "nested"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "invented"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "html"}, Outcome.TAKEN),
        ({"taken": ["ada@acme.example"], "errors": "empty"}, Outcome.TAKEN),
        ({"seats": 0}, Outcome.FULL),
        ({"seats": 0, "errors": "nested"}, Outcome.FULL),
        ({"seats": 0, "errors": "text"}, Outcome.FULL),
        ({"seats": 0, "errors": "empty"}, Outcome.FORBIDDEN),
        ({"requires": ["entitlements"]}, Outcome.REFUSED),
        ({"refuses": ["POST /Users"]}, Outcome.NOT_OFFERED),
        ({"refuses": ["POST /Users"], "refused_status": 501}, Outcome.NOT_OFFERED),
        ({"refuses": ["POST /Users"], "refused_status": 403}, Outcome.FORBIDDEN),
    ],
    ids=str,
)
def test_a_user_who_is_not_made(target: ScimTarget, quirks: dict[str, Any], outcome: Outcome) -> None:
    target.quirks(**quirks)
    written = target.client().create("Users", new())
    assert (written.outcome, written.resource) == (outcome, None)
    assert written.problem is not None
    assert not any(word in written.problem.message for word in ("ada", "Ada", "Lovelace"))


def test_a_path_without_users_is_no_answer_about_one(host: Host, target: ScimTarget) -> None:
    host.say({"message": "no such route"}, status=404)
    with pytest.raises(NotServed):
        client_at(host.url, target.shelf()).create("Users", new())


# ── Changing ─────────────────────────────────────────────────────────────────────────────────────────

CHANGED: Values = {
    **{key: value for key, value in WIDE.items() if key != "phoneNumbers.mobile"},
    "title": "Manager",
    "name.givenName": "Augusta",
    "emails.work": "augusta@acme.example",
    "entitlements": ("Forecast", "Gong Pro"),
    f"{ENTERPRISE}:department": "Field sales",
    f"{ENTERPRISE}:division": "EMEA",
    "locale": "en-GB",
}


@pytest.mark.parametrize(
    "quirks",
    [
        {},
        {"patch_answer": "body"},
        {"patch_answer": "body_unless_unchanged"},
        {"patch_answer": "braces"},
        {"patch_paths": "one_attribute"},
        {"patch_paths": "required"},
        {"strict_patch": True},
        {"request_type": "json_only"},
        {"ids": "awkward"},
        # Without PATCH all of it goes by PUT, and nothing that others have set is lost.
        {"refuses": ["PATCH"]},
        {"refuses": ["PATCH"], "refused_status": 501},
        {"refuses": ["PATCH"], "put_left_out": "deactivates"},
        {"refuses": ["PATCH"], "put_left_out": "kept"},
    ],
    ids=str,
)
def test_a_user_is_changed_and_what_others_have_set_stays(target: ScimTarget, quirks: dict[str, Any]) -> None:
    target.quirks(**{key: value for key, value in quirks.items() if key == "ids"})
    user = made(target, WIDE)
    others: list[Operation] = [
        {"op": "add", "path": "entitlements", "value": [{"value": "Salesloft"}]},
        {"op": "add", "path": "nickName", "value": "Countess"},
    ]
    assert target.client().patch("Users", user, others).outcome is Outcome.WRITTEN
    target.quirks(**quirks)
    client = target.client()
    assert client.change(user, WIDE, CHANGED).outcome is Outcome.WRITTEN
    shown = target.users()["ada@acme.example"]
    expected = {**CHANGED, "entitlements": ("Forecast", "Gong Pro", "Salesloft"), "nickName": "Countess"}
    assert scim_attributes.shown(shown, [*expected, "phoneNumbers.mobile"]) == expected
    assert shown["active"] is True
    before = target.calls()
    assert client.change(user, CHANGED, CHANGED).outcome is Outcome.WRITTEN
    assert target.calls() == before, "what does not differ is not sent"


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize(
    "quirks",
    [
        {"text_booleans": "refused"},
        {"inactive": "locked"},
        {"patch_only": ["active"]},
        {"patch_answer": "braces"},
        {"refuses": ["PATCH"]},
    ],
    ids=str,
)
def test_a_user_is_let_in_and_kept_out_by_that_alone(
    target: ScimTarget, quirks: dict[str, Any], active: bool
) -> None:
    user = made(target)
    if active:
        target.client().activate(user, False, ADA)
    target.quirks(**quirks)
    assert target.client().activate(user, active, ADA).outcome is Outcome.WRITTEN
    assert target.truth() == {"ada@acme.example": active}
    assert scim_attributes.shown(target.users()["ada@acme.example"], ADA) == ADA


@pytest.mark.parametrize(
    ("quirks", "outcome", "active"),
    [
        # Answered as if it had worked: the answer proves nothing, reading back does.
        ({"patch_ignores": ["active"]}, Outcome.WRITTEN, True),
        ({"protected": ["ada@acme.example"]}, Outcome.FORBIDDEN, True),
        ({"inactive": "gone"}, Outcome.WRITTEN, False),
    ],
    ids=str,
)
def test_what_reading_back_shows_of_a_deactivation(
    target: ScimTarget, quirks: dict[str, Any], outcome: Outcome, active: bool
) -> None:
    user = made(target)
    target.quirks(**quirks)
    client = target.client()
    assert client.activate(user, False, ADA).outcome is outcome
    shown = client.get("Users", user)
    assert (shown is not None and shown.active is not False) is active


@pytest.mark.parametrize(
    ("quirks", "outcome"),
    [
        ({"delete": "removes"}, Outcome.WRITTEN),
        ({"delete": "deactivates"}, Outcome.WRITTEN),
        ({"delete_status": 200}, Outcome.WRITTEN),
        ({"accept": "none_on_delete"}, Outcome.WRITTEN),
        ({"refuses": ["DELETE /Users"]}, Outcome.NOT_OFFERED),
    ],
    ids=str,
)
def test_a_user_is_deleted(target: ScimTarget, quirks: dict[str, Any], outcome: Outcome) -> None:
    user = made(target)
    target.quirks(**quirks)
    assert target.client().delete("Users", user).outcome is outcome
    assert target.client().delete("Users", "nobody").outcome in (Outcome.GONE, Outcome.NOT_OFFERED)


def test_a_seat_that_is_missing_refuses_who_comes_back_too(target: ScimTarget) -> None:
    user = made(target)
    client = target.client()
    client.activate(user, False, ADA)
    target.quirks(seats=0)
    assert client.activate(user, True, ADA).outcome is Outcome.FULL


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("profile", "size"), [("generic", 101), ("strict", 3)])
def test_members_come_and_go_in_hundreds(target: ScimTarget, profile: str, size: int) -> None:
    dialect = PROFILES[profile].dialect
    ids = [target.user(f"user{number}@acme.example") for number in range(size)]
    stays = target.user("by.hand@acme.example")
    group = target.group("Sales", stays, *ids[:1])
    # A list of members to remove would empty the group here, and more than these in a call are refused.
    target.quirks(
        members_per_call=dialect.members_a_call,
        refuses_member_replace=True,
        remove_value_list="empties_the_group",
        members_in_post_and_put="ignored",
    )
    client = target.client(profile)
    sent = 0
    for add, remove, expected in ((ids[1:], ids[:1], [stays, *ids[1:]]), ([], ids[1:], [stays])):
        calls = [scim_patches.removed(some) for some in batched(remove, dialect.members_a_call, strict=False)]
        calls += [[scim_patches.added(some)] for some in batched(add, dialect.members_a_call, strict=False)]
        for operations in calls:
            assert client.patch("Groups", group, operations).outcome is Outcome.WRITTEN
            sent += 1
        assert sorted(target.members("Sales")) == sorted(expected)
    assert target.calls(f"/Groups/{group}", "PATCH") == sent == (3 if profile == "generic" else 5)


def test_a_member_who_is_one_already_is_no_failure_of_the_group(target: ScimTarget) -> None:
    user = target.user("ada@acme.example")
    group = target.group("Sales", user)
    target.quirks(added_again="refused")
    assert target.client().patch("Groups", group, [scim_patches.added([user])]).outcome is Outcome.TAKEN


# ── Answers that say nothing ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        *product(["POST", "PATCH", "DELETE"], ["lose_answer", "html", "status"]),
        ("POST", "truncate"),
        ("PATCH", "truncate"),
    ],
)
def test_a_write_whose_answer_says_nothing_is_sent_once(target: ScimTarget, method: str, fault: str) -> None:
    user = made(target, {**ADA, "userName": "bob@acme.example"})
    target.quirks(patch_answer="body")
    target.fault(fault, method=method, status=502)
    client = target.client()
    before = target.calls("/Users", method)
    write: Callable[[], Written] = {
        "POST": lambda: client.create("Users", new()),
        "PATCH": lambda: client.activate(user, False, ADA),
        "DELETE": lambda: client.delete("Users", user),
    }[method]
    with pytest.raises(OutcomeUnknown):
        write()
    assert target.calls("/Users", method) == before + 1


def test_who_was_made_without_an_id_is_looked_for(host: Host, target: ScimTarget) -> None:
    host.say("", status=201)
    with pytest.raises(OutcomeUnknown):
        client_at(host.url, target.shelf()).create("Users", new())
