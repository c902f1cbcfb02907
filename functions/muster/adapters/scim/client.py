"""The part of SCIM 2.0 that Muster uses: users and groups found, read, made, changed and removed (O2).

What a write was answered is a value (`scim_answers.Written`); what is wrong with the whole target is an
error: `Misconfigured` where the connection's settings, token or rights are wrong, `Unavailable` for the rest.
That a write was answered with success does not say that it had an effect: what ends an access is read back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from muster.adapters.scim.answers import fault_of
from muster.adapters.scim.calls import Calls
from muster.crm import scim_attributes, scim_filters, scim_lists, scim_patches, scim_resources
from muster.crm.scim_answers import Outcome, Written, outcome_of, problem_of
from muster.crm.scim_attributes import Json, Values
from muster.crm.scim_lists import ListPage
from muster.crm.scim_patches import Operation
from muster.crm.scim_resources import USERS, Kind, Resource
from muster.errors import FilterRefused, Incomplete, NotServed, OutcomeUnknown, Problem, Rejected

if TYPE_CHECKING:
    from muster.adapters.aws.login_journal import LoginJournal
    from muster.adapters.aws.secrets import Secrets
    from muster.settings.scim_connection import ScimConnection

_NO_FILTER = frozenset({400, 403, 501})
_ENOUGH_REFUSALS = 2
# The second is what Slack and Salesforce call it.
_DISCOVERY = ("ServiceProviderConfig", "ServiceProviderConfigs")


class Scim:
    """Reads and writes one target in the name of its token."""

    def __init__(
        self,
        connection: ScimConnection,
        secrets: Secrets,
        journal: LoginJournal,
        *,
        timeout: tuple[float, float] = (5, 30),
        backoff_s: float = 1,
        longest_wait_s: float = 20,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Connect as the settings say; nothing is called yet.

        `timeout` is for connecting and for waiting for an answer, in seconds; `backoff_s` is the unit of the
        waits between tries; no wait is longer than `longest_wait_s`.
        """
        self._calls = Calls(
            connection, secrets, journal, "Muster", timeout, backoff_s, longest_wait_s, clock, sleep
        )
        self._name = self._calls.system.name
        self._dialect = connection.dialect
        # How many filters the target has refused, `None` once it has taken one.
        self._filters: dict[tuple[Kind, str], int | None] = {}
        self._patches = True

    def refusal(self) -> str | None:
        """Return why nothing is sent, if the token in the secret was refused; the target is not called."""
        return self._calls.token.refusal()

    def retry_login(self) -> None:
        """Send a token that was refused once more; does nothing if it was not (U5)."""
        if self._calls.token.forgive():
            self._calls.call("GET", f"{USERS}?count=1")

    def discovery(self) -> Json | None:
        """Return what the target says of itself, `None` if nothing; for preflight alone."""
        for endpoint in _DISCOVERY:
            answer = self._calls.call("GET", endpoint)
            if answer.succeeded and isinstance(answer.content, dict):
                return answer.content
        return None

    def first_page(self, kind: Kind) -> int:
        """Return how many users or groups the first page of a list shows; for preflight alone."""
        return len(self._page(kind, {"count": "1"}).resources)

    def overlooks(self, attribute: str, value: str) -> bool:
        """Whether a filter for users that fits nobody shows somebody; raises `FilterRefused`."""
        query = {"filter": scim_filters.equal(attribute, value), "count": "1"}
        return bool(self._page(USERS, query).resources)

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────────

    def all(self, kind: Kind) -> Iterator[ListPage]:
        """Yield all users or groups, page by page; a page holds those who were on none before.

        A list without anybody is one page, which says so.
        That a list has ended does not say that it was whole: nobody's absence means that somebody has gone.
        """
        return self._walk(kind, {}, trusts_total=False)

    def find(self, kind: Kind, attribute: str, value: str) -> list[Resource]:
        """Return those with a value of an attribute: none, one, or several.

        Names are compared in any case. Raises `FilterRefused` where the target does not find by that.
        """
        refused = self._filters.get((kind, attribute), 0)
        if attribute not in self._dialect.filterable or (refused or 0) >= _ENOUGH_REFUSALS:
            raise _filter_refused(kind, attribute)
        exactly = attribute == scim_attributes.EXTERNAL_ID
        for spelling in (value,) if exactly else scim_filters.spellings(value):
            if found := self._filtered(kind, attribute, spelling):
                return found
        return []

    def get(self, kind: Kind, resource_id: str) -> Resource | None:
        """Return a user or group, `None` if the target has nothing of that id, or does not show it."""
        path = _path(kind, resource_id)
        answer = self._calls.call("GET", path)
        if answer.status in (404, 410) and not answer.foreign:
            return None
        found = scim_resources.read_resource(answer.content) if answer.succeeded else None
        if found is None:
            raise fault_of(self._calls.system, answer, path)
        if found.id != resource_id:
            raise Incomplete(f"{self._name} showed another than the one that was asked for")
        return found

    def _filtered(self, kind: Kind, attribute: str, spelling: str) -> list[Resource]:
        try:
            query = {"filter": scim_filters.equal(attribute, spelling)}
            pages = list(self._walk(kind, query, trusts_total=True))
        except FilterRefused:
            # One may be refused for the value in it, or for who it finds.
            refused = self._filters.get((kind, attribute), 0)
            if refused is not None and scim_filters.is_plain(spelling):
                self._filters[kind, attribute] = refused + 1
            raise
        self._filters[kind, attribute] = None
        found = (each for page in pages for each in page.resources)
        return scim_resources.named(found, attribute, spelling)

    def _walk(self, kind: Kind, query: Mapping[str, str], *, trusts_total: bool) -> Iterator[ListPage]:
        walk = scim_lists.Walk(trusts_total=trusts_total)
        while not walk.ended:
            # The first page begins at 1 by itself, and not every target knows the parameter.
            start = {"startIndex": str(walk.start)} if walk.start > 1 else {}
            asked = {**query, **start, "count": str(self._dialect.page_size)}
            page = self._page(kind, asked)
            new = walk.add(page)
            if new or walk.is_empty:
                yield replace(page, resources=new)

    def _page(self, kind: Kind, query: Mapping[str, str]) -> ListPage:
        answer = self._calls.call("GET", f"{kind}?{urlencode(query, quote_via=quote)}")
        if "filter" in query and answer.status in _NO_FILTER and not answer.foreign:
            raise _filter_refused(kind, query["filter"].partition(" ")[0])
        page = scim_lists.read_page(answer.content) if answer.succeeded else None
        if page is None:
            raise fault_of(self._calls.system, answer, kind)
        return page

    # ── Writing ──────────────────────────────────────────────────────────────────────────────────────

    def create(self, kind: Kind, body: Json) -> Written:
        """Make a user or group. Raises `OutcomeUnknown` if it may be there now: look before making it again.

        Some targets take it for a change of one that is there, and answer alike: look before making it.
        """
        written = self._write("POST", kind, body, where=kind)
        if written.outcome is Outcome.GONE:
            raise NotServed(f"{self._name} has no {kind} at its path; check path and profile")
        if written.outcome is Outcome.WRITTEN and written.resource is None:
            raise OutcomeUnknown(f"{self._name} made one of {kind} without showing its id")
        return written

    def activate(self, user_id: str, active: bool, values: Values) -> Written:
        """Let a user in, or keep the user out; by itself, since some targets take nothing else then.

        `values` are those sent before: where the target has no PATCH, a PUT repeats them.
        """
        operations = [scim_patches.activation(active, self._dialect)]
        return self._changed(user_id, operations, values, values, active=active)

    def change(self, user_id: str, before: Values, after: Values) -> Written:
        """Change an active user from what was sent before; without a difference nothing is sent."""
        operations = scim_patches.changes(before, after, self._dialect)
        return self._changed(user_id, operations, before, after, active=True)

    def patch(self, kind: Kind, resource_id: str, operations: Sequence[Operation]) -> Written:
        """Change a user or group, in as many calls as that takes; the first that fails is the last."""
        written = Written(Outcome.WRITTEN)
        for some in scim_patches.calls(operations, self._dialect):
            written = self._write("PATCH", _path(kind, resource_id), scim_patches.patch(some), resource_id)
            if written.outcome is not Outcome.WRITTEN:
                break
        return written

    def replace(self, kind: Kind, resource_id: str, body: Json) -> Written:
        """Replace a user or group as a whole: what the body leaves out may be cleared."""
        return self._write("PUT", _path(kind, resource_id), body, resource_id)

    def delete(self, kind: Kind, resource_id: str) -> Written:
        """Delete a user or group; one that is gone already is `Outcome.GONE`."""
        return self._write("DELETE", _path(kind, resource_id), None, resource_id)

    def _changed(
        self, user_id: str, operations: Sequence[Operation], before: Values, after: Values, *, active: bool
    ) -> Written:
        """Change a user by PATCH, or by PUT where the target has none."""
        if self._patches or not operations:
            written = self.patch(USERS, user_id, operations)
            if written.outcome is not Outcome.NOT_OFFERED:
                return written
            self._patches = False
        shown = self.get(USERS, user_id)
        if shown is None:
            return Written(Outcome.GONE, problem=problem_of(Outcome.GONE, 404, None, user_id))
        return self.replace(USERS, user_id, scim_patches.replaced(shown.body, active, before, after))

    def _write(self, method: str, path: str, body: Json | None, where: str) -> Written:
        answer = self._calls.call(method, path, body)
        if answer.succeeded:
            if answer.foreign:
                raise OutcomeUnknown(f"{self._name} answered a write with something that is not SCIM")
            return Written(Outcome.WRITTEN, scim_resources.read_resource(answer.content))
        if not answer.is_about_the_call:
            raise fault_of(self._calls.system, answer, path)
        outcome = outcome_of(answer.status, answer.content, answer.text)
        problem = problem_of(outcome, answer.status, answer.content, where, body, answer.text)
        return Written(outcome, problem=problem)


def _path(kind: Kind, resource_id: str) -> str:
    if not resource_id.strip("."):
        raise Rejected(Problem(kind, "has an id that is no part of a path", "Correct it in the target."))
    return f"{kind}/{quote(resource_id, safe='')}"


def _filter_refused(kind: Kind, attribute: str) -> FilterRefused:
    return FilterRefused(
        Problem(kind, f"are not found by {attribute}", "Choose the profile that fits the target.")
    )
