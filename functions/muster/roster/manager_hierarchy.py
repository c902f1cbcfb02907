"""Who reports to whom: a member's manager, loops of managers, and depth in the hierarchy (A7, A10).

Everybody is named by CRM id, but for `Member.manager`, which is a member's id.
"""

from collections.abc import Mapping

from muster.crm import salesforce_ids
from muster.roster.decisions import Known
from muster.roster.member import Attributes, Member
from muster.settings import Settings
from muster.sources.user_changes import UserChange

type Managers = Mapping[str, str | None]


def loops(managers: Managers) -> list[tuple[str, ...]]:
    """Return each loop of people who report to one another, as `(a, b, …)`: a reports to b, the last to a.

    Each begins with its smallest id. A person who is their own manager is a loop of one.
    """
    found = []
    done: set[str] = set()
    for person in managers:
        path: dict[str, None] = {}
        at: str | None = person
        while at is not None and at not in done and at not in path:
            path[at] = None
            at = managers.get(at)
        if at in path:
            members = list(path)
            loop = members[members.index(at) :]
            start = loop.index(min(loop))
            found.append((*loop[start:], *loop[:start]))
        done.update(path)
    return sorted(found)


def depths(managers: Managers) -> dict[str, int]:
    """Return how many known managers each person has above them; in a loop, 0."""
    depth = {person: 0 for loop in loops(managers) for person in loop}
    for person in managers:
        path = []
        at: str | None = person
        while at is not None and at not in depth:
            path.append(at)
            above = managers.get(at)
            if above is None or above not in managers:
                depth[at] = 0
                path.pop()
                break
            at = above
        for each in reversed(path):
            depth[each] = depth[managers[each] or ""] + 1
    return depth


def reports_to(change: UserChange) -> str | None:
    """Return the CRM id of the user's manager; `None` where there is none, or what is there is no id."""
    manager = change.fields.get("ManagerId") or ""
    return salesforce_ids.to_18(manager) if salesforce_ids.is_valid(manager) else None


def manager_attributes(member: Member, change: UserChange, known: Known, settings: Settings) -> Attributes:
    """Return the attributes of the member that say who its manager is.

    Nobody is their own manager, nor is one whose managers lead back to the member: such a loop is cut at
    each of its members. One change cannot show a loop, so what an import found holds until the manager
    changes.
    """
    if settings.ignore_organizational_structure or "ManagerId" not in change.fields:
        return {}
    above = reports_to(change)
    in_loop = change.in_loop
    if in_loop is None:
        in_loop = member.in_loop and above == member.reports_to
    manager = None if in_loop or above in (None, change.crm_id) else known.manager
    return {"reports_to": above, "in_loop": in_loop, "manager": manager}
