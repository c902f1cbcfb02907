"""Engage licences on the deployed stack, driven through its public doors only (G1 to G8, P1 to P3).

The people are acme's: users in Salesforce, and under the same e-mail addresses in Vault CRM.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from sandbox.local_stack.stack import ORGANIZATION, LocalStack
from sandbox.local_stack.vault_admin import VaultAdmin
from tests.local.conftest import People, Person, Roster

type Answer = dict[str, Any]

ADMIN = "jane@acme.example"
ENGAGE, CONNECT = "engage", "engage_connect"
NOTHING = {"request": None, "status": None, "group": None}
# As it is without a word about it.
DELAY_S = 0.2


def manage(stack: LocalStack, *features: str) -> None:
    """Save settings by which these features are managed, and no other."""
    settings = stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
    settings["connections"]["vault_crm"]["manage_features"] = features
    said = stack.invoke("OrganizationSettingsFunction", action="put", settings=settings, by=ADMIN)
    assert said["status"] == "succeeded", said


@pytest.fixture(scope="module")
def vault(stack: LocalStack) -> Iterator[VaultAdmin]:
    """Vault CRM with a brisk Engage server, while Muster manages both features."""
    vault = VaultAdmin(stack)
    vault.settle(0)
    manage(stack, ENGAGE, CONNECT)
    yield vault
    manage(stack)
    vault.settle(DELAY_S)


@dataclass(frozen=True)
class Someone:
    """A person with a user in Salesforce and, of that e-mail address, in Vault CRM."""

    in_salesforce: Person
    vault_id: str

    @property
    def email(self) -> str:
        return self.in_salesforce.username


@dataclass(frozen=True)
class Licences:
    """What admins of Salesforce, Vault CRM and Muster do about licences."""

    stack: LocalStack
    vault: VaultAdmin
    people: People
    roster: Roster

    def group(self, licenses: int | None, feature: str = ENGAGE) -> str:
        """Make a group that no other test has."""
        name = f"Field Force {uuid4().hex[:8]}"
        self.vault.put_group(name, licenses, feature=feature)
        return name

    def someone(self, **in_vault: Any) -> Someone:
        """Make one person."""
        [someone] = self.some(1, **in_vault)
        return someone

    def some(self, number: int, **in_vault: Any) -> list[Someone]:
        """Make people, and let the messages about them arrive."""
        people = [self.people.new() for _ in range(number)]
        users = [
            {"username__sys": each.username, "email__sys": each.username, **named("Ada"), **in_vault}
            for each in people
        ]
        ids = self.vault.create_users(users)
        for each in people:
            assert self.roster.once_settled(each.username, active=True)
        return [Someone(person, vault_id) for person, vault_id in zip(people, ids, strict=True)]

    def run_import(self, mode: str = "full") -> Answer:
        said = self.stack.invoke("ScheduledImportFunction", mode=mode, by=ADMIN)
        assert said["status"] == "succeeded", said
        return said

    def assign(self, *requests: Answer) -> Answer:
        return self.stack.invoke("GroupAssignmentFunction", by=ADMIN, requests=requests)

    def push(self, **event: Any) -> Answer:
        return self.stack.invoke("ScheduledPushFunction", by=ADMIN, **event)

    def member(self, someone: Someone) -> Answer:
        member: Answer = self.roster.ask("member", member=someone.email)["member"]
        return member

    def in_vault(self, someone: Someone, field: str) -> Any:
        """Return a field of the person's user in Vault CRM."""
        vql = f"SELECT {field} FROM user__sys WHERE id = '{someone.vault_id}'"  # noqa: S608 - VQL of tests
        [user] = self.vault.query(vql)
        return user[field]

    def asked_of_engage(self, *some: Someone) -> list[tuple[str, str | None, str]]:
        """Return what the Engage server was asked about these people: feature, group, outcome."""
        ids = {each.vault_id for each in some}
        return [
            (each["feature"], each["group"], each["outcome"])
            for each in self.vault.requests()
            if each["user"] in ids
        ]

    def users_of(self, group: str, feature: str = ENGAGE) -> list[str]:
        """Return the Vault ids of a group's members, as the Engage server has them."""
        [found] = [each for each in self.vault.groups(feature) if each["name"] == group]
        members: list[str] = found["members"]
        return members

    def errors_about(self, *some: Someone) -> dict[str, Answer]:
        """Return the newest entries of the error log about these people, by code."""
        ids = {each.vault_id for each in some}
        log = self.roster.ask("errors", limit=100)["log"]
        return {entry["code"]: entry for entry in log if entry["record"] in ids}


def named(first_name: str) -> dict[str, str]:
    return {"first_name__sys": first_name, "last_name__sys": "Lovelace"}


def wants(member: str, group: str, feature: str = ENGAGE) -> Answer:
    """Return the request that asks for a group."""
    return {"member": member, "action": "assign", "feature": feature, "group": group}


def is_in(group: str) -> Answer:
    """Return a feature of a member who asked for the group and is in it."""
    return {"request": group, "status": "success", "group": group}


@pytest.fixture
def licences(stack: LocalStack, vault: VaultAdmin, people: People, roster: Roster) -> Licences:
    return Licences(stack, vault, people, roster)


# ── The import ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_an_import_links_people_by_email_and_fills_in_their_groups(licences: Licences, mode: str) -> None:
    group = licences.group(5)
    ada = licences.someone(engage_group_request__v=group)
    bob = licences.someone()
    stranger = f"{uuid4().hex}@acme.example"
    licences.vault.create_users([{"username__sys": stranger, "email__sys": stranger, **named("Eve")}])
    before = licences.vault.requests()

    assert licences.run_import(mode)["counts"]["linked"] == 2
    member = licences.member(ada)
    assert member["crm"]["vault_crm"] == {"id": ada.vault_id, "username": ada.email}
    assert (member["engage"], member["engage_connect"]) == (is_in(group), NOTHING)
    assert licences.member(bob)["engage"] == NOTHING
    assert licences.roster.people(stranger) == [], "members come from Salesforce only"

    assert licences.run_import(mode)["counts"] == {}
    assert licences.member(ada) == member
    assert licences.vault.requests() == before


# ── Requests and pushes ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def five(licences: Licences) -> Sequence[Someone]:
    """Five people whom an import has linked; the last is not set up for Engage Connect."""
    five = licences.some(5)
    licences.vault.set_up_in_connect(five[4].vault_id, done=False)
    licences.run_import("incremental")
    return five


def test_a_push_sends_what_was_asked_for_and_shows_what_became_of_it(
    licences: Licences, five: Sequence[Someone]
) -> None:
    ada, bob, cat, dan, eve = five
    group, online = licences.group(2), licences.group(None, CONNECT)
    misspelled = f"{group}x"
    said = licences.assign(
        # A member may be named by e-mail address, member id, CRM id or username.
        wants(ada.email, group),
        wants(licences.member(bob)["id"], group),
        wants(cat.in_salesforce.id, group),
        wants(dan.email.upper(), misspelled),
        wants(eve.email, online, CONNECT),
        wants(ada.email, online, CONNECT),
    )
    assert said["status"] == "succeeded"
    assert {result["status"] for result in said["results"]} == {"retry_request"}
    preview = licences.push(preview=True)
    assert (preview["status"], len(preview["changes"])) == ("succeeded", 5)
    assert licences.asked_of_engage(*five) == [], "nothing is sent before a push"

    pushed = licences.push()
    assert pushed["status"] == "succeeded_with_errors"
    waits, refused = "no_licenses_remaining", "invalid_group_name"
    missing = "user_not_in_connect"
    assert licences.member(ada)["engage"] == licences.member(bob)["engage"] == is_in(group)
    assert licences.member(ada)["engage_connect"] == is_in(online)
    assert licences.member(cat)["engage"] == {"request": group, "status": waits, "group": None}
    assert licences.member(dan)["engage"] == {"request": misspelled, "status": refused, "group": None}
    assert licences.member(eve)["engage_connect"] == {"request": online, "status": missing, "group": None}
    assert licences.users_of(group) == [ada.vault_id, bob.vault_id]
    errors = licences.errors_about(*five)
    assert {code: entry["record"] for code, entry in errors.items()} == {
        waits: cat.vault_id,
        refused: dan.vault_id,
        missing: eve.vault_id,
    }
    assert all(entry["remedy"] for entry in errors.values())

    # Each was sent once; another push sends nothing, nor do imports, of which the second finds nothing new.
    asked = sorted(licences.asked_of_engage(*five), key=str)
    assert len(asked) == 6
    assert licences.push()["counts"] == {}
    licences.run_import("incremental")
    assert licences.run_import("incremental")["counts"] == {}
    assert sorted(licences.asked_of_engage(*five), key=str) == asked


def test_what_has_been_mended_is_sent_again(licences: Licences, five: Sequence[Someone]) -> None:
    ada, eve = five[0], five[4]
    group, online = licences.group(1), licences.group(None, CONNECT)
    licences.assign(wants(ada.email, f"{group}x"), wants(eve.email, online, CONNECT))
    licences.push()

    licences.vault.set_up_in_connect(eve.vault_id)
    assert licences.push()["counts"] == {}, "nobody has asked for a retry"
    licences.assign(wants(ada.email, group), {"member": eve.email, "action": "retry", "feature": CONNECT})
    assert licences.push()["status"] == "succeeded"
    assert licences.member(ada)["engage"] == is_in(group)
    assert licences.member(eve)["engage_connect"] == is_in(online)
    assert licences.asked_of_engage(eve) == [
        (CONNECT, online, "user_not_in_connect__v"),
        (CONNECT, online, "success__v"),
    ]


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_licence_of_who_leaves_salesforce_goes_to_who_waits(
    licences: Licences, five: Sequence[Someone]
) -> None:
    leaver, waiting, later = five[:3]
    group, online = licences.group(1), licences.group(None, CONNECT)
    licences.assign(wants(leaver.email, group), wants(leaver.email, online, CONNECT))
    licences.push()
    for each in (waiting, later):
        licences.assign(wants(each.email, group))
        licences.push()
        assert licences.member(each)["engage"]["status"] == "no_licenses_remaining"

    licences.people.salesforce.change_user(leaver.in_salesforce.id, IsActive=False)
    assert licences.roster.once_settled(leaver.email, active=False)
    outcomes = licences.stack.run_state_machine("ScheduledPush")["organizations"]
    assert [(each["organization"], each["status"]) for each in outcomes] == [(ORGANIZATION, "succeeded")]
    gone = licences.member(leaver)
    assert (gone["engage"]["group"], gone["engage_connect"]["group"]) == (None, None)
    assert licences.users_of(group) == [waiting.vault_id]
    assert licences.users_of(online, CONNECT) == []
    assert licences.member(waiting)["engage"] == is_in(group)
    assert licences.member(later)["engage"]["status"] == "no_licenses_remaining"
    assert licences.in_vault(leaver, "remote_meeting_host_id__v") is None
    assert licences.in_vault(leaver, "status__v") == ["active__v"], "that is Vault's own affair"
    assert licences.push()["counts"] == {}


def test_who_is_past_the_end_date_leaves_the_groups_and_is_set_inactive(
    licences: Licences, five: Sequence[Someone]
) -> None:
    ada, group = five[0], licences.group(1)
    licences.assign(wants(ada.email, group))
    licences.push()
    change = {"member": ada.email, "end_date": "2020-01-31"}
    said = licences.stack.invoke("MemberSettingsFunction", changes=[change], by=ADMIN, **{"as": "admin"})
    assert said["status"] == "succeeded"
    assert licences.push()["status"] == "succeeded"
    assert licences.users_of(group) == []
    assert licences.in_vault(ada, "status__v") == ["inactive__v"]
    member = licences.member(ada)
    assert (member["engage"]["group"], member["crm_user_status"]) == (None, "inactive")


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_feature_that_is_not_managed_is_neither_asked_for_nor_pushed(
    licences: Licences, five: Sequence[Someone]
) -> None:
    ada, online = five[0], licences.group(None, CONNECT)
    licences.assign(wants(ada.email, online, CONNECT))
    try:
        manage(licences.stack, ENGAGE)
        said = licences.assign(wants(ada.email, "another", CONNECT))
        assert (said["status"], said["errors"][0]["where"]) == ("rejected", "requests[0].feature")
        assert licences.push()["counts"] == {}
        manage(licences.stack)
        assert licences.push()["status"] == "rejected"
        assert licences.stack.run_state_machine("ScheduledPush")["organizations"] == []
        assert licences.asked_of_engage(ada) == []
    finally:
        manage(licences.stack, ENGAGE, CONNECT)
    assert licences.push()["status"] == "succeeded"
    assert licences.asked_of_engage(ada) == [(CONNECT, online, "success__v")]


def test_one_request_that_is_refused_stops_no_other_and_says_what_to_do(
    licences: Licences, five: Sequence[Someone]
) -> None:
    ada, group = five[0], licences.group(1)
    said = licences.assign(wants("nobody@nowhere.example", group), wants(ada.email, group), {"evil": 1})
    assert said["status"] == "succeeded_with_errors"
    assert [result["where"] for result in said["results"]] == ["requests[1]"]
    places = {error["where"].partition("]")[0] for error in said["errors"]}
    assert places == {"requests[0", "requests[2"}
    assert all(error["message"] and error["remedy"] for error in said["errors"])
    assert licences.member(ada)["engage"]["request"] == group


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("GroupAssignmentFunction", {}),
        ("GroupAssignmentFunction", {"requests": []}),
        ("GroupAssignmentFunction", {"requests": [{}] * 501}),
        ("GroupAssignmentFunction", {"requests": [{}], "organization": "nobody"}),
        ("ScheduledPushFunction", {"run_id": "../../acme"}),
        ("ScheduledPushFunction", {"approve": "20261120T081532-0a1b2c3d"}),
        ("ScheduledPushFunction", {"organization": "nobody"}),
        ("ScheduledPushFunction", {"connections": ["salesforce"]}),
    ],
    ids=str,
)
def test_an_event_that_makes_no_sense_is_rejected_with_what_to_do(
    licences: Licences, function: str, event: Answer
) -> None:
    before = licences.vault.requests()
    said = licences.stack.invoke(function, **{"by": ADMIN, **event})
    assert said["status"] == "rejected"
    assert all(error["where"] and error["message"] and error["remedy"] for error in said["errors"])
    assert licences.vault.requests() == before
