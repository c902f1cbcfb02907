"""The SNS topic for what can wait until the next morning."""

from typing import Any

from muster.adapters.aws.aws_errors import translated


class InformTopic:
    """Publishes to one topic; raises `Unavailable` or `Misconfigured` where SNS fails."""

    # There are no types for this client.
    def __init__(self, client: Any, arn: str) -> None:
        """Publish to the topic with that ARN."""
        self._client = client
        self._arn = arn

    def publish(self, subject: str, text: str) -> None:
        """Send a mail to all who subscribe to the topic; their other kinds of subscription get the text."""
        with translated("SNS"):
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=text)
