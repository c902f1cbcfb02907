"""The installed outbound messages and the notifications that wait to be sent.

Installing one stands for what an admin does in Setup: an outbound message, and a record-triggered flow that
sends it whenever a record is created or changed. Both are the same rows that a deployment writes. The queue
is in the database: a change and its notification are written together or not at all, and a restarted sandbox
goes on sending.
"""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce import metadata_flows, metadata_outbound_messages
from sandbox.salesforce.metadata_objects import Problem, Setup
from sandbox.salesforce.metadata_outbound_messages import TYPE
from sandbox.salesforce.metadata_xml import Metadata
from sandbox.salesforce.schema import Schema, SObject
from sandbox.salesforce.soap import API_VERSION, Notification
from sandbox.salesforce.store import Store, find, next_id
from sandbox.salesforce.values import to_soap

DEFAULT_NAME = "Muster_User"


@dataclass(frozen=True)
class OutboundMessage:
    """An installed outbound message."""

    name: str
    action_id: str
    object_name: str
    url: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Queued:
    """A notification in the queue. Times are seconds since the epoch."""

    id: str
    message: str
    record_id: str
    snapshot: str | None
    queued_at: float
    attempts: int


class OutboundMessages:
    """The installed outbound messages and their queue."""

    def __init__(self, store: Store, schema: Schema, pod: str, setup: Setup) -> None:
        """Take where the queue is kept, what fields there are, and where metadata is written."""
        self._store = store
        self._schema = schema
        self._pod = pod
        self._setup = setup

    def install(self, name: object, url: object, fields: object, object_name: object) -> OutboundMessage:
        """Installs an outbound message with its flow, or replaces its URL and fields and keeps its ActionId.

        Raises ValueError, saying what is allowed.
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError("name is letters, digits and underscores")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ValueError("url is the receiver's http or https address")
        sobject = self._schema.object(object_name) if isinstance(object_name, str) else None
        if sobject is None or sobject.name != "User":
            raise ValueError("object is User, the only one that changes here")
        chosen = _chosen_fields(sobject, fields)
        metadata: Metadata = {
            "fullName": name,
            "apiVersion": float(API_VERSION),
            "description": None,
            "endpointUrl": url,
            "fields": chosen,
            "includeSessionId": False,
            "integrationUser": self._setup.username,
            "name": name,
            "protected": False,
            "useDeadLetterQueue": False,
        }
        full_name = f"{sobject.name}.{name}"
        try:
            with self._store.transaction() as db:
                metadata_outbound_messages.write(db, self._setup, full_name, metadata, self._setup.user_id)
                metadata_flows.install(db, self._setup, name, full_name)
        except Problem as problem:
            raise ValueError(str(problem)) from None
        return next(each for each in self.installed() if each.name == name)

    def remove(self, name: str) -> bool:
        """Remove an outbound message, the flows that send it and what waits; false if there is none."""
        full_name = f"User.{name}"
        with self._store.transaction() as db:
            metadata_flows.delete_users_of(db, full_name)
            return metadata_outbound_messages.delete(db, full_name) is not None

    def installed(self) -> list[OutboundMessage]:
        """Every installed outbound message."""
        with self._store.transaction() as db:
            return [_message(row) for row in db.execute(f'SELECT * FROM "{TYPE}" ORDER BY FullName')]  # noqa: S608  # a constant's name

    def queue(
        self,
        db: sqlite3.Connection,
        record_id: str,
        messages: list[str],
        *,
        window_s: float,
        snapshot: bool,
    ) -> int:
        """Queues a notification for a User to outbound messages, by name, inside the caller's transaction.

        It is due when the batching window closes. With `snapshot` it carries the record as it is now. Answers
        how many were queued.
        """
        now = time.time()
        content = None
        if snapshot:
            content = json.dumps(find(db, "User", record_id))
        for message in messages:
            notification_id = next_id(db, "Notification", self._pod)
            db.execute(
                "INSERT INTO notification VALUES (?, ?, ?, ?, ?, ?, 0)",
                (notification_id, message, record_id, content, now, now + window_s),
            )
        return len(messages)

    def resend(self, record_ids: list[str], *, window_s: float, snapshot: bool) -> int:
        """Queues notifications for users that did not change. Raises ValueError for one that is not there."""
        messages = [each.name for each in self.installed()]
        with self._store.transaction() as db:
            for record_id in record_ids:
                if find(db, "User", record_id) is None:
                    raise ValueError(f"there is no User {record_id}")
            return sum(
                self.queue(db, each, messages, window_s=window_s, snapshot=snapshot) for each in record_ids
            )

    def drop_older_than(self, age_s: float) -> int:
        """Forgets notifications that were queued longer ago than this; answers how many."""
        with self._store.transaction() as db:
            return db.execute(
                "DELETE FROM notification WHERE queued_at <= ?", (time.time() - age_s,)
            ).rowcount

    def due(self, message: OutboundMessage) -> list[Queued]:
        """Return what to send for an outbound message now, in the order of the ids.

        Once something is due, all that was not tried before goes with it; retries wait for their own time.
        """
        now = time.time()
        with self._store.transaction() as db:
            rows = db.execute(
                "SELECT id, message, record_id, snapshot, queued_at, attempts FROM notification"
                " WHERE message = ? AND (due_at <= ? OR attempts = 0)"
                " AND EXISTS (SELECT 1 FROM notification WHERE message = ? AND due_at <= ?) ORDER BY id",
                (message.name, now, message.name, now),
            ).fetchall()
        return [Queued(*row) for row in rows]

    def next_due(self) -> tuple[float, float] | None:
        """Return the earliest time to send and the earliest time of queueing, or None for an empty queue."""
        with self._store.transaction() as db:
            due_at, queued_at = db.execute("SELECT min(due_at), min(queued_at) FROM notification").fetchone()
        return None if due_at is None else (due_at, queued_at)

    def contents(self, message: OutboundMessage, queued: list[Queued]) -> list[Notification]:
        """Return the notifications as sent: with the record's latest data, or the snapshot asked for."""
        sobject = self._schema.object(message.object_name)
        with self._store.transaction() as db:
            rows = {
                row["Id"]: dict(row)
                for row in db.execute(
                    'SELECT * FROM "User" WHERE Id IN (SELECT value FROM json_each(?))',
                    (json.dumps([each.record_id for each in queued]),),
                )
            }
        notifications = []
        for each in queued:
            row = json.loads(each.snapshot) if each.snapshot else rows.get(each.record_id)
            if row is None:  # the record is gone, as only a reset makes it
                continue
            values: dict[str, str] = {}
            for name in message.fields:
                field = sobject.field(name) if sobject else None
                text = to_soap(field, row.get(name)) if field else None
                if text is not None:
                    values[name] = text
            notifications.append(Notification(each.id, message.object_name, values))
        return notifications

    def delivered(self, queued: list[Queued]) -> int:
        """Take notifications out of the queue; answer how many were still in it."""
        with self._store.transaction() as db:
            ids = json.dumps([each.id for each in queued])
            query = "DELETE FROM notification WHERE id IN (SELECT value FROM json_each(?))"
            return db.execute(query, (ids,)).rowcount

    def failed(self, queued: list[Queued], due_at: float) -> None:
        """Count an attempt and put the next one off."""
        with self._store.transaction() as db:
            ids = json.dumps([each.id for each in queued])
            db.execute(
                "UPDATE notification SET attempts = attempts + 1, due_at = ?"
                " WHERE id IN (SELECT value FROM json_each(?))",
                (due_at, ids),
            )

    def pending(self) -> int:
        """How many notifications wait."""
        with self._store.transaction() as db:
            return int(db.execute("SELECT count(*) FROM notification").fetchone()[0])

    def as_json(self) -> list[dict[str, Any]]:
        """Return the installed outbound messages as an admin sees them."""
        return [
            {
                "name": each.name,
                "action_id": each.action_id,
                "object": each.object_name,
                "url": each.url,
                "fields": list(each.fields),
            }
            for each in self.installed()
        ]


def _message(row: sqlite3.Row) -> OutboundMessage:
    metadata = json.loads(row["Metadata"])
    object_name, _, name = row["FullName"].partition(".")
    return OutboundMessage(name, row["Id"], object_name, metadata["endpointUrl"], tuple(metadata["fields"]))


def _chosen_fields(sobject: SObject, fields: object) -> list[str]:
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        raise ValueError("fields is a list of field names")
    chosen = {"Id": None}
    for name in fields:
        field = sobject.field(name)
        if field is None:
            raise ValueError(f"{sobject.name} has no field {name}; see its describe")
        if field.name == "Name":
            raise ValueError("Name is a compound field; choose FirstName and LastName")
        chosen[field.name] = None
    return list(chosen)
