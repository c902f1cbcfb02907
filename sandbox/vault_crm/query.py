"""Runs VQL queries and hands their results out page by page."""

import json
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import uuid4

from sandbox.vault_crm.configuration import Configuration
from sandbox.vault_crm.engage import Engage
from sandbox.vault_crm.errors import VaultError
from sandbox.vault_crm.metadata import described
from sandbox.vault_crm.schema import Schema
from sandbox.vault_crm.store import Store
from sandbox.vault_crm.values import to_json
from sandbox.vault_crm.vql.grammar import parse
from sandbox.vault_crm.vql.sql import Translation, translate

OPEN_CURSORS = 50


@dataclass(frozen=True)
class Cursor:
    """The result of a query: which records, decided when the query ran."""

    translation: Translation
    found: list[int]
    page_size: int


class Queries:
    """The queries of the vault and the cursors they left open, the oldest closed beyond fifty.

    A cursor keeps who was found; a later page shows those records as they are when it is read.
    """

    def __init__(self, store: Store, schema: Schema, configuration: Configuration, engage: Engage) -> None:
        """Start with no open cursor."""
        self._store = store
        self._schema = schema
        self._configuration = configuration
        self._engage = engage
        self._lock = Lock()
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()

    def run(self, vql: str, version: str, *, describe: bool) -> dict[str, Any]:
        """Return the first page of a query's result. Raises VaultError."""
        query = parse(vql)
        translation = translate(query, self._schema, self._check_readable)
        with self._store.transaction() as db:
            self._engage.settle(db)
            found = [row[0] for row in db.execute(translation.found_sql, translation.parameters)]
        largest = self._configuration.paging.max_rows
        cursor = Cursor(translation, found, min(query.page_size or largest, largest))
        answer: dict[str, Any] = {"responseStatus": "SUCCESS"}
        if describe:
            answer["queryDescribe"] = {
                "object": {"name": translation.vobject.name, "label": translation.vobject.label},
                "fields": [described(each.field, editable=False) for each in translation.columns],
            }
        return answer | self._page(str(uuid4()), cursor, query.page_offset, cursor.page_size, version)

    def more(self, cursor_id: str, offset: int, size: int, version: str) -> dict[str, Any]:
        """Return the page of an open cursor that begins at `offset`. Raises VaultError."""
        with self._lock:
            cursor = self._cursors.get(cursor_id)
        if cursor is None or offset < 0 or size < 1:
            raise VaultError("INVALID_DATA", "The query's pages are no longer available; run it again")
        with self._store.transaction() as db:
            self._engage.settle(db)
        return {"responseStatus": "SUCCESS"} | self._page(
            cursor_id, cursor, offset, min(size, cursor.page_size), version
        )

    def reset(self) -> None:
        """Close every cursor."""
        with self._lock:
            self._cursors.clear()

    def _check_readable(self, object_name: str) -> None:
        if not self._configuration.permissions.allows(object_name, "read"):
            message = f"User does not have permission to read the object [{object_name}]"
            raise VaultError("INSUFFICIENT_ACCESS", message)

    def _page(self, cursor_id: str, cursor: Cursor, offset: int, size: int, version: str) -> dict[str, Any]:
        shown = max(1, size // 2) if self._configuration.paging.shrink else size
        wanted = cursor.found[offset : offset + shown]
        records = self._records(cursor.translation, wanted)
        details: dict[str, Any] = {
            "pagesize": size,
            "pageoffset": offset,
            "size": len(records),
            "total": len(cursor.found),
        }
        if offset + shown < len(cursor.found):
            place = f"pagesize={size}&pageoffset={offset + shown}"
            details["next_page"] = f"/api/{version}/query/{cursor_id}?{place}"
            with self._lock:
                self._cursors[cursor_id] = cursor
                self._cursors.move_to_end(cursor_id)
                while len(self._cursors) > OPEN_CURSORS:
                    self._cursors.popitem(last=False)
        return {"responseDetails": details, "data": records}

    def _records(self, translation: Translation, wanted: list[int]) -> list[dict[str, Any]]:
        with self._store.transaction() as db:
            rows = {row[0]: row[1:] for row in db.execute(translation.rows_sql, (json.dumps(wanted),))}
        names = [column.name for column in translation.columns]
        records = [dict(zip(names, rows[each], strict=True)) for each in wanted if each in rows]
        for column in translation.columns:
            convert = to_json(column.field)
            if convert is not None:
                for record in records:
                    if record[column.name] is not None:
                        record[column.name] = convert(record[column.name])
        return records
