"""The SQS queue of what could not be told on the bus; Lambda puts batches there that it has given up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from muster.adapters.aws.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FailureQueue:
    """Keeps keys of history entries; raises `Unavailable` or `Misconfigured` where SQS fails."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def keep(self, organization: str, key: str) -> None:
        """Keep the sort key of an entry that nobody can read; it has ids only."""
        body = json.dumps({"reason": "unreadable_entry", "organization": organization, "key": key})
        with translated("the queue of failures"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body)
