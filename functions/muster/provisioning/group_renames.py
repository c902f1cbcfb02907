"""Groups of an app whose assignment goes by another name now: they keep their members (O2, A12). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from muster.provisioning.app_state import AppState, here
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection


@dataclass(frozen=True, slots=True)
class GroupRename:
    """A group, by its id in the app, its name so far, and the one that it is to have."""

    group: str
    before: str
    after: str

    def in_words(self) -> str:
        """Return what is done, as a sentence."""
        return f"The group {self.before} is renamed {self.after}."


def group_renames(state: AppState, connection: TargetConnection, settings: Settings) -> list[GroupRename]:
    """Return which groups of assignments are to be renamed, by what assignments were called `formerly`.

    One whose new name is a group's already is left: its members leave it and are put into that one.
    """
    if not connection.groups_of_assignments:
        return []
    known = here(state, connection).groups
    of_seats = settings.seats if connection.seats_as == "groups" else {}
    found = []
    for assignment in settings.assignments:
        if assignment.name in known or assignment.name in of_seats:
            continue
        before = next((name for name in assignment.formerly if name in known and name not in of_seats), None)
        if before is not None:
            found.append(GroupRename(known[before], before, assignment.name))
    return found


def renamed(state: AppState, renames: Iterable[GroupRename]) -> AppState:
    """Return the state once these groups are renamed."""
    for each in renames:
        state = state.with_group(each.after, each.group)
    return state
