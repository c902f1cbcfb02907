"""Credentials in Secrets Manager, one secret per connection of an organization (U5, T21).

A secret is a JSON object of texts; keys that a login does not need, like `expires_on`, are ignored. It is
cached for some minutes: so a changed one is picked up automatically, and a busy function does not fetch it
at every login. An organization's secrets are those under its name; no other is read for it, whatever its
settings say. No value of a secret is ever in a message, a `repr` or a chained exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import orjson
from botocore.exceptions import ClientError

from muster.adapters.aws.aws_errors import translated
from muster.errors import Misconfigured, Unavailable
from muster.settings.secret_names import is_secret_of, secrets_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


# For how long a cached secret is used while Secrets Manager does not answer.
LONGEST_OUTAGE_S = 3_600

_NO_NAME = "has a name that Secrets Manager does not take; correct the connection's secret in the settings"
_NEEDS_AN_ADMIN = {
    # Also the code if the role may not use the secret's encryption key.
    "AccessDeniedException": (
        "may not be read by the function's role; give it a name under muster/, and where it has an encryption"
        " key of its own, let the role decrypt with that"
    ),
    "DecryptionFailure": "cannot be decrypted; let the function's role use the key it is encrypted with",
    "InvalidParameterException": _NO_NAME,
    "InvalidRequestException": "is scheduled for deletion or has no value yet; restore it or write its value",
    "ResourceNotFoundException": (
        "does not exist in Secrets Manager, or has no value; create it, in this region"
    ),
    "ValidationException": _NO_NAME,
}


class Secret(dict[str, str]):
    """A secret's keys and values, and the version of the secret that they are."""

    def __init__(self, values: Mapping[str, str], version: str) -> None:
        """Copy `values`."""
        super().__init__(values)
        self.version = version


class Secrets:
    """Reads an organization's secrets by name, and no others.

    Raises `Misconfigured` where an admin must act, else `Unavailable`.
    """

    def __init__(
        self,
        client: SecretsManagerClient,
        organization: str,
        max_age_s: float = 300,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Cache each secret for `max_age_s` seconds of `clock`."""
        self._client = client
        self._organization = organization
        self._max_age_s = max_age_s
        self._clock = clock
        self._read: dict[str, tuple[float, Secret]] = {}

    def get(self, name: str) -> Secret:
        """Return the secret, cached or fetched; during an outage, a cached one of up to an hour."""
        read_at, remembered = self._read.get(name, (0.0, Secret({}, "")))
        age = self._clock() - read_at
        if remembered and age <= self._max_age_s:
            return Secret(remembered, remembered.version)
        try:
            return self.refetch(name)
        except Unavailable:
            if remembered and age <= LONGEST_OUTAGE_S:
                return Secret(remembered, remembered.version)
            raise

    def refetch(self, name: str) -> Secret:
        """Fetch the secret and return it, for logins that were refused with the one from `get`."""
        now = self._clock()
        if not is_secret_of(self._organization, name):
            # Settings that an older Muster saved may name any; no save accepts them now.
            raise Misconfigured(
                f"the secret {name} is not one of {self._organization}'s own, and is not read; give it a name"
                f" that begins with {secrets_of(self._organization)}, and put the settings with that"
            )
        value, version = self._value(name)
        secret = Secret(_texts(name, value), version)
        self._read[name] = now, secret
        return Secret(secret, version)

    def _value(self, name: str) -> tuple[str | None, str]:
        """Return what the secret holds, `None` if that is no text, and the version."""
        with translated(f"Secrets Manager, asked for the secret {name},"):
            try:
                said = self._client.get_secret_value(SecretId=name)
                return said.get("SecretString"), said["VersionId"]
            except ClientError as error:
                fault = _NEEDS_AN_ADMIN.get(error.response["Error"]["Code"])
                if fault is None:
                    raise
                raise Misconfigured(f"the secret {name} {fault}") from error


def require_keys(name: str, secret: Mapping[str, str], *keys: str) -> None:
    """Raise `Misconfigured` unless a secret has non-empty values for these keys."""
    missing = [key for key in keys if not secret.get(key, "").strip()]
    if missing:
        raise Misconfigured(
            f"the secret {name} lacks {', '.join(missing)}; write what is missing into it, keys and values in"
            " quotes"
        )


def _texts(name: str, value: str | None) -> dict[str, str]:
    try:
        secret = orjson.loads(value or "")
    except ValueError:
        secret = None  # the parser's exception holds the secret, so it is not chained
    if isinstance(secret, dict) and secret and all(isinstance(each, str) for each in secret.values()):
        return secret
    raise Misconfigured(
        f"the secret {name} is not a JSON object of texts: it {_fault_of(value, secret)}. Write it like"
        ' {"username": "…", "password": "…"}, keys and values in quotes; PreflightFunction names the keys'
    )


def _fault_of(value: str | None, read: object) -> str:
    """Return what is wrong with a secret, without quoting it."""
    if value is None:
        return "is binary"
    if read is None:
        return "is not JSON"
    if not isinstance(read, dict):
        return "is a list or a single value"
    return "has a value that is no text" if read else "is empty"
