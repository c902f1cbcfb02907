"""What deciding about a user is given, and what it returns. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from muster.error_log import LogEntry
from muster.roster.history import HistoryEntry
from muster.roster.links import Link
from muster.roster.member import Member

# What fits into a transaction beside everything else; entries older than these are deleted before it.
HISTORY_ERASED_AT_ONCE = 50


class Outcome(StrEnum):
    """The outcome of a change; writers count them."""

    CREATED = "created"
    LINKED = "linked"
    UPDATED = "updated"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    UNCHANGED = "unchanged"
    NOT_PROVISIONED = "not_provisioned"
    WAITING = "waiting"
    SEATED = "seated"
    STALE = "stale"
    UNLINKED = "unlinked"
    AMBIGUOUS = "ambiguous"
    ERASED = "erased"
    HELD = "held"


class UnlinkedReason(StrEnum):
    """Why a user of Vault CRM is linked to no member (G10)."""

    NO_MEMBER = "no_member"
    AMBIGUOUS = "ambiguous"
    MEMBER_LINKED_TO_ANOTHER = "member_linked_to_another"
    # Likewise linked to another, and no active member any more.
    MEMBER_LEFT = "member_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the roster knows about one user.

    `link` is the user's own, `member` the one it is linked to. `matches` holds, per match key that was looked
    up, the ids of the members stored under it; `namesakes` are those that have one of the keys. `manager` is
    the id of the active member that is linked to the user's manager, if there is one: who has left is
    nobody's manager. `former` is the member that is still linked to the user's former self, in another
    Salesforce org.
    """

    link: Link | None = None
    member: Member | None = None
    manager: str | None = None
    matches: Mapping[str, frozenset[str]] | None = None
    namesakes: tuple[Member, ...] = ()
    former: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look up before deciding about a user: its match keys, and its manager's CRM id.

    `claims` are looked up even if the user has a member: keys that another member may have by a converted
    address, or this one would. `succeeds` is the CRM id of its former self in another Salesforce org.
    """

    match_keys: tuple[str, ...] = ()
    manager: str | None = None
    claims: tuple[str, ...] = ()
    succeeds: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to write, whole or not at all.

    `before` and `link_before` must still be stored as they were read, `matches` (where given) must
    still name the same members, and `unchanged` must not have changed; else the decision is void. It is
    void too if a seat it takes has run out: `limits` holds the limit of each limited seat (A9).
    `gives_way` are members who have to give up a converted address first, because it is this member's own.
    `newcomer` says that the member's manager may have to be notified (N1). `entry` is what the error log has
    to say about it: written with the rest, and so once. `erases_history` deletes the member's history
    before this version, up to `HISTORY_ERASED_AT_ONCE` entries, and `keys_erased` are match keys that nobody
    else has or waits for, whose items go with the member (T5). `unlinked_reason` is why a user of Vault CRM
    is linked to nobody; `unchanged` are then the members that it fits.
    """

    outcome: Outcome
    before: Member | None = None
    after: Member | None = None
    history: HistoryEntry | None = None
    link_before: Link | None = None
    link: Link | None = None
    replaced: Link | None = None
    matches: Mapping[str, frozenset[str]] | None = None
    unchanged: tuple[Member, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    gives_way: tuple[Member, ...] = ()
    newcomer: bool = False
    entry: LogEntry | None = None
    erases_history: bool = False
    keys_erased: tuple[str, ...] = ()
    unlinked_reason: UnlinkedReason | None = None

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return self.after is not None or self.link is not None
