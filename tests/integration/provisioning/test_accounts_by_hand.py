"""Accounts that were there before: adopted, ignored and looked for again by hand, by name or in bulk (O3)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import member_settings
from muster import bootstrap
from muster.errors import Unavailable
from muster.roster.writing_members import MemberWriter
from tests.integration.company import table
from tests.integration.edits.acme import meanwhile, wheres
from tests.integration.pasted import events_for, pasted
from tests.integration.provisioning.apps import APP, Apps, address


def say(apps: Apps, word: str, *names: str, **event: Any) -> dict[str, Any]:
    """Say that of the accounts of these people, or as `event` has it."""
    whose = {"members": [address(name) for name in names]} if names else {}
    asked = {"organization": "acme", "by": "jane", "accounts": {APP: word}, **whose, **event}
    said: dict[str, Any] = member_settings.handler(asked, apps.company.context)
    read: dict[str, Any] = json.loads(json.dumps(said))
    return read


def were_there(apps: Apps, *names: str) -> dict[str, str]:
    """Return, by name, the CRM ids of people whose account in the app was there before, as a push found."""
    crm_ids = {name: apps.person(name) for name in names}
    for name in names:
        apps.scim.create(address(name))
    apps.imported()
    assert apps.push()["counts"] == {"to_adopt": len(names)}
    apps.calls()
    return crm_ids


def state(apps: Apps, crm_id: str) -> str:
    return str(apps.account(crm_id).get("state"))


def test_what_is_adopted_is_kept_from_the_next_push_on_and_what_is_ignored_is_left_alone(apps: Apps) -> None:
    people = were_there(apps, "ada", "bob")
    said = say(apps, "adopt", "ada", why="she had it first")
    assert (said["status"], said["message"]) == ("succeeded", "1 change was made.")
    assert said["summary"] == [
        "+ Ada Lovelace: adopts the account in app (SCIM). The next push reads the account ada@acme.example"
        " in app (SCIM) and brings it in line."
    ]
    assert said["muster_version"]
    said = say(apps, "ignore", "bob")
    assert said["summary"] == [
        "~ Bob Lovelace: account left alone in app (SCIM). Whoever can sign in to the account"
        " bob@acme.example in app (SCIM) can go on doing so."
    ]
    # Nothing was sent with the word itself.
    assert apps.calls() == []
    newest = apps.company.history(people["ada"])[0]
    assert (newest["origin"], newest["why"]) == ("manual:jane", "she had it first")
    assert apps.push()["counts"] == {"changed": 1}
    assert apps.groups() == {"Sales": ["ada"]}
    for crm_id in people.values():
        apps.company.salesforce.update(crm_id, IsActive=False)
    apps.imported("incremental")
    assert apps.push()["counts"] == {"closed": 1}
    assert apps.truth() == {"ada": False, "bob": True}
    assert {name: state(apps, crm_id) for name, crm_id in people.items()} == {
        "ada": "inactive",
        "bob": "ignored",
    }


def test_who_has_left_is_closed_by_the_push_that_follows_the_adoption(apps: Apps) -> None:
    people = were_there(apps, "ada")
    apps.company.salesforce.update(people["ada"], IsActive=False)
    apps.imported("incremental")
    said = say(apps, "adopt", "ada", preview=True)
    assert "closes the account ada@acme.example in app (SCIM), for the member has left" in said["summary"][0]
    say(apps, "adopt", "ada")
    assert apps.push()["counts"] == {"closed": 1}
    assert apps.truth() == {"ada": False}


def test_all_whom_the_push_has_found_waiting_are_adopted_together_after_a_preview(apps: Apps) -> None:
    names = ("ada", "bob", "cleo")
    people = were_there(apps, *names)
    say(apps, "ignore", "cleo")
    before = table()
    said = say(apps, "adopt", filter={"account": "to_adopt"}, preview=True)
    assert (said["preview"], said["message"]) == (True, "2 changes would be made.")
    assert [line.partition(":")[0] for line in said["summary"]] == ["+ Ada Lovelace", "+ Bob Lovelace"]
    assert table() == before
    said = say(apps, "adopt", filter={"account": "to_adopt"}, detail=True)
    assert (said["status"], said["counts"]) == ("succeeded", {"changed": 2, "unchanged": 0, "refused": 0})
    assert said["results"][0]["where"] == "Ada Lovelace (ada@acme.example)"
    assert apps.push()["counts"] == {"changed": 2}
    assert apps.groups() == {"Sales": ["ada", "bob"]}
    again = say(apps, "adopt", filter={"account": "to_adopt"})
    assert again["message"] == "Nobody has an account in app (SCIM) that waits to be adopted."
    assert again["status"] == "succeeded"
    assert state(apps, people["cleo"]) == "ignored"


def test_what_there_is_no_time_for_the_same_call_does(apps: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    were_there(apps, "ada", "bob", "cleo")
    monkeypatch.setattr("muster.edits.editing_members.CHUNK", 2)
    apps.company.have_seconds(60)
    said = say(apps, "adopt", filter={"account": "to_adopt"})
    assert said["status"] == "continue"
    assert said["message"] == (
        "2 changes were made. The time was up: 1 more have an account in app (SCIM) that waits to be adopted;"
        " send the same event again."
    )
    said = say(apps, "adopt", filter={"account": "to_adopt"})
    assert (said["status"], said["counts"]["changed"]) == ("succeeded", 1)


def test_what_is_looked_for_again_is_what_the_app_shows_then(apps: Apps) -> None:
    people = were_there(apps, "ada", "bob")
    say(apps, "ignore", "ada")
    said = say(apps, "reconsider", "ada", "bob")
    assert said["summary"][0] == (
        "~ Ada Lovelace: account looked for again in app (SCIM). The next push to app (SCIM) looks for it."
    )
    assert say(apps, "reconsider", "ada", "bob")["counts"]["unchanged"] == 2
    # One of the two has been deleted there since.
    directory = apps.scim.control("GET", "directory")
    ada = next(each["id"] for each in directory["users"] if each["userName"] == address("ada"))
    assert apps.scim.send("DELETE", f"/Users/{ada}").status_code == 204
    assert apps.push()["counts"] == {"made": 1, "to_adopt": 1}
    assert {name: state(apps, crm_id) for name, crm_id in people.items()} == {
        "ada": "active",
        "bob": "to_adopt",
    }


def test_a_file_and_a_list_of_changes_say_it_too(apps: Apps) -> None:
    people = were_there(apps, "ada", "bob")
    csv = f"member,accounts.{APP}\n{address('ada')},adopt\n{address('bob')},ignor\n"
    asked = {"organization": "acme", "by": "jane", "csv": csv}
    said = member_settings.handler(asked, apps.company.context)
    assert said["counts"] == {"lines": 2, "changed": 1, "unchanged": 0, "refused": 1}
    assert said["errors"][0]["where"] == f'line 3, accounts["{APP}"]'
    changes = [{"member": address("bob"), "accounts": {APP: "ignore"}, "end_date": "2099-12-31"}]
    said = member_settings.handler(
        {"organization": "acme", "by": "jane", "changes": changes}, apps.company.context
    )
    assert said["status"] == "succeeded"
    assert (state(apps, people["ada"]), state(apps, people["bob"])) == ("active", "ignored")


def test_what_cannot_be_is_refused_with_what_to_do_and_the_others_go_on(apps: Apps) -> None:
    people = were_there(apps, "ada")
    bob = apps.person("bob")
    apps.imported()
    assert apps.push()["counts"] == {"made": 1}
    said = say(apps, "ignore", "bob", "ada", "zoe")
    assert (said["status"], wheres(said)) == (
        "succeeded_with_errors",
        [f"members[0].accounts.{APP}", "members[2].member"],
    )
    assert said["errors"][0]["message"] == "cannot be ignored: the account is one that Muster keeps"
    assert "see who of its connection" in said["errors"][0]["remedy"]
    said = say(apps, "adopt", "ada", accounts={"scim.ap": "adopt"})
    assert said["message"] == "members[0].accounts.scim.ap is not an app of the settings."
    assert said["errors"][0]["remedy"] == f"Did you mean '{APP}'?"
    assert (state(apps, people["ada"]), state(apps, bob)) == ("ignored", "active")


def test_two_are_never_given_one_account_not_even_in_a_preview(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = were_there(apps, "ada", "bob")
    roster = bootstrap.roster_table()
    known = roster.members("acme", [apps.company.roster()[each]["id"] for each in people.values()])
    ada, bob = sorted(known.values(), key=lambda member: member.name or "")
    _give(bob.id, ada.accounts[APP].id)
    said = say(apps, "adopt", "ada", "bob", preview=True)
    assert wheres(said) == [f"members[1].accounts.{APP}"]
    assert f"linked to the member {ada.id}" in said["errors"][0]["message"]
    # And if both are adopted at one moment, by two people.
    meanwhile(lambda: say(apps, "adopt", "bob"), monkeypatch)
    said = say(apps, "adopt", "ada")
    assert wheres(said) == [f"members[0].accounts.{APP}"]
    assert f"linked to the member {bob.id}" in said["errors"][0]["message"]


def _give(member: str, account: str) -> None:
    """Have the account that waits for the member be that one."""
    roster = bootstrap.roster_table()
    found = roster.members("acme", [member])[member]
    settings = bootstrap.settings_table().current("acme")
    assert settings
    moved = replace(found.accounts[APP], id=account)
    writer = MemberWriter(settings.settings, roster, datetime.now(UTC), None, "push", "run:1")
    writer.write({member: lambda each: replace(each, accounts={APP: moved})})


@pytest.mark.parametrize(("word", "becomes"), [("ignore", "ignored"), ("adopt", "active")])
def test_what_is_said_while_a_push_looks_again_stands(
    apps: Apps, monkeypatch: pytest.MonkeyPatch, word: str, becomes: str
) -> None:
    """The member has another userName by now, which makes it another question."""
    people = were_there(apps, "bob")
    apps.scim.create(address("robert"))
    apps.company.salesforce.update(people["bob"], Email=address("robert"))
    apps.imported("incremental")
    meanwhile(lambda: say(apps, word, "robert"), monkeypatch)
    apps.push()
    assert state(apps, people["bob"]) == becomes
    assert apps.company.history(people["bob"])[0]["origin"] == "manual:jane"
    apps.push()
    assert state(apps, people["bob"]) == becomes


def test_a_word_that_comes_while_the_table_is_down_can_be_sent_again(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = were_there(apps, "ada")
    with monkeypatch.context() as down:

        def unreachable(*_: object) -> dict[str, str]:
            raise Unavailable("the roster table could not be reached")

        down.setattr(bootstrap.roster_table(), "account_members", unreachable)
        with pytest.raises(Unavailable):
            say(apps, "adopt", "ada")
    assert state(apps, people["ada"]) == "to_adopt"
    assert say(apps, "adopt", "ada")["status"] == "succeeded"


# The place that is named, and a part of what is said.
NONSENSE: list[tuple[dict[str, Any], str, str]] = [
    ({}, "event", "does not say whose accounts"),
    ({"members": ["a"], "filter": {"account": "to_adopt"}}, "event", "both members and filter"),
    ({"filter": {"account": "inactive"}}, "filter.account", ""),
    ({"filter": {"account": "to_adopt"}, "as": "manager"}, "event", "as a manager"),
    ({"accounts": {APP: "take"}, "members": ["a"]}, f'accounts["{APP}"]', ""),
    ({"accounts": {}, "members": ["a"]}, "accounts", ""),
    ({"changes": [{"member": "a", "seats": []}], "members": ["a"]}, "event", "both changes and accounts"),
    ({"accounts": None, "changes": [{"member": "a", "seats": []}], "members": ["a"]}, "event", "without"),
]


def test_an_event_that_makes_no_sense_is_rejected(apps: Apps) -> None:
    for event, where, says in NONSENSE:
        said = say(apps, "adopt", **event)
        assert (said["status"], wheres(said)) == ("rejected", [where]), event
        assert says in said["message"]
        assert said["errors"][0]["remedy"]


def test_the_events_to_paste_are_understood(apps: Apps) -> None:
    were_there(apps, "bob")
    about_accounts = [name for name in events_for("member_settings") if "accounts" in pasted(name)]
    # One after the other: adopting is a preview there.
    assert about_accounts == [f"member_settings_{word}" for word in ("adopt", "ignore", "reconsider")]
    for name in about_accounts:
        said = member_settings.handler(pasted(name), apps.company.context)
        assert (said["status"], said["counts"]["changed"]) == ("succeeded", 1), name
