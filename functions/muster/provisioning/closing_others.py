"""Other accounts of a member found and closed, as far as they are Muster's own (O2, O3)."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from muster.crm import scim_attributes, scim_patches
from muster.crm.scim_attributes import EXTERNAL_ID, USER_NAME
from muster.crm.scim_resources import GROUPS, USERS, Resource
from muster.errors import FilterRefused, OutcomeUnknown
from muster.provisioning import step_outcomes
from muster.provisioning.ports import Target


def carrying(target: Target, member: str, user_names: Iterable[str]) -> list[Resource]:
    """Return the accounts that carry a member's id as their external id.

    Where an app does not find by that, it is those with one of these names that do.
    """
    with suppress(FilterRefused):
        return target.find(USERS, EXTERNAL_ID, member)
    found: dict[str, Resource] = {}
    for name in user_names:
        with suppress(FilterRefused):
            found |= {each.id: each for each in target.find(USERS, USER_NAME, name)}
    return [each for each in found.values() if each.external_id == member]


def close(
    target: Target, member: str, account: str, groups: Sequence[str], names: Iterable[str], *, deletes: bool
) -> str:
    """Close an account that is the member's as well, or delete it; returns why it is not closed, or "".

    It is taken out of `groups`, by their ids, first. `names` are the attributes that Muster sends.
    """
    shown = target.get(USERS, account)
    if shown is None or (shown.active is False and not deletes) or shown.external_id not in ("", member):
        return ""
    problem = None
    # Whatever a call was answered, what counts is what is shown then.
    with suppress(OutcomeUnknown):
        for group in groups:
            target.patch(GROUPS, group, scim_patches.removed([account]))
        if deletes:
            problem = target.delete(USERS, account).problem
        else:
            values = scim_attributes.shown(shown.body, names)
            problem = target.activate(account, False, values).problem
    shown = target.get(USERS, account)
    if shown is None or (shown.active is False and not deletes):
        return ""
    return f"account {account} {problem.message if problem else step_outcomes.NO_EFFECT}"
