"""What provisioning an app needs from the outside world."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from muster.checks import Check
from muster.crm.scim_answers import Written
from muster.crm.scim_attributes import Json, Values
from muster.crm.scim_lists import ListPage
from muster.crm.scim_patches import Operation
from muster.crm.scim_resources import Kind, Resource
from muster.errors import Problem
from muster.lease import Lease
from muster.provisioning.app_state import AppState
from muster.roster.accounts import Account
from muster.roster.ports import Roster
from muster.runs.ports import Archive, RunPorts, Runs


class Target(Protocol):
    """An app; `adapters.scim.client` and `adapters.aws.user_pool` are the real ones.

    A write raises `OutcomeUnknown` where it may have had an effect.
    """

    def all(self, kind: Kind) -> Iterator[ListPage]:
        """Yield all users or groups that are shown, page by page."""

    def find(self, kind: Kind, attribute: str, value: str) -> list[Resource]:
        """Return those with a value; raises `FilterRefused` where they are not found by that."""

    def get(self, kind: Kind, resource_id: str) -> Resource | None:
        """Return a user or group, `None` if none of that id is shown."""

    def create(self, kind: Kind, body: Json) -> Written:
        """Make a user or group."""

    def activate(self, user_id: str, active: bool, values: Values) -> Written:
        """Let a user in, or keep the user out; `values` are those sent before."""

    def change(self, user_id: str, before: Values, after: Values) -> Written:
        """Change an active user."""

    def patch(self, kind: Kind, resource_id: str, operations: Sequence[Operation]) -> Written:
        """Change a user or group by operations."""

    def delete(self, kind: Kind, resource_id: str) -> Written:
        """Delete a user or group."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of provisioning one target.

    `groups` are the ids of its groups by name, as they were recorded. `record` stores accounts, by their
    members' ids, and `record_group` a group's id, `None` for one that is gone, which nobody is in any more;
    both before anything else is sent. `tell` takes what an admin has to know about a member, by its id, or
    about a group, by its name.
    """

    target: Target
    groups: Mapping[str, str]
    record: Callable[[Mapping[str, Account]], None]
    record_group: Callable[[str, str | None], None]
    tell: Callable[[str, Problem], None]


class App(Target, Protocol):
    """An app as a push meets it, before anything is sent."""

    def refusal(self) -> str | None:
        """Return why nothing is sent, if its credentials were refused; the app is not called."""

    def retry_login(self) -> None:
        """Send credentials that were refused once more; does nothing if they were not (U5)."""

    def first_page(self, kind: Kind) -> int:
        """Return how many users or groups the first page of a list shows."""


class AppStates(Protocol):
    """What pushes remember of apps; `adapters.aws.app_table` is the real one."""

    def state(self, organization: str, app: str) -> AppState:
        """Return what is remembered of an app, by the name of its connection."""

    def save(self, app: str, state: AppState, lease: Lease) -> None:
        """Remember this of an app, under the lease of the run; raises `Stale`."""


@dataclass(frozen=True, slots=True)
class AppPorts:
    """The outside world of a push to an app.

    `preflight` returns the failed ones of the checks that sending depends on (U6), `users` the ids of the
    integration users in whose name the connections have been called (U5).
    """

    runs: Runs
    archive: Archive
    roster: Roster
    states: AppStates
    app: Target
    preflight: Callable[[], Sequence[Check]]
    users: Callable[[], Mapping[str, str]] = dict

    @property
    def of_runs(self) -> RunPorts:
        """What any run needs of it."""
        return RunPorts(self.runs, self.archive, self.roster, self.users)
