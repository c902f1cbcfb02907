"""The OAuth token endpoint, for client credentials and JWT bearer, and the sessions that it opens."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from flask import Blueprint, jsonify, request

from sandbox.salesforce import jwt_bearer
from sandbox.salesforce.errors import OAuthError

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret


@dataclass(frozen=True)
class Client:
    """The credentials of the one external client app, and the user it runs as."""

    client_id: str
    client_secret: str
    organization_id: str
    user_id: str
    username: str


class Sessions:
    """The access tokens in force. They live in memory: a restarted sandbox knows none."""

    def __init__(self, organization_id: str, life_s: float, clock: Callable[[], datetime]) -> None:
        """Start with no session; each lasts `life_s` seconds from its opening."""
        self._organization_id = organization_id
        self._life = timedelta(seconds=life_s)
        self._clock = clock
        self._lock = Lock()
        self._ends: dict[str, datetime] = {}

    def open(self) -> str:
        """Return a new access token, which begins with the organization's id as Salesforce's do."""
        token = f"{self._organization_id[:15]}!AQ{secrets.token_urlsafe(60)}"
        with self._lock:
            self._ends[token] = self._clock() + self._life
        return token

    def is_open(self, token: str) -> bool:
        """Whether the access token is still in force."""
        with self._lock:
            end = self._ends.get(token)
            return end is not None and self._clock() < end

    def expire(self) -> None:
        """End every session."""
        with self._lock:
            self._ends.clear()


def oauth_paths(
    client: Client, sessions: Sessions, clock: Callable[[], datetime], jwt_key: Callable[[], str | None]
) -> Blueprint:
    """Return the token endpoint; `jwt_key` gives the public key that was uploaded, as PEM."""
    paths = Blueprint("oauth", __name__)

    @paths.errorhandler(OAuthError)
    def refused(error: OAuthError) -> Any:
        return jsonify(error.as_json()), 400

    @paths.post(TOKEN_PATH)
    def token() -> Any:
        match request.form.get("grant_type"):
            case "client_credentials":
                _check_secret(client)
                return jsonify(_granted(client, sessions.open()) | _signed(client, clock()))
            case jwt_bearer.GRANT_TYPE:
                jwt_bearer.check_assertion(
                    request.form.get("assertion", ""),
                    client_id=client.client_id,
                    username=client.username,
                    key=jwt_key(),
                    host=_host(),
                    now=clock(),
                )
                return jsonify(_granted(client, sessions.open()))
        raise OAuthError("unsupported_grant_type", "grant type not supported")

    @paths.get(TOKEN_PATH)
    def token_by_get() -> Any:
        raise OAuthError("invalid_request", "must use HTTP POST")

    return paths


def _check_secret(client: Client) -> None:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        client_id, client_secret = basic.username or "", basic.password or ""
    else:
        client_id = request.form.get("client_id", "")
        client_secret = request.form.get("client_secret", "")
    if client_id != client.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not hmac.compare_digest(client_secret.encode(), client.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def _host() -> str:
    return request.host_url.rstrip("/")


def _identity(client: Client) -> str:
    return f"{_host()}/id/{client.organization_id}/{client.user_id}"


def _granted(client: Client, token: str) -> dict[str, str]:
    return {
        "access_token": token,
        "scope": "api",
        "instance_url": _host(),
        "id": _identity(client),
        "token_type": "Bearer",
    }


def _signed(client: Client, moment: datetime) -> dict[str, str]:
    """Return what the answer to a JWT leaves out: when the token was issued, and a signature of that."""
    issued_at = str(int(moment.timestamp() * 1000))
    signed = (_identity(client) + issued_at).encode()
    digest = hmac.digest(client.client_secret.encode(), signed, hashlib.sha256)
    return {"signature": base64.b64encode(digest).decode(), "issued_at": issued_at}
