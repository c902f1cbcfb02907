"""What messages took in the last hour, as the table keeps it: under a condition, for two hours (W12)."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest

from muster import bootstrap
from muster.adapters.aws.loss_table import LossTable
from muster.runs.import_state import ImportState
from muster.times import timestamp
from muster.webhook.losses import MOST_AN_HOUR, Loss, Recorded
from tests.examples import NOW

ADA = Loss("ada", "deactivate", "Sales", timestamp(NOW))
BOB = Loss("bob", "revoke", None, timestamp(NOW - timedelta(minutes=5)))


@pytest.fixture
def table(aws: SimpleNamespace) -> LossTable:
    return bootstrap.loss_table()


def test_nothing_is_recorded_of_an_organization_at_first(table: LossTable) -> None:
    assert table.losses("acme") == Recorded({})


def test_active_members_are_as_many_as_the_last_import_counted(table: LossTable) -> None:
    active = {"": 12, "Sales": 7}
    bootstrap.run_table().change_state("acme", lambda _: ImportState(active=active))
    assert table.losses("acme") == Recorded(active)
    assert table.losses("globex") == Recorded({})


def test_losses_are_replaced_by_who_has_read_them_last(table: LossTable) -> None:
    first = table.losses("acme")
    assert table.replace("acme", first, [ADA])
    assert not table.replace("acme", first, [BOB])
    assert table.losses("acme") == Recorded({}, (ADA,), 1)
    assert table.replace("acme", table.losses("acme"), [BOB, ADA])
    assert table.losses("acme") == Recorded({}, (BOB, ADA), 2)
    assert not table.replace("acme", Recorded({}, (ADA,), 1), [ADA])
    assert table.losses("globex") == Recorded({})


def test_the_item_expires_when_nobody_needs_it_any_more(table: LossTable, aws: SimpleNamespace) -> None:
    table.replace("acme", table.losses("acme"), [BOB, ADA])
    [item] = aws.dynamodb.scan(TableName="roster")["Items"]
    assert int(item["expires_at"]["N"]) == int((NOW + timedelta(hours=2)).timestamp())


def test_as_many_as_there_may_be_go_into_one_item(table: LossTable, aws: SimpleNamespace) -> None:
    losses = [
        Loss(f"{number:036}", "deactivate", "An assignment's name " * 3, timestamp(NOW))
        for number in range(MOST_AN_HOUR)
    ]
    assert table.replace("acme", table.losses("acme"), losses)
    [item] = aws.dynamodb.scan(TableName="roster")["Items"]
    assert len(json.dumps(item)) < 400_000
    assert table.losses("acme").losses == tuple(losses)
