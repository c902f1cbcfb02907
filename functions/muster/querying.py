"""Questions about the roster: who is in it, one member, what changed, what went wrong. Reads only."""

from collections.abc import Mapping
from typing import Any, Protocol

from muster import salesforce_ids
from muster.decisions import match_keys
from muster.errors import NotFound, Problem, Rejected
from muster.model import Json, Link, Member
from muster.reasons import EXPLAINED

_LOOK_ELSEWHERE = (
    "Ask by the Salesforce id to learn why a user was not added; look into the error log with errors;"
    ' list who has left with {"active": false}.'
)
DEFAULT_LIMIT = 100
MAX_LIMIT = 500

# Attributes of a member that a list may be filtered by, beside `active`; text matches whatever the case.
FILTERS = frozenset(
    {
        "enabled",
        "inbound_enabled",
        "inactive_reason",
        "username",
        "email",
        "first_name",
        "last_name",
        "name",
        "assignment",
    }
)


class RosterViews(Protocol):
    """What querying needs of the roster; `adapters.roster_views` is the real one."""

    def members(
        self, organization: str, active: bool | None, limit: int, cursor: str | None
    ) -> tuple[list[Member], str | None]:
        """Return up to `limit` members after `cursor`, and the cursor of the next page."""

    def member(self, organization: str, member: str) -> Member | None:
        """Return the member of that id."""

    def link(self, organization: str, crm_id: str) -> Link | None:
        """Return what is known of a Salesforce user."""

    def matching(self, organization: str, keys: tuple[str, ...]) -> list[str]:
        """Return the ids of the members that carry any of these match keys."""

    def history(
        self, organization: str, member: str, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """Return a member's history, newest first."""

    def errors(self, organization: str, limit: int, cursor: str | None) -> tuple[list[Json], str | None]:
        """Return the error log, newest first."""


def list_members(
    views: RosterViews, organization: str, filters: Mapping[str, Any], limit: int, cursor: str | None
) -> Json:
    """Return a page of members, the active ones by default: `{members, cursor}`; no cursor: that was all.

    `filters` is `{"active": true | false | "any", "<attribute>": "<value>", "custom.<field>": "<value>"}`.
    A page can be short of `limit` while there is a cursor: filtered members are read but not shown.
    """
    active = _active(filters.get("active", True))
    wanted = {name: _filter(name, value) for name, value in filters.items() if name != "active"}
    found, following = views.members(organization, active, limit, cursor)
    shown = [member.to_json() for member in found]
    return {
        "members": [
            shape for shape in shown if all(_holds(shape, name, value) for name, value in wanted.items())
        ],
        "cursor": following,
    }


def show_member(views: RosterViews, organization: str, reference: str) -> Json:
    """Return the member of an id, CRM id, username or e-mail address; raises `NotFound` or `Rejected`."""
    return find(views, organization, reference).to_json()


def find(views: RosterViews, organization: str, reference: str) -> Member:
    """Return the member of an id, CRM id, username or e-mail address; raises `NotFound` or `Rejected`."""
    reference = reference.strip()
    reason = None
    if salesforce_ids.is_valid(reference):
        link = views.link(organization, salesforce_ids.to_18(reference))
        ids, reason = ([link.member], link.reason) if link else ([], None)
    elif "@" in reference:
        ids = [*dict.fromkeys(views.matching(organization, match_keys(reference, reference)))]
    else:
        ids = [reference]
    members = [member for name in ids if name and (member := views.member(organization, name))]
    members = [member for member in members if member.active] or members
    if not members:
        raise NotFound(
            Problem("member", "is not in the roster", EXPLAINED.get(reason or "", _LOOK_ELSEWHERE))
        )
    if len(members) > 1:
        raise Rejected(
            Problem(
                "member",
                "fits several members",
                f"Name one by id: {', '.join(member.id for member in members)}.",
            )
        )
    return members[0]


def show_history(
    views: RosterViews, organization: str, reference: str, limit: int, cursor: str | None
) -> Json:
    """Return a page of one member's history, newest first: `{member, history, cursor}`."""
    member = find(views, organization, reference)
    entries, following = views.history(organization, member.id, limit, cursor)
    return {"member": member.id, "history": entries, "cursor": following}


def show_errors(views: RosterViews, organization: str, limit: int, cursor: str | None) -> Json:
    """Return a page of the error log, newest first: `{log, cursor}`."""
    entries, following = views.errors(organization, limit, cursor)
    return {"log": entries, "cursor": following}


def _active(value: object) -> bool | None:
    if value == "any":
        return None
    if isinstance(value, bool):
        return value
    raise Rejected(Problem("filter.active", "is neither true, false nor any", 'Say true, false or "any".'))


def _filter(name: str, value: object) -> object:
    if name not in FILTERS and not name.startswith("custom."):
        allowed = ", ".join(sorted([*FILTERS, "active", "custom.<field>"]))
        raise Rejected(Problem(f"filter.{name}", "is not something to filter by", f"Use one of: {allowed}."))
    if not isinstance(value, str | bool) and value is not None:
        raise Rejected(
            Problem(f"filter.{name}", "is not text, true, false or null", "Give the value to look for.")
        )
    return value.casefold() if isinstance(value, str) else value


def _holds(shape: Json, name: str, wanted: object) -> bool:
    group, _, field = name.partition(".")
    value = shape["custom"].get(field) if group == "custom" else shape[name]
    return (value.casefold() if isinstance(value, str) else value) == wanted
