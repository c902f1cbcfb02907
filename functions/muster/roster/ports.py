"""What the roster needs of its table and its snapshots.

The adapters are `adapters.aws.roster_table`, `roster_views` and `snapshot_files`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from muster.error_log import LogEntry
from muster.lease import Lease
from muster.roster.decisions import Decision, Known, Wanted
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Place
from muster.roster.links import Link
from muster.roster.member import Json, Member
from muster.roster.seats import Pool, Pools
from muster.roster.snapshots import Manifest
from muster.roster.unlinked_holders import UnlinkedHolder
from muster.settings import Settings
from muster.sources.member_states import MemberState

# How many users or members are looked up in the roster at a time; BatchGetItem takes a hundred keys.
LOOKED_UP_AT_ONCE = 100


class Roster(Protocol):
    """The roster as use cases read and write it; the adapter is `adapters.aws.roster_table`."""

    def gather(self, organization: str, wanted: Mapping[str, Wanted]) -> dict[str, Known]:
        """Return what is known of each Salesforce user."""

    def members(self, organization: str, members: Iterable[str]) -> dict[str, Member]:
        """Return the members of these ids."""

    def pools(self, organization: str, seats: Iterable[str]) -> dict[str, Pool]:
        """Return how many hold each of these seats, and how many wait."""

    def line(self, organization: str, seat: str, limit: int) -> list[str]:
        """Return the first members in line for a seat."""

    def waiting(self, organization: str, match_keys: Iterable[str]) -> list[Link]:
        """Return the links of users who wait for one of these match keys."""

    def write(
        self, organization: str, decisions: Sequence[Decision], now: float, lease: Lease | None = None
    ) -> list[Decision]:
        """Write decisions, each whole or not at all; returns those that are void, to be decided again."""

    def holders(self, organization: str, match_keys: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return who has each of these match keys (member ids), or waits for it (CRM ids)."""

    def account_members(self, organization: str, connection: str, accounts: Iterable[str]) -> dict[str, str]:
        """Return the members (ids) that accounts of an app are linked to, by the accounts' ids there (O3)."""

    def forget_history(self, organization: str, member: str, version: int) -> None:
        """Delete a member's history up to a version, that one included (T5)."""

    def states(self, organization: str) -> Iterable[MemberState]:
        """Return what the index shows of every member linked to a CRM; it may lag behind the table."""

    def due(self, organization: str, today: date) -> Iterable[tuple[str, Due]]:
        """Return the members (ids) that a push or an import has to look at by that day; it may lag too."""

    def licence_lines(self, organization: str) -> tuple[list[tuple[str, Place]], Counter[tuple[str, str]]]:
        """Return who waits for a licence (member id, place), in order, and how many licences are free.

        Free licences are counted per feature and group.
        """

    def offered(self, organization: str, counts: Mapping[tuple[str, str], int]) -> None:
        """Reduce the counts of free licences by those that were offered to the lines."""

    def park(self, organization: str, entries: Iterable[LogEntry], now: float) -> int:
        """Add to the error log and return how many entries were new; `now` is in epoch seconds."""


class UnlinkedHolders(Protocol):
    """The recorded users of Vault CRM who have a group and are linked to nobody (G10).

    The adapter is `adapters.aws.unlinked_holder_table`.
    """

    def holders(self, organization: str) -> dict[str, UnlinkedHolder]:
        """Return all that are recorded, by Vault CRM id, in the order of their ids."""

    def record(
        self, organization: str, holders: Sequence[UnlinkedHolder], forget: Sequence[str], lease: Lease
    ) -> None:
        """Record these as they are, and forget those of these ids; raises `Stale`."""


class Change(Protocol):
    """What a user of a CRM looks like: `UserChange` or `VaultUser`."""

    @property
    def crm_id(self) -> str:
        """The user's id in that CRM."""

    @property
    def run(self) -> str:
        """What brought the change, for the history: a message or a run."""


class Rules(Protocol):
    """How a changed user changes its member: `salesforce_lifecycle` or `vault_lifecycle`.

    Each knows one kind of change.
    """

    def wanted_for(self, change: Any, settings: Settings) -> Wanted:
        """Return what has to be looked up to decide about the change."""

    def decide(self, change: Any, known: Known, settings: Settings, pools: Pools, now: datetime) -> Decision:
        """Return the decision about the change."""


class Judge(Protocol):
    """Whoever may hold decisions back: the guard at the webhook's door (W12)."""

    def judge(self, decided: Sequence[tuple[Any, Decision]]) -> list[Decision]:
        """Return the decisions about these changes, or for some of them one that writes nothing.

        What is judged in one call is judged together, and stays judged. Raises `Unavailable`.
        """


class RosterViews(Protocol):
    """The roster as people read it; the adapter is `adapters.aws.roster_views`."""

    def everyone(self, organization: str, active: bool | None) -> Iterator[Member]:
        """Yield all members, the active ones or the others, in no order; none of them is to be written."""

    def member(self, organization: str, member: str) -> Member | None:
        """Return the member of that id."""

    def link(self, organization: str, crm_id: str) -> Link | None:
        """Return what is known of a Salesforce user."""

    def matching(self, organization: str, keys: tuple[str, ...]) -> list[str]:
        """Return the ids of the members that have any of these match keys."""

    def history(
        self, organization: str, member: str, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """Return a member's history, newest first."""

    def nobodys(self, organization: str) -> frozenset[str]:
        """Return the ids of the users of Vault CRM who have a licence and are linked to nobody (G10)."""

    def error_log(self, organization: str) -> Iterator[Json]:
        """Yield the entries of the error log, newest first."""


class Snapshots(Protocol):
    """The snapshots of the roster, one a day; the adapter is `adapters.aws.snapshot_files`."""

    def days(self, organization: str) -> list[str]:
        """Return the days (ISO 8601) of which there is a snapshot, in order."""

    def manifest(self, organization: str, day: str) -> Manifest:
        """Return what the snapshot of a day consists of; raises `Unavailable` if there is none."""

    def part(self, organization: str, day: str, number: int) -> bytes:
        """Return a file of the snapshot of a day; they count from 1."""

    def put_part(self, organization: str, day: str, number: int, body: bytes) -> None:
        """Store a file, in place of the one there is."""

    def put_manifest(self, manifest: Manifest) -> None:
        """Store the manifest: from now on there is a snapshot of its day."""
