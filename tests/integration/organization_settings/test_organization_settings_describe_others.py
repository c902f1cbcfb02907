"""What of Salesforce and of Align can be mapped, asked of each in an admin's name (G5)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

import organization_settings
from tests.doubles.acme import Acme, acme_in_process
from tests.doubles.aws import Aws
from tests.integration.organization_settings.settings_examples import error_of
from tests.integration.pasted import pasted

# An assignment that reads one field.
FROM_FIELD = {
    "name": "Sales",
    "engage": {"group": {"field": "Country", "map": {"GB": "UK Field Force"}}},
}


@pytest.fixture
def acme(aws: Aws, context: LambdaContext) -> Iterator[Acme]:
    with acme_in_process(context) as found:
        yield found


def describe(acme: Acme, connection: str) -> dict[str, Any]:
    """Paste the event of a connection."""
    said = organization_settings.handler(pasted(f"organization_settings_describe_{connection}"), acme.context)
    answer: dict[str, Any] = json.loads(json.dumps(said))
    return answer


def by_name(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert said["status"] == "succeeded", said
    return {field["name"]: field for field in said["fields"]}


def test_a_field_of_salesforce_comes_with_all_that_reads_it(acme: Acme) -> None:
    acme.put(
        auto_provision={"custom_fields": ["Region__c"]},
        field_maps={"salesforce": {"title": "Department", "picture_url": None}},
        assignments=[FROM_FIELD],
    )
    said = describe(acme, "salesforce")
    assert (said["version"], said["connection"], said["object"]) == (2, "salesforce", "User")
    fields = by_name(said)
    assert list(fields) == sorted(fields)
    assert fields["Department"] == {
        "name": "Department",
        "label": "Department",
        "type": "string",
        "length": 80,
        "editable": True,
        "inbound": ["title"],
        "outbound": [],
    }
    assert fields["FirstName"]["inbound"] == ["first_name", "name"]
    assert fields["Title"]["inbound"] == []
    assert fields["Country"]["inbound"] == ["assignments[0].engage.group"]
    assert not fields["SystemModstamp"]["editable"]
    maps = said["mappings"]["inbound"]
    assert (maps["attributes"]["title"], maps["attributes"]["picture_url"]) == ("Department", None)
    assert maps["attributes"]["name"] == {"join": ["FirstName", "LastName"]}
    assert maps["custom"] == {"custom.Region__c": "Region__c"}


def test_a_mapped_field_that_salesforce_does_not_show_is_a_warning(acme: Acme) -> None:
    acme.put(field_maps={"salesforce": {"title": "Job_Title__c"}})
    said = describe(acme, "salesforce")
    [warning] = said["warnings"]
    assert warning["where"] == "field_maps.salesforce.title"
    assert warning["message"].startswith("maps Job_Title__c, which is not among the fields of User")


def test_a_field_of_align_comes_with_what_it_is_for(acme: Acme) -> None:
    acme.put(
        connections=acme.connections(
            vault_crm={"manage_features": ["engage"]}, align={"fields": {"end_date": None}}
        )
    )
    said = describe(acme, "align")
    assert (said["connection"], said["object"], said["warnings"]) == ("align", "roster_member__aln", [])
    fields = by_name(said)
    request = fields["engage_group_request__aln"]
    assert (request["inbound"], request["outbound"]) == (["engage.request"], ["engage.request"])
    group = fields["engage_group__aln"]
    assert (group["length"], group["inbound"], group["outbound"]) == (255, [], ["engage.group"])
    assert fields["email__aln"]["inbound"] == ["email"]
    assert fields["crm_user_status__aln"]["inbound"] == ["crm_user_status"]
    # Neither a feature that is not managed, nor what is switched off.
    assert fields["engage_connect_group__aln"]["outbound"] == fields["end_date__aln"]["inbound"] == []
    system = said["mappings"]["inbound"]["system"]
    assert {"target": "end_date", "field": None, "active": False} in system
    assert {"target": "email", "field": "email__aln", "active": True} in system


def test_custom_mappings_of_align_are_among_its_mappings(acme: Acme) -> None:
    custom = {"custom.Team": "name__v", "custom.Post": "post__aln"}
    acme.put(field_maps={"align": {"inbound": {"custom": custom}}})
    said = describe(acme, "align")
    assert by_name(said)["name__v"]["inbound"] == ["custom.Team"]
    assert said["mappings"]["inbound"]["custom"] == custom
    [warning] = said["warnings"]
    assert warning["where"] == 'field_maps.align.inbound.custom["custom.Post"]'


def test_a_field_of_align_that_is_named_wrongly_or_cannot_be_written_is_a_warning(acme: Acme) -> None:
    acme.align.control("PUT", "permissions", {"fields": {"roster_member__aln": {"engage_group__aln": False}}})
    acme.put(connections=acme.connections(align={"fields": {"end_date": "last_day__c"}}))
    said = describe(acme, "align")
    warnings = {each["where"]: each["message"] for each in said["warnings"]}
    assert set(warnings) == {"connections.align.fields.end_date", "connections.align.fields.engage.group"}
    assert "last_day__c" in warnings["connections.align.fields.end_date"]
    assert "may not edit" in warnings["connections.align.fields.engage.group"]


@pytest.mark.parametrize("connection", ["salesforce", "align"])
def test_a_connection_that_is_not_in_the_settings_is_refused(acme: Acme, connection: str) -> None:
    acme.put(connections=acme.connections(**{connection: None}))
    where, message, remedy = error_of(describe(acme, connection))
    assert (where, message) == (f"connections.{connection}", "is not in the settings")
    assert remedy


@pytest.mark.parametrize(("given", "nearest"), [("vault", "vault_crm"), ("Salesforce", "salesforce")])
def test_a_connection_that_there_is_none_of_is_refused_with_the_nearest(
    acme: Acme, given: str, nearest: str
) -> None:
    acme.put()
    event = {**pasted("organization_settings_describe"), "connection": given}
    where, message, remedy = error_of(organization_settings.handler(event, acme.context))
    assert (where, remedy) == ("connection", f"Did you mean {nearest!r}?")
    assert "salesforce, vault_crm, align" in message


def test_credentials_that_are_refused_are_told(acme: Acme) -> None:
    acme.put()
    acme.write_secret("align", json.dumps({"username": "muster@acme-align.example", "password": "wrong"}))
    where, message, _ = error_of(describe(acme, "align"))
    assert (where, message[:18]) == ("connections.align", "could not be asked")
