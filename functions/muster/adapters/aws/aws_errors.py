"""Translate botocore's errors into `muster.errors`, for every AWS adapter."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from muster.errors import Misconfigured, Unavailable

# Retrying does not help with these: the template or the role is wrong.
_MISCONFIGURED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
        "UnrecognizedClientException",
        "ValidationException",
    }
)


@contextmanager
def translated(system: str) -> Iterator[None]:
    """Raise `Misconfigured` or `Unavailable` for botocore's errors in a call to `system`.

    Failed conditions are answers, not errors: an adapter that makes a conditional write catches
    `ConditionalCheckFailedException` and `TransactionCanceledException` inside this block.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _MISCONFIGURED:
            raise Misconfigured(
                f"{system} refused the call with {code}: a role or a resource of the stack is not as it was"
                " deployed; deploy the stack again"
            ) from error
        raise Unavailable(f"{system} answered {code}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{system} could not be reached: {type(error).__name__}") from error
