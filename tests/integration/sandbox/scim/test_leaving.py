"""Apps that get leaving, coming back and seats wrong."""

import pytest

from tests.doubles.scim_in_process import ScimInProcess, new_user

ADA, BOB = "ada@acme.example", "bob@acme.example"


@pytest.fixture
def ada(scim: ScimInProcess) -> str:
    return scim.create(ADA, title="Countess", externalId="0051")


@pytest.mark.parametrize("operation", [("replace", "active", False), ("replace", None, {"active": False})])
def test_a_patch_is_answered_and_does_nothing(
    scim: ScimInProcess, ada: str, operation: tuple[object, ...]
) -> None:
    scim.quirks(patch_ignores=["active"], patch_answer="body")
    answer = scim.patch(ada, operation)
    assert answer.status_code in {200, 204}
    assert scim.truth() == {ADA: True}
    scim.patch(ada, operation, ("replace", "title", "Queen"))
    assert (scim.user(ada)["active"], scim.user(ada)["title"]) == (True, "Queen")


@pytest.mark.parametrize(
    ("quirk", "active", "title"),
    [
        ("cleared", None, None),
        ("kept", False, "Countess"),
        ("activates", True, None),
        ("deactivates", False, None),
    ],
)
def test_a_put_without_an_attribute(
    scim: ScimInProcess, ada: str, quirk: str, active: bool | None, title: str | None
) -> None:
    scim.patch(ada, ("replace", "active", False))
    scim.quirks(put_left_out=quirk)
    body = {key: value for key, value in new_user(ADA).items() if key != "active"}
    user = scim.call("PUT", f"/Users/{ada}", body)
    assert (user.get("active"), user.get("title")) == (active, title)


def test_who_left_is_gone_and_comes_back_as_somebody_else(scim: ScimInProcess, ada: str) -> None:
    group = scim.group("Sales", ada)
    scim.quirks(inactive="gone")
    scim.patch(ada, ("replace", "active", False))
    assert scim.members(group) == []
    for method, body in (("GET", None), ("PUT", new_user(ADA)), ("DELETE", None)):
        assert scim.send(method, f"/Users/{ada}", body).status_code == 404
    assert scim.patch(ada, ("replace", "active", True)).status_code == 404
    assert scim.listed() == []
    assert scim.create(ADA) != ada
    assert scim.truth() == {ADA: True}


def test_who_left_takes_nothing_but_active(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(inactive="locked")
    scim.patch(ada, ("replace", "active", False))
    assert scim.patch(ada, ("replace", "title", "Queen")).status_code == 400
    assert scim.patch(ada, ("replace", "active", True), ("replace", "title", "Queen")).status_code == 400
    assert scim.patch(ada, ("replace", "active", True)).status_code == 204
    assert scim.patch(ada, ("replace", "title", "Queen")).status_code == 204


def test_who_left_is_deleted(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(inactive="deleted")
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204
    assert scim.truth() == {}


def test_who_left_is_in_no_list_and_the_name_stays_taken(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(inactive="unlisted")
    scim.patch(ada, ("replace", "active", False))
    assert scim.listed(f'userName eq "{ADA}"') == []
    assert scim.post(ADA).status_code == 409
    assert scim.user(ada)["active"] is False


def test_a_delete_closes(scim: ScimInProcess, ada: str) -> None:
    group = scim.group("Sales")
    scim.quirks(delete="deactivates")
    assert scim.send("DELETE", f"/Users/{ada}").status_code == 204
    assert scim.truth() == {ADA: False}
    assert scim.user(ada)["title"] == "Countess"
    assert scim.send("DELETE", "/Users/nobody").status_code == 404
    assert scim.send("DELETE", f"/Groups/{group}").status_code == 204
    assert scim.listed(endpoint="Groups") == []


def test_the_owner_stays(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(protected=[ADA])
    assert scim.patch(ada, ("replace", "active", False)).status_code == 403
    assert scim.send("DELETE", f"/Users/{ada}").status_code == 403
    assert scim.patch(ada, ("replace", "title", "Queen")).status_code == 204
    assert scim.truth() == {ADA: True}


def test_seats_run_out_for_new_users_and_for_those_who_come_back(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(seats=1)
    full = scim.post(BOB)
    assert (full.status_code, "license" in full.get_json()["detail"]) == (403, True)
    scim.patch(ada, ("replace", "active", False))
    scim.create(BOB)
    assert scim.patch(ada, ("replace", "active", True)).status_code == 403
    assert scim.patch(ada, ("replace", "title", "Queen")).status_code == 204
    assert scim.truth() == {ADA: False, BOB: True}


def test_who_left_keeps_the_seat(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(seats=1, inactive_use_seats=True)
    scim.patch(ada, ("replace", "active", False))
    assert scim.post(BOB).status_code == 403
    assert scim.patch(ada, ("replace", "active", True)).status_code == 204
    scim.call("DELETE", f"/Users/{ada}", status=204)
    scim.create(BOB)


def test_seats_are_entitlements(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(entitlement_seats={"recorder": 1})
    seat = ("add", "entitlements", [{"value": "recorder"}])
    bob = scim.create(BOB)
    assert scim.patch(ada, seat).status_code == 204
    assert scim.patch(bob, seat).status_code == 403
    scim.patch(ada, ("replace", "active", False))
    assert scim.patch(bob, seat).status_code == 204
    assert scim.patch(ada, ("replace", "active", True)).status_code == 403


def test_seats_are_places_in_a_group(scim: ScimInProcess, ada: str) -> None:
    scim.quirks(group_seats={"Recorders": 1})
    group = scim.group("Recorders", ada)
    assert scim.add(group, scim.create(BOB)).status_code == 403
    assert scim.members(group) == [ada]


def test_booleans_are_texts(scim: ScimInProcess, ada: str) -> None:
    as_text = (("Replace", "active", "False"), ("replace", None, {"active": "False"}))
    scim.quirks(text_booleans="refused")
    assert [scim.patch(ada, each).status_code for each in as_text] == [400, 400]
    assert scim.post(BOB, active="True").status_code == 400
    scim.quirks(booleans_as_text=True)
    assert scim.patch(ada, as_text[0]).status_code == 204
    assert scim.user(ada)["active"] == "False"
    assert scim.call("GET", "/Users")["Resources"][0]["active"] == "False"
