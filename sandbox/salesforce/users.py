"""Creates, changes and reads records under the rules of the User object."""

import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sandbox.salesforce import ids
from sandbox.salesforce.errors import SalesforceError, not_found
from sandbox.salesforce.query import attributes
from sandbox.salesforce.schema import Field, Schema, SObject
from sandbox.salesforce.store import VANISHED, Store, change, find, insert, next_id
from sandbox.salesforce.values import Stored, instant, is_email, read, to_json

PHOTO = "https://sandbox.my.salesforce.com/profilephoto/005"
ENCODINGS = frozenset(
    (
        "UTF-8",
        "ISO-8859-1",
        "Shift_JIS",
        "ISO-2022-JP",
        "EUC-JP",
        "x-SJIS_0213",
        "ks_c_5601-1987",
        "Big5",
        "Big5-HKSCS",
        "GB2312",
    )
)
# Empty on a machine without a time zone database; any name is taken there.
TIME_ZONES = frozenset(available_timezones())
_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2}|_\d{3})?(_[A-Za-z0-9]+)*", re.ASCII)
_DUPLICATES = {
    "Username": (
        "DUPLICATE_USERNAME",
        "Duplicate Username.<br>The username already exists in this or another Salesforce organization."
        " Usernames must be unique across all Salesforce organizations.",
    ),
    "CommunityNickname": (
        "DUPLICATE_COMM_NICKNAME",
        "Duplicate Nickname.<br>Another user has already selected this nickname.<br>Please select another.",
    ),
}


type Record = Mapping[str, Stored]


class Users:
    """The User records."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        clock: Callable[[], datetime],
        pod: str,
        author: tuple[str, str],
        changed: Callable[[sqlite3.Connection, Record | None, Record], None],
        open_login: Callable[[str], None],
    ) -> None:
        """Take what the records depend on.

        `author` is the user that API calls run as, id and username; `changed` is told of each record that is
        saved, before (None for a new one) and after, inside its transaction; `open_login` is told the id of
        each new user there.
        """
        self._store = store
        self._schema = schema
        self._clock = clock
        self._pod = pod
        self._author, self._author_username = author
        self._changed = changed
        self._open_login = open_login

    def create(self, body: Mapping[str, object]) -> str:
        """Create a user and answer its id. Raises SalesforceError."""
        user = self._user()
        values = _read_body(user, body, "createable")
        missing = [field.name for field in user.fields if field.required and values.get(field.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise SalesforceError(400, "REQUIRED_FIELD_MISSING", message, missing)
        with self._store.transaction() as db:
            record_id = next_id(db, "User", self._pod)
            # A user made through the API is active unless the call says otherwise.
            row: dict[str, Stored] = {"IsActive": 1, **values, "Id": record_id}
            # Digits, since nicknames that differ in case only are the same to Salesforce, and ids are not.
            nickname = f"User{int.from_bytes(record_id[9:15].encode())}"
            row["CommunityNickname"] = row.get("CommunityNickname") or nickname
            row |= {
                "FullPhotoUrl": f"{PHOTO}/F",
                "SmallPhotoUrl": f"{PHOTO}/T",
                "MediumPhotoUrl": f"{PHOTO}/M",
            }
            row |= created(self._clock(), self._author)
            self._check(db, row, values)
            self._derive(db, row)
            insert(db, "User", row)
            self._open_login(record_id)
            self._changed(db, None, row)
        return record_id

    def update(self, record_id: str, body: Mapping[str, object]) -> None:
        """Change a user. Raises SalesforceError.

        As in Salesforce, the last-modified stamps move even when every value was there already, and the flows
        run: whether that sends a notification is up to their entry conditions.
        """
        user = self._user()
        record_id = _record_id(user, record_id)
        values = _read_body(user, body, "updateable")
        emptied = [
            name for name, value in values.items() if value is None and not _field(user, name).nillable
        ]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise SalesforceError(400, "REQUIRED_FIELD_MISSING", message, emptied)
        with self._store.transaction() as db:
            before = _row(db, user, record_id)
            after = before | values
            self._check(db, after, values)
            self._derive(db, after)
            after |= modified(self._clock(), self._author)
            change(db, "User", after)
            self._changed(db, before, after)

    def read(self, sobject: SObject, record_id: str, names: list[str] | None, version: str) -> dict[str, Any]:
        """Return a record of any object: all its fields, or the named ones. Raises SalesforceError."""
        record_id = _record_id(sobject, record_id)
        fields = sobject.fields if names is None else [_field(sobject, name) for name in names]
        with self._store.transaction() as db:
            row = (
                self._integration_user(sobject) if record_id == self._author else _row(db, sobject, record_id)
            )
        if row[VANISHED]:
            raise not_found()
        record: dict[str, Any] = {"attributes": attributes(sobject, record_id, version)}
        return record | {field.name: to_json(field, row[field.name]) for field in fields}

    def vanish(self, record_ids: list[str], *, vanished: bool) -> None:
        """Hide users from queries and reads, or show them again. Raises ValueError for an unknown one.

        It is as if the integration user were no longer allowed to see them: the records stay.
        """
        self._set(record_ids, VANISHED, int(vanished))

    def log_in(self, record_ids: list[str], at: str) -> None:
        """Write the time of the last login, which moves no stamp. Raises ValueError for an unknown user."""
        self._set(record_ids, "LastLoginDate", at)

    def calculate(self, record_ids: list[str], name: str, value: object) -> None:
        """Have a formula give a value for users, which moves no stamp. Raises ValueError."""
        field = self._user().field(name)
        if field is None or not field.calculated:
            raise ValueError(f"there is no formula field {name}")
        try:
            stored = read(field, value)
        except SalesforceError as error:
            raise ValueError(error.message) from None
        self._set(record_ids, field.name, stored)

    def _set(self, record_ids: list[str], column: str, value: Stored) -> None:
        with self._store.transaction() as db:
            for record_id in map(ids.canonical, record_ids):
                if find(db, "User", record_id) is None:
                    raise ValueError(f"there is no User {record_id}")
                change(db, "User", {"Id": record_id, column: value})

    def _integration_user(self, user: SObject) -> dict[str, Stored]:
        """Return what can be read of the user that calls run as, who has no row and is in no query."""
        nothing: dict[str, Stored] = {field.name: None for field in user.fields}
        return nothing | {
            "Id": self._author,
            "Username": self._author_username,
            "Name": "Integration User",
            "LastName": "User",
            "FirstName": "Integration",
            "IsActive": 1,
            VANISHED: 0,
        }

    def _user(self) -> SObject:
        user = self._schema.object("User")
        if user is None:
            raise LookupError("the schema has no User")
        return user

    def _check(self, db: sqlite3.Connection, row: dict[str, Stored], values: dict[str, Stored]) -> None:
        username = str(values.get("Username", ""))
        if "Username" in values and not is_email(username):
            message = f"Username: invalid email address: {username}"
            raise SalesforceError(400, "INVALID_EMAIL_ADDRESS", message, ["Username"])
        for name in values:
            _check_picklist(name, values[name])
        for name, (code, message) in _DUPLICATES.items():
            twin = find(db, "User", row[name], by=name) if name in values else None
            if twin is not None and twin["Id"] != row["Id"]:
                raise SalesforceError(400, code, message, [name])
        manager = values.get("ManagerId")
        if manager is not None and find(db, "User", manager) is None:
            raise SalesforceError(
                400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ["ManagerId"]
            )

    def _derive(self, db: sqlite3.Connection, row: dict[str, Stored]) -> None:
        row["Name"] = " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part))
        profile = find(db, "Profile", row["ProfileId"])
        row["UserType"] = profile["UserType"] if profile else "Standard"


def created(moment: datetime, author: str) -> dict[str, Stored]:
    """Return the system fields of a record made now."""
    stamp = instant(moment.replace(microsecond=0))
    return {"CreatedDate": stamp, "CreatedById": author} | modified(moment, author)


def modified(moment: datetime, author: str) -> dict[str, Stored]:
    """Return the system fields that move when a record is changed now."""
    # Salesforce keeps whole seconds: two changes within one second carry the same stamp.
    stamp = instant(moment.replace(microsecond=0))
    return {"LastModifiedDate": stamp, "LastModifiedById": author, "SystemModstamp": stamp}


def _read_body(sobject: SObject, body: Mapping[str, object], permission: str) -> dict[str, Stored]:
    """Return the body's values by field name. `permission` is `createable` or `updateable`."""
    values: dict[str, Stored] = {}
    refused: list[str] = []
    for name, value in body.items():
        if name == "attributes":
            continue
        field = _field(sobject, name)
        if field.name == "Id":
            message = "The Id field should not be specified in the sobject data."
            raise SalesforceError(400, "INVALID_FIELD", message)
        if not getattr(field, permission):
            refused.append(field.name)
            continue
        values[field.name] = read(field, value)
    if refused:
        message = (
            f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of"
            " this field and verify that it is read/write for your profile or permission set."
        )
        raise SalesforceError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, refused)
    return values


def _check_picklist(name: str, value: Stored) -> None:
    text = str(value)
    match name:
        case "TimeZoneSidKey":
            known = not TIME_ZONES or text in TIME_ZONES
        case "EmailEncodingKey":
            known = text in ENCODINGS
        case "LocaleSidKey" | "LanguageLocaleKey":
            known = _LOCALE.fullmatch(text) is not None
        case _:
            return
    if not known:
        code, message = (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"bad value for restricted picklist field: {text}",
        )
        raise SalesforceError(400, code, message, [name])


def _field(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None:
        raise SalesforceError(
            400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}"
        )
    return field


def _record_id(sobject: SObject, text: str) -> str:
    try:
        record_id = ids.canonical(text)
    except ValueError:
        raise SalesforceError(400, "MALFORMED_ID", f"malformed id {text}", ["Id"]) from None
    if not record_id.startswith(sobject.key_prefix):
        message = f"{sobject.label} ID: id value of incorrect type: {text}"
        raise SalesforceError(400, "MALFORMED_ID", message, ["Id"])
    return record_id


def _row(db: sqlite3.Connection, sobject: SObject, record_id: str) -> dict[str, Stored]:
    row = find(db, sobject.name, record_id)
    if row is None:
        raise not_found()
    return row
