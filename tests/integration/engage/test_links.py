"""Which user of Vault CRM is whose: handed on, made anew, vanished, come before its member (A14, G10, I3)."""

from typing import Any

import pytest

from tests.integration.engage.licences import Licences


def codes(licences: Licences) -> list[tuple[str, str]]:
    """Return what the error log says of links: code and record."""
    found = [(each["code"], each["record"]) for each in licences.company.errors()]
    return [(code, record) for code, record in found if code.startswith("vault_user_")]


def told(licences: Licences, code: str) -> list[dict[str, Any]]:
    return [each for each in licences.company.errors() if each["code"] == code]


def leaves(licences: Licences, member: dict[str, Any]) -> None:
    licences.company.salesforce.update(member["crm"]["salesforce"]["id"], IsActive=False)
    licences.imported("incremental")
    licences.push()


@pytest.fixture
def pair(licences: Licences) -> tuple[str, str]:
    """Return Ada's and Bob's users, who are linked; Bob is in the group UK."""
    ada, bob = licences.people(2)
    licences.vault.group("All", 9)
    licences.imported()
    licences.ask(bob)
    licences.push()
    assert licences.vault.used() == {"UK": 1, "All": 0}
    return ada, bob


# ── Handed on, renamed ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_user_that_was_handed_on_goes_to_whom_it_is_now(
    licences: Licences, pair: tuple[str, str], mode: str
) -> None:
    adas, bobs = pair
    ada, bob = licences.member(adas), licences.member(bobs)
    licences.ask(adas, group="All")
    licences.vault.update(
        bobs, email__sys="old@acme.example", username__sys="old@acme.example", status__v="inactive__v"
    )
    licences.vault.update(
        adas, email__sys=bob["email"], username__sys=bob["email"], engage_group_request__v="All"
    )
    licences.vault.settle()
    said = licences.imported(mode)
    assert said["status"] == "succeeded_with_errors"
    roster = licences.roster()
    assert roster.keys() == {adas}
    assert roster[adas]["id"] == bob["id"]
    assert licences.status(adas) == ("UK", "retry_request", "All")
    former = licences.company.ask("member", member=ada["id"])["member"]
    assert "vault_crm" not in former["crm"]
    # Her own request goes on standing; what her user showed has gone with it.
    assert former["engage"] == {"request": "All", "status": None, "group": None}
    assert sorted(codes(licences)) == [("vault_user_handed_on", adas), ("vault_user_left_in_group", bobs)]
    assert bob["id"] in told(licences, "vault_user_handed_on")[0]["message"]
    leaves(licences, ada)
    assert licences.vault.user(adas)["engage_group__v"] == "UK"
    # It is told once, and nothing is left to do.
    licences.imported("full")
    before = licences.company.items()
    assert licences.imported("full")["counts"] == {}
    assert licences.company.items() == before
    leaves(licences, bob)
    assert licences.vault.user(adas)["engage_group__v"] is None


def test_two_users_whose_names_were_swapped_are_swapped(licences: Licences, pair: tuple[str, str]) -> None:
    adas, bobs = pair
    ada, bob = licences.member(adas), licences.member(bobs)
    for user, name in ((adas, "between@acme.example"), (bobs, ada["email"]), (adas, bob["email"])):
        licences.vault.update(user, email__sys=name, username__sys=name)
    licences.imported("incremental")
    assert {user: each["id"] for user, each in licences.roster().items()} == {
        adas: bob["id"],
        bobs: ada["id"],
    }
    assert (licences.member(bobs)["engage"]["group"], licences.member(adas)["engage"]["group"]) == (
        "UK",
        None,
    )


def test_in_doubt_the_link_stays_and_is_told_once(licences: Licences, pair: tuple[str, str]) -> None:
    _, bobs = pair
    bob = licences.member(bobs)
    licences.vault.update(bobs, email__sys="robert@acme.example", username__sys="robert@acme.example")
    for mode in ("incremental", "full", "full"):
        licences.imported(mode)
    assert licences.member(bobs)["id"] == bob["id"]
    assert codes(licences) == [("vault_user_renamed", bobs)]
    # He has left, and the licence is taken back.
    leaves(licences, bob)
    assert licences.vault.used()["UK"] == 0


def test_a_name_that_is_still_right_keeps_the_link(licences: Licences, pair: tuple[str, str]) -> None:
    adas, bobs = pair
    ada = licences.member(adas)
    licences.vault.update(adas, email__sys=licences.member(bobs)["email"])
    licences.imported()
    assert licences.member(adas)["id"] == ada["id"]
    assert not codes(licences)


def test_an_address_that_was_the_members_before_says_nothing_about_a_newcomer_who_has_it(
    licences: Licences, pair: tuple[str, str]
) -> None:
    """Ada is renamed in Salesforce alone, and somebody new gets the address that her user still has."""
    adas, _ = pair
    ada = licences.member(adas)
    licences.company.salesforce.update(
        ada["crm"]["salesforce"]["id"], Email="countess@acme.example", Username="countess@acme.example"
    )
    licences.imported("incremental")
    licences.company.salesforce.create(
        Department="Sales", Username=ada["username"], Email=ada["email"], CommunityNickname="new"
    )
    licences.imported("incremental")
    licences.imported("full")
    assert licences.member(adas)["id"] == ada["id"]
    assert codes(licences) == [("vault_user_renamed", adas)]


def test_whose_user_it_is_shows_once_the_other_has_come(licences: Licences, pair: tuple[str, str]) -> None:
    _, bobs = pair
    bob = licences.member(bobs)
    licences.vault.update(bobs, email__sys="carol@acme.example", username__sys="carol@acme.example")
    licences.imported("full")
    licences.company.salesforce.create(
        Department="Sales", Username="carol@acme.example", Email="carol@acme.example"
    )
    licences.imported("incremental")
    licences.imported("full")
    assert licences.member(bobs)["email"] == "carol@acme.example"
    assert licences.member(bobs)["id"] != bob["id"]


def test_a_push_sends_nothing_to_a_user_that_is_somebody_else_by_now(
    licences: Licences, pair: tuple[str, str]
) -> None:
    """Bob leaves, and his user is Ada's since the last import read it."""
    adas, bobs = pair
    ada, bob = licences.member(adas), licences.member(bobs)
    licences.company.salesforce.update(bob["crm"]["salesforce"]["id"], IsActive=False)
    licences.imported("incremental")
    licences.vault.update(adas, email__sys="old@acme.example", username__sys="old@acme.example")
    licences.vault.update(bobs, email__sys=ada["email"], username__sys=ada["email"])
    for _ in range(2):
        assert licences.push()["counts"] == {}
    assert licences.vault.user(bobs)["engage_group__v"] == "UK"
    assert codes(licences) == [("vault_user_handed_on", bobs)]
    licences.imported("incremental")
    licences.push()
    assert licences.member(bobs)["id"] == ada["id"]
    assert licences.status(bobs) == ("UK", "success", "UK")


# ── Made anew, second, converted ─────────────────────────────────────────────────────────────────


def test_a_user_that_was_made_anew_is_linked_once_the_old_one_is_out_of_its_group(
    licences: Licences, pair: tuple[str, str]
) -> None:
    _, old = pair
    email = licences.member(old)["email"]
    licences.vault.update(old, status__v="inactive__v", username__sys=f"old.{email}")
    new = licences.vault.create(username__sys=email, email__sys=email)
    licences.imported("full")
    licences.push()
    assert licences.vault.used()["UK"] == 0
    licences.imported("full")
    licences.push()
    assert licences.vault.user(new)["engage_group__v"] == "UK"
    assert not codes(licences)


def test_the_new_user_does_not_wait_for_a_removal_that_fails_and_what_is_left_is_told(
    licences: Licences, pair: tuple[str, str]
) -> None:
    _, old = pair
    email = licences.member(old)["email"]
    licences.vault.update(old, status__v="inactive__v", username__sys=f"old.{email}")
    new = licences.vault.create(username__sys=email, email__sys=email)
    licences.faults(
        {"path": "/api/v26.1/vobjects/user__sys", "method": "PUT", "fault": "engage_fails", "count": 9}
    )
    licences.imported("full")
    licences.push()
    licences.faults()
    licences.imported("full")
    assert new in licences.roster()
    assert ("vault_user_left_in_group", old) in codes(licences)


def test_of_two_active_users_with_one_address_the_first_stays_linked(
    licences: Licences, pair: tuple[str, str]
) -> None:
    _, first = pair
    email = licences.member(first)["email"]
    second = licences.vault.create(username__sys=f"second.{email}", email__sys=email)
    said = licences.imported("full")
    assert said["vault_crm"]["unlinked"] >= 1
    assert second not in licences.roster()
    licences.vault.update(first, status__v="inactive__v")
    for _ in range(2):
        licences.imported("full")
        licences.push()
    assert second in licences.roster()
    assert licences.vault.user(second)["engage_group__v"] == "UK"


def test_the_old_user_that_is_renamed_gives_way_to_a_new_one_that_is_not(
    licences: Licences, pair: tuple[str, str]
) -> None:
    _, old = pair
    email = licences.member(old)["email"]
    licences.vault.update(old, email__sys="old@acme.example", username__sys="old@acme.example")
    new = licences.vault.create(username__sys=email, email__sys=email)
    licences.imported("incremental")
    assert new in licences.roster()
    assert old not in licences.roster()
    assert codes(licences) == [("vault_user_left_in_group", old)]


def test_a_member_is_linked_by_its_unconverted_address_and_by_no_converted_one(licences: Licences) -> None:
    licences.company.put(domains={"primary": "acme.example", "company": ["acme.example"], "convert": True})
    for name in ("kim", "lou"):
        licences.company.salesforce.create(
            Department="Sales", Username=f"{name}@agency.example", Email=f"{name}@agency.example"
        )
    kims = licences.vault.create(username__sys="kim@agency.example", email__sys="kim@agency.example")
    other = licences.vault.create(username__sys="lou@acme.example", email__sys="lou@acme.example")
    licences.imported("full")
    assert licences.member(kims)["email"] == "kim@acme.example"
    assert other not in licences.roster()


# ── Incremental imports ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("heard", [False, True])
def test_a_user_that_came_before_its_member_is_linked_by_the_next_incremental_import(
    licences: Licences, heard: bool
) -> None:
    user = licences.vault.create(username__sys="Kim@acme.example", email__sys="Kim@acme.example")
    licences.person()
    licences.imported("full")
    licences.vault.clock.pass_s(3600)
    licences.vault.log_in()
    stranger = licences.vault.create(username__sys="x@agency.example", email__sys="x@agency.example")
    licences.imported("incremental")
    crm_id = licences.company.salesforce.create(
        Department="Sales", Username="kim@acme.example", Email="kim@acme.example"
    )
    if heard:
        licences.company.hear({"Id": crm_id})
        assert crm_id in licences.company.roster()
    licences.calls()
    licences.imported("incremental")
    # Who has changed, and who goes by the names of the one who is linked to nobody: not everybody.
    assert licences.calls().count(("POST", "/api/v26.1/query")) == 2
    assert licences.member(user)["crm"]["salesforce"]["id"] == crm_id
    assert stranger not in licences.roster()


def test_whose_address_comes_to_be_that_of_a_user_is_linked_by_the_next_incremental_import(
    licences: Licences,
) -> None:
    user = licences.vault.create(username__sys="kim@acme.example", email__sys="kim@acme.example")
    crm_id = licences.company.salesforce.create(Department="Sales")
    licences.imported("full")
    licences.vault.clock.pass_s(3600)
    licences.vault.log_in()
    licences.vault.create(username__sys="x@agency.example", email__sys="x@agency.example")
    licences.imported("incremental")
    licences.company.salesforce.update(crm_id, Email="kim@acme.example")
    licences.imported("incremental")
    assert licences.member(user)["crm"]["salesforce"]["id"] == crm_id


# ── Vanished ─────────────────────────────────────────────────────────────────────────────────────


def test_a_user_that_is_gone_is_told_and_linked_again_when_it_returns(
    licences: Licences, pair: tuple[str, str]
) -> None:
    _, bobs = pair
    bob = licences.member(bobs)
    with licences.vault.vault.store.transaction() as database:
        kept = database.execute("SELECT * FROM user__sys WHERE id = ?", (bobs,)).fetchone()
        database.execute("DELETE FROM user__sys WHERE id = ?", (bobs,))
    licences.imported("incremental")
    assert bobs in licences.roster()
    assert licences.imported("full")["counts"] == {"unlinked": 1}
    licences.imported("full")
    assert bobs not in licences.roster()
    assert codes(licences) == [("vault_user_gone", bobs)]
    assert licences.company.ask("member", member=bob["id"])["member"]["engage"]["request"] == "UK"
    licences.company.salesforce.update(bob["crm"]["salesforce"]["id"], IsActive=False)
    licences.imported("incremental")
    assert licences.push()["counts"] == {}
    with licences.vault.vault.store.transaction() as database:
        database.execute(f"INSERT INTO user__sys VALUES ({', '.join('?' * len(kept))})", kept)  # noqa: S608
    licences.imported("full")
    assert licences.member(bobs)["id"] == bob["id"]
    licences.push()
    assert licences.vault.user(bobs)["engage_group__v"] is None


def test_many_who_are_gone_at_once_wait_for_approval(licences: Licences) -> None:
    people = licences.people(3)
    licences.company.put(guard={"floor": 3, "count": 3, "percent": 1, "operations": {"revoke": {"floor": 1}}})
    licences.imported()
    with licences.vault.vault.store.transaction() as database:
        database.execute("DELETE FROM user__sys WHERE id IN (?, ?)", people[:2])
    parked = licences.company.run("full")
    assert parked["status"] == "parked"
    assert {each["user"] for each in parked["changes"]} == set(people[:2])
    assert licences.roster().keys() == set(people)
