"""Members found as people call them, by name as well; only questions do that, nothing is changed so."""

import re

from muster.errors import NotFound, Problem, Rejected
from muster.insight.member_filters import folded
from muster.roster import finding
from muster.roster.member import Member
from muster.roster.ports import RosterViews

# So many people of one name are listed.
_LISTED = 10
_IS_AN_ID = re.compile(r"[0-9a-f-]{32,36}|[0-9]+|005[A-Za-z0-9]{12,15}|.*@.*", re.DOTALL)


def find_member(views: RosterViews, organization: str, reference: str) -> Member:
    """Return the member with this id, id in a CRM, username, e-mail address, or name, if only in part.

    A name is looked for in the whole roster, case and accents aside. Raises `NotFound`, or `Rejected` with
    those whom it fits where they are several.
    """
    try:
        return finding.find(views, organization, reference)
    except NotFound:
        if _IS_AN_ID.fullmatch(reference.strip()):
            raise
        fitting = _named(views, organization, folded(reference))
        if not fitting:
            raise
    if len(fitting) > 1:
        named = (f"{each.name} ({each.email or each.username or each.id})" for each in fitting[:_LISTED])
        more = f" and {len(fitting) - _LISTED:,} more" if len(fitting) > _LISTED else ""
        raise Rejected(
            Problem(
                "member",
                f"{reference.strip()!r} fits {len(fitting):,} people",
                f"Name one by e-mail address: {', '.join(named)}{more}.",
            )
        )
    return fitting[0]


def _named(views: RosterViews, organization: str, name: str) -> list[Member]:
    """Return the members of that name, else those whose name has all its words; active ones if any are."""
    words = name.split()
    if not words:
        return []
    exact, in_part = [], []
    for member in views.everyone(organization, None):
        known = folded(member.name or "")
        if known == name:
            exact.append(member)
        elif all(word in known for word in words):
            in_part.append(member)
    found = exact or in_part
    found = [member for member in found if member.active] or found
    return sorted(found, key=lambda member: (folded(member.name or ""), member.id))
