"""Login to a Salesforce org: the hosts that Muster may call, and the access token.

    SALESFORCE    the only hosts allowed: My Domain hosts, over https (T3)
    Login         an access token by the OAuth flow of the settings, kept for half an hour (T21)

PyJWT's exceptions may hold the key. They are dropped (`from None`), because chained exceptions are printed
in logs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import requests

from muster.adapters.aws.secrets import require_keys
from muster.adapters.http_calls import LABEL, System, decoded
from muster.crm import salesforce_ids
from muster.errors import Misconfigured, Unavailable, WrongSystem

if TYPE_CHECKING:
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.sections import SalesforceConnection


TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path, not a secret
# Salesforce does not tell a token's lifetime: the app's session policy decides.
TOKEN_LIFE_S = 1_800
ASSERTION_LIFE_S = 180
DEFAULT_AUDIENCE = "https://login.salesforce.com"

SALESFORCE = System(
    name="Salesforce",
    setting="connections.salesforce.host",
    host=re.compile(rf"(?:{LABEL}\.)+my\.salesforce\.com"),
    kind="My Domain host",
    example="acme.my.salesforce.com",
)

_ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
_IDENTITY = re.compile(r"https?://[^/]+/id/([A-Za-z0-9]{15,18})/([A-Za-z0-9]+)")
_ERROR_CODE = re.compile(r"[a-z_]{1,60}")

# The keys of a secret that a login depends on; a new `expires_on` alone is no reason to retry.
_CREDENTIALS = ("client_id", "client_secret", "username", "private_key", "audience")

# Remedies by error code and, where one code has many causes, by its description.
_REMEDIES = {
    "invalid_client_id": "client_id must be the consumer key of an external client app of this org",
    "invalid_client": "client_secret must be that app's consumer secret; copy it into the secret again",
    "unsupported_grant_type": "enable the flow that connections.salesforce.login names in the app",
    "invalid_app_access": "let the integration user use the app: pre-authorize it in the app's policies",
    "inactive_user": "the integration user is not active; activate it, or name another",
    "inactive_org": "the org is locked or closed",
    "no client credentials user enabled": "choose the user to run as in the app's client credentials flow",
    "request not supported on this domain": "connections.salesforce.host must be the org's My Domain host",
    "user hasn't approved this consumer": "pre-authorize the integration user in the app's policies",
    "audience is invalid": "set audience in the secret to https://test.salesforce.com if this is a sandbox",
    "invalid assertion": "private_key must belong to the certificate that was uploaded to the app",
    "expired authorization code": (
        "upload a new certificate to the app if the one there has expired, and write its key into the secret"
        " as private_key; else Muster's clock is wrong"
    ),
    "inactive user": "the integration user is not active; activate it, or name another",
    "ip restricted or invalid login hours": (
        "let the integration user log in from any address at any hour: its profile's Login IP Ranges and"
        " Login Hours, or Relax IP restrictions in the app's policies"
    ),
}
_REMEDY = "check the app's OAuth settings, the integration user and the credentials in the secret"
_TRY_LATER = frozenset({"unknown_error", "server_error", "temporarily_unavailable", "rate_limit_exceeded"})


class Login:
    """The access token of one connection; raises `Misconfigured` where an admin must act, else `Unavailable`.

    A refused login is retried once, and only if the credentials have changed meanwhile: more retries could
    lock the integration user out (T21).
    """

    def __init__(
        self,
        connection: SalesforceConnection,
        secrets: Secrets,
        session: requests.Session,
        timeout: tuple[float, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Log in with the connection's secret when first asked; `clock` measures the age of a token."""
        self._connection = connection
        self._base = SALESFORCE.base_url(connection.host)
        self._secrets = secrets
        self._session = session
        self._timeout = timeout
        self._clock = clock
        self._granted: _Granted | None = None
        self._user_id: str | None = None
        self._opened = 0.0

    def token(self) -> str:
        """Return an access token that is at most half an hour old, logging in if need be."""
        return self._grant().token

    def user_id(self) -> str:
        """Return the id of the user that the token is for."""
        return self._grant().user_id

    @property
    def known_user_id(self) -> str | None:
        """The id of the user that was last logged in; `None`: nobody yet."""
        return self._user_id

    def forget(self) -> None:
        """Drop the token; its session has ended."""
        self._granted = None

    def _grant(self) -> _Granted:
        if self._granted is None or self._clock() - self._opened > TOKEN_LIFE_S:
            opened = self._clock()
            self._granted = self._log_in()
            self._user_id = self._granted.user_id
            self._opened = opened
        return self._granted

    def _log_in(self) -> _Granted:
        name = self._connection.secret
        if name is None:
            raise Misconfigured("connections.salesforce.secret names no secret; write its name there")
        secret = self._secrets.get(name)
        try:
            return self._exchange(name, secret)
        except Misconfigured:
            changed = self._secrets.refetch(name)
            if all(changed.get(key) == secret.get(key) for key in _CREDENTIALS):
                raise
        return self._exchange(name, changed)

    def _exchange(self, name: str, secret: Mapping[str, str]) -> _Granted:
        """Log in with a secret and return the grant."""
        form = self._form(name, secret)
        answer = SALESFORCE.send(self._session, "POST", f"{self._base}{TOKEN_PATH}", self._timeout, data=form)
        content = _object(answer.content)
        if answer.status_code != 200:
            raise _refusal(name, answer.status_code, content)
        return self._checked(name, content)

    def _form(self, name: str, secret: Mapping[str, str]) -> dict[str, str]:
        if self._connection.login == "jwt_bearer":
            require_keys(name, secret, "client_id", "username", "private_key")
            return {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": _assertion(name, secret),
            }
        require_keys(name, secret, "client_id", "client_secret")
        return {
            "grant_type": "client_credentials",
            "client_id": secret["client_id"],
            "client_secret": secret["client_secret"],
        }

    def _checked(self, name: str, content: Mapping[str, object]) -> _Granted:
        """Return the grant in an answer, if it is for the org and the host of the settings."""
        match content:
            case {"access_token": str(token), "instance_url": str(instance), "id": str(identity)} if (
                _ACCESS_TOKEN.fullmatch(token) and (owner := _IDENTITY.fullmatch(identity))
            ):
                pass
            case _:
                raise Unavailable("Salesforce answered a login with something that is no access token")
        if not salesforce_ids.same(owner[1], self._connection.organization_id):
            raise WrongSystem(
                f"the credentials in the secret {name} belong to another Salesforce org than"
                f" connections.salesforce.organization_id, {self._connection.organization_id}"
            )
        if instance.lower().rstrip("/") != self._base:
            raise WrongSystem(
                f"the org that the credentials in the secret {name} belong to is not at"
                " connections.salesforce.host; write its My Domain host there (Setup > My Domain)"
            )
        return _Granted(token, owner[2])


class _Granted(NamedTuple):
    """An access token and the id of its user."""

    token: str
    user_id: str


def _assertion(name: str, secret: Mapping[str, str]) -> str:
    """Return the signed claim of the JWT bearer flow."""
    import jwt  # imported late: it loads cryptography, which only this flow needs

    claims = {
        "iss": secret["client_id"],
        "sub": secret["username"],
        "aud": secret.get("audience", DEFAULT_AUDIENCE),
        "exp": int(time.time()) + ASSERTION_LIFE_S,
    }
    try:
        return jwt.encode(claims, secret["private_key"], algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Misconfigured(
            f"private_key in the secret {name} is not an RSA key in PEM form, or it has a password;"
            " copy it again, from -----BEGIN to the end"
        ) from None


def _refusal(name: str, status: int, content: Mapping[str, object]) -> Misconfigured | Unavailable:
    code, description = content.get("error"), content.get("error_description")
    if status == 404:
        return Misconfigured("nothing logs in at connections.salesforce.host; it is not a My Domain host")
    if status >= 500 or status == 429 or not isinstance(code, str) or not _ERROR_CODE.fullmatch(code):
        return Unavailable(f"Salesforce answered a login with {status}")
    if code in _TRY_LATER:
        return Unavailable(f"Salesforce answered a login with {code}")
    remedy = _REMEDIES.get(str(description).lower(), _REMEDIES.get(code, _REMEDY))
    return Misconfigured(f"Salesforce refused the credentials in the secret {name} with {code}: {remedy}")


def _object(body: bytes) -> Mapping[str, object]:
    """Return the JSON object of an answer, an empty one where it is something else."""
    content = decoded(body)
    return content if isinstance(content, dict) else {}
