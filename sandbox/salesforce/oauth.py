"""The OAuth token endpoint, client credentials flow, and the sessions it opens.

Errors of this endpoint are an object with status 400, unlike those of the REST API.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from flask import Blueprint, Response, jsonify, request

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret  # a path, not a secret


@dataclass(frozen=True)
class Client:
    """The credentials of the one external client app, and the user it runs as."""

    client_id: str
    client_secret: str
    organization_id: str
    user_id: str


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


def oauth_paths(client: Client, sessions: Sessions, clock: Callable[[], datetime]) -> Blueprint:
    """Return the token endpoint."""
    paths = Blueprint("oauth", __name__)

    @paths.post(TOKEN_PATH)
    def token() -> Any:
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, client_secret = basic.username or "", basic.password or ""
        else:
            client_id = request.form.get("client_id", "")
            client_secret = request.form.get("client_secret", "")
        if request.form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", "grant type not supported")
        if client_id != client.client_id:
            return _error("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(client_secret.encode(), client.client_secret.encode()):
            return _error("invalid_client", "invalid client credentials")
        return jsonify(_granted(client, sessions.open(), clock()))

    @paths.get(TOKEN_PATH)
    def token_by_get() -> Any:
        return _error("invalid_request", "must use HTTP POST")

    return paths


def _granted(client: Client, token: str, moment: datetime) -> dict[str, str]:
    instance_url = request.host_url.rstrip("/")
    identity = f"{instance_url}/id/{client.organization_id}/{client.user_id}"
    issued_at = str(int(moment.timestamp() * 1000))
    digest = hmac.digest(client.client_secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
    return {
        "access_token": token,
        "signature": base64.b64encode(digest).decode(),
        "scope": "api",
        "instance_url": instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def _error(code: str, description: str) -> Response:
    answer = jsonify(error=code, error_description=description)
    answer.status_code = 400
    return answer
