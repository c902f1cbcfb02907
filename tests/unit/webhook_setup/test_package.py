"""What Muster puts into Salesforce: names, what is watched, and the package, as tables of values (U7)."""

import io
import zipfile
from typing import Any

import pytest
from defusedxml import ElementTree

from muster.settings import Settings
from muster.settings.document import read
from muster.webhook_setup.package import (
    DesiredSetup,
    desired_setup,
    is_outgrown,
    name_of,
    package,
    removal,
    watched_in,
)

ENDPOINT = "https://api.example.com/v2/webhook"
SENDER = DesiredSetup(
    organization="acme",
    name="Muster_acme",
    endpoint=ENDPOINT,
    fields=("Id", "Email"),
    watched=("Email", "Title"),
    api_version="66.0",
    username="muster@acme.example",
)
DESCRIBED: list[dict[str, Any]] = [
    {"name": "Id", "type": "id"},
    {"name": "Email", "type": "email"},
    {"name": "ManagerId", "type": "reference", "relationshipName": "Manager"},
    {"name": "ProfileId", "type": "reference", "relationshipName": "Profile"},
    {"name": "SystemModstamp", "type": "datetime"},
    {"name": "Country", "type": "string"},
    {"name": "Region__c", "type": "string", "calculated": True},
    {"name": "Seat__c", "type": "picklist"},
    {"name": "Address", "type": "address"},
    {"name": "Fax", "type": "phone"},
]


def files(archive: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def settings_of(**sections: Any) -> Settings:
    connection = {"host": "acme.my.salesforce.com", "organization_id": "00D000000000062EAA"}
    _, settings = read(
        {"organization": "acme", "connections": {"salesforce": connection}, **sections}, "acme"
    )
    return settings


def sender(**sections: Any) -> DesiredSetup:
    settings = settings_of(**sections)
    assert settings.connections.salesforce
    return desired_setup(
        settings, settings.connections.salesforce, ENDPOINT, DESCRIBED, "muster@acme.example"
    )


@pytest.mark.parametrize(
    ("organization", "name"),
    [("acme", "Muster_acme"), ("acme-emea", "Muster_acme_emea"), ("a--b", "Muster_a_b"), ("0", "Muster_0")],
)
def test_names_are_names_for_salesforce(organization: str, name: str) -> None:
    assert name_of(organization) == name


@pytest.mark.parametrize(
    ("sections", "watched"),
    [
        ({}, ("Email", "ManagerId", "ProfileId")),
        # A text is no name, a path leads over its first part.
        (
            {"assignments": [{"name": "a", "filter": "Profile.Name = 'Country'"}]},
            ("Email", "ManagerId", "ProfileId"),
        ),
        (
            {"assignments": [{"name": "a", "filter": "country = 'GB'"}]},
            ("Country", "Email", "ManagerId", "ProfileId"),
        ),
        # What is mapped to a seat counts; what a formula shows changes with the fields in it.
        (
            {
                "seats": {"gong": {}},
                "assignments": [{"name": "a", "seats": [{"field": "Seat__c", "map": {"x": "gong"}}]}],
                "auto_provision": {"custom_fields": ["Region__c"]},
            },
            ("Email", "ManagerId", "ProfileId", "Seat__c"),
        ),
        # No condition can watch an address.
        ({"assignments": [{"name": "a", "filter": "Address != NULL"}]}, ("Email", "ManagerId", "ProfileId")),
    ],
)
def test_what_may_change_a_member_is_watched(sections: dict[str, Any], watched: tuple[str, ...]) -> None:
    assert sender(**sections).watched == watched


def test_the_message_carries_what_the_settings_list_also_with_read_back() -> None:
    carried = sender(auto_provision={"custom_fields": ["Region__c"], "read_back": True}).fields
    assert carried[0] == "Id"
    assert carried[-1] == "Region__c"


@pytest.mark.parametrize(
    ("before", "after", "outgrown"),
    [
        ({}, {}, False),
        ({}, {"auto_provision": {"custom_fields": ["Region__c"]}}, True),
        ({"auto_provision": {"custom_fields": ["Region__c"]}}, {}, False),
        ({}, {"assignments": [{"name": "a", "filter": "Country = 'GB'"}]}, True),
        (
            {"assignments": [{"name": "a", "filter": "country = 'GB'"}]},
            {"assignments": [{"name": "b", "filter": "Country = 'FR'"}]},
            False,
        ),
        ({}, {"assignments": [{"name": "everyone"}]}, False),
    ],
)
def test_fields_that_come_to_be_named_outgrow_the_sender(
    before: dict[str, Any], after: dict[str, Any], outgrown: bool
) -> None:
    assert is_outgrown(settings_of(**before), settings_of(**after)) is outgrown


def test_a_condition_is_read_back_as_it_was_written() -> None:
    assert SENDER.condition == "OR(ISNEW(), ISCHANGED({!$Record.Email}), ISCHANGED({!$Record.Title}))"
    assert watched_in(SENDER.condition) == frozenset({"email", "title"})
    assert watched_in("OR( ISNEW() ,\n ischanged( {!$Record.EMAIL} ))") == frozenset({"email"})
    assert watched_in(None) is None


def test_a_package_holds_what_is_deployed_and_no_more() -> None:
    whole = files(package(SENDER, url=f"{ENDPOINT}?token=a&b=<>", flow=True))
    assert list(whole) == ["package.xml", "workflows/User.workflow", "flows/Muster_acme.flow"]
    message = ElementTree.fromstring(whole["workflows/User.workflow"])
    assert message.findtext(".//{*}endpointUrl") == f"{ENDPOINT}?token=a&b=<>"
    assert list(files(package(SENDER, url=ENDPOINT))) == ["package.xml", "workflows/User.workflow"]
    assert list(files(package(SENDER, flow=True))) == ["package.xml", "flows/Muster_acme.flow"]
    assert package(SENDER, flow=True) == package(SENDER, flow=True)


@pytest.mark.parametrize(
    ("versions", "active", "removed"),
    [(range(1, 40), 39, []), (range(1, 41), 40, range(1, 31)), (range(5, 50), 7, [5, 6, *range(8, 40)])],
)
def test_old_versions_make_room(versions: range, active: int, removed: list[int]) -> None:
    found = files(package(SENDER, flow=True, versions=versions, active=active))
    destructive = found.get("destructiveChanges.xml", "")
    assert destructive.count("<members>") == len(removed)
    assert all(f"<members>Muster_acme-{number}</members>" in destructive for number in removed)


def test_a_flow_goes_before_the_message_that_it_sends() -> None:
    found = files(removal(SENDER, message=True, versions=[1, 2]))["destructiveChanges.xml"]
    assert found.index("Muster_acme-1") < found.index("Muster_acme-2") < found.index("User.Muster_acme")
    assert found.count("<types>") == 2
    assert (
        "WorkflowOutboundMessage"
        not in files(removal(SENDER, message=False, versions=[1]))["destructiveChanges.xml"]
    )
