"""Accounts looked for in a SCIM target: by external id and userName, or in a list if that costs less (O3)."""

from collections.abc import Mapping, Sequence

from muster.crm.scim_attributes import EXTERNAL_ID, USER_NAME
from muster.crm.scim_dialect import Dialect
from muster.crm.scim_resources import USERS, Resource
from muster.errors import FilterRefused, NotAllowed
from muster.provisioning.first_contact import Found
from muster.provisioning.ports import Target

# So many members in one chunk are looked for in a list, where the target has one that is whole.
MANY = 20


class Lookup:
    """Looks for accounts; a list, once read, is kept for the chunk that it was read for."""

    def __init__(self, target: Target, dialect: Dialect) -> None:
        """Ask the target as its dialect has it."""
        self._target = target
        self._dialect = dialect
        self._by_external_id: dict[str, list[Resource]] = {}
        self._by_name: dict[str, list[Resource]] = {}
        # How many active users of a list go by nothing of those it was read for; `None` without a list.
        self.strangers: int | None = None
        # Those for whom the list was read, if it has as many rows as it says.
        self._listed: frozenset[str] = frozenset()

    def expect(self, user_names: Mapping[str, str]) -> None:
        """Read the list if so many members are to be looked for that it costs less; else each is asked for.

        `user_names` are those that the members, by their ids, are to have.
        """
        if len(user_names) >= MANY and self._dialect.lists_whole:
            self._read_list(user_names)

    def find(self, member: str, user_name: str) -> Found:
        """Return the accounts with a member's id as external id, and with its userName.

        Who is not in a list that says it is whole is not asked for: if it was not, the name turns out to be
        taken when the account is to be made.
        """
        name = user_name.casefold()
        own, named = self._by_external_id.get(member, ()), self._by_name.get(name, ())
        if own or named or member in self._listed:
            return Found(own, named)
        by_external_id = self._find(EXTERNAL_ID, member)
        if by_external_id or not user_name:
            return Found(by_external_id or ())
        by_name = self._find(USER_NAME, user_name)
        if by_name is None:
            # The target finds nobody by name.
            self._read_list({member: user_name})
            return Found(self._by_external_id.get(member, ()), self._by_name.get(name, ()))
        return Found((), by_name)

    def forget(self, member: str) -> None:
        """Ask for a member from now on: the list was not whole, for its name is taken."""
        self._listed -= {member}

    def _find(self, attribute: str, value: str) -> Sequence[Resource] | None:
        try:
            return self._target.find(USERS, attribute, value)
        except FilterRefused:
            return None

    def _read_list(self, user_names: Mapping[str, str]) -> None:
        names = {name.casefold() for name in user_names.values()}
        rows, total = 0, None
        try:
            for page in self._target.all(USERS):
                rows, total = rows + len(page.resources), page.total
                for each in page.resources:
                    is_own = each.external_id in user_names
                    is_named = each.user_name.casefold() in names
                    if is_own:
                        self._by_external_id.setdefault(each.external_id, []).append(each)
                    if is_named:
                        self._by_name.setdefault(each.user_name.casefold(), []).append(each)
                    if not is_own and not is_named and each.active is not False:
                        self.strangers = (self.strangers or 0) + 1
        except NotAllowed:
            # Some targets list nobody. Then a name that is taken is a conflict, when somebody is to be made.
            return
        if rows == total:
            self._listed |= user_names.keys()
