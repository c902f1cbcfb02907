"""The rules for creating and changing records, up to 500 in a call, each with an entry of its own.

Source: the Vault REST API reference, object records.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.vault_crm.configuration import Configuration
from sandbox.vault_crm.engage import FEATURES, REQUEST_SENT, Engage, Request, requests_of
from sandbox.vault_crm.errors import RecordError, VaultError
from sandbox.vault_crm.schema import Field, Schema, VObject
from sandbox.vault_crm.standard_objects import USER
from sandbox.vault_crm.store import SYSTEM_OWNED, Store, change, find, full_users, insert, next_id
from sandbox.vault_crm.values import Stored, instant, read

MOST_RECORDS = 500
NO_DATA_CHANGES = {"warning_type": "NO_DATA_CHANGES", "message": "The record has these values already"}


@dataclass(frozen=True)
class Call:
    """What a call says besides its records; the last five are faults' doing."""

    version: str
    session: str
    triggers: bool = True
    fail_rows: int = 0
    fail_type: str = "SDK_ERROR"
    refused_record: str | None = None
    refusal: str = "INVALID_DATA"
    engage_fails: bool = False


class Records:
    """The records of the vault."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        configuration: Configuration,
        engage: Engage,
        clock: Callable[[], datetime],
    ) -> None:
        """Take the data that is in the store."""
        self._store = store
        self._schema = schema
        self._configuration = configuration
        self._engage = engage
        self._clock = clock

    def update(self, object_name: str, records: object, call: Call) -> dict[str, Any]:
        """Change records, each an object with an `id`; return the answer. Raises VaultError."""
        return self._write(object_name, records, call, "edit")

    def create(self, object_name: str, records: object, call: Call) -> dict[str, Any]:
        """Create records; return the answer, with their ids. Raises VaultError."""
        return self._write(object_name, records, call, "create")

    def _write(self, object_name: str, records: object, call: Call, action: str) -> dict[str, Any]:
        vobject = self._schema.get(object_name)
        if vobject is None:
            raise VaultError("INVALID_DATA", f"The object [{object_name}] does not exist")
        given = _checked(records)
        if call.refused_record is not None and any(each.get("id") == call.refused_record for each in given):
            raise VaultError(call.refusal, f"The call could not be processed: [{call.refused_record}]")
        with self._store.transaction() as db:
            self._engage.settle(db)
            writing = _Writing(db, vobject, self._configuration, instant(self._clock()), call)
            if action == "edit":
                writing.present = find(db, vobject, {str(each.get("id")) for each in given})
            entries = [writing.entry(record, place, action) for place, record in enumerate(given)]
            self._engage.send(db, writing.requests)
        answer: dict[str, Any] = {"responseStatus": "SUCCESS", "data": entries}
        if any(entry["responseStatus"] == "WARNING" for entry in entries):
            answer |= {"responseStatus": "WARNING", "warnings": [NO_DATA_CHANGES]}
        return answer


def _checked(records: object) -> list[dict[str, Any]]:
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise VaultError("INVALID_DATA", "The body must be a JSON array of objects")
    if not records:
        raise VaultError("PARAMETER_REQUIRED", "The body holds no record")
    if len(records) > MOST_RECORDS:
        raise VaultError("INVALID_DATA", f"The body holds more than {MOST_RECORDS} records")
    return records


class _Writing:
    """The records of one call, one after another, in one transaction."""

    def __init__(
        self, db: sqlite3.Connection, vobject: VObject, configuration: Configuration, now: str, call: Call
    ) -> None:
        self.db = db
        self.vobject = vobject
        self.configuration = configuration
        self.now = now
        self.call = call
        self.present: Mapping[str, Mapping[str, Stored]] = {}
        self.seen: set[str] = set()
        self.known: dict[str, set[str]] = {}  # referenced object → the ids of its records
        self.requests: list[Request] = []
        self.full_users: int | None = None  # with a licence of the vault's own; counted when first needed

    def entry(self, record: dict[str, Any], place: int, action: str) -> dict[str, Any]:
        """Write one record and return its entry in the answer."""
        try:
            if place < self.call.fail_rows:
                raise RecordError(self.call.fail_type, "The record could not be saved")
            if not self.configuration.permissions.allows(self.vobject.name, action):
                message = f"User does not have permission to {action} records of [{self.vobject.name}]"
                raise RecordError("INSUFFICIENT_ACCESS", message)
            return self.update(record) if action == "edit" else self.create(record)
        except RecordError as error:
            return error.as_json()
        except sqlite3.IntegrityError as error:
            field = str(error).rpartition(".")[2]
            return RecordError("INVALID_DATA", f"The value of [{field}] must be unique").as_json()

    def update(self, record: dict[str, Any]) -> dict[str, Any]:
        record_id = record.get("id")
        if not isinstance(record_id, str):
            raise RecordError("PARAMETER_REQUIRED", "Missing required parameter [id]")
        if record_id in self.seen:
            raise RecordError("INVALID_DATA", f"The id [{record_id}] is in this call already")
        self.seen.add(record_id)
        present = self.present.get(record_id)
        if present is None:
            raise RecordError("INVALID_DATA", f"The resource [{record_id}] does not exist")
        if present[SYSTEM_OWNED]:
            raise RecordError("OPERATION_NOT_ALLOWED", f"The record [{record_id}] belongs to the system")
        values = self.values({name: value for name, value in record.items() if name != "id"})
        changes = {name: value for name, value in values.items() if value != present[name]}
        if not changes:
            warnings = [NO_DATA_CHANGES]
            return {"responseStatus": "WARNING", "warnings": warnings, "data": self.place(record_id)}
        self.take_license(present, {**present, **changes})
        requests = self.triggered(record_id, present, changes)
        changes = changes | _computed(self.vobject, {**present, **changes}) | {"modified_date__v": self.now}
        change(self.db, self.vobject.name, record_id, changes)
        self.requests += requests
        return {"responseStatus": "SUCCESS", "data": self.place(record_id)}

    def create(self, record: dict[str, Any]) -> dict[str, Any]:
        defaults: dict[str, Stored] = {field.name: field.default for field in self.vobject.fields}
        given = self.values(record)
        values = {**defaults, **{name: value for name, value in given.items() if value is not None}}
        for field in self.vobject.fields:
            if field.required and values[field.name] is None:
                raise RecordError("PARAMETER_REQUIRED", f"Missing required parameter [{field.name}]")
        self.take_license({}, values)
        record_id = next_id(self.db, self.vobject)
        requests = self.triggered(record_id, values, {name: each for name, each in given.items() if each})
        values |= requested_status(requests)
        values |= _computed(self.vobject, values)
        values |= {"id": record_id, "created_date__v": self.now, "modified_date__v": self.now}
        if "domain_user_id__sys" in values:
            values["domain_user_id__sys"] = int(record_id)
        insert(self.db, self.vobject, values)
        self.requests += requests
        data = self.place(record_id) | {"event": "created__sys"}
        return {"responseStatus": "SUCCESS", "data": data}

    def take_license(self, before: Mapping[str, Stored], after: Mapping[str, Stored]) -> None:
        """Count a user who becomes active. Raises RecordError where no licence of the vault's own is left."""
        if self.vobject.name != USER:
            return
        taken = _is_full_user(after) - _is_full_user(before)
        if not taken:
            return
        if self.full_users is None:
            self.full_users = full_users(self.db, USER)
        if taken > 0 and self.full_users >= self.configuration.base_licenses.full_users:
            message = "The maximum number of licensed users has been reached"
            raise RecordError("OPERATION_NOT_ALLOWED", message)
        self.full_users += taken

    def triggered(
        self, record_id: str, present: Mapping[str, Stored], changes: dict[str, Stored]
    ) -> list[Request]:
        """Return the Engage requests that the save raises, and make their status part of the save."""
        if self.vobject.name != USER or not self.call.triggers:
            return []
        if not all(feature.request in self.vobject.by_name for feature in FEATURES.values()):
            return []
        call = self.call
        requests = requests_of(record_id, present, changes, call.session, call.engage_fails)
        changes |= requested_status(requests)
        return requests

    def values(self, record: Mapping[str, Any]) -> dict[str, Stored]:
        """Return the record's values as they are stored. Raises RecordError for one that cannot be set."""
        stored: dict[str, Stored] = {}
        for name, value in record.items():
            field = self.vobject.by_name.get(name)
            if field is None:
                raise RecordError("INVALID_DATA", f"The field [{name}] does not exist")
            if not field.editable:
                raise RecordError("INVALID_DATA", f"The field [{name}] is read-only")
            if not self.configuration.permissions.may_edit(self.vobject.name, name):
                raise RecordError("INSUFFICIENT_ACCESS", f"User may not edit the field [{name}]")
            choices = self.configuration.picklists.get(field.picklist or "", {})
            stored[name] = read(field, value, choices)
            if stored[name] is None and (field.required or field.default):
                raise RecordError("PARAMETER_REQUIRED", f"Missing required parameter [{name}]")
            self.check_reference(field, stored[name])
        return stored

    def check_reference(self, field: Field, value: Stored) -> None:
        target = field.reference_to
        if target is None or value is None:
            return
        if target not in self.known:
            self.known[target] = {row[0] for row in self.db.execute(f'SELECT id FROM "{target}"')}  # noqa: S608  # names come from the schema
        if value not in self.known[target]:
            raise RecordError("INVALID_DATA", f"The value of [{field.name}] is not the id of a [{target}]")

    def place(self, record_id: str) -> dict[str, str]:
        url = f"/api/{self.call.version}/vobjects/{self.vobject.name}/{record_id}"
        return {"id": record_id, "url": url}


def requested_status(requests: list[Request]) -> dict[str, Stored]:
    """Return the status that a user has while requests are on their way."""
    return {each.feature.status: REQUEST_SENT for each in requests}


def _is_full_user(values: Mapping[str, Stored]) -> bool:
    return values.get("status__v") == "active__v" and values.get("license_type__sys") == "full__v"


def _computed(vobject: VObject, values: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return the values that follow from others: a user's name."""
    if vobject.name != USER:
        return {}
    return {"name__v": f"{values['first_name__sys']} {values['last_name__sys']}"}
