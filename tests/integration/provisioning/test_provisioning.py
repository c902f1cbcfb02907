"""A SCIM target brought in line, whatever it gets wrong; a second push finds nothing to do (O2, O3)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from muster.errors import ApiCallsUsedUp, NotServed, OutcomeUnknown
from muster.provisioning.adoption import adopted
from muster.roster.accounts import CONFLICT, LINKED, MATCHED, Account
from tests.integration.provisioning.provisioned import Crash, Provisioned

DAY = timedelta(days=1)


def address(name: str) -> str:
    return f"{name}@acme.example"


def assert_quiet(app: Provisioned) -> None:
    """Check that nothing is left to do."""
    assert app.push(DAY) == 0


# ── One member's way ─────────────────────────────────────────────────────────────────────────────────

WHOLE_WAY: list[dict[str, Any]] = [
    {},
    {"patch_answer": "body"},
    {"patch_answer": "braces"},
    {"create_status": 200},
    {"delete": "deactivates"},
    {"inactive": "locked"},
    {"inactive_members": "refused"},
    {"unknown_members": "refused"},
    {"members_in_post_and_put": "ignored"},
    {"unsupported": ["externalId"]},
    {"filterable": ["userName", "displayName"]},
    {"case_sensitive_filters": True},
    {"lowercases_user_names": True},
    {"ids": "awkward"},
    {"booleans_as_text": True},
    {"leaves_out": ["schemas", "meta"]},
    {"lower_case_resources": True, "bom": True},
    {"list_lag_s": 3_600},
    {"total": "wrong", "page_size": 2},
    {"filters": "ignored", "page_size": 2},
    {"rate": {"calls": 1_000, "per_s": 1}},
    {"refuses": ["PATCH /Users"]},
    {"profile": "aws_identity_center"},
    {"profile": "gong"},
    {"profile": "slack"},
    {"profile": "launchdarkly"},
    {"profile": "entra", "refuses": []},
    {"profile": "zoom", "pending_s": 0},
    {"profile": "scimmy"},
]


@pytest.mark.parametrize("quirks", WHOLE_WAY, ids=str)
def test_a_member_comes_changes_leaves_and_comes_back(app: Provisioned, quirks: dict[str, Any]) -> None:
    app.target.quirks(**{key: value for key, value in quirks.items() if key == "ids"})
    stranger = app.target.user(address("stranger"))
    app.target.quirks(**quirks)
    come_change_leave_and_come_back(app)
    left_alone = app.target.users()[address("stranger")]
    assert (left_alone["id"], left_alone["active"]) == (stranger, True)


def come_change_leave_and_come_back(app: Provisioned) -> None:
    """Let a member do so."""
    app.want("ada", ["Sales"], title="Rep")
    app.push()
    app.want("ada", ["EMEA", "Sales"], title="Manager")
    app.push()
    made = app.account("ada")
    assert (made.standing, made.origin, made.active) == (LINKED, "created", True)
    assert app.target.users()[address("ada")]["title"] == "Manager"
    assert app.target.members("Sales") == app.target.members("EMEA") == [made.id]
    assert_quiet(app)
    app.leave("ada")
    app.push()
    assert not app.target.truth()[address("ada")]
    assert app.target.members("Sales") == app.target.members("EMEA") == []
    assert_quiet(app)
    app.want("ada", ["Sales"], title="Director")
    app.push()
    assert app.target.truth()[address("ada")]
    assert app.target.users()[address("ada")]["title"] == "Director"
    assert app.target.members("Sales") == [app.account("ada").id]
    assert_quiet(app)
    assert app.told == []


def test_a_leaver_who_is_to_be_deleted_is_and_comes_back_as_somebody_new(app: Provisioned) -> None:
    app.settings = {"on_leave": "delete"}
    app.want("ada", ["Sales"])
    app.push()
    first = app.account("ada").id
    app.leave("ada")
    app.push()
    assert app.target.truth() == {}
    assert_quiet(app)
    app.want("ada", ["Sales"])
    app.push()
    assert app.account("ada").id != first
    assert app.target.members("Sales") == [app.account("ada").id]
    assert_quiet(app)


def test_who_answers_404_when_closed_has_left_and_comes_back_as_somebody_new(app: Provisioned) -> None:
    app.target.quirks(inactive="gone")
    app.want("ada", ["Sales"])
    app.push()
    app.leave("ada")
    app.push()
    assert app.target.truth() == {address("ada"): False}
    assert_quiet(app)
    app.want("ada", ["Sales"])
    app.push()
    assert app.target.truth() == {address("ada"): True}
    assert_quiet(app)


@pytest.mark.parametrize("external_id", ["ada", ""])
def test_an_account_that_got_another_id_is_not_taken_for_one_that_is_closed(
    app: Provisioned, external_id: str
) -> None:
    app.want("ada", ["Sales"])
    app.push()
    app.target.admin("DELETE", f"/Users/{app.account('ada').id}")
    app.target.user(address("ada"), **({"externalId": external_id} if external_id else {}))
    app.leave("ada")
    app.push()
    # Whose it is can be known only by the external id: else a person is told, and nobody is touched.
    assert app.target.truth() == {address("ada"): not external_id}
    assert [who for who, _ in app.told] == ([] if external_id else ["ada"])
    assert_quiet(app)


def test_a_path_that_leads_nowhere_closes_nobody_in_the_books(app: Provisioned) -> None:
    app.want("ada", ["Sales"])
    app.push()
    app.leave("ada")
    app.settings = {"path": "/scim/v2/moved"}
    with pytest.raises(NotServed):
        app.push()
    app.settings = {}
    app.push()
    assert app.target.truth() == {address("ada"): False}
    assert app.account("ada").active is False
    assert_quiet(app)


def test_calls_are_as_many_as_changes_and_a_group_takes_one(app: Provisioned) -> None:
    names = [f"user{number}" for number in range(30)]
    for name in names[:3]:
        app.target.user(address(name))
    app.settings = {"adopt": "same_user_name"}
    for name in names:
        app.want(name, ["Sales"])
    # One for each account; two pages of a list, of which the second shows nobody new; and the group, which is
    # looked for in two spellings, made and filled.
    assert app.push() == 30 + 2 + 4
    assert app.target.calls("/Users", "POST") == 27
    for name in names[:2]:
        app.want(name, ["Sales"], title="Manager")
    assert app.push() == 2
    for name in names[2:]:
        app.want(name)
    assert app.push() == 1


def test_a_list_that_is_not_as_whole_as_it_says_makes_nobody_twice(app: Provisioned) -> None:
    names = [f"user{number}" for number in range(25)]
    for name in names:
        app.target.user(address(name))
        app.want(name, ["Sales"])
    app.target.quirks(page_size=5, count="ignored", start_index="ignored", total="page")
    app.settings = {"adopt": "same_user_name"}
    app.push()
    assert len(app.target.truth()) == len(app.target.members("Sales")) == 25
    assert {app.account(name).origin for name in names} == {"adopted:same_user_name"}
    assert_quiet(app)


# ── Whose an account is ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("existing", ["conflicts", "upserts", "duplicates"])
def test_an_account_that_was_there_is_left_alone_until_it_is_adopted(app: Provisioned, existing: str) -> None:
    app.target.quirks(post_existing=existing)
    leave_alone_until_it_is_adopted(app)


def leave_alone_until_it_is_adopted(app: Provisioned) -> None:
    """Let somebody be there who has the userName of a member."""
    there = app.target.user(address("ada"), title="Owner")
    app.want("ada", ["Sales"], title="Rep")
    app.push()
    assert (app.account("ada").standing, app.account("ada").id) == (MATCHED, there)
    assert_quiet(app)
    app.leave("ada")
    assert_quiet(app)
    assert app.target.users()[address("ada")]["title"] == "Owner"
    assert app.target.truth() == {address("ada"): True}
    app.want("ada", ["Sales"], title="Rep")
    app.settings = {"adopt": "same_user_name"}
    app.accounts.clear()
    app.push()
    assert app.account("ada").origin == "adopted:same_user_name"
    assert app.target.users()[address("ada")]["title"] == "Rep"
    assert app.target.members("Sales") == [there]
    assert_quiet(app)


def test_an_account_that_a_person_adopts_is_kept_from_then_on(app: Provisioned) -> None:
    there = app.target.user(address("ada"), title="Owner", active=False)
    app.want("ada", ["Sales"], title="Rep")
    app.push()
    account = adopted("accounts.scim.app", app.account("ada"), "jane@acme.example", None)
    assert isinstance(account, Account)
    app.accounts["ada"] = account
    app.push()
    assert app.target.truth() == {address("ada"): True}
    assert app.target.users()[address("ada")]["title"] == "Rep"
    assert app.target.members("Sales") == [there]
    assert_quiet(app)


def test_an_account_with_the_members_id_is_found_again_where_nothing_is_remembered(app: Provisioned) -> None:
    app.want("ada", title="Rep")
    app.push()
    app.accounts.clear()
    posts = app.target.calls("/Users", "POST")
    app.push()
    assert app.account("ada").origin == "external_id"
    assert app.target.calls("/Users", "POST") == posts
    assert app.target.calls("/Users/", "PATCH") == 0
    assert_quiet(app)


@pytest.mark.parametrize(
    "quirks",
    [{}, {"conflict_status": 400, "errors": "no_scim_type"}, {"errors": "html"}, {"lists": "refused"}],
    ids=str,
)
def test_a_name_that_is_taken_and_that_nobody_shows_waits_for_a_person(
    app: Provisioned, quirks: dict[str, Any]
) -> None:
    app.target.quirks(taken=[address("ada")], **quirks)
    app.want("ada", ["Sales"])
    app.want("bob", ["Sales"])
    app.push()
    assert app.account("ada").standing == CONFLICT
    assert app.target.truth() == {address("bob"): True}
    assert [who for who, _ in app.told] == ["ada"]
    assert_quiet(app)
    # Under another name it is another question.
    app.want("ada", userName="ada.king@acme.example")
    app.push()
    assert app.account("ada").standing == LINKED


def test_the_account_of_another_member_is_a_conflict(app: Provisioned) -> None:
    app.want("ada")
    app.push()
    app.want("eve", userName=address("ada"))
    app.push()
    assert app.account("eve").standing == CONFLICT
    assert app.account("ada").standing == LINKED
    assert_quiet(app)


def test_who_is_not_to_be_made_is_only_kept(app: Provisioned) -> None:
    app.settings = {"create": False, "adopt": "same_user_name"}
    app.target.user(address("ada"))
    app.want("ada")
    app.want("bob")
    app.push()
    assert app.target.truth() == {address("ada"): True}
    assert app.account("ada").standing == LINKED


def test_who_lacks_what_the_target_needs_is_neither_made_nor_closed(app: Provisioned) -> None:
    app.want("ada")
    app.push()
    for name in ("ada", "bob"):
        wanted = app.wanted.get(name)
        app.wanted[name] = type(wanted)({}, (), ("emails.work",)) if wanted else None
    assert_quiet(app)
    assert app.target.truth() == {address("ada"): True}


# ── Faults ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_deactivation_without_effect_is_seen_told_once_and_tried_until_it_has(app: Provisioned) -> None:
    app.want("ada")
    app.push()
    app.target.quirks(patch_ignores=["active"])
    app.leave("ada")
    for _ in range(4):
        app.push()
    assert app.target.truth() == {address("ada"): True}
    assert [who for who, _ in app.told] == ["ada"]
    app.target.quirks()
    app.push(DAY)
    assert app.target.truth() == {address("ada"): False}
    assert_quiet(app)


def test_who_finds_no_seat_waits_and_is_told_once(app: Provisioned) -> None:
    app.want("ada")
    app.push()
    app.target.quirks(seats=1)
    app.want("bob")
    app.push()
    app.push()
    assert app.account("bob").full_since == "2026-11-30T08:30:00.000Z"
    assert [who for who, _ in app.told] == ["bob"]
    # Whoever leaves comes first: the seat is free for who waits in the same push.
    app.leave("ada")
    app.push(DAY)
    assert app.target.truth() == {address("ada"): False, address("bob"): True}
    assert app.account("bob").full_since is None
    assert_quiet(app)


def test_a_limit_on_calls_ends_a_push_and_the_next_goes_on(app: Provisioned) -> None:
    for name in ("ada", "bob", "carl"):
        app.want(name, ["Sales"])
    app.target.quirks(rate={"calls": 8, "per_s": 600})
    with pytest.raises(ApiCallsUsedUp):
        app.push()
    assert len(app.target.truth()) == 2
    app.target.quirks()
    app.push()
    assert len(app.target.members("Sales")) == 3
    assert_quiet(app)


def test_whoever_a_push_did_not_get_to_is_not_taken_for_made_by_it(app: Provisioned) -> None:
    names = [f"user{number}" for number in range(10)]
    for name in names:
        app.want(name)
    app.target.quirks(rate={"calls": 25, "per_s": 600})
    with pytest.raises(ApiCallsUsedUp):
        app.push()
    made = app.target.truth()
    assert 0 < len(made) < 9
    app.target.quirks()
    # Meanwhile somebody makes the next by hand: that account is not Muster's.
    by_hand = app.target.user(address("user9"))
    app.push()
    assert len(app.target.truth()) == 10
    assert (app.account("user9").standing, app.account("user9").id) == (MATCHED, by_hand)
    assert_quiet(app)


def test_nobody_is_made_twice_where_a_push_dies_among_those_it_makes(app: Provisioned) -> None:
    names = [f"user{number}" for number in range(12)]
    for name in names:
        app.want(name, ["Sales"])
    app.target.quirks(post_existing="duplicates", unsupported=["externalId"])
    creations = 0

    def die(when: str, what: str) -> None:
        nonlocal creations
        creations += (when, what) == ("after", "create")
        if creations == 4:
            raise Crash

    app.hooks = [die]
    with suppress(Crash):
        app.push()
    app.hooks = []
    app.push()
    assert len(app.target.users()) == 12 == app.target.calls("/Users", "POST")
    assert {app.account(name).origin for name in names} == {"created"}
    assert_quiet(app)


def test_an_attribute_that_is_refused_holds_up_no_other(app: Provisioned) -> None:
    app.want("ada")
    app.push()
    app.target.quirks(patch_only=["active", "title", "displayName"])
    app.want("ada", ["Sales"], title="Rep", displayName="Ada", nickName="Countess")
    app.push()
    shown = app.target.users()[address("ada")]
    assert (shown.get("title"), shown["displayName"], shown.get("nickName")) == ("Rep", "Ada", None)
    assert app.target.members("Sales") == [shown["id"]]
    assert [who for who, _ in app.told] == ["ada"]


def test_a_member_at_fault_holds_up_no_other_of_the_group(app: Provisioned) -> None:
    names = [f"user{number}" for number in range(8)]
    for name in names:
        app.want(name)
    app.push()
    # Somebody deletes one of them by hand, and the app refuses groups with unknown members.
    app.target.admin("DELETE", f"/Users/{app.account('user3').id}")
    app.target.quirks(unknown_members="refused")
    for name in names:
        app.want(name, ["Sales"])
    app.push()
    assert len(app.target.members("Sales")) == 7
    assert [who for who, _ in app.told] == ["Sales"]


@pytest.mark.parametrize(
    ("quirks", "words"),
    [({"taken": ["Sales"]}, "answered 409"), ({"refuses": ["POST /Groups"]}, "answered 405")],
    ids=str,
)
def test_a_group_that_cannot_be_made_is_told_once_and_tried_ever_more_seldom(
    app: Provisioned, quirks: dict[str, Any], words: str
) -> None:
    app.target.quirks(**quirks)
    app.want("ada", ["Sales"])
    app.want("bob", ["Sales"])
    calls = [app.push() for _ in range(5)]
    assert app.target.truth() == {address("ada"): True, address("bob"): True}
    ((who, message),) = app.told
    assert who == "Sales"
    assert words in message
    assert calls[2:] == [0, 0, 0]
    app.target.quirks()
    app.push(DAY)
    assert len(app.target.members("Sales")) == 2
    assert_quiet(app)


def test_an_address_of_another_account_is_a_conflict_and_that_account_stays(app: Provisioned) -> None:
    app.target.user("lady.ada@acme.example", emails=[{"value": address("ada"), "type": "work"}])
    app.target.quirks(unique_emails=True)
    app.want("ada")
    app.push()
    assert app.account("ada").standing == CONFLICT
    assert app.target.truth() == {"lady.ada@acme.example": True}
    assert_quiet(app)


def test_a_group_that_was_deleted_is_made_again_and_filled(app: Provisioned) -> None:
    app.want("ada", ["Sales"])
    app.push()
    app.target.admin("DELETE", f"/Groups/{app.groups['Sales']}")
    app.want("bob", ["Sales"])
    app.push()
    app.push()
    assert sorted(app.target.members("Sales")) == sorted([app.account("ada").id, app.account("bob").id])
    assert_quiet(app)


def test_an_account_that_was_deleted_by_hand_is_made_again_when_it_is_next_written(app: Provisioned) -> None:
    app.want("ada", ["Sales"])
    app.push()
    app.target.admin("DELETE", f"/Users/{app.account('ada').id}")
    app.want("ada", ["Sales"], title="Manager")
    app.push()
    app.push()
    assert app.target.users()[address("ada")]["title"] == "Manager"
    assert app.account("ada").id in app.target.members("Sales")
    assert_quiet(app)


# ── Interrupted anywhere ─────────────────────────────────────────────────────────────────────────────


def begin(app: Provisioned, quirks: dict[str, Any]) -> None:
    """Let there be somebody in each state before a push that concerns them all."""
    stranger = app.target.user(address("stranger"))
    app.target.user(address("eve"), title="Owner")
    app.want("bob", ["Sales"], title="Rep")
    app.want("carl", ["Sales"])
    app.want("dora", ["Sales"])
    app.push()
    app.leave("dora")
    app.push()
    app.target.admin("PATCH", f"/Groups/{app.groups['Sales']}", _adds(stranger))
    app.target.quirks(**quirks)
    app.want("ada", ["Sales"])
    app.want("bob", ["EMEA", "Sales"], title="Manager")
    app.leave("carl")
    app.want("dora", ["Sales"])
    app.want("eve", ["Sales"])


def _adds(user: str) -> dict[str, object]:
    operations = [{"op": "add", "path": "members", "value": [{"value": user}]}]
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}


def assert_right(app: Provisioned) -> None:
    """Check that everybody is as is wanted, and nobody else was touched."""
    active = {address(name): name != "carl" for name in ("ada", "bob", "carl", "dora", "eve", "stranger")}
    assert app.target.truth() == active
    ids = {name: each["id"] for name, each in app.target.users().items()}
    inside = sorted(ids[address(name)] for name in ("ada", "bob", "dora", "stranger"))
    assert sorted(app.target.members("Sales")) == inside
    assert app.target.members("EMEA") == [ids[address("bob")]]
    assert app.target.users()[address("bob")]["title"] == "Manager"
    assert app.target.users()[address("eve")]["title"] == "Owner"


def interrupted(place: int, when: str, fault: Callable[[], Exception]) -> Callable[[str, str], None]:
    """Return a hook that raises at the n-th moment of a kind."""
    seen = 0

    def hook(moment: str, what: str) -> None:
        nonlocal seen
        if moment != when or (fault is lost and what not in WRITES):
            return
        seen += 1
        if seen == place:
            raise fault()

    return hook


WRITES = frozenset({"create", "activate", "change", "patch", "delete"})


def lost() -> Exception:
    """Return what a client raises where an answer is lost."""
    return OutcomeUnknown("no answer")


FAULTS = [("before", Crash), ("after", Crash), ("after", lost), ("before", lost)]
QUIRKS: list[dict[str, Any]] = [{}, {"unsupported": ["externalId"]}, {"post_existing": "duplicates"}]
SAMPLE = [
    (7, *FAULTS[0], QUIRKS[0]),
    (17, *FAULTS[1], QUIRKS[1]),  # made, and not recorded, where no external id tells
    (26, *FAULTS[1], QUIRKS[2]),
    (3, *FAULTS[2], QUIRKS[1]),
    (6, *FAULTS[2], QUIRKS[2]),
    (4, *FAULTS[3], QUIRKS[0]),
]
WHOLE = [
    pytest.param(place, *fault, quirks, marks=pytest.mark.long)
    for place, fault, quirks in product(range(1, 50), FAULTS, QUIRKS)
    if (place, *fault, quirks) not in SAMPLE
]


@pytest.mark.parametrize(("place", "when", "fault", "quirks"), [*SAMPLE, *WHOLE])
def test_a_push_that_is_interrupted_anywhere_is_made_good_by_the_next(
    app: Provisioned, place: int, when: str, fault: Callable[[], Exception], quirks: dict[str, Any]
) -> None:
    be_interrupted_and_made_good(app, interrupted(place, when, fault), quirks)


def be_interrupted_and_made_good(
    app: Provisioned, hook: Callable[[str, str], None], quirks: dict[str, Any]
) -> None:
    """Interrupt a push that concerns somebody in each state, and push again."""
    begin(app, quirks)
    app.hooks = [hook]
    with suppress(Crash):
        app.push()
    app.hooks = []
    app.push(DAY)
    assert_right(app)
    assert_quiet(app)
