"""The organization's data in one SQLite database, a file or memory."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock

from sandbox.salesforce import ids
from sandbox.salesforce.schema import Field, Schema, stored_custom_field
from sandbox.salesforce.soql.text import compare, like
from sandbox.salesforce.values import Stored, sql_type

# The column that hides a record from queries and reads; no field can have its name.
VANISHED = "vanished"

_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS id_counter (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS custom_field (
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    label TEXT NOT NULL,
    length INTEGER NOT NULL,
    formula INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (object, name)
);
CREATE TABLE IF NOT EXISTS deploy_request (
    id TEXT PRIMARY KEY,
    options TEXT NOT NULL,
    archive BLOB NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    completed_at REAL,
    polls INTEGER NOT NULL DEFAULT 0,
    outcomes TEXT NOT NULL DEFAULT '[]',
    error TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS notification (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL,
    record_id TEXT NOT NULL,
    snapshot TEXT,
    queued_at REAL NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS notification_due ON notification (due_at);
CREATE INDEX IF NOT EXISTS notification_queued ON notification (queued_at);
"""


class Store:
    """One connection that the threads take turns with. Every use is a transaction."""

    def __init__(self, path: str) -> None:
        """Open or make the database."""
        self._lock = RLock()
        self._is_open = False  # whether a transaction is
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.create_collation("SALESFORCE", compare)
        self._db.create_function("soql_like", 2, like, deterministic=True)
        # A sandbox may lose its last moments when the machine crashes; waiting for the disk helps nobody.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _TABLES)
        if "formula" not in {row["name"] for row in self._db.execute("PRAGMA table_info(custom_field)")}:
            # A file from before there were any.
            self._db.execute("ALTER TABLE custom_field ADD COLUMN formula INTEGER NOT NULL DEFAULT 0")

    def close(self) -> None:
        """Close the database; nothing may use the store after that."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection; committed at the end of the block, rolled back on an exception.

        A block inside another is a part of it: an exception rolls back the part, and only the outer block
        commits.
        """
        with self._lock:
            if self._is_open:
                with self._savepoint():
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

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO part")
            raise
        finally:
            self._db.execute("RELEASE part")

    def setting(self, name: str, value: str | None, otherwise: str) -> str:
        """Return the stored setting: `value` if given, else what was stored before, else `otherwise`."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            chosen = value or (row["value"] if row else otherwise)
            db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, chosen))
        return str(chosen)

    def load_custom_fields(self, schema: Schema) -> None:
        """Add the custom fields that were defined in this database to the schema."""
        with self.transaction() as db:
            rows = db.execute("SELECT * FROM custom_field").fetchall()
        for row in rows:
            formula = bool(row["formula"])
            custom = stored_custom_field(
                row["name"], row["type"], row["label"], row["length"], formula=formula
            )
            schema.add(row["object"], custom)

    def save_custom_field(self, object_name: str, custom: Field) -> None:
        """Remembers a custom field for the next start from the same file."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO custom_field VALUES (?, ?, ?, ?, ?, ?)",
                (object_name, custom.name, custom.type, custom.label, custom.length, int(custom.calculated)),
            )

    def make_tables(self, schema: Schema) -> None:
        """Make the table of every object, and the columns of fields that were added since."""
        with self.transaction() as db:
            for sobject in schema.objects():
                columns = {field.name: sql_type(field) for field in sobject.fields if field.name != "Id"}
                columns[VANISHED] = "INTEGER NOT NULL DEFAULT 0"
                listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                table = f'"{sobject.name}" (Id TEXT PRIMARY KEY, {listed})'
                db.execute(f"CREATE TABLE IF NOT EXISTS {table} WITHOUT ROWID")
                present = {row["name"] for row in db.execute(f'PRAGMA table_info("{sobject.name}")')}
                for name in columns.keys() - present:
                    db.execute(f'ALTER TABLE "{sobject.name}" ADD COLUMN "{name}" {columns[name]}')
                for field in sobject.fields:
                    if field.unique:
                        index = f"{sobject.name}_{field.name}"
                        place = f'"{sobject.name}" ("{field.name}")'
                        db.execute(f'CREATE UNIQUE INDEX IF NOT EXISTS "{index}" ON {place}')


def find(
    db: sqlite3.Connection, object_name: str, value: Stored, *, by: str = "Id"
) -> dict[str, Stored] | None:
    """Return the record with this value in a field, or None."""
    query = f'SELECT * FROM "{object_name}" WHERE "{by}" = ?'  # noqa: S608  # names come from the schema
    row = db.execute(query, (value,)).fetchone()
    return dict(row) if row else None


def insert(db: sqlite3.Connection, object_name: str, values: Mapping[str, Stored]) -> None:
    """Add a record."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    statement = f'INSERT INTO "{object_name}" ({names}) VALUES ({marks})'  # noqa: S608  # names come from the schema
    db.execute(statement, tuple(values.values()))


def change(db: sqlite3.Connection, object_name: str, values: Mapping[str, Stored]) -> None:
    """Write the values over those of the record that has their `Id`."""
    assignments = ", ".join(f'"{name}" = ?' for name in values)
    statement = f'UPDATE "{object_name}" SET {assignments} WHERE Id = ?'  # noqa: S608  # names come from the schema
    db.execute(statement, (*values.values(), values["Id"]))


def next_id(db: sqlite3.Connection, object_name: str, pod: str) -> str:
    """Return the next 18-character id for an object. Ids ascend and never come twice, resets included."""
    prefix = ids.PREFIX[object_name]
    (number,) = db.execute(
        "INSERT INTO id_counter VALUES (?, 1)"
        " ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
        (prefix,),
    ).fetchone()
    return ids.numbered(prefix, pod, number)
