"""The SQLite file, or memory, that a directory writes its users and groups to."""

import json
import sqlite3
from threading import Lock

from sandbox.scim.protocol import Json

_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS resource (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);
"""
_WRITE = """
INSERT INTO resource (id, kind, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body
"""


class Store:
    """One connection that the threads take turns with."""

    def __init__(self, path: str) -> None:
        """Open or make the file."""
        self._lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A sandbox may lose its last moments when the machine crashes; waiting for the disk helps nobody.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _TABLES)

    def close(self) -> None:
        """Close the file; nothing may use the store after that."""
        with self._lock:
            self._db.close()

    def setting(self, name: str, value: str | None, otherwise: str) -> str:
        """Return the stored setting: `value` if given, else what was stored before, else `otherwise`."""
        with self._lock:
            row = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            chosen = value if value is not None else (row[0] if row else otherwise)
            self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, chosen))
        return str(chosen)

    def load(self) -> list[tuple[str, Json]]:
        """Return every User or Group, with its kind, in the order in which they were made."""
        with self._lock:
            rows = self._db.execute("SELECT kind, body FROM resource ORDER BY rowid").fetchall()
        return [(str(kind), json.loads(body)) for kind, body in rows]

    def write(self, body: Json) -> None:
        """Store a user or group, in the place of what it was."""
        row = (body["id"], body["meta"]["resourceType"], json.dumps(body))
        with self._lock:
            self._db.execute(_WRITE, row)

    def remove(self, resource_id: str) -> None:
        """Remove a user or group."""
        with self._lock:
            self._db.execute("DELETE FROM resource WHERE id = ?", (resource_id,))

    def clear(self) -> None:
        """Remove all users and groups."""
        with self._lock:
            self._db.execute("DELETE FROM resource")
