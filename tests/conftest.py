"""What every kind of test shares: the template as data, and AWS services made from it in moto."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from samcli.yamlhelper import yaml_parse

from muster import bootstrap
from tests.examples import lambda_context

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """Return template.yaml as plain data, intrinsic functions as `{"Ref": …}` and `{"Fn::…": …}`."""
    parsed: dict[str, Any] = json.loads(json.dumps(yaml_parse((ROOT / "template.yaml").read_text())))
    return parsed


@pytest.fixture
def aws(template: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Start moto with the template's own table and queue; yields `dynamodb`, `sqs`, `table`, `queue_url`."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROSTER_TABLE_NAME": "roster",
        "WEBHOOK_BASE_URL": "https://api.example.com/v2",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        table = template["Resources"]["RosterTable"]["Properties"]
        dynamodb.create_table(
            TableName="roster",
            BillingMode=table["BillingMode"],
            AttributeDefinitions=table["AttributeDefinitions"],
            KeySchema=table["KeySchema"],
        )
        queue_url = sqs.create_queue(QueueName="changes")["QueueUrl"]
        monkeypatch.setenv("CHANGE_QUEUE_URL", queue_url)
        forget_clients()
        yield SimpleNamespace(dynamodb=dynamodb, sqs=sqs, table="roster", queue_url=queue_url)
    forget_clients()


@pytest.fixture
def context() -> LambdaContext:
    """Return the Lambda context a function is invoked with."""
    return lambda_context()


def forget_clients() -> None:
    """Make `bootstrap` build its clients anew, against whatever AWS is there now."""
    for builder in vars(bootstrap).values():
        if hasattr(builder, "cache_clear"):
            builder.cache_clear()
