"""The Engage server behind the vault: groups with licences, and requests that it settles after a while.

Saving a user with a changed group request, or with the status Retry Request, is a request. The status becomes
Request Sent at once; `settle` does what has become due. All that is known, or presumed, of the server's
behaviour is in `_Server.outcome`; the names of its statuses are here too.
"""

import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.vault_crm.configuration import Configuration
from sandbox.vault_crm.standard_objects import CONNECT_STATUS, PROVISIONING_STATUS, USER
from sandbox.vault_crm.store import Store, change
from sandbox.vault_crm.values import Stored, instant

RETRY_REQUEST = "retry_request__v"
REQUEST_SENT = "request_sent__v"
SUCCESS = "success__v"
NO_LICENSES = "no_licenses_remaining__v"
INVALID_GROUP = "invalid_group_name__v"
REQUEST_FAILED = "request_failed__v"
NOT_IN_CONNECT = "user_not_in_connect__v"
# What the server answers about a user whose state in Engage Connect is not `ok`.
CONNECT_STATES = {
    "ok": None,
    "missing": NOT_IN_CONNECT,
    "create_fails": "user_create_failed__v",
    "update_fails": "user_update_failed__v",
}
_CONNECT_NEEDS = ("first_name__sys", "last_name__sys", "email__sys", "country_code__v", "user_type__v")


@dataclass(frozen=True)
class Feature:
    """The fields of user__sys that belong to a feature."""

    name: str
    request: str
    status: str
    group: str


ENGAGE = Feature("engage", "engage_group_request__v", PROVISIONING_STATUS, "engage_group__v")
CONNECT = Feature(
    "engage_connect", "engage_connect_group_request__v", CONNECT_STATUS, "engage_connect_group__v"
)
FEATURES = {each.name: each for each in (ENGAGE, CONNECT)}


@dataclass(frozen=True)
class Request:
    """A request on its way; `wanted` None asks for removal, `fails` is a fault's doing."""

    feature: Feature
    user: str
    wanted: str | None
    session: str
    fails: bool = False


def requests_of(
    user: str,
    record: Mapping[str, Stored],
    changes: Mapping[str, Stored],
    session: str,
    fails: bool,
) -> list[Request]:
    """Return the requests that saving a user raises: `changes` over the `record` as it was."""
    saved = {**record, **changes}
    return [
        Request(feature, user, _text(saved[feature.request]), session, fails)
        for feature in FEATURES.values()
        if feature.request in changes or changes.get(feature.status) == RETRY_REQUEST
    ]


class Engage:
    """The server: its groups, its members and what it has been asked."""

    def __init__(self, store: Store, configuration: Configuration, clock: Callable[[], datetime]) -> None:
        """Take the data that is in the store."""
        self._store = store
        self._configuration = configuration
        self._clock = clock

    def send(self, db: sqlite3.Connection, requests: Iterable[Request]) -> None:
        """Queue requests."""
        now = _ms(self._clock().timestamp())
        db.executemany(
            "INSERT INTO engage_request (feature, user, wanted, requested_ms, session, fails)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            ((each.feature.name, each.user, each.wanted, now, each.session, each.fails) for each in requests),
        )

    def settle(self, db: sqlite3.Connection) -> None:
        """Process the requests that are due, in their order, and write the outcomes to the users."""
        now = self._clock()
        due = db.execute(
            "SELECT id, feature, user, wanted, session, fails FROM engage_request"
            " WHERE outcome IS NULL AND requested_ms <= ? ORDER BY id",
            (_ms(now.timestamp()) - _ms(self._configuration.settle.delay_s),),
        ).fetchall()
        if not due:
            return
        server = _Server(db, per_feature=self._configuration.licenses.per_feature)
        for number, feature, user, wanted, session, fails in due:
            request = Request(FEATURES[feature], user, wanted, session, bool(fails))
            outcome = server.outcome(request)
            db.execute("UPDATE engage_request SET outcome = ? WHERE id = ?", (outcome, number))
            written = _written(request, outcome) | {"modified_date__v": instant(now)}
            change(db, USER, user, written)

    def end_session(self, session: str) -> None:
        """Fail what is still to be done in a session that its user has ended."""
        with self._store.transaction() as db:
            self.settle(db)
            db.execute(
                "UPDATE engage_request SET fails = 1 WHERE outcome IS NULL AND session = ?", (session,)
            )

    def put_group(self, feature: str, name: str, licenses: int | None) -> None:
        """Add a group, or give it another number of licences; None stands for any number."""
        with self._store.transaction() as db:
            self.settle(db)
            db.execute(
                "INSERT INTO engage_group (feature, name, licenses) VALUES (?, ?, ?)"
                " ON CONFLICT (feature, name) DO UPDATE SET licenses = excluded.licenses",
                (feature, name, licenses),
            )

    def remove_group(self, feature: str, name: str) -> bool:
        """Remove a group with its memberships; users' fields stay as they are. Whether there was one."""
        with self._store.transaction() as db:
            self.settle(db)
            found = db.execute("DELETE FROM engage_group WHERE feature = ? AND name = ?", (feature, name))
            return found.rowcount > 0

    def rename_group(self, feature: str, name: str, new_name: str) -> bool:
        """Rename a group; users' fields stay as they are. Whether there was one.

        Raises ValueError where the new name is taken.
        """
        with self._store.transaction() as db:
            self.settle(db)
            try:
                found = db.execute(
                    "UPDATE engage_group SET name = ? WHERE feature = ? AND name = ?",
                    (new_name, feature, name),
                )
            except sqlite3.IntegrityError:
                raise ValueError(f"there is a group {new_name} already") from None
            return found.rowcount > 0

    def groups(self, feature: str) -> list[dict[str, Any]]:
        """Return the groups: name, licenses, used and the ids of the members."""
        with self._store.transaction() as db:
            self.settle(db)
            groups = db.execute(
                "SELECT id, name, licenses FROM engage_group WHERE feature = ? ORDER BY name", (feature,)
            ).fetchall()
            members: dict[int, list[str]] = {each[0]: [] for each in groups}
            rows = "SELECT group_id, user FROM engage_member WHERE feature = ? ORDER BY CAST(user AS INTEGER)"
            for group_id, user in db.execute(rows, (feature,)):
                members[group_id].append(user)
        return [
            {
                "name": name,
                "licenses": licenses,
                "used": len(members[group_id]),
                "members": members[group_id],
            }
            for group_id, name, licenses in groups
        ]

    def processed(self) -> list[dict[str, Any]]:
        """Return every request that the server processed, in order; a `group` of null is a removal."""
        with self._store.transaction() as db:
            self.settle(db)
            rows = db.execute(
                "SELECT feature, user, wanted, outcome FROM engage_request"
                " WHERE outcome IS NOT NULL ORDER BY id"
            ).fetchall()
        names = ("feature", "user", "group", "outcome")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def put_connect_user(self, user: str, state: str) -> None:
        """Say how Engage Connect takes requests for a user, one of CONNECT_STATES."""
        with self._store.transaction() as db:
            self.settle(db)
            db.execute("INSERT OR REPLACE INTO connect_user VALUES (?, ?)", (user, state))

    def reset(self, db: sqlite3.Connection) -> None:
        """Forget groups, members, states and requests."""
        for table in ("engage_request", "engage_member", "engage_group", "connect_user"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608  # the names stand above


class _Server:
    """The server's groups while it settles requests."""

    def __init__(self, db: sqlite3.Connection, *, per_feature: bool) -> None:
        self.db = db
        self.per_feature = per_feature
        groups = db.execute("SELECT feature, name, id, licenses FROM engage_group")
        self.groups = {(feature, name): (number, licenses) for feature, name, number, licenses in groups}
        self.used = Counter(
            dict(db.execute("SELECT group_id, COUNT(*) FROM engage_member GROUP BY group_id").fetchall())
        )

    def outcome(self, request: Request) -> str:
        """Do what a request asks for, if it can be done; return the status."""
        if request.fails:
            return REQUEST_FAILED
        if request.feature is CONNECT and (refusal := self.refused_by_connect(request.user)):
            return refusal
        if request.wanted is None:
            self.leave(request)
            return SUCCESS
        group = self.groups.get((request.feature.name, request.wanted))
        if group is None:
            return INVALID_GROUP
        return self.join(request, *group)

    def join(self, request: Request, group_id: int, licenses: int | None) -> str:
        if self.group_of(request) == group_id:
            return SUCCESS
        if not self.has_room(request, group_id, licenses):
            return NO_LICENSES if request.feature is ENGAGE else REQUEST_FAILED
        self.leave(request)
        membership = (request.feature.name, request.user, group_id)
        self.db.execute("INSERT INTO engage_member VALUES (?, ?, ?)", membership)
        self.used[group_id] += 1
        return SUCCESS

    def has_room(self, request: Request, group_id: int, licenses: int | None) -> bool:
        """Whether there is a licence for who joins; who moves within a feature that shares them has one."""
        if not self.per_feature:
            return licenses is None or self.used[group_id] < licenses
        if self.group_of(request) is not None:
            return True
        groups = [group for (feature, _), group in self.groups.items() if feature == request.feature.name]
        if any(number is None for _, number in groups):
            return True
        return sum(self.used[group] for group, _ in groups) < sum(number or 0 for _, number in groups)

    def leave(self, request: Request) -> None:
        key = (request.feature.name, request.user)
        self.used[self.group_of(request)] -= 1
        self.db.execute("DELETE FROM engage_member WHERE feature = ? AND user = ?", key)

    def group_of(self, request: Request) -> int | None:
        key = (request.feature.name, request.user)
        statement = "SELECT group_id FROM engage_member WHERE feature = ? AND user = ?"
        row = self.db.execute(statement, key).fetchone()
        return int(row[0]) if row else None

    def refused_by_connect(self, user: str) -> str | None:
        """Return why Engage Connect takes no request for a user, or None; asked when it is processed."""
        row = self.db.execute("SELECT state FROM connect_user WHERE user = ?", (user,)).fetchone()
        if row is not None and row[0] != "ok":
            return CONNECT_STATES[row[0]]
        columns = ", ".join(_CONNECT_NEEDS)
        status, *needed = self.db.execute(
            f"SELECT status__v, {columns} FROM {USER} WHERE id = ?",  # noqa: S608  # the names stand above
            (user,),
        ).fetchone()
        return None if status == "active__v" and all(needed) else NOT_IN_CONNECT


def _written(request: Request, outcome: str) -> dict[str, Stored]:
    """Return what the server writes to the user."""
    written: dict[str, Stored] = {request.feature.status: outcome}
    if outcome == SUCCESS:
        written[request.feature.group] = request.wanted
        if request.feature is ENGAGE:
            is_host = request.wanted is not None
            written["remote_meeting_host_id__v"] = f"host-{request.user}" if is_host else None
            written["remote_meeting_host_token__v"] = secrets.token_hex(24) if is_host else None
    return written


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _text(stored: Stored) -> str | None:
    return None if stored is None else str(stored)
