"""The part of a vault's REST API that Muster uses, for Vault CRM and Align alike: VQL, updates, metadata.

Reads are retried: three tries, with exponential, jittered waits. A write is sent once. If its answer is
lost or unclear that is `OutcomeUnknown`, and the caller has to read back before it sends anything again:
what is saved twice would be requested of the Engage server twice (P5). Only a call in a session that had
ended is repeated, because nothing of it was processed.

Never sent: the headers that bypass triggers on save (P4), because such changes would never reach Engage.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

import orjson

from muster.adapters.http_calls import Unreached, session_for
from muster.adapters.vault import login
from muster.adapters.vault.answers import BUSY, INVALID_SESSION, Answer, fault_of, read_answer, vault_system
from muster.adapters.vault.burst_limit import Burst
from muster.adapters.vault.metadata import (
    read_base_licences,
    read_fields,
    read_permissions,
    read_picklist,
    read_policy,
    read_user,
    read_versions,
)
from muster.adapters.vault.writes import read_written
from muster.crm.pages import CursorLost, Page, Tally, read_vault_page, vault_page_path
from muster.crm.vault_records import (
    RECORDS_A_CALL,
    BaseLicence,
    Field,
    IntegrationUser,
    SecurityPolicy,
    Written,
)
from muster.errors import Misconfigured, NotServed, OutcomeUnknown, Problem, Rejected, TooLarge, Unavailable

if TYPE_CHECKING:
    from muster.adapters.aws.login_journal import LoginJournal
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.sections import AlignConnection, VaultCrmConnection


TRIES = 3
LONGEST_QUERY = 50_000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")


class Vault:
    """Reads and writes one vault in the integration user's name.

    Every method raises `Rejected` for what the vault refuses as wrong, `Misconfigured` where the
    connection's settings, credentials or permissions are wrong, and `Unavailable` for the rest.
    """

    def __init__(  # noqa: PLR0913 - two to name the vault, the rest are for tests
        self,
        connection: VaultCrmConnection | AlignConnection,
        secrets: Secrets,
        journal: LoginJournal,
        name: Literal["vault_crm", "align"] = "vault_crm",
        *,
        client_id: str = "muster",
        sessions: login.Sessions = login.OF_THIS_PROCESS,
        timeout: tuple[float, float] = (5, 60),
        backoff_s: float = 1,
        longest_wait_s: float = 20,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect as the settings say; nothing is called yet.

        `name` is the connection's name in the settings. `client_id` identifies Muster in the vault's logs
        and in its filter of client ids. `timeout` is for connecting and for waiting for an answer, in
        seconds; `backoff_s` is the unit of the waits between tries; no wait is longer than
        `longest_wait_s`.
        """
        self._system = vault_system(name)
        self._base = self._system.base_url(connection.host)
        self._version = connection.api_version
        self._session = session_for({f"{self._base}/api/": 0})
        self._session.headers["X-VaultAPI-ClientID"] = client_id
        self._timeout = timeout
        self._login = login.VaultLogin(connection, name, secrets, journal, self._session, timeout, sessions)
        self._burst = Burst(self._system.name, longest_wait_s, clock, sleep)
        # The user in whose name calls were made, by the last answer (U5); `None`: none yet.
        self.user_id: str | None = None
        self._backoff_s = backoff_s
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep

    @property
    def calls_left(self) -> tuple[int, int] | None:
        """Remaining calls and the limit, by the last answer that had them; `None` after a new login."""
        return self._burst.left

    def log_in(self) -> None:
        """Log in anew with the secret, even if a session is open; raises as any call does.

        With an access token there is no login: a call shows whether it is accepted, in any version.
        """
        self._burst.left = None
        self._login.authorization(anew=True)
        if self._login.by_token:
            self.versions()

    def refusal(self) -> str | None:
        """Return why nobody logs in, if the password in the secret was refused; the vault is not called."""
        return self._login.refusal()

    def retry_login(self) -> None:
        """Send a password that was refused once more; does nothing if it was not (U5)."""
        if self._login.refusal():
            self._login.authorization(anew=True, again=True)

    def query(self, vql: str) -> Iterator[Page]:
        """Yield all pages of a query's result, in order.

        Raises `Incomplete` after the last page if they do not add up to the announced total; `TooLarge`
        for a statement of more than 50,000 characters, before anything is called.
        """
        if len(vql) > LONGEST_QUERY:
            raise TooLarge(
                Problem(
                    "query", f"has {len(vql):,} characters, over {LONGEST_QUERY:,}", "Ask for less at once."
                )
            )
        return self._complete(vql)

    def more(self, next_url: str) -> Iterator[Page]:
        """Yield the pages from a page's `next` on; raises `CursorLost` if the cursor has expired.

        The caller, who read the pages before, checks that the total is complete (`crm.pages.Tally`).
        """
        return self._pages(vault_page_path(next_url, self._base, self._version))

    def update(self, object_name: str, records: Sequence[Mapping[str, Any]]) -> list[Written]:
        """Save changes of up to 500 records in one call and return the result of each, in order.

        A record is its `id` and the fields to set; `None` clears a field. Raises `OutcomeUnknown` if the
        results are not known; every other error means that nothing was written.
        """
        ids = _ids_of(records)
        if not ids:
            return []
        body = orjson.dumps(
            [{key: clearing() if value is None else value for key, value in each.items()} for each in records]
        )
        path = self._path(f"vobjects/{_name(object_name)}")
        answer = self._call("PUT", path, object_name, {"Content-Type": "application/json"}, body)
        return read_written(answer, ids)

    def fields(self, object_name: str) -> list[Field]:
        """Return the fields of an object; `editable` says whether the integration user may set one."""
        return read_fields(self._get(f"metadata/vobjects/{_name(object_name)}"))

    def me(self) -> IntegrationUser:
        """Return the user who is logged in."""
        return read_user(self._get("objects/users/me"))

    def permissions(self, object_name: str) -> frozenset[str]:
        """Return what the integration user may do with an object: `read`, `create`, `edit`, `delete`."""
        name = f"object.{_name(object_name)}.object_actions"
        return read_permissions(self._get(f"objects/users/me/permissions?filter=name__v::{name}"), name)

    def picklist(self, name: str) -> dict[str, str]:
        """Return the values of a picklist, API names with their labels."""
        return read_picklist(self._get(f"objects/picklists/{_name(name)}"))

    def versions(self) -> list[str]:
        """Return the versions of the API that the vault serves, like v26.1, the oldest first."""
        return read_versions(self._read("GET", "/api/", "versions"))

    def base_licences(self) -> list[BaseLicence]:
        """Return how many full users the vault may have, and has, by application."""
        return read_base_licences(self._get("objects/licenses"))

    def security_policy(self, policy_id: int) -> SecurityPolicy:
        """Return how users of a security policy log in."""
        return read_policy(self._get(f"objects/securitypolicies/{policy_id:d}"))

    def _complete(self, vql: str) -> Iterator[Page]:
        tally = Tally()
        for page in self._pages(self._path("query"), {"q": vql}):
            tally.add(page)
            yield page
        tally.close()

    def _pages(self, path: str, form: Mapping[str, str] | None = None) -> Iterator[Page]:
        read: set[str] = set()
        next_path: str | None = path
        while next_path is not None:
            if next_path in read:
                raise Unavailable(f"{self._system.name} sent a page's reader round in a circle")
            read.add(next_path)
            page = read_vault_page(self._page(next_path, form).body)
            # Checked before anyone stores the page: reading might resume at its `next` later.
            next_path = vault_page_path(page.next, self._base, self._version) if page.next else None
            form = None
            yield page

    def _page(self, path: str, form: Mapping[str, str] | None) -> Answer:
        """Return a page of a query: the first one, which has a form, or a later one."""
        try:
            return self._read("POST", path, "query", form)
        except (NotServed, Rejected) as error:
            if form is not None:
                raise
            # The query itself was accepted, so a later page that is refused has expired.
            raise CursorLost(f"{self._system.name} does not know that page of a query any more") from error

    def _get(self, path: str) -> Answer:
        return self._read("GET", self._path(path), path.partition("?")[0])

    def _path(self, rest: str) -> str:
        return f"/api/{self._version}/{rest}"

    def _read(self, method: str, path: str, where: str, form: Mapping[str, str] | None = None) -> Answer:
        return self._call(method, path, where, {}, form, tries=TRIES)

    def _call(
        self,
        method: str,
        path: str,
        where: str,
        headers: Mapping[str, str],
        body: object,
        tries: int = 1,
    ) -> Answer:
        """Return the answer to one call, repeated after one new login if the session had ended."""
        answer = self._answer(method, path, headers, body, tries)
        if answer.kind == INVALID_SESSION:
            answer = self._answer(method, path, headers, body, tries)
        if answer.kind == INVALID_SESSION:
            raise Misconfigured(
                f"{answer.summary} to a call right after a login; the vault may not serve"
                f" {self._system.setting.removesuffix('host')}api_version, {self._version}"
            )
        if answer.kind:
            raise fault_of(answer, where)
        return answer

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: object, tries: int) -> Answer:
        """Return the answer to one call in one session, retried where that may help."""
        # Outside the loop: logins are never retried automatically.
        authorization = self._login.authorization()
        headers = {"Authorization": authorization, **headers}
        for tried in count(1):
            try:
                answer = self._send_once(method, path, headers, body)
                break
            except Unavailable as error:
                if tried == tries:
                    raise
                self._pause(tried, error)
        if answer.kind == INVALID_SESSION:
            self._login.forget(authorization)
        return answer

    def _send_once(self, method: str, path: str, headers: Mapping[str, str], body: object) -> Answer:
        self._burst.wait()
        url = f"{self._base}{path}"
        try:
            response = self._system.send(
                self._session, method, url, self._timeout, headers=headers, data=body
            )
            self._burst.read(response.headers)
            self.user_id = response.headers.get("X-VaultAPI-UserId", self.user_id)
            answer = read_answer(self._system, response)
        except Unreached:
            raise
        except Unavailable as error:
            if method != "PUT":
                raise
            raise OutcomeUnknown(f"{error}; what was sent may be saved", error.retry_after) from error
        if answer.kind in BUSY:
            raise fault_of(answer, "")
        return answer

    def _pause(self, tried: int, error: Unavailable) -> None:
        """Wait before the next try; raises the error if the vault asks for a longer wait."""
        requested_s = error.retry_after or 0
        if requested_s > self._longest_wait_s:
            raise error
        jitter = 0.5 + random.random()  # noqa: S311 - it spreads waits and guards nothing
        self._sleep(min(max(requested_s, self._backoff_s * 2**tried * jitter), self._longest_wait_s))


def clearing() -> str | None:
    """Return the value that clears a field.

    Vault's documentation does not say whether its JSON takes null or an empty text. Callers that clear a
    field read it back.
    """
    return None


def _ids_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the records' ids; raises `Rejected` for records that would fail or be ambiguous."""
    if len(records) > RECORDS_A_CALL:
        raise TooLarge(
            Problem(
                "records", f"are {len(records):,}, over {RECORDS_A_CALL} of one call", "Send fewer at once."
            )
        )
    ids = [str(each.get("id") or "") for each in records]
    if "" in ids or len(set(ids)) < len(ids):
        raise Rejected(Problem("records", "have no id, or one of them twice", "Send each record once."))
    return ids


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Rejected(Problem("name", "is not an API name of the vault", "Write it like user__sys."))
    return name
