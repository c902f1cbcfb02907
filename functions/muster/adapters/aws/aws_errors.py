"""Turns botocore's errors into ours at the edge of every AWS adapter."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from muster.errors import Misconfigured, Unavailable

# Codes that trying again cannot mend: the template or the role is wrong.
_MISCONFIGURED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)


@contextmanager
def translated(system: str) -> Iterator[None]:
    """Raise `Misconfigured` or `Unavailable` for what botocore raises while `system` is called.

    Failed conditions are answers, not errors: an adapter that writes under a condition catches
    `ConditionalCheckFailedException` and `TransactionCanceledException` inside this block.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _MISCONFIGURED:
            raise Misconfigured(f"{system} refused the call with {code}") from error
        raise Unavailable(f"{system} answered {code}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{system} could not be reached: {type(error).__name__}") from error
