"""History entries that events are made of: one for each kind of event, and ways to vary them."""

from typing import Any

from muster.roster.member_events import Kind

type Json = dict[str, Any]

ADA = "7f3a9c52e0d14b6f8a1c3e5d7b9f1024"
GRACE = "0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f"
AT = "2026-11-20T08:15:31.000Z"


def changed(field: str, before: object, after: object) -> Json:
    return {"field": field, "before": before, "after": after}


def entry(*changes: Json, member: str = ADA, version: int = 7, **others: Any) -> Json:
    """Return a history entry as the table has it."""
    run = "webhook:04l000000000001AAA"
    known = {"member": member, "version": version, "at": AT, "origin": "crm", "run": run}
    return {**known, "changes": [*changes], **others}


ADDRESS = changed("email", "ada@old.example", "ada@acme.example")
OF_KIND: dict[Kind, Json] = {
    Kind.MEMBER_CREATED: entry(
        changed("id", None, ADA),
        changed("active", None, True),
        changed("email", None, "ada@acme.example"),
        version=1,
    ),
    Kind.MEMBER_UPDATED: entry(ADDRESS, changed("title", "Rep", "Lead")),
    Kind.MEMBER_DEACTIVATED: entry(
        changed("active", True, False), changed("inactive_reason", None, "deactivated"), version=8
    ),
    Kind.MEMBER_REACTIVATED: entry(
        changed("active", False, True), changed("inactive_reason", "deactivated", None), version=9
    ),
    Kind.SEAT_GRANTED: entry(
        changed("seats.gong.state", "waiting", "held"),
        changed("seats.gong.since", "2026-11-19T10:00:00.000Z", None),
        run="run:20261120T081532000-0a1b2c3d",
    ),
    Kind.SEAT_REVOKED: entry(changed("seats.gong.state", "held", None)),
    Kind.SEAT_WAITING: entry(changed("seats.gong.state", None, "waiting")),
    Kind.LICENCE_GRANTED: entry(
        changed("engage.group", None, "UK Field Force"),
        changed("engage.status", "request_sent", "success"),
        run="run:20261120T081532000-0a1b2c3d",
    ),
    Kind.LICENCE_REVOKED: entry(changed("engage.group", "UK Field Force", None)),
    Kind.MANAGER_CHANGED: entry(
        changed("manager", None, GRACE),
        origin="manual:jane@acme.example",
        run="edit:20261120T081532000-0a1b2c3d",
    ),
}
