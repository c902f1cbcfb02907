"""One vault: its data, its settings and the Engage server behind it."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.vault_crm.burst import BurstLimit
from sandbox.vault_crm.configuration import Configuration
from sandbox.vault_crm.engage import Engage
from sandbox.vault_crm.query import Queries
from sandbox.vault_crm.records import Records
from sandbox.vault_crm.sessions import Sessions
from sandbox.vault_crm.setup_records import INTEGRATION_USER, setup_records, setup_users
from sandbox.vault_crm.standard_objects import USER, standard_schema
from sandbox.vault_crm.store import SYSTEM_OWNED, Store, change, find, insert
from sandbox.vault_crm.values import Stored, instant

MOST_WRONG_PASSWORDS = 5


class Vault:
    """A vault on an SQLite file (or `:memory:`), of the kind `crm` or `align`.

    What is not given is taken from the file, else made up: a restart on the file goes on where it stopped.
    """

    def __init__(
        self,
        *,
        data: str = ":memory:",
        username: str | None = None,
        password: str | None = None,
        kind: str | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Open or make the vault. Raises ValueError for a file that holds one of another kind."""
        self.clock = clock or (lambda: datetime.now(UTC))
        self.store = Store(data)
        self.kind = self.store.setting("kind", None, kind or "crm")
        if kind not in {None, self.kind}:
            self.store.close()
            raise ValueError(f"the file holds a vault of the kind {self.kind}")
        self.id = int(self.store.setting("vault_id", None, str(2000 + secrets.randbelow(90_000))))
        self.username = self.store.setting("username", username, f"integration@{self.kind}{self.id}.example")
        self._first_password = self.store.setting("password", password, secrets.token_urlsafe(18))
        self.password = self._first_password
        self.schema = standard_schema(self.kind)
        self.store.make_tables(self.schema)
        self.configuration = Configuration(self.store)
        self.sessions = Sessions(self.clock)
        self.burst = BurstLimit(self.configuration, self.clock)
        self.engage = Engage(self.store, self.configuration, self.clock)
        self.queries = Queries(self.store, self.schema, self.configuration, self.engage)
        self.records = Records(self.store, self.schema, self.configuration, self.engage, self.clock)
        self.wrong_passwords = 0
        # Accepted in place of a session, until a reset.
        self.access_tokens: set[str] = set()
        self._make_setup_records()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def reset(self) -> None:
        """Go back to the start, without records, groups and settings; credentials and sessions stay."""
        with self.store.transaction() as db:
            self.engage.reset(db)
            for each in self.schema.values():
                db.execute(f'DELETE FROM "{each.name}"')  # noqa: S608  # names come from the schema
            self.configuration.reset()
            self._make_setup_records()
        self.queries.reset()
        self.burst.reset()
        self.wrong_passwords = 0
        self.access_tokens = set()
        self.password = self._first_password

    def change_password(self, password: str) -> None:
        """Give the integration user another password until a reset, which ends its sessions."""
        self.password = password
        self.sessions.expire()

    def integration_user(self) -> dict[str, Any]:
        """Return the record of the user that logs in, its references' keys in place of their ids."""
        with self.store.transaction() as db:
            user = find(db, self.schema[USER], [INTEGRATION_USER])[INTEGRATION_USER]
            for name, key in (
                ("language__sys", "admin_key__sys"),
                ("locale__sys", "admin_key__sys"),
                ("security_profile__sys", "profile_key__sys"),
            ):
                referenced = str(user[name])
                user[name] = find(db, self.schema[name], [referenced])[referenced][key]
        return user

    def set_integration_user(self, reference: str, key_field: str, key: object) -> None:
        """Refer the integration user to the record with a key, as in language `de`. Raises ValueError."""
        with self.store.transaction() as db:
            found = find(db, self.schema[reference], [str(key)], by=key_field)
            if not found:
                keys = db.execute(f'SELECT "{key_field}" FROM "{reference}"')  # noqa: S608  # names come from the schema
                raise ValueError(f"{reference} is one of {', '.join(row[0] for row in keys)}")
            db.execute(
                f'UPDATE "{USER}" SET "{reference}" = ? WHERE id = ?',  # noqa: S608  # names come from the schema
                (found[str(key)]["id"], INTEGRATION_USER),
            )

    def _make_setup_records(self) -> None:
        now = instant(self.clock())
        stamps: dict[str, Stored] = {"created_date__v": now, "modified_date__v": now}
        with self.store.transaction() as db:
            for name, records in setup_records().items():
                for record in records:
                    if not find(db, self.schema[name], [str(record["id"])]):
                        insert(db, self.schema[name], record | stamps)
            for record, is_system in setup_users(self.username):
                if not find(db, self.schema[USER], [str(record["id"])]):
                    insert(db, self.schema[USER], record | stamps | {SYSTEM_OWNED: int(is_system)})
            change(db, USER, INTEGRATION_USER, {"username__sys": self.username})
