"""Accounts looked for in a SCIM target: by external id and userName, or in a list if that costs less (O3)."""

from collections.abc import Sequence

from muster.crm.scim_attributes import EXTERNAL_ID, USER_NAME
from muster.crm.scim_dialect import Dialect
from muster.crm.scim_resources import USERS, Resource
from muster.errors import FilterRefused, NotAllowed
from muster.pushes.scim.first_contact import Found
from muster.pushes.scim.ports import Target

# So many members in one chunk are looked for in a list, where the target has one that is whole.
MANY = 20


class Lookup:
    """Looks for accounts; a list, once read, is kept for the chunk it was read for."""

    def __init__(self, target: Target, dialect: Dialect) -> None:
        """Ask the target as its dialect has it."""
        self._target = target
        self._dialect = dialect
        self._by_external_id: dict[str, list[Resource]] = {}
        self._by_name: dict[str, list[Resource]] = {}
        self._is_listed = False

    def expect(self, members: int) -> None:
        """Read the list if so many members are to be looked for; else each is asked for."""
        if members >= MANY and self._dialect.lists_whole:
            self._read_list()

    def find(self, member: str, user_name: str) -> Found:
        """Return the accounts with a member's id as external id, and with its userName.

        Who is on no list is asked for all the same: a list may look whole and not be.
        """
        listed = Found(self._by_external_id.get(member, ()), self._by_name.get(user_name.casefold(), ()))
        if listed.by_external_id or listed.by_name:
            return listed
        own = self._find(EXTERNAL_ID, member)
        named = () if own or not user_name else self._find(USER_NAME, user_name)
        return Found(own or (), named if named is not None else self._in_list(user_name))

    def _find(self, attribute: str, value: str) -> Sequence[Resource] | None:
        try:
            return self._target.find(USERS, attribute, value)
        except FilterRefused:
            return None

    def _in_list(self, user_name: str) -> Sequence[Resource]:
        """Return who has a userName, where the target finds nobody by it."""
        self._read_list()
        return self._by_name.get(user_name.casefold(), ())

    def _read_list(self) -> None:
        if self._is_listed:
            return
        self._is_listed = True
        try:
            for page in self._target.all(USERS):
                for each in page:
                    self._by_external_id.setdefault(each.external_id, []).append(each)
                    self._by_name.setdefault(each.user_name.casefold(), []).append(each)
        except NotAllowed:
            # Some targets list nobody. Then a name that is taken is a conflict, when somebody is to be made.
            return
