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
    """Counts of the queue of changes and of those of what was given up, by their URLs."""

    def __init__(self, client: SQSClient, changes: str, given_up: tuple[str, str, str]) -> None:
        """`given_up` are those of changes, of scheduled starts, and of events."""
        self._client = client
        self._urls = changes, *given_up

    def changes(self) -> int:
        """Return how many messages wait to be followed, those at work included."""
        return self._count(self._urls[0])

    def changes_given_up(self) -> int:
        """Return how many messages are in their dead-letter queue."""
        return self._count(self._urls[1])

    def starts_given_up(self) -> int:
        """Return how many scheduled starts are in theirs."""
        return self._count(self._urls[2])

    def events_given_up(self) -> int:
        """Return how many notes there are of changes that could not be told on the event bus."""
        return self._count(self._urls[3])

    def _count(self, url: str) -> int:
        with translated("the queue"):
            found = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=_WAITING)["Attributes"]
        return sum(int(found.get(name, 0)) for name in _WAITING)
