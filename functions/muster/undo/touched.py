"""A member that a run has changed, with all that undoing the run needs of the world outside (Q2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain

import orjson

from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Wanted
from muster.roster.member import Json
from muster.settings import Settings
from muster.sources.user_changes import UserChange
from muster.undo.topics import MANAGER
from muster.undo.undone import Undone

# The name of their parts in an attempt's folder.
PART = "gathered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A member as gathered: what the run changed, and the user as Salesforce shows it now.

    `user` is the id of the user that the member is linked to, empty if to none. Without `change` Salesforce
    shows nothing of it, or was not asked. `run` is the undo, for the history.
    """

    undone: Undone
    user: str
    run: str
    change: UserChange | None = None

    @property
    def crm_id(self) -> str:
        """The id of the user, as writers of changes call it."""
        return self.user

    @property
    def manager_before(self) -> str | None:
        """The manager (id) whom the run has taken from the member."""
        return next((each.before for each in self.undone.changes if each.field == MANAGER), None)

    @classmethod
    def from_json(cls, document: Json) -> Touched:
        """Return what a line of the archive holds."""
        change = document["change"]
        return cls(
            undone=Undone.from_json(document["undone"]),
            user=document["user"],
            run=document["run"],
            change=UserChange(**{**change, "matches": frozenset(change["matches"])}) if change else None,
        )


def wanted_for(each: Touched, settings: Settings) -> Wanted:
    """Return what has to be looked up to decide about a member."""
    return salesforce_lifecycle.wanted_for(each.change, settings) if each.change else Wanted()


def written(people: Iterable[Touched]) -> bytes:
    """Return members as a part of the archive: one JSON object per line."""
    return b"".join(orjson.dumps(asdict(each), default=sorted) + b"\n" for each in people)


def gathered(parts: Iterable[bytes]) -> list[Touched]:
    """Return the members in the parts of the archive, by id."""
    return sorted(chain.from_iterable(map(read, parts)), key=lambda each: each.undone.member)


def read(part: bytes) -> list[Touched]:
    """Return the members in a part of the archive."""
    return [Touched.from_json(orjson.loads(line)) for line in part.splitlines()]
