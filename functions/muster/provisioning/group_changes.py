"""The calls that put members into groups of a SCIM target and take them out (O2).

One writer fills a group, in turn: what members have to leave and to join is gathered by group first. Only
accounts that are linked and active are put in, since one unknown or inactive member fails a whole call.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from muster.provisioning.differences import Kind, Step
from muster.roster.accounts import Account


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What changes of one group: the accounts, by their ids in the target, to put in and to take out."""

    name: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def group_changes(steps: Iterable[tuple[Account, Step]]) -> list[GroupChange]:
    """Return the changes of groups that these steps are, by name; of one account the later step counts."""
    by_group: dict[str, dict[str, bool]] = {}
    for account, step in steps:
        if step.kind is Kind.JOIN and not (account.is_linked and account.active):
            continue
        if step.kind in (Kind.JOIN, Kind.LEAVE) and account.id:
            for name in step.groups:
                by_group.setdefault(name, {})[account.id] = step.kind is Kind.JOIN
    return [
        GroupChange(
            name,
            tuple(sorted(each for each, joins in ids.items() if joins)),
            tuple(sorted(each for each, joins in ids.items() if not joins)),
        )
        for name, ids in sorted(by_group.items())
    ]


def still_to_send(change: GroupChange, members: frozenset[str]) -> GroupChange:
    """Return what is left of a change after its answer was lost, by the members that the group shows."""
    return GroupChange(
        change.name,
        tuple(each for each in change.add if each not in members),
        tuple(each for each in change.remove if each in members),
    )
