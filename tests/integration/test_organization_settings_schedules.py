"""Whom schedules import follows from the settings, and is saved with them (I12)."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap
from tests.integration.settings_examples import Acme, acme_in_process


@pytest.fixture
def acme(aws: SimpleNamespace, context: LambdaContext) -> Iterator[Acme]:
    """Return Acme, whose settings are still to be put."""
    with acme_in_process(context) as found:
        yield found


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
    others: list[dict[str, Any]] = [{"guard": {"count": 7}}, {"connections": {}}]
    for before in others:
        acme.put(**before)
        acme.put(**sections)
        key = {"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": "acme"}}
        item = aws.dynamodb.get_item(TableName=aws.table, Key=key)["Item"]
        assert item["scheduled"] == {"BOOL": scheduled}
        assert bootstrap.run_table().organizations() == (["acme"] if scheduled else [])


def test_an_organization_that_the_schedules_do_not_know_is_told_to_them_by_a_put_of_the_same(
    acme: Acme, aws: SimpleNamespace
) -> None:
    """Whoever saved settings before there were schedules, say."""
    acme.put()
    aws.dynamodb.delete_item(TableName=aws.table, Key={"pk": {"S": "ORGANIZATIONS"}, "sk": {"S": "acme"}})
    assert acme.put()["version"] == 2
    assert bootstrap.run_table().organizations() == ["acme"]
    assert not acme.put()["saved"]
