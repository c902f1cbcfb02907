"""Users of Vault CRM with a group who are linked to nobody, as the table keeps them (G10)."""

from types import SimpleNamespace

import pytest

from muster.adapters.aws.run_table import RunTable
from muster.adapters.aws.unlinked_holder_table import UnlinkedHolderTable
from muster.errors import Stale
from muster.lease import Lease
from muster.roster.decisions import UnlinkedReason
from muster.roster.unlinked_holders import UnlinkedHolder


def holder(vault_id: str) -> UnlinkedHolder:
    return UnlinkedHolder(
        id=vault_id,
        username="eve@acme.example",
        email=None,
        active=False,
        groups={"engage": {"group": "UK", "request": None}},
        reason=UnlinkedReason.NO_MEMBER,
        since="2026-11-20T08:15:00Z",
    )


@pytest.fixture
def table(aws: SimpleNamespace) -> UnlinkedHolderTable:
    return UnlinkedHolderTable(aws.dynamodb, "roster")


def leased(aws: SimpleNamespace, run: str, now: float) -> Lease:
    return RunTable(aws.dynamodb, "roster").take("acme", run, now, 60)


def test_many_are_recorded_and_forgotten_and_doing_it_again_changes_nothing(
    aws: SimpleNamespace, table: UnlinkedHolderTable
) -> None:
    lease = leased(aws, "r1", 1000)
    some = [holder(f"{number:05d}") for number in range(250)]
    for _ in range(2):
        table.record("acme", some, [], lease)
        assert table.holders("acme") == {each.id: each for each in some}
    assert table.holders("globex") == {}
    for _ in range(2):
        table.record("acme", [], [each.id for each in some[1:]], lease)
        assert table.holders("acme") == {some[0].id: some[0]}


def test_a_run_that_was_overtaken_records_nothing(aws: SimpleNamespace, table: UnlinkedHolderTable) -> None:
    former, _ = leased(aws, "r1", 1000), leased(aws, "r2", 2000)
    with pytest.raises(Stale):
        table.record("acme", [holder("1")], [], former)
    assert table.holders("acme") == {}
