"""How many messages wait on the stack's queues, as SQS approximately knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WAITING: Any = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class QueueCounts:
    """Counts of the queue of changes and of the two dead-letter queues, by their URLs."""

    def __init__(self, client: SQSClient, changes: str, changes_given_up: str, starts_given_up: str) -> None:
        self._client = client
        self._urls = changes, changes_given_up, starts_given_up

    def changes(self) -> int:
        """Return how many messages wait to be followed, those at work included."""
        return self._count(self._urls[0])

    def changes_given_up(self) -> int:
        """Return how many messages are in their dead-letter queue."""
        return self._count(self._urls[1])

    def starts_given_up(self) -> int:
        """Return how many scheduled starts are in theirs."""
        return self._count(self._urls[2])

    def _count(self, url: str) -> int:
        with translated("the queue"):
            found = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=_WAITING)["Attributes"]
        return sum(int(found.get(name, 0)) for name in _WAITING)
