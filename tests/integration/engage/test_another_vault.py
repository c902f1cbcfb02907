"""Another vault in the connection is a move of everybody: its ids are other people's (G10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from requests.adapters import BaseAdapter

from muster import bootstrap
from muster.adapters.aws.roster_table import RosterTable
from muster.errors import Misconfigured, Unavailable
from tests.doubles.salesforce_in_process import InProcess
from tests.doubles.vault_in_process import VaultInProcess, vault_in_process
from tests.integration.engage.licences import Licences

OTHER = "127.0.0.1:8009"


@dataclass
class Moved:
    """Acme, linked to the users of a trial vault, and production, where the same numbers are others'."""

    licences: Licences
    production: VaultInProcess
    users: list[str]
    ada: str
    bob: str
    carol: str

    def connect(self) -> None:
        """Connect production, as an admin has approved it."""
        connections = self.licences.company.document["connections"]
        vault = {**connections["vault_crm"], "host": OTHER}
        said = self.licences.company.put_and_approve(connections={**connections, "vault_crm": vault})
        assert said["status"] == "succeeded", said

    def who(self) -> dict[str, str]:
        """Return the members (ids) by id in the vault."""
        return {user: member["id"] for user, member in self.licences.roster().items()}

    def group(self, user: str) -> str | None:
        """Return the group that production shows."""
        found: str | None = self.production.user(user)["engage_group__v"]
        return found


@pytest.fixture
def moved(licences: Licences) -> Iterator[Moved]:
    """Have three people linked in a trial vault, of whom Ada is in UK; Carol is not in production."""
    people = licences.people(3)
    licences.imported()
    licences.ask(people[0])
    licences.push()
    licences.imported()
    members = [licences.member(each) for each in people]
    with vault_in_process(clock=licences.vault.clock) as production:
        wire = InProcess(production.http.application)
        others = requests.Session.get_adapter

        def adapter(session: requests.Session, url: str) -> BaseAdapter:
            return wire if urlsplit(url).netloc == OTHER else others(session, url)

        with patch.object(requests.Session, "get_adapter", adapter):
            boto3.client("secretsmanager").put_secret_value(
                SecretId="muster/acme/vault_crm", SecretString=production.secret
            )
            production.group("UK", 5)
            production.group("DE", 5)
            names = [members[1]["email"], members[0]["email"], "dave@acme.example"]
            users = [production.create(username__sys=each, email__sys=each) for each in names]
            assert users == people
            for user in users:
                production.update(user, engage_group_request__v="DE")
            production.settle()
            yield Moved(licences, production, users, *[each["id"] for each in members])


def linked_to(licences: Licences, member: str) -> str:
    """Return the id of the user that a member is linked to."""
    found: str = licences.company.ask("member", member=member)["member"]["crm"]["vault_crm"]["id"]
    return found


def test_everybody_is_linked_anew_and_nothing_is_sent_by_the_old_ids(moved: Moved) -> None:
    licences = moved.licences
    first, second, third = moved.users
    moved.connect()
    carols = licences.roster()[third]
    licences.ask(first, group="DE")
    with pytest.raises(Misconfigured, match="is another vault than members are linked to"):
        licences.push()
    shown = licences.company.run("incremental", preview=True)
    said = licences.imported("incremental")
    assert said["counts"] == {"linked": 2, "unlinked": 1}
    assert {each: shown["counts"][each] for each in said["counts"]} == said["counts"]
    [warning] = shown["warnings"]
    assert (warning["where"], "2 members were found" in warning["message"]) == (
        "connections.vault_crm.host",
        True,
    )
    assert moved.who() == {first: moved.bob, second: moved.ada}
    # Nothing of the other vault is shown as this one's; her own request goes on standing.
    assert licences.status(second) == ("DE", "success", "DE")
    assert licences.status(first) == ("DE", "success", "DE")
    left = licences.company.ask("member", member=carols["id"])["member"]
    assert ("vault_crm" in left["crm"], left["engage"]["group"]) == (False, None)
    # Neither is the stranger's who has her number.
    licences.company.salesforce.update(carols["crm"]["salesforce"]["id"], IsActive=False)
    adas = licences.roster()[second]["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(adas, IsActive=False)
    licences.imported("incremental")
    licences.push()
    assert [moved.group(each) for each in (first, second, third)] == ["DE", None, "DE"]
    # From here on it is a vault like any other.
    licences.imported("full")
    before = licences.company.items()
    assert licences.imported("full")["counts"] == {}
    assert licences.company.items() == before
    told = {each["code"] for each in licences.company.errors() if each["code"].startswith("vault_")}
    assert told == {"vault_moved"}


def test_a_request_from_before_is_sent_to_whom_it_is_in_the_other_vault(moved: Moved) -> None:
    licences = moved.licences
    _, second, _ = moved.users
    moved.connect()
    licences.imported("incremental")
    assert licences.status(second) == ("UK", "retry_request", "DE")
    licences.push()
    assert moved.group(second) == "UK"


def test_a_move_that_is_half_written_is_made_again_before_anything_is_sent(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    licences = moved.licences
    first, second, _ = moved.users
    moved.connect()
    write, broken = RosterTable.write, {moved.bob}

    def half(self: RosterTable, organization: str, decisions: object, *more: object) -> object:
        if any(each.after and each.after.id in broken for each in decisions):  # type: ignore[attr-defined]
            raise Unavailable("the roster table is busy")
        return write(self, organization, decisions, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(RosterTable, "write", half)
    with pytest.raises(Unavailable):
        licences.company.run("incremental")
    assert linked_to(licences, moved.ada) == second
    # Her request of before waits to be sent.
    with pytest.raises(Misconfigured, match="another vault"):
        licences.push()
    broken.clear()
    licences.imported("incremental")
    assert moved.who() == {first: moved.bob, second: moved.ada}
    assert not bootstrap.run_table().state("acme").is_of_another_vault(OTHER)


def test_who_is_not_there_and_could_not_be_written_does_not_keep_a_number_that_is_anothers(
    moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ada has Carol's number in production, and Carol, who is not there, is not written at first."""
    licences = moved.licences
    _, second, third = moved.users
    names = [licences.member(moved.users[0])["email"], "dave@acme.example"]
    for user, name in ((second, "between@acme.example"), (third, names[0]), (second, names[1])):
        moved.production.update(user, email__sys=name, username__sys=name)
    moved.connect()
    write, broken = RosterTable.write, {moved.carol}

    def half(self: RosterTable, organization: str, decisions: object, *more: object) -> object:
        if any(each.after and each.after.id in broken for each in decisions):  # type: ignore[attr-defined]
            raise Unavailable("the roster table is busy")
        return write(self, organization, decisions, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(RosterTable, "write", half)
    with pytest.raises(Unavailable):
        licences.company.run("incremental")
    assert linked_to(licences, moved.ada) == linked_to(licences, moved.carol) == third
    broken.clear()
    assert licences.imported("incremental")["counts"] == {"unlinked": 1}
    assert moved.who()[third] == moved.ada


def test_the_move_waits_for_approval_where_too_many_are_not_there(moved: Moved) -> None:
    licences = moved.licences
    guard = {"floor": 0, "count": 0, "percent": 0}
    licences.company.put(guard=guard)
    moved.connect()
    before = moved.who()
    parked = licences.company.run("incremental")
    assert parked["status"] == "parked"
    assert moved.who() == before
    said = licences.company.run(mode=None, by="john", approve=parked["run_id"])
    assert said["counts"] == {"linked": 2, "unlinked": 1}
