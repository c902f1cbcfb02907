"""AWS services in moto, made from the template itself, and clients of them."""

from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
from moto import mock_aws
from moto.core.models import MockAWS

from muster import bootstrap

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class Aws(SimpleNamespace):
    """The services as a test sees them; a client is built when it is asked for, and is the test's own."""

    table = "roster"
    bucket = "archive"
    queue_url: str

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Return a client."""
        return boto3.client("dynamodb")

    @cached_property
    def s3(self) -> "S3Client":
        """Return a client."""
        return boto3.client("s3")

    @cached_property
    def sqs(self) -> "SQSClient":
        """Return a client."""
        return boto3.client("sqs")


def in_moto() -> MockAWS:
    """Return what has moto answer for AWS, and keeps boto3's session, which takes longer than a client."""
    return mock_aws(config={"core": {"reset_boto3_session": False}})


def table_properties(template: dict[str, Any]) -> dict[str, Any]:
    """Return what the template says about the roster table's keys and index, as boto3 takes it."""
    table = template["Resources"]["RosterTable"]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {name: table[name] for name in names}


def forget_clients() -> None:
    """Make `bootstrap` build its clients anew, against whatever AWS is there now."""
    for builder in vars(bootstrap).values():
        if hasattr(builder, "cache_clear"):
            builder.cache_clear()
