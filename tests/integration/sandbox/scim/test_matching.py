"""Apps that get it wrong how users are made and found again."""

import pytest

from sandbox.scim.protocol import ENTERPRISE
from tests.doubles.scim_in_process import USER, ScimInProcess, new_user

ADA, BOB = "Ada@acme.example", "bob@acme.example"


def test_a_post_again_wipes(scim: ScimInProcess) -> None:
    ada = scim.create(ADA, title="Countess")
    scim.quirks(post_existing="upserts")
    answer = scim.post(ADA.lower())
    assert (answer.status_code, answer.get_json()["id"]) == (200, ada)
    assert "title" not in scim.user(ada)


def test_a_post_again_makes_a_second(scim: ScimInProcess) -> None:
    first = scim.create(ADA)
    scim.quirks(post_existing="duplicates")
    assert scim.create(ADA) != first
    assert scim.listed(f'userName eq "{ADA}"') == [ADA, ADA]
    scim.call("DELETE", f"/Users/{first}", status=204)
    assert scim.listed() == [ADA]


@pytest.mark.parametrize("status", [400, 409, 500])
def test_a_conflict_has_another_status(scim: ScimInProcess, status: int) -> None:
    scim.create(ADA)
    scim.quirks(conflict_status=status, errors="no_scim_type")
    answer = scim.post(ADA)
    assert answer.status_code == status
    assert answer.get_json()["status"] == str(status)
    assert "scimType" not in answer.get_json()


def test_a_name_is_taken_and_no_filter_shows_by_whom(scim: ScimInProcess) -> None:
    scim.quirks(taken=[ADA, "Sales"])
    assert scim.post(ADA.lower()).status_code == 409
    assert scim.listed(f'userName eq "{ADA}"') == []
    assert scim.send("POST", "/Groups", {"displayName": "sales"}).status_code == 409
    assert scim.listed(endpoint="Groups") == []


def test_an_address_belongs_to_another_account(scim: ScimInProcess) -> None:
    scim.create(ADA)
    scim.quirks(unique_emails=True)
    body = new_user(BOB, emails=[{"value": ADA.upper(), "primary": True}])
    assert scim.send("POST", "/Users", body).status_code == 409
    bob = scim.create(BOB)
    assert scim.patch(bob, ("replace", "emails", [{"value": ADA}])).status_code == 409


def test_two_groups_of_one_name(scim: ScimInProcess) -> None:
    assert scim.group("Sales") != scim.group("Sales")
    scim.quirks(unique_group_names=True)
    assert scim.send("POST", "/Groups", {"displayName": "sales"}).status_code == 409


def test_case_counts_in_a_filter_and_not_in_a_name(scim: ScimInProcess) -> None:
    scim.create(ADA)
    scim.quirks(case_sensitive_filters=True)
    assert scim.listed(f'userName eq "{ADA.upper()}"') == []
    assert scim.post(ADA.upper()).status_code == 409
    assert scim.listed(f'userName eq "{ADA}"') == [ADA]


def test_a_name_is_stored_in_another_case(scim: ScimInProcess) -> None:
    scim.quirks(lowercases_user_names=True)
    assert scim.post(ADA).get_json()["userName"] == ADA.lower()


def test_the_name_must_be_the_address(scim: ScimInProcess) -> None:
    scim.quirks(user_name_is_email=True)
    body = new_user(ADA, emails=[{"value": ADA.lower(), "primary": True}])
    assert scim.send("POST", "/Users", body).status_code == 400
    scim.create(ADA)


def test_an_attribute_cannot_change(scim: ScimInProcess) -> None:
    ada, group = scim.create(ADA, externalId="1"), scim.group("Sales")
    scim.quirks(immutable=["emails", "User.externalId", "Group.displayName"])
    for operation in (("replace", "externalId", "2"), ("replace", "emails", [{"value": BOB}])):
        answer = scim.patch(ada, operation)
        assert (answer.status_code, answer.get_json()["scimType"]) == (400, "mutability")
    assert scim.patch(group, ("replace", "displayName", "New"), endpoint="Groups").status_code == 400
    assert scim.patch(ada, ("replace", "displayName", "Ada")).status_code == 204


def test_another_address_makes_another_user(scim: ScimInProcess) -> None:
    ada = scim.create(ADA, externalId="1")
    scim.quirks(email_change_makes_a_user=True)
    body = new_user(BOB, externalId="1")
    assert scim.call("PUT", f"/Users/{ada}", body)["id"] != ada
    assert scim.listed('externalId eq "1"') == [ADA, BOB]


def test_an_attribute_is_required(scim: ScimInProcess) -> None:
    scim.quirks(requires=["externalId", "name.givenName", "entitlements"])
    entitlements = [{"value": "Standard User"}]
    assert scim.post(ADA, entitlements=entitlements).status_code == 400
    assert (
        scim.post(ADA, externalId="1", name={"familyName": "L"}, entitlements=entitlements).status_code == 400
    )
    assert scim.post(ADA, externalId="1").status_code == 400
    scim.create(ADA, externalId="1", entitlements=entitlements)


def test_an_attribute_is_not_supported(scim: ScimInProcess) -> None:
    scim.quirks(unsupported=["externalId"])
    assert "externalId" not in scim.post(ADA, externalId="1").get_json()
    answer = scim.send("GET", "/Users", filter='externalId eq "1"')
    assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidFilter")


def test_one_value_at_most_and_no_empty_list(scim: ScimInProcess) -> None:
    scim.quirks(single_values=True, refuses_empty_lists=True)
    two = [{"value": ADA, "primary": True}, {"value": BOB}]
    assert scim.post(ADA, emails=two).status_code == 400
    assert scim.post(ADA, photos=[]).status_code == 400
    scim.create(ADA)


@pytest.mark.parametrize(("quirk", "status"), [("taken", 201), ("must_exist", 400), ("crashes", 500)])
def test_a_manager_whom_nobody_knows(scim: ScimInProcess, quirk: str, status: int) -> None:
    scim.quirks(manager=quirk)
    boss = scim.create(BOB)
    for number, (manager, says) in enumerate((("nobody", status), (boss, 201))):
        answer = scim.post(
            f"{number}@acme.example",
            schemas=[USER, ENTERPRISE],
            **{ENTERPRISE: {"manager": {"value": manager}}},
        )
        assert answer.status_code == says
    assert len(scim.truth()) == (3 if status == 201 else 2)


def test_a_manager_is_shown_as_text(scim: ScimInProcess) -> None:
    scim.quirks(manager="shown_as_text")
    ada = scim.create(ADA, schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": {"value": "7"}}})
    assert scim.user(ada)[ENTERPRISE]["manager"] == "7"


def test_an_invited_user_takes_updates_and_applies_none(scim: ScimInProcess) -> None:
    scim.quirks(pending_s=60)
    ada = scim.create(ADA)
    assert scim.patch(ada, ("replace", "active", False)).status_code == 204
    assert scim.truth() == {ADA: True}
    assert scim.send("GET", "/Users", filter=f'userName eq "{ADA}"').status_code == 400
    scim.clock.pass_s(61)
    scim.patch(ada, ("replace", "active", False))
    assert scim.truth() == {ADA: False}
    assert scim.listed(f'userName eq "{ADA}"') == [ADA]
