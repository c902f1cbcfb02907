"""The roster table under AWS's own rules, and a worker that nothing happens to."""

from collections.abc import Iterator

import boto3
import pytest

from muster.adapters.aws.run_table import RunTable
from muster.runs.run import Run
from tests.doubles.aws import Aws
from tests.integration.run_examples import JANES, MINUTE, NOW, PARKED
from tests.simulation.harness.strict_aws import StrictAws, strict


@pytest.fixture
def rules(aws: Aws) -> Iterator[StrictAws]:
    """Put AWS's rules over moto: transactions know their token again, queries answer item by item."""
    with strict() as rules:
        yield rules


@pytest.fixture
def jane(aws: Aws, rules: StrictAws) -> RunTable:
    """Return the table of a worker nothing happens to."""
    return RunTable(boto3.client("dynamodb"), aws.table)


@pytest.fixture
def parked(jane: RunTable) -> Run:
    """Park a run."""
    jane.finish(PARKED, jane.take("acme", JANES, NOW, MINUTE), None)
    return PARKED
