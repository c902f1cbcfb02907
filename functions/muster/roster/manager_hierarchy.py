"""Who reports to whom: loops, and how deep someone is in the hierarchy (A10). Keys are CRM ids."""

from collections.abc import Mapping

type Managers = Mapping[str, str | None]


def loops(managers: Managers) -> list[tuple[str, ...]]:
    """Return each loop of people who report to one another, as `(a, b, …)`: a reports to b, the last to a.

    Each begins with its smallest id. Someone who is their own manager is a loop of one.
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
    """Return how many managers each person has above, as far as they are known; in a loop, 0."""
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
