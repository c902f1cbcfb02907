"""A change of settings as a run keeps it, so that somebody else can look at it and approve it (S2, I5).

It lies in the run archive beside the plan. A document holds the names of secrets and no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from muster.runs.ports import Archive
from muster.runs.run import Run

# The name of the document in a run's folder; a change of settings is tried in the first attempt only.
_NAME = "settings"
_ATTEMPT = 1
# More places than anybody reads; the document itself is whole.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """What somebody wants to save, and why.

    `document` is as written, `changed` lists `{where, before, after}` against the version in force, defaults
    included. `held_for` are the reasons for which it waits whatever it does to members, in words. `planned`
    says whether its effect on the roster was planned.
    """

    document: Mapping[str, Any]
    why: str = ""
    changed: Sequence[Mapping[str, Any]] = ()
    held_for: Sequence[str] = ()
    planned: bool = True

    def keep(self, archive: Archive, organization: str, run: str) -> None:
        """Store it with a run; raises `Unavailable` or `Misconfigured`."""
        archive.put_document(organization, run, _ATTEMPT, _NAME, asdict(self))

    def shown(self) -> dict[str, Any]:
        """Return it as an admin sees it; the document is told by what it changes."""
        return {
            "held_for": list(self.held_for),
            "changed": list(self.changed[:MOST_SHOWN]),
            "changed_in_all": len(self.changed),
        }


def kept(archive: Archive, run: Run) -> SettingsChange | None:
    """Return the change that a run keeps; `None` for a run that keeps none.

    Raises `Unavailable` where it is no longer in the archive.
    """
    if run.settings_hash is None:
        return None
    return SettingsChange(**archive.document(run.organization, run.id, _ATTEMPT, _NAME))
