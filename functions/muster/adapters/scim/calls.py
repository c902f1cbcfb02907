"""Calls to a SCIM target in the name of its token: paced, and repeated only where that is harmless.

Reads are retried: three tries, with exponential, jittered waits. A write is sent once; if its answer is lost
or says nothing that is `OutcomeUnknown`, and the caller has to look before anything is sent again (P5). Only
a call that was one too many, or whose type of content was refused, is repeated: nothing of it was processed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

import orjson

from muster.adapters.http_calls import HttpAnswer, Unreached, session_for
from muster.adapters.scim.answers import Answer, fault_of, read_answer, scim_system
from muster.adapters.scim.pace import Pace
from muster.adapters.scim.token import Token
from muster.crm.scim_attributes import Json
from muster.errors import ApiCallsUsedUp, OutcomeUnknown, PasswordRefused, Unavailable

if TYPE_CHECKING:
    from muster.adapters.aws.login_journal import LoginJournal
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.scim_connection import ScimConnection

TRIES = 3
SCIM_JSON, JSON = "application/scim+json", "application/json"
_REFUSED, _WRONG_TYPE, _TOO_MANY, _NOT_OFFERED = 401, 415, 429, 501


class Calls:
    """Calls one target."""

    def __init__(  # noqa: PLR0913 - the first three name the target, the rest are for tests
        self,
        connection: ScimConnection,
        secrets: Secrets,
        journal: LoginJournal,
        user_agent: str,
        timeout: tuple[float, float],
        backoff_s: float,
        longest_wait_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Connect as the settings say; nothing is called yet. See `client.Scim`."""
        self.system = scim_system(connection.name)
        self.token = Token(connection, self.system.name, secrets, journal)
        self._base = f"{self.system.base_url(connection.host)}{connection.path}"
        self._session = session_for({f"{self._base}/": 0})
        self._session.headers.update({"Accept": SCIM_JSON, "User-Agent": user_agent})
        self._timeout = timeout
        limit = connection.dialect.calls_a_minute
        self._pace = Pace(self.system.name, limit, backoff_s, longest_wait_s, clock, sleep, time.time)
        self._backoff_s = backoff_s
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep
        self._content_type = SCIM_JSON

    def call(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Return the answer to one call, whatever its status; `path` is what follows the connection's path.

        Raises `OutcomeUnknown` where a write may have had an effect, `ApiCallsUsedUp` where the target takes
        no calls for now, `PasswordRefused` for a token that was refused, and else as `http_calls` does.
        """
        authorization = self.token.authorization()
        for tried in count(1):
            answer = self._sent(method, path, body, authorization)
            if answer.status_code == _REFUSED:
                if tried == TRIES:
                    raise PasswordRefused(f"{self.system.name} refuses each token that its secret has had")
                authorization = self.token.refuse(authorization)
            elif answer.status_code == _TOO_MANY:
                wait = self._pace.refused(answer)
                if tried == TRIES:
                    raise ApiCallsUsedUp(f"{self.system.name} takes no more calls for now", wait)
            elif answer.status_code == _WRONG_TYPE and body is not None and self._content_type == SCIM_JSON:
                self._content_type = JSON
            else:
                break
        self._pace.answered()
        return read_answer(answer)

    def _sent(self, method: str, path: str, body: Json | None, authorization: str) -> HttpAnswer:
        """Return the answer to one call; a read is retried where the target does not answer."""
        for tried in range(1, TRIES):
            try:
                return self._sent_once(method, path, body, authorization)
            except ApiCallsUsedUp:
                raise
            except Unavailable as error:
                if method != "GET":
                    raise
                self._pause(tried, error)
        return self._sent_once(method, path, body, authorization)

    def _sent_once(self, method: str, path: str, body: Json | None, authorization: str) -> HttpAnswer:
        self._pace.wait()
        headers = {"Authorization": authorization}
        if body is not None:
            headers["Content-Type"] = self._content_type
        if method == "DELETE":
            # There is no answer to accept, and one target refuses to be asked for one.
            headers["Accept"] = "*/*"
        data = None if body is None else orjson.dumps(body)
        url = f"{self._base}/{path}"
        try:
            answer = self.system.send(self._session, method, url, self._timeout, headers=headers, data=data)
            if answer.status_code >= 500 and answer.status_code != _NOT_OFFERED:
                raise fault_of(self.system, read_answer(answer), path)
        except Unreached:
            raise
        except Unavailable as error:
            if method == "GET":
                raise
            words = f"{error}; what was sent may have taken effect"
            raise OutcomeUnknown(words, error.retry_after) from error
        return answer

    def _pause(self, tried: int, error: Unavailable) -> None:
        """Wait before the next try; raises the error if the target asks for a longer wait."""
        requested_s = error.retry_after or 0
        if requested_s > self._longest_wait_s:
            raise error
        jitter = 0.5 + random.random()  # noqa: S311 - it spreads waits and guards nothing
        self._sleep(min(max(requested_s, self._backoff_s * 2**tried * jitter), self._longest_wait_s))
