"""A Cognito user pool in process: the emulator's Cognito behind a real client, and who is signed in there.

pool = UserPool()
pool.add("ada", email="ada@acme.example")
pool.sign_in("ada")
pool.adapter()         the adapter, with a client of its own
pool.truth()           {"ada": "signed in"}, or "enabled", "disabled", "disabled, signed in"
pool.answers["AdminDisableUser"] = "TooManyRequestsException"
"""

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from ministack.services import cognito  # type: ignore[import-untyped]  # ministack ships no types
from moto.core.models import botocore_stubber

from muster.adapters.aws.user_pool import UserPool as Adapter
from muster.settings.user_pool_connection import UserPoolConnection
from tests.doubles.clocks import MonotonicClock

_PREFIX = "AWSCognitoIdentityProviderService."


class UserPool:
    """One pool, empty at first; `creation` is what it is made with, such as aliases."""

    def __init__(self, **creation: object) -> None:
        self.id: str = self._ask("CreateUserPool", PoolName="portal", **creation)["UserPool"]["Id"]
        # What was called, with effect or without, and the sessions that there are.
        self.calls: list[str] = []
        self.filters: list[str] = []
        self._sessions: set[str] = set()
        # By operation: the error's code, or `lost`: it has its effect, and nobody hears of it.
        self.answers: dict[str, str] = {}
        # Called before and after each call; may raise.
        self.hooks: list[Callable[[str, str], None]] = []

    def connection(self, **keys: Any) -> UserPoolConnection:
        """Return the section of the settings, as one of the organization acme, called `portal`."""
        connection = UserPoolConnection.model_validate({"user_pool": self.id} | keys)
        connection.belong_to("acme")
        connection.be_called("portal")
        return connection

    def adapter(self, clock: MonotonicClock | None = None, **keys: Any) -> Adapter:
        """Return an adapter whose waits take no time; `keys` are those of its connection."""
        clock = clock or MonotonicClock()
        return Adapter(self.client(), self.connection(**keys), clock=clock, sleep=clock.sleep)

    def client(self) -> Any:
        """Return a client whose calls end here."""
        client = boto3.client(
            "cognito-idp",
            region_name=self.id.partition("_")[0],
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - of nobody
            config=Config(retries={"total_max_attempts": 1}),
        )
        # Of Cognito moto has half, and that needs more than is installed.
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send.cognito-identity-provider", self._answer)
        return client

    # ── What is there ────────────────────────────────────────────────────────────────────────────────

    def add(self, name: str, **attributes: str) -> str:
        """Make a user, and return its sub."""
        given = [{"Name": key, "Value": value} for key, value in attributes.items()]
        made = self._ask("AdminCreateUser", UserPoolId=self.id, Username=name, UserAttributes=given)
        return str(next(each["Value"] for each in made["User"]["Attributes"] if each["Name"] == "sub"))

    def change(self, name: str, **attributes: str) -> None:
        """Change a user."""
        given = [{"Name": key, "Value": value} for key, value in attributes.items()]
        self._ask("AdminUpdateUserAttributes", UserPoolId=self.id, Username=name, UserAttributes=given)

    def disable(self, name: str) -> None:
        """Disable a user, as an admin does."""
        self._ask("AdminDisableUser", UserPoolId=self.id, Username=name)

    def enable(self, name: str) -> None:
        """Enable a user, as an admin does."""
        self._ask("AdminEnableUser", UserPoolId=self.id, Username=name)

    def delete(self, name: str) -> None:
        """Delete a user, as an admin does."""
        self._ask("AdminDeleteUser", UserPoolId=self.id, Username=name)

    def sign_in(self, name: str) -> None:
        """Begin a session."""
        self._sessions.add(name)

    def truth(self) -> dict[str, str]:
        """Return how each user is."""
        users = self._ask("ListUsers", UserPoolId=self.id)["Users"]
        return {each["Username"]: self._state(each["Username"], each["Enabled"]) for each in users}

    def _state(self, name: str, enabled: bool) -> str:
        if name in self._sessions:
            return "signed in" if enabled else "disabled, signed in"
        return "enabled" if enabled else "disabled"

    # ── The wire ─────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).removeprefix(_PREFIX)
        asked = json.loads(request.body)
        self.calls.append(operation)
        self.filters += [asked["Filter"]] if "Filter" in asked else []
        for hook in self.hooks:
            hook("before", operation)
        fault = self.answers.get(operation, "")
        if fault and fault != "lost":
            return _response(request.url, 400, json.dumps({"__type": fault, "message": "no"}).encode())
        status, body = self._carry_out(operation, asked)
        if operation == "AdminUserGlobalSignOut" and status == 200:
            self._sessions.discard(asked["Username"])
        for hook in self.hooks:
            hook("after", operation)
        if fault:
            raise ReadTimeoutError(endpoint_url=request.url)
        return _response(request.url, status, body)

    def _ask(self, operation: str, **asked: object) -> dict[str, Any]:
        status, body = self._carry_out(operation, asked)
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer

    @staticmethod
    def _carry_out(operation: str, asked: dict[str, object]) -> tuple[int, bytes]:
        headers = {"x-amz-target": f"{_PREFIX}{operation}"}
        handled = cognito.handle_request("POST", "/", headers, json.dumps(asked).encode(), {})
        status, _, body = asyncio.run(handled)
        return status, body


class _Body(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield it whole."""
        yield self.read()


def _response(url: str, status: int, body: bytes) -> AWSResponse:
    headers: Any = HeadersDict({"Content-Type": "application/x-amz-json-1.1"})
    return AWSResponse(url, status, headers, _Body(body))
