"""Vault CRM's users into the roster table: linked once, followed, nothing written for nothing (I3, I9)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from muster import bootstrap
from muster.crm.engage_features import CONNECT, ENGAGE, Seen
from muster.roster import vault_lifecycle
from muster.roster.decisions import Outcome
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.roster.writing_user_changes import UserChangeWriter
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import VaultUser
from tests.examples import ADA, NOW, change, settings
from tests.simulation.harness.strict_aws import strict

ACME = settings(
    connections={"vault_crm": {"host": "acme-crm.veevavault.com"}}, assignments=[{"name": "Everyone"}]
)


class World:
    """A roster in which Ada is a member, from Salesforce."""

    def __init__(self, aws: SimpleNamespace) -> None:
        self.aws = aws
        self.roster = bootstrap.roster_table()
        self.follow(change(10))

    def follow(self, *changes: UserChange) -> dict[str, int]:
        """Write changes from Salesforce; returns the outcomes."""
        writer = UserChangeWriter(ACME, self.roster, NOW)
        assert not writer.write([replace(each, matches=frozenset({"Everyone"})) for each in changes])
        return dict(writer.outcomes)

    def settle(self, *users: VaultUser, ready: Any = None) -> dict[str, int]:
        """Write users of Vault CRM; returns the outcomes."""
        writer = UserChangeWriter(ACME, self.roster, NOW + timedelta(hours=1), rules=vault_lifecycle)
        assert not writer.write(users, ready)
        return dict(writer.outcomes)

    def ada(self) -> Member:
        """Return Ada as she is stored."""
        [state] = [each for each in self.roster.states("acme") if each.crm_id == ADA]
        return self.roster.members("acme", [state.member])[state.member]

    def items(self) -> list[Any]:
        """Return everything in the table."""
        found = self.aws.dynamodb.scan(TableName="roster")["Items"]
        return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


@pytest.fixture
def world(aws: SimpleNamespace) -> Any:
    with strict() as rules:
        rules.page_size = 1_000
        yield World(aws)


def user(vault_id: str = "10042", group: str | None = "UK", **more: Any) -> VaultUser:
    given: dict[str, Any] = {
        "id": vault_id,
        "username": f"{vault_id}@acme.example",
        "email": "ADA@acme.example",
        "active": True,
        "seen": {ENGAGE: Seen(group, "success", group), CONNECT: Seen()},
        "requests": {ENGAGE: group, CONNECT: None},
        "digest": "d1",
        "run": "run:1",
    }
    return VaultUser(**{**given, **more})


def test_a_user_is_linked_and_the_same_again_writes_nothing(world: World) -> None:
    assert world.settle(user()) == {Outcome.LINKED: 1}
    ada = world.ada()
    assert ada.crm["vault_crm"] == {"id": "10042", "username": "10042@acme.example"}
    assert ada.engage == Engage("UK", "success", "UK")
    [state] = world.roster.states("acme")
    assert (state.crm_id, state.vault_id, state.vault_digest) == (ADA, "10042", "d1")
    before = world.items()
    assert world.settle(user()) == {Outcome.UNCHANGED: 1}
    assert world.items() == before


def test_a_linked_user_is_found_by_its_id_whatever_its_address(world: World) -> None:
    world.settle(user())
    assert world.settle(user(email="else@acme.example", group="US", digest="d2")) == {Outcome.UPDATED: 1}
    assert world.ada().engage.group == "US"


@pytest.mark.parametrize("several", [("10042", "10043"), ("10043", "10042")])
def test_of_two_users_with_one_address_one_is_linked_for_good(world: World, several: Sequence[str]) -> None:
    first, second = several
    assert world.settle(user(first), user(second, "US")) == {Outcome.LINKED: 1, Outcome.UNLINKED: 1}
    assert world.settle(user(second, "US"), user(first)) == {Outcome.UNCHANGED: 1, Outcome.UNLINKED: 1}
    assert world.ada().crm["vault_crm"]["id"] == first


def test_a_link_that_moves_leaves_no_key_behind(world: World) -> None:
    world.settle(user())
    assert world.settle(user("10077", succeeds="10042")) == {Outcome.LINKED: 1}
    assert world.settle(user("10042", email=None)) == {Outcome.UNLINKED: 1}
    held = [
        item["pk"]["S"]
        for item in world.items()
        if "#MATCH#vault_crm#" in item["pk"]["S"] and "members" in item
    ]
    assert held == ["ORG#acme#MATCH#vault_crm#10077"]


def test_a_decision_made_on_what_has_changed_since_is_made_anew(world: World) -> None:
    change_of_vault = user()
    writer = UserChangeWriter(ACME, world.roster, NOW, rules=vault_lifecycle)
    wanted = {change_of_vault.crm_id: vault_lifecycle.wanted_for(change_of_vault, ACME)}
    known = world.roster.gather("acme", wanted)[change_of_vault.crm_id]
    ready = vault_lifecycle.decide(change_of_vault, known, ACME, {}, NOW)
    world.follow(change(20, Title="Lead"))
    assert not writer.write([change_of_vault], {change_of_vault.crm_id: ready})
    ada = world.ada()
    assert (ada.title, ada.engage.group) == ("Lead", "UK")


def test_what_salesforce_says_leaves_the_link_and_the_groups(world: World) -> None:
    world.settle(user())
    assert world.follow(change(20, Title="Lead")) == {Outcome.UPDATED: 1}
    ada = world.ada()
    assert (ada.crm["vault_crm"]["id"], ada.engage.group, ada.vault.digest) == (
        "10042",
        "UK",
        "d1",
    )


def test_who_leaves_in_salesforce_is_due_for_a_push(world: World) -> None:
    """Leaving there frees the licence here (I3, G7)."""
    world.settle(user())
    assert not list(world.roster.due("acme", NOW.date()))
    world.follow(change(20, IsActive="false"))
    [(member, due)] = world.roster.due("acme", NOW.date())
    assert (member, due.what) == (world.ada().id, frozenset({ENGAGE}))
    # Nor does an import lose that before it is pushed.
    world.settle(replace(user(), digest="d2"))
    assert [each for each, _ in world.roster.due("acme", NOW.date())] == [member]
