"""The app's users and groups: scim2-server's storage in memory, kept in an SQLite file, with a past.

The past is every change since the start, newest last: it is how lists can lag, how a call can turn out to
have had no effect, and how the app can forget what it was told.
"""

import itertools
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from scim2_models import (
    Context,
    NotFoundException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
)
from scim2_server.memory import InMemoryStorage
from scim2_server.storage import SearchPage

from sandbox.scim.protocol import Json, is_active, primary_email
from sandbox.scim.quirks import Quirks
from sandbox.scim.state_quirks import Change, settle
from sandbox.scim.store import Store
from sandbox.scim.visibility import is_listed, list_is_altered

_PLAIN = Quirks()
_by_admin: ContextVar[bool] = ContextVar("by_admin", default=False)


class Directory(InMemoryStorage):
    """Users and groups. One lock serves all threads; what is written is in the file at once."""

    def __init__(
        self, data: str, provider: ScimProvider, clock: Callable[[], datetime], quirks: Quirks
    ) -> None:
        """Open or make the SQLite file; `quirks` is what holds for calls that are not the admin's."""
        super().__init__(clock)
        self.quirks = quirks
        self.provider = provider
        self._types = {str(each.name): each for each in provider.resource_types}
        self._past: list[tuple[datetime, str, Resource[Any] | None]] = []
        self._ids = itertools.count(1)
        self._hurry = Event()
        self.store = Store(data)
        self.resources = [self._model(kind).model_validate(body) for kind, body in self.store.load()]
        versions = (int(re.sub(r"\D", "", str(each.meta and each.meta.version))) for each in self.resources)
        self.versions = itertools.count(max(versions, default=0) + 1)

    def put_quirks(self, quirks: Quirks) -> None:
        """Replace the quirks, and let writes that wait go on at once."""
        with self.lock:
            self.quirks = quirks
            self._hurry.set()
            self._hurry = Event()

    @contextmanager
    def as_admin(self) -> Iterator[None]:
        """Keep the quirks out of what this thread does while the block runs."""
        token = _by_admin.set(True)
        try:
            yield
        finally:
            _by_admin.reset(token)

    @property
    def quirks_now(self) -> Quirks:
        """The quirks that hold for the call under way."""
        return _PLAIN if _by_admin.get() else self.quirks

    # ── What the server asks for ─────────────────────────────────────────────────────────────────────

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Hold the lock for the whole call, unless writes are to overtake each other."""
        if self.quirks_now.group_race_s:
            yield
            return
        with self.lock:
            yield

    def generate_id(self, resource_type: ResourceType, resource: Resource[Any]) -> str:
        """Return an id of the kind that the quirks ask for."""
        match self.quirks_now.ids:
            case "awkward":
                return f"{next(self._ids)}&{secrets.token_hex(4)}+x=1"
            case "numbers":
                return str(10**15 + secrets.randbelow(8 * 10**15))
            case _:
                return super().generate_id(resource_type, resource)

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Return a resource; a client may be shown what it was a while ago."""
        lag = self.quirks_now.read_lag_s
        is_read = response_parameters is not None  # else the server is about to write
        if not lag or not is_read:
            return super().get(resource_type, resource_id)
        with self.lock:
            shadow = InMemoryStorage()
            shadow.resources = self.as_of(lag)
            return shadow.get(resource_type, resource_id)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Return a page of what a list may show."""
        quirks = self.quirks_now
        wanted = None if search_request.filter is None else str(search_request.filter)
        if not list_is_altered(quirks, wanted):
            return super().search(resource_types, search_request, position=position)
        with self.lock:
            shadow = InMemoryStorage()
            shown = self.as_of(quirks.list_lag_s)
            shadow.resources = [each for each in shown if is_listed(quirks, each.model_dump(), wanted)]
            return shadow.search(resource_types, search_request, position=position)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Store a new resource. Raises Refused."""
        with self.lock:
            change = Change(self.quirks_now, str(resource_type.name), None, resource.model_dump(), self)
            after = settle(change)
            created = super().create(resource_type, type(resource).model_validate(after))
            self._remember(str(created.id), None)
            return created

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Store the whole new state of a resource. Raises Refused."""
        quirks, kind = self.quirks_now, str(resource_type.name)
        if quirks.group_race_s and kind == "Group":
            self._hurry.wait(quirks.group_race_s)
            expected_version = None
        with self.lock:
            stored = super().get(resource_type, str(resource.id))
            before, after = stored.model_dump(), resource.model_dump()
            if self.is_pending(before):
                return stored
            if quirks.email_change_makes_a_user and primary_email(before) not in {None, primary_email(after)}:
                with self.as_admin():  # the name is taken, and that is the point
                    return self._twin(resource_type, resource)
            settled = settle(Change(quirks, kind, before, after, self))
            if settled.get("members") == []:
                del settled["members"]
            changed = type(resource).model_validate(settled)
            updated = super().update(resource_type, changed, expected_version=expected_version)
            self._remember(str(updated.id), stored)
            self._after_leaving(quirks, resource_type, before, settled)
            return updated

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Remove a resource, and a user from its groups. Raises Refused."""
        with self.lock:
            stored = super().get(resource_type, resource_id)
            if str(resource_type.name) == "User":
                settle(Change(self.quirks_now, "User", stored.model_dump(), {}, self))
                self._leave_groups(resource_id)
            super().delete(resource_type, resource_id, expected_version=expected_version)
            self._remember(resource_id, stored)

    # ── What the quirks ask for ──────────────────────────────────────────────────────────────────────

    def all(self, kind: str) -> list[Json]:
        """Return every User or Group, oldest first."""
        with self.lock:
            kept = [each for each in self.resources if each.meta and each.meta.resource_type == kind]
        rows = [each.model_dump() for each in kept]
        return sorted(rows, key=lambda row: (row["meta"]["created"], row["id"]))

    def peek(self, kind: str, resource_id: str) -> Json | None:
        """Return one resource as it is, or None."""
        found = self._find(kind, resource_id)
        return None if found is None else found.model_dump()

    def named(self, kind: str, name: str) -> list[Json]:
        """Return the users of a userName, or the groups of a displayName, in whatever case."""
        attribute = "userName" if kind == "User" else "displayName"
        model: Any = SearchRequest[self._model(kind)]  # type: ignore[misc]  # made at run time
        wanted = {"filter": f"{attribute} eq {json.dumps(name)}"}
        request = model.model_validate(wanted, scim_ctx=Context.SEARCH_REQUEST)
        page = super().search([self._types[kind]], request)
        return [each.model_dump() for each in page.resources]

    def forget_inactive(self, name: str) -> None:
        """Remove the inactive users of a userName for good."""
        with self.as_admin():
            for user in self.named("User", name):
                if not is_active(user):
                    self.delete(self._types["User"], user["id"])

    def is_pending(self, user: Json) -> bool:
        """Whether a user was invited so recently that updates do nothing yet."""
        pending_s = self.quirks_now.pending_s
        if not pending_s or user["meta"]["resourceType"] != "User":
            return False
        created = datetime.fromisoformat(user["meta"]["created"])
        return self.clock() - created < timedelta(seconds=pending_s)

    def put_members(self, group_id: str, members: list[Json]) -> None:
        """Give a group exactly these members, duplicates included."""
        group_type = self._types["Group"]
        with self.lock, self.as_admin():
            group = super().get(group_type, group_id).model_dump() | {"members": members}
            self.update(group_type, self._model("Group").model_validate(group))

    # ── The past ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def changes(self) -> int:
        """How many changes there were since the start."""
        return len(self._past)

    def as_of(self, seconds_ago: float) -> list[Resource[Any]]:
        """Return all resources as they were."""
        since = self.clock() - timedelta(seconds=seconds_ago)
        return self._before(sum(1 for at, *_ in self._past if at <= since))

    def forget(self, seconds: float) -> None:
        """Lose what the last seconds changed, as when a backup is restored."""
        since = self.clock() - timedelta(seconds=seconds)
        with self.lock:
            self.undo(sum(1 for at, *_ in self._past if at <= since))

    def undo(self, changes: int) -> None:
        """Go back to what was after so many changes."""
        with self.lock:
            self._replace_all(self._before(changes))
            del self._past[changes:]

    def clear(self) -> None:
        """Remove all users and groups."""
        with self.lock:
            self._replace_all([])
            self._past.clear()

    def _before(self, changes: int) -> list[Resource[Any]]:
        state: dict[str, Resource[Any] | None] = {str(each.id): each for each in self.resources}
        for _, resource_id, before in reversed(self._past[changes:]):
            state[resource_id] = before
        return [each for each in state.values() if each is not None]

    def _replace_all(self, resources: list[Resource[Any]]) -> None:
        self.resources = resources
        self.store.clear()
        for each in resources:
            self.store.write(each.model_dump())

    def _remember(self, resource_id: str, before: Resource[Any] | None) -> None:
        self._past.append((self.clock(), resource_id, before))
        now = self._find("User", resource_id) or self._find("Group", resource_id)
        if now is None:
            self.store.remove(resource_id)
        else:
            self.store.write(now.model_dump())

    def _find(self, kind: str, resource_id: str) -> Resource[Any] | None:
        try:
            return super().get(self._types[kind], resource_id)
        except NotFoundException:
            return None

    def _model(self, kind: str) -> type[Resource[Any]]:
        model: type[Resource[Any]] = self.provider.model_for(self._types[kind])  # type: ignore[assignment]
        return model

    def _twin(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        body = resource.model_dump()
        created = super().create(resource_type, type(resource).model_validate(body))
        self._remember(str(created.id), None)
        return created

    def _after_leaving(self, quirks: Quirks, resource_type: ResourceType, before: Json, after: Json) -> None:
        if not is_active(before) or is_active(after) or str(resource_type.name) != "User":
            return
        if quirks.inactive == "gone":
            self._leave_groups(str(after["id"]))
        elif quirks.inactive == "deleted":
            with self.as_admin():
                self.delete(resource_type, str(after["id"]))

    def _leave_groups(self, user_id: str) -> None:
        for group in self.all("Group"):
            members = group.get("members") or []
            left = [each for each in members if each.get("value") != user_id]
            if len(left) < len(members):
                self.put_members(group["id"], left)
