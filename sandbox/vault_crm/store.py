"""The vault's data in one SQLite database, a file or memory."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from sandbox.vault_crm.schema import Schema, VObject
from sandbox.vault_crm.values import Stored, sql_type

# The column that marks users who belong to Vault itself; no field can have its name.
SYSTEM_OWNED = "system_owned"

_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS id_counter (object TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS engage_group (
    id INTEGER PRIMARY KEY,
    feature TEXT NOT NULL,
    name TEXT NOT NULL,
    licenses INTEGER,
    UNIQUE (feature, name)
);
CREATE TABLE IF NOT EXISTS engage_member (
    feature TEXT NOT NULL,
    user TEXT NOT NULL,
    group_id INTEGER NOT NULL REFERENCES engage_group (id) ON DELETE CASCADE,
    PRIMARY KEY (feature, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS engage_member_group ON engage_member (group_id);
CREATE TABLE IF NOT EXISTS connect_user (user TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS engage_request (
    id INTEGER PRIMARY KEY,
    feature TEXT NOT NULL,
    user TEXT NOT NULL,
    wanted TEXT,
    requested_ms INTEGER NOT NULL,
    session TEXT NOT NULL,
    fails INTEGER NOT NULL,
    outcome TEXT
);
CREATE INDEX IF NOT EXISTS engage_request_pending ON engage_request (id) WHERE outcome IS NULL;
"""


class Store:
    """One connection that the threads take turns with. Every use is a transaction."""

    def __init__(self, path: str) -> None:
        """Open or make the database."""
        self._lock = RLock()
        self._is_open = False  # whether a transaction is
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.create_function("casefold", 1, _casefold, deterministic=True)
        # A sandbox may lose its last moments when the machine crashes; waiting for the disk helps nobody.
        pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
        self._db.executescript(pragmas + _TABLES)

    def close(self) -> None:
        """Close the database; nothing may use the store after that."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection; committed at the end of the outermost block, rolled back on an exception."""
        with self._lock:
            if self._is_open:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._is_open = True
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._is_open = False

    def setting(self, name: str, value: str | None, otherwise: str) -> str:
        """Return the stored setting: `value` if given, else what was stored before, else `otherwise`."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            chosen = value if value is not None else (row[0] if row else otherwise)
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, chosen))
        return str(chosen)

    def make_tables(self, schema: Schema) -> None:
        """Make the table of every object; `seq` is the order in which records were made."""
        with self.transaction() as db:
            for each in schema.values():
                columns = ", ".join(f'"{field.name}" {sql_type(field)}' for field in each.fields)
                own = f"seq INTEGER PRIMARY KEY, {SYSTEM_OWNED} INTEGER NOT NULL DEFAULT 0"
                db.execute(f'CREATE TABLE IF NOT EXISTS "{each.name}" ({own}, {columns})')
                for field in each.fields:
                    if field.unique or field.indexed:
                        unique = "UNIQUE" if field.unique else ""
                        index = f'"{each.name}.{field.name}" ON "{each.name}" ("{field.name}")'
                        db.execute(f"CREATE {unique} INDEX IF NOT EXISTS {index}")


def _casefold(text: Stored) -> Stored:
    return text.casefold() if isinstance(text, str) else text


def find(
    db: sqlite3.Connection, vobject: VObject, values: Iterable[str], *, by: str = "id"
) -> dict[str, dict[str, Stored]]:
    """Return the records that have one of the values in a field, each under its value there."""
    names = [SYSTEM_OWNED, *vobject.by_name]
    columns = ", ".join(f'"{name}"' for name in names)
    source = f'FROM "{vobject.name}" WHERE "{by}" IN (SELECT value FROM json_each(?))'  # noqa: S608  # names come from the schema
    rows = db.execute(f"SELECT {columns} {source}", (json.dumps(list(values)),))
    records = (dict(zip(names, row, strict=True)) for row in rows)
    return {str(record[by]): record for record in records}


def full_users(db: sqlite3.Connection, user_object: str) -> int:
    """Return how many users have one of the vault's own licences: the active ones, without Vault's own."""
    statement = (
        f'SELECT COUNT(*) FROM "{user_object}" WHERE {SYSTEM_OWNED} = 0'  # noqa: S608  # names come from the schema
        " AND status__v = 'active__v' AND license_type__sys = 'full__v'"
    )
    (count,) = db.execute(statement).fetchone()
    return int(count)


def insert(db: sqlite3.Connection, vobject: VObject, values: Mapping[str, Stored]) -> None:
    """Add a record. Raises sqlite3.IntegrityError where a unique value is taken."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    statement = f'INSERT INTO "{vobject.name}" ({names}) VALUES ({marks})'  # noqa: S608  # names come from the schema
    db.execute(statement, tuple(values.values()))


def change(db: sqlite3.Connection, object_name: str, record_id: str, values: Mapping[str, Stored]) -> None:
    """Write the values over those of a record. Raises sqlite3.IntegrityError where a unique one is taken."""
    assignments = ", ".join(f'"{name}" = ?' for name in values)
    statement = f'UPDATE "{object_name}" SET {assignments} WHERE id = ?'  # noqa: S608  # names come from the schema
    db.execute(statement, (*values.values(), record_id))


def next_id(db: sqlite3.Connection, vobject: VObject) -> str:
    """Return the next id of an object. Ids ascend and never come twice, resets included."""
    (number,) = db.execute(
        "INSERT INTO id_counter VALUES (?, 10001)"
        " ON CONFLICT (object) DO UPDATE SET last = last + 1 RETURNING last",
        (vobject.name,),
    ).fetchone()
    return f"{vobject.prefix}{number:012d}" if vobject.prefix else str(number)
