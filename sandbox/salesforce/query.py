"""Runs SOQL queries and hands their results out page by page."""

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sandbox.salesforce.errors import SalesforceError
from sandbox.salesforce.schema import Schema, SObject
from sandbox.salesforce.soql.grammar import parse
from sandbox.salesforce.soql.sql import Translation, translate
from sandbox.salesforce.store import Store, next_id
from sandbox.salesforce.values import to_json

SMALLEST_PAGE = 200
LARGEST_PAGE = 2000
OPEN_CURSORS = 50


def attributes(sobject: SObject, record_id: str, version: str, api: str = "") -> dict[str, str]:
    """Return what every record in an answer begins with: its type and where it is.

    `api` is the part of the address that an API of its own has, as in `/tooling`.
    """
    place = f"/services/data/v{version}{api}/sobjects/{sobject.name}/{record_id}"
    return {"type": sobject.name, "url": place}


@dataclass(frozen=True)
class Cursor:
    """The result of a query that has more than one page: which records, decided when the query ran."""

    translation: Translation
    ids: list[str]
    page_size: int


class Queries:
    """The queries of the organization and the cursors they left open, the oldest closed beyond fifty.

    A cursor keeps the ids that were found; a later page shows those records as they are when it is read.
    """

    def __init__(
        self, store: Store, schema: Schema, clock: Callable[[], datetime], pod: str, api: str = ""
    ) -> None:
        """Start with no open cursor; `clock` says what TODAY is, `api` where the records are."""
        self._api = api
        self._store = store
        self._schema = schema
        self._clock = clock
        self._pod = pod
        self._lock = Lock()
        self._cursors: OrderedDict[str, Cursor] = OrderedDict()

    def run(self, soql: str, version: str, page_size: int | None) -> dict[str, Any]:
        """Return the first page of a query's result, in the shape of the REST API. Raises SalesforceError."""
        translation = translate(parse(soql), self._schema, self._clock())
        with self._store.transaction() as db:
            found = [row[0] for row in db.execute(translation.ids_sql, translation.parameters)]
            locator = next_id(db, "QueryLocator", self._pod)
        if translation.is_count:
            return {"totalSize": len(found), "done": True, "records": []}
        cursor = Cursor(translation, found, _clamped(page_size or LARGEST_PAGE))
        return self._page(locator, cursor, 0, cursor.page_size, version)

    def more(self, place: str, version: str, page_size: int | None) -> dict[str, Any]:
        """Return the page at `place`: a locator, a dash and an offset, as in `nextRecordsUrl`."""
        locator, _, offset = place.rpartition("-")
        with self._lock:
            cursor = self._cursors.get(locator)
        if cursor is None or not offset.isdecimal() or not 0 < int(offset) < len(cursor.ids):
            raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        size = cursor.page_size if page_size is None else _clamped(page_size)
        return self._page(locator, cursor, int(offset), size, version)

    def reset(self) -> None:
        """Close every cursor."""
        with self._lock:
            self._cursors.clear()

    def _page(self, locator: str, cursor: Cursor, offset: int, size: int, version: str) -> dict[str, Any]:
        wanted = cursor.ids[offset : offset + size]
        with self._store.transaction() as db:
            rows = {row[0]: row for row in db.execute(cursor.translation.rows_sql, (json.dumps(wanted),))}
        records = [
            _record(cursor.translation, rows[each], version, self._api) for each in wanted if each in rows
        ]
        page: dict[str, Any] = {"totalSize": len(cursor.ids), "done": True}
        if offset + size < len(cursor.ids):
            page["done"] = False
            page["nextRecordsUrl"] = f"/services/data/v{version}{self._api}/query/{locator}-{offset + size}"
            with self._lock:
                self._cursors[locator] = cursor
                while len(self._cursors) > OPEN_CURSORS:
                    self._cursors.popitem(last=False)
        page["records"] = records
        return page


def _clamped(page_size: int) -> int:
    return max(SMALLEST_PAGE, min(LARGEST_PAGE, page_size))


def _record(translation: Translation, row: sqlite3.Row, version: str, api: str) -> dict[str, Any]:
    """One record, with a parent's fields nested under the relationship, or null where there is no parent."""
    record: dict[str, Any] = {"attributes": attributes(translation.sobject, row[0], version, api)}
    place = {way: index for index, way in enumerate(translation.ways)}
    for index, column in enumerate(translation.columns, start=len(place)):
        target = record
        way: tuple[str, ...] = ()
        for name, parent in zip(column.relationships, column.objects[1:], strict=True):
            way = (*way, name.lower())
            parent_id = row[place[way]]
            if parent_id is None:
                target[name] = None
                break
            target = target.setdefault(name, {"attributes": attributes(parent, parent_id, version, api)})
        else:
            target[column.field.name] = to_json(column.field, row[index])
    return record
