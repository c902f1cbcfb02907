"""Whom schedules import, and push, follows from the settings, and is saved with them (I12)."""

from types import SimpleNamespace
from typing import Any

import pytest

from muster import bootstrap
from tests.integration.organization_settings.settings_examples import Acme


@pytest.mark.parametrize(
    ("sections", "scheduled"),
    [
        ({}, True),
        ({"auto_provision": {"enabled": False}}, False),
        ({"connections": {}}, False),
    ],
)
def test_schedules_import_who_is_connected_and_switched_on(
    acme: Acme, aws: SimpleNamespace, sections: dict[str, Any], scheduled: bool
) -> None:
    others: list[dict[str, Any]] = [{"guard": {"floor": 2}}, {"connections": {}}]
    for before in others:
        acme.put(**before)
        acme.put(**sections)
        assert entry(aws)["scheduled"] == {"BOOL": scheduled}
        assert bootstrap.run_table().organizations() == (["acme"] if scheduled else [])


def entry(aws: SimpleNamespace) -> dict[str, Any]:
    """Return what the schedules know of Acme."""
    key = {"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": "acme"}}
    item: dict[str, Any] = aws.dynamodb.get_item(TableName=aws.table, Key=key)["Item"]
    return item


@pytest.mark.parametrize(
    ("managed", "outbound", "pushed"),
    [
        (["engage"], None, True),
        (["engage", "engage_connect"], None, True),
        ([], None, False),
        (["engage"], {"system": ["engage.status"]}, False),
    ],
)
def test_schedules_push_who_has_a_feature_to_push(
    acme: Acme, aws: SimpleNamespace, managed: list[str], outbound: dict[str, Any] | None, pushed: bool
) -> None:
    vault = {"host": "acme-crm.veevavault.com", "manage_features": managed}
    maps: dict[str, Any] = {"field_maps": {"vault_crm": {"outbound": outbound}}} if outbound else {}
    connections = acme.document()["connections"]
    acme.put(connections={**connections, "vault_crm": vault}, **maps)
    assert (entry(aws)["scheduled"], entry(aws)["pushed"]) == ({"BOOL": True}, {"BOOL": pushed})
    # Without Salesforce nobody new comes in, and who is there is pushed all the same.
    acme.put(connections={"vault_crm": vault}, **maps)
    assert (entry(aws)["scheduled"], entry(aws)["pushed"]) == ({"BOOL": False}, {"BOOL": pushed})
    acme.put(connections=connections)
    assert entry(aws)["pushed"] == {"BOOL": False}


def test_settings_that_were_saved_before_there_were_pushes_are_told_to_the_schedules_by_a_put_of_the_same(
    acme: Acme, aws: SimpleNamespace
) -> None:
    acme.put()
    item = entry(aws)
    del item["pushed"]
    aws.dynamodb.put_item(TableName=aws.table, Item=item)
    assert acme.put()["saved"]
    assert entry(aws)["pushed"] == {"BOOL": False}
    assert not acme.put()["saved"]


def test_an_organization_that_the_schedules_do_not_know_is_told_to_them_by_a_put_of_the_same(
    acme: Acme, aws: SimpleNamespace
) -> None:
    """Whoever saved settings before there were schedules, say."""
    acme.put()
    aws.dynamodb.delete_item(TableName=aws.table, Key={"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": "acme"}})
    assert acme.put()["version"] == 2
    assert bootstrap.run_table().organizations() == ["acme"]
    assert not acme.put()["saved"]
