"""Freezes users, gives them permission sets and puts them into groups, as an admin does in Setup."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sandbox.salesforce import ids
from sandbox.salesforce.access_objects import ACCESS_OBJECTS
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import Store, find, insert, next_id
from sandbox.salesforce.users import created
from sandbox.salesforce.values import Stored

_BY_NAME = {each.name: each for each in ACCESS_OBJECTS}


class Access:
    """What users may beyond their profile."""

    def __init__(self, store: Store, clock: Callable[[], datetime], pod: str, author: str) -> None:
        """Take what the records depend on; `author` is the id of the user who makes them."""
        self._store = store
        self._clock = clock
        self._pod = pod
        self._author = author

    def freeze(self, record_ids: Sequence[str], *, frozen: bool) -> None:
        """Freeze users, or let them log in again. Raises ValueError for an unknown one."""
        with self._store.transaction() as db:
            for user in self._users(record_ids):
                db.execute('DELETE FROM "UserLogin" WHERE UserId = ?', (user,))
                self.open_login(user, frozen=frozen)

    def open_login(self, user: str, *, frozen: bool = False) -> None:
        """Add the record of a user's log-in."""
        self._add("UserLogin", {"UserId": user, "IsFrozen": int(frozen), "IsPasswordLocked": 0})

    def give(self, permission_set: str, record_ids: Sequence[str]) -> None:
        """Give a permission set to exactly these users; it is made if there is none of this API name.

        Raises ValueError for an unknown user.
        """
        values: dict[str, Stored] = {
            "Name": permission_set,
            "Label": permission_set.replace("_", " "),
            "IsOwnedByProfile": 0,
        }
        with self._store.transaction() as db:
            of = self._found_or_added("PermissionSet", values)
            db.execute('DELETE FROM "PermissionSetAssignment" WHERE PermissionSetId = ?', (of,))
            for user in self._users(record_ids):
                self._add(
                    "PermissionSetAssignment", {"PermissionSetId": of, "AssigneeId": user, "IsActive": 1}
                )

    def fill(self, group: str, record_ids: Sequence[str]) -> None:
        """Have a public group consist of exactly these users; it is made if there is none of this name.

        Raises ValueError for an unknown user.
        """
        values: dict[str, Stored] = {
            "Name": group,
            "DeveloperName": group.replace(" ", "_"),
            "Type": "Regular",
        }
        with self._store.transaction() as db:
            of = self._found_or_added("Group", values)
            db.execute('DELETE FROM "GroupMember" WHERE GroupId = ?', (of,))
            for user in self._users(record_ids):
                self._add("GroupMember", {"GroupId": of, "UserOrGroupId": user})

    def reset(self) -> None:
        """Remove every record."""
        with self._store.transaction() as db:
            for each in ACCESS_OBJECTS:
                db.execute(f'DELETE FROM "{each.name}"')  # noqa: S608  # names come from the schema

    def _users(self, record_ids: Sequence[str]) -> list[str]:
        found = [ids.canonical(each) for each in dict.fromkeys(record_ids)]
        with self._store.transaction() as db:
            for each in found:
                if find(db, "User", each) is None:
                    raise ValueError(f"there is no User {each}")
        return found

    def _found_or_added(self, object_name: str, values: dict[str, Stored]) -> str:
        with self._store.transaction() as db:
            found = find(db, object_name, values["Name"], by="Name")
        return str(found["Id"]) if found else self._add(object_name, values)

    def _add(self, object_name: str, values: dict[str, Stored]) -> str:
        with self._store.transaction() as db:
            record_id = next_id(db, object_name, self._pod)
            insert(db, object_name, {"Id": record_id} | self._stamps(_BY_NAME[object_name]) | values)
        return record_id

    def _stamps(self, sobject: SObject) -> dict[str, Stored]:
        stamps = created(self._clock(), self._author)
        return {name: value for name, value in stamps.items() if sobject.field(name)}
