"""List the organizations there are, for whoever does not know how one is spelled. Reads only."""

import re

from muster.errors import Problem, Rejected
from muster.insight.ports import Organizations
from muster.roster.member import Json

# A cursor is the name of the last one shown, which is no secret: the answer has it.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def list_organizations(table: Organizations, limit: int, cursor: str | None) -> Json:
    """Return a page of organizations by name: `{organizations, cursor}`; no cursor: the last page."""
    if cursor is not None and not _NAME.fullmatch(cursor):
        raise Rejected(
            Problem("cursor", "is not one that was handed out", "Leave it out to start at the beginning.")
        )
    found, following = table.organizations(limit, cursor)
    return {"organizations": found, "cursor": following}
