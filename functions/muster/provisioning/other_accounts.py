"""Other accounts of a member in the same app: some make a second one of a change of address (O2, O3). Pure.

The first then stays, open to whoever logs in by the former address, with the member's id as external id.
"""

from collections.abc import Sequence
from dataclasses import replace

from muster.crm import scim_attributes
from muster.crm.scim_attributes import USER_NAME, Values
from muster.crm.scim_resources import Resource, same_name
from muster.roster.accounts import Account

# By what an app may know who somebody is.
_ADDRESSES = (USER_NAME, "emails.work")


def is_readdressed(before: Values, after: Values) -> bool:
    """Whether a change gives an account another userName or address than it had."""
    return any(name in before and before[name] != after.get(name) for name in _ADDRESSES)


def after_change(before: Account, account: Account, own: Sequence[Resource], values: Values) -> Account:
    """Return an account after its address was changed, or may have been, to have these values.

    `own` are those that carry the member's id by now. The member's is the one that goes by the new name; the
    others are to be closed.
    """
    name = str(values.get(USER_NAME, ""))
    named = [each for each in own if same_name(each.user_name, name)]
    kept = next((each for each in named if each.id == account.id), next(iter(named), None))
    if kept is not None and kept.id != account.id:
        account = replace(
            account,
            id=kept.id,
            user_name=kept.user_name,
            active=kept.active is not False,
            sent=scim_attributes.shown(kept.body, values),
            tries=None,
            tried="",
            why="",
        )
    if account.id != before.id:
        groups = {before.id: tuple(before.groups.values())}
        account = replace(account, groups={}, others={**account.others, **groups})
    return replace(with_others(account, own), readdressed=True)


def with_others(account: Account, own: Sequence[Resource], *, deletes: bool = False) -> Account:
    """Return an account with those that are to be closed beside it, or deleted: all others that are open."""
    others = {
        each.id: account.others.get(each.id, ())
        for each in own
        if each.id != account.id and (deletes or each.active is not False)
    }
    return replace(account, others={**account.others, **others}, readdressed=False)


def without(account: Account, other: str) -> Account:
    """Return an account after another beside it was closed."""
    return replace(account, others={each: groups for each, groups in account.others.items() if each != other})
