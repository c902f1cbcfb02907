"""Users who are frozen in Salesforce and active members all the same: told once, and counted (A17)."""

from collections.abc import Collection, Sequence
from typing import Any

from muster.error_log import LogEntry, entry_of
from muster.errors import Problem

CODE = "users_frozen"
# So many are compared from one incremental import to the next; of more, only full imports see who is new.
MOST_REMEMBERED = 2_000
_MOST_NAMED = 5


def remembered(frozen: Collection[str] | None) -> tuple[str, ...] | None:
    """Return what the next import compares with: CRM ids; `None`: not known, or too many."""
    if frozen is None or len(frozen) > MOST_REMEMBERED:
        return None
    return tuple(sorted(frozen))


def shown(members: Sequence[str]) -> dict[str, Any]:
    """Return how an answer shows the members (CRM ids) who are frozen."""
    return {"count": len(members), "first": list(members[:_MOST_NAMED])}


def told(members: Sequence[str], known: Collection[str], run: str, at: str) -> list[LogEntry]:
    """Return the entry of the error log about those who were not known to be frozen, if there are any.

    It is one for them all, and the same each time it is made for a run that began at `at`.
    """
    new = [crm_id for crm_id in members if crm_id not in known]
    if not new:
        return []
    named = ", ".join(new[:_MOST_NAMED]) + (" …" if len(new) > _MOST_NAMED else "")
    members_are = "member is" if len(new) == 1 else "members are"
    problem = Problem(
        "UserLogin",
        f"says that {len(new):,} more active {members_are} frozen: {named}; nothing was changed for it",
        "Deactivate in Salesforce whoever has left, or set auto_provision.frozen_users to inactive.",
    )
    return [entry_of(problem, at=at, system="salesforce", code=CODE, notification=run, record=new[0])]
