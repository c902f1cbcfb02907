"""What every kind of test shares: the template as data, and AWS services made from it in moto."""

import functools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.loaders import JSONFileLoader
from moto import mock_aws
from moto.dynamodb.models.table import Table

from muster import bootstrap
from tests.examples import lambda_context
from tests.integration import template_reading
from tests.simulation import strict_aws

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws() -> Iterator[None]:
    """Read botocore's descriptions of services once, not for each client: moto begins every test without."""
    read_once = functools.cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    with patch.object(JSONFileLoader, "load_file", lambda _, path: read_once(path)):
        yield


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """Return template.yaml as it is deployed, tables of alarms included."""
    return template_reading.source()


@pytest.fixture(scope="session")
def template(source: dict[str, Any]) -> dict[str, Any]:
    """Return template.yaml with each row of a table as the alarm that it becomes."""
    return template_reading.expanded(source)


@pytest.fixture
def aws(template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Start moto with the template's own table, queue and bucket; yields the clients and their names."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROSTER_TABLE_NAME": "roster",
        "RUN_ARCHIVE_BUCKET_NAME": "archive",
        "WEBHOOK_BASE_URL": "https://api.example.com/v2",
    }.items():
        monkeypatch.setenv(name, value)
    # moto copies the whole table for each action of a transaction, and copies it deeply.
    with mock_aws(), patch.object(Table, "__deepcopy__", strict_aws.copy_of_table, create=True):
        dynamodb, sqs, s3 = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("s3")
        dynamodb.create_table(TableName="roster", **table_properties(template))
        s3.create_bucket(Bucket="archive")
        queue_url = sqs.create_queue(QueueName="changes")["QueueUrl"]
        monkeypatch.setenv("CHANGE_QUEUE_URL", queue_url)
        forget_clients()
        yield SimpleNamespace(
            dynamodb=dynamodb, sqs=sqs, s3=s3, table="roster", queue_url=queue_url, bucket="archive"
        )
    forget_clients()


def table_properties(template: dict[str, Any]) -> dict[str, Any]:
    """Return what the template says about the roster table's keys and index, as boto3 takes it."""
    table = template["Resources"]["RosterTable"]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {name: table[name] for name in names}


@pytest.fixture
def context() -> LambdaContext:
    """Return the Lambda context a function is invoked with."""
    return lambda_context()


def forget_clients() -> None:
    """Make `bootstrap` build its clients anew, against whatever AWS is there now."""
    for builder in vars(bootstrap).values():
        if hasattr(builder, "cache_clear"):
            builder.cache_clear()
