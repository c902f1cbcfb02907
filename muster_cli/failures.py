"""What kept a command from being carried out, in words an admin can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

_SIGN_IN = "Sign in as for any AWS tool: aws sso login, the lines of your access portal, or --profile."
_MAY_NOT = (
    "Have an administrator of the account attach to you the policy of the stack's output AdministratorsPolicy"
    " (or ReadersPolicy), and AWS's AWSLambda_ReadOnlyAccess."
)
_REMEDIES: dict[type[BotoCoreError], str] = {
    NoCredentialsError: _SIGN_IN,
    PartialCredentialsError: _SIGN_IN,
    SSOTokenLoadError: _SIGN_IN,
    TokenRetrievalError: _SIGN_IN,
    UnauthorizedSSOTokenError: _SIGN_IN,
    NoRegionError: "Say --region, or set AWS_REGION.",
    ProfileNotFound: "Say --profile with a profile of your AWS configuration, or leave it out.",
    ConfigParseError: "Correct your AWS configuration.",
}
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


class Failure(Exception):
    """A command cannot be carried out: what is wrong, and what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@contextmanager
def in_words() -> Iterator[None]:
    """Raise `Failure` for what AWS, or the way there, does not do."""
    try:
        yield
    except ClientError as error:
        raise _refused(error) from error
    except BotoCoreError as error:
        raise Failure(f"AWS cannot be asked: {error}", _REMEDIES.get(type(error), "")) from error


def _refused(error: ClientError) -> Failure:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", error))
    if code in _EXPIRED:
        return Failure(f"AWS does not accept your credentials: {text}", _SIGN_IN)
    if code in _DENIED:
        return Failure(f"AWS does not let you do this: {text}", _MAY_NOT)
    return Failure(f"AWS refused: {text}")
