"""Members put into groups of a SCIM target and taken out, by one writer, in as few calls as it takes (O2).

A group is found by its name before it is made, and its id is kept. A call that is refused is halved until the
member at fault is found; one whose answer is lost is followed by a look at the group.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from muster.crm import scim_attributes, scim_patches
from muster.crm.scim_answers import Outcome, Written
from muster.crm.scim_dialect import Dialect
from muster.crm.scim_resources import GROUPS, Resource, named
from muster.errors import FilterRefused, NotAllowed, OutcomeUnknown, Problem
from muster.provisioning.group_changes import GroupChange, still_to_send
from muster.provisioning.ports import Ports

# What is called with a group's name, its id if there is one, and the ids of accounts: they are in it now, or
# out of it. And what is called with why they are not.
type Settled = Callable[[str, str | None, Sequence[str]], None]
type Failed = Callable[[str, Sequence[str], Problem], None]

_SETTLED = frozenset({Outcome.WRITTEN, Outcome.TAKEN})


class Groups:
    """The groups of one target."""

    def __init__(
        self, ports: Ports, dialect: Dialect, ids: dict[str, str], settled: Settled, failed: Failed
    ) -> None:
        """Begin with the `ids` that are known, by name, and add to them what is found and made."""
        self._ports = ports
        self._dialect = dialect
        self._settled = settled
        self._failed = failed
        self._ids = ids
        self._refused: dict[str, Problem] = {}

    def carry_out(self, change: GroupChange) -> None:
        """Send a change of one group."""
        for ids, adds in ((change.remove, False), (change.add, True)):
            at_once = self._dialect.members_a_call
            if not adds:
                at_once = min(at_once, self._dialect.operations_a_call)
            for first in range(0, len(ids), at_once):
                self._send(change.name, ids[first : first + at_once], adds=adds)

    def _send(self, name: str, ids: Sequence[str], *, adds: bool) -> None:
        group = self._id_of(name, makes=adds)
        if group is None:
            self._without_group(name, ids, adds=adds)
            return
        try:
            written = self._patch(group, ids, adds=adds)
        except OutcomeUnknown:
            ids = self._not_yet(name, group, ids, adds=adds)
            written = self._patch(group, ids, adds=adds) if ids else Written(Outcome.WRITTEN)
        if written.outcome is Outcome.GONE and name not in self._refused:
            self._forget(name)
            # Once: one that is gone right after it was found is no group that can be filled.
            self._refused[name] = written.problem or Problem(name, "is gone", "See the target's log.")
            group = self._found_or_made(name, makes=adds)
            if group is None:
                self._without_group(name, ids, adds=adds)
                return
            written = self._patch(group, ids, adds=adds)
        if written.outcome in _SETTLED and (written.outcome is Outcome.WRITTEN or len(ids) == 1):
            self._settled(name, group, ids)
        elif len(ids) > 1:
            half = len(ids) // 2
            self._send(name, ids[:half], adds=adds)
            self._send(name, ids[half:], adds=adds)
        elif written.problem:
            self._failed(name, ids, written.problem)

    def _without_group(self, name: str, ids: Sequence[str], *, adds: bool) -> None:
        """Whoever is to leave a group that is not there has left it; nobody can be put into it."""
        if not adds:
            self._settled(name, None, ids)
        elif name in self._refused:
            self._failed(name, ids, self._refused[name])

    def _patch(self, group: str, ids: Sequence[str], *, adds: bool) -> Written:
        operations = [scim_patches.added(ids)] if adds else scim_patches.removed(ids)
        return self._ports.target.patch(GROUPS, group, operations)

    def _not_yet(self, name: str, group: str, ids: Sequence[str], *, adds: bool) -> Sequence[str]:
        """Return those of a call without an answer for whom it had no effect."""
        shown = self._ports.target.get(GROUPS, group)
        members = shown.members if shown else frozenset()
        change = GroupChange(name, add=tuple(ids)) if adds else GroupChange(name, remove=tuple(ids))
        rest = still_to_send(change, members)
        left = rest.add if adds else rest.remove
        self._settled(name, group, [each for each in ids if each not in left])
        return left

    def _id_of(self, name: str, *, makes: bool) -> str | None:
        """Return a group's id; `None` if there is none and none is to be made, or can be."""
        if name in self._ids:
            return self._ids[name]
        return None if name in self._refused else self._found_or_made(name, makes=makes)

    def _found_or_made(self, name: str, *, makes: bool) -> str | None:
        found = self._found(name)
        if len(found) == 1:
            return self._keep(name, found[0].id)
        if found:
            self._refuse(name, "is the name of several groups", "Rename all but one in the target.")
        elif makes and not self._dialect.creates_groups:
            self._refuse(name, "is no group, and the target makes none by SCIM", "Make it there.")
        elif makes:
            return self._made(name)
        return None

    def _made(self, name: str) -> str | None:
        body = {"schemas": [scim_attributes.GROUP], "displayName": name}
        try:
            written = self._ports.target.create(GROUPS, body)
        except OutcomeUnknown:
            found = self._found(name)
            return self._keep(name, found[0].id) if len(found) == 1 else None
        if written.outcome is Outcome.WRITTEN and written.resource:
            return self._keep(name, written.resource.id)
        problem = written.problem or Problem(name, "was not made", "See the target's log.")
        self._refuse(name, problem.message, problem.remedy)
        return None

    def _found(self, name: str) -> list[Resource]:
        target = self._ports.target
        with suppress(FilterRefused):
            return target.find(GROUPS, "displayName", name)
        try:
            every = (each for page in target.all(GROUPS) for each in page.resources)
            return named(every, "displayName", name)
        except NotAllowed:
            # Some targets list nothing; a group that is there then refuses to be made.
            return []

    def _keep(self, name: str, group: str) -> str:
        self._ids[name] = group
        self._ports.record_group(name, group)
        return group

    def _forget(self, name: str) -> None:
        self._ids.pop(name, None)
        self._ports.record_group(name, None)

    def _refuse(self, name: str, message: str, remedy: str) -> None:
        self._refused[name] = Problem(name, message, remedy)
