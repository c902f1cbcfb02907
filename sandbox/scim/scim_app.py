"""The app that is provisioned: its directory, its token, its quirks, and how a call goes through them."""

import json
import secrets
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from sandbox.scim import answer_quirks, call_quirks, group_quirks, list_quirks, patch_quirks, user_quirks
from sandbox.scim.profiles import PROFILES
from sandbox.scim.protocol import Answer, Call, Refused
from sandbox.scim.quirks import Quirks, Rate, read_quirks
from sandbox.scim.server import Server

_BEFORE = (
    *call_quirks.RULES,
    *user_quirks.RULES,
    *patch_quirks.RULES,
    *group_quirks.RULES,
    *list_quirks.RULES,
)


class ScimApp:
    """Everything that one sandbox is made of."""

    def __init__(
        self,
        *,
        data: str = ":memory:",
        token: str | None = None,
        quirks: object = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Open or make an SQLite file; what is not given is taken from it, else made up.

        `quirks` is what `POST /sandbox/quirks` takes. Raises ValueError for what it does not.
        """
        self.clock = clock or (lambda: datetime.now(UTC))
        given = None if quirks is None else json.dumps(_as_given(read_quirks(quirks, PROFILES)))
        self.server = Server(data, self.clock, Quirks())
        self.directory = self.server.directory
        self._first = read_quirks(json.loads(self.directory.store.setting("quirks", given, "{}")), PROFILES)
        self.directory.put_quirks(self._first)
        self.token = self.directory.store.setting("token", token, secrets.token_urlsafe(24))
        self._is_expired = False
        self._lock = Lock()
        self._recent: deque[datetime] = deque()

    def close(self) -> None:
        """Close the file."""
        self.directory.store.close()

    def reset(self) -> None:
        """Remove all users and groups, renew the token, and go back to the quirks of the start."""
        self.directory.clear()
        self.put_quirks(self._first)
        self._is_expired = False

    # ── Quirks ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def quirks(self) -> Quirks:
        """The quirks that are switched on."""
        return self.directory.quirks

    def put_quirks(self, quirks: Quirks) -> None:
        """Replace the quirks."""
        self.directory.put_quirks(quirks)
        self.directory.store.setting("quirks", json.dumps(_as_given(quirks)), "{}")
        with self._lock:
            self._recent.clear()

    def takes_place_in_window(self, rate: Rate) -> bool:
        """Count a call against a limit, unless there were as many as it allows."""
        now = self.clock()
        with self._lock:
            while self._recent and now - self._recent[0] >= timedelta(seconds=rate.per_s):
                self._recent.popleft()
            is_free = len(self._recent) < rate.calls
            if is_free:
                self._recent.append(now)
            return is_free

    # ── The token ────────────────────────────────────────────────────────────────────────────────────

    def expire_token(self) -> None:
        """End the token; every call is refused from now on."""
        self._is_expired = True

    def renew_token(self, token: str | None) -> str:
        """Make a token valid: this one, or a new one. The one before is not valid any more."""
        self.token = self.directory.store.setting("token", token or secrets.token_urlsafe(24), "")
        self._is_expired = False
        return self.token

    def _check_token(self, call: Call) -> None:
        scheme, _, given = (call.headers.get("Authorization") or "").partition(" ")
        is_bearer = scheme.casefold() == "bearer"
        is_good = is_bearer and secrets.compare_digest(given.encode(), self.token.encode())
        # As the RFC has it, what the app supports is no secret.
        if call.endpoint != "ServiceProviderConfig" and (self._is_expired or not is_good):
            raise Refused(401, "The token is missing, wrong or expired")

    # ── A call ───────────────────────────────────────────────────────────────────────────────────────

    def answer(self, call: Call) -> Answer:
        """Answer a client's call, with everything that is wrong with this app."""
        if call.no_effect:
            with self.directory.lock:
                changes = self.directory.changes
                answer = self._answer(call)
                self.directory.undo(changes)
                return answer
        return self._answer(call)

    def answer_admin(self, call: Call) -> Answer:
        """Answer a call of the app's own admin, as the RFC has it."""
        with self.directory.as_admin():
            return self.server.answer(call)

    def _answer(self, call: Call) -> Answer:
        try:
            answer = self._carried_out(call)
        except Refused as refused:
            answer = refused.answer
            if answer.status == 401:
                answer.headers["WWW-Authenticate"] = 'Bearer realm="SCIM"'
        for rule in answer_quirks.RULES:
            rule(call, answer, self)
        return answer

    def _carried_out(self, call: Call) -> Answer:
        self._check_token(call)
        for rule in _BEFORE:
            answer = rule(call, self)
            if answer is not None:
                return answer
        return self.server.answer(call)


def _as_given(quirks: Quirks) -> dict[str, object]:
    return quirks.model_dump(mode="json", exclude_defaults=True)
