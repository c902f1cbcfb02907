"""What is known of a member's account in an app: whose it is, what was sent, what was read back (O3).

What was sent is recorded, not what the target shows of it: a target may leave out, translate or forget. What
it shows counts for one thing alone, whether the user is active. Immutable; times are in ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from muster.crm.scim_attributes import Values
from muster.roster.stored_values import Json, Unknown, unknown
from muster.roster.vault_state import Tries

type Standing = Literal["", "linked", "matched", "conflict", "ignored"]
# What was last sent about access.
type Access = Literal["", "given", "ended", "deleted"]

# Nobody has looked yet, or there was nothing to be found.
UNKNOWN: Final = ""
LINKED: Final = "linked"  # Muster has made the account, or was told to adopt it
MATCHED: Final = "matched"  # it has the member's userName, and waits for somebody to adopt or ignore it
CONFLICT: Final = "conflict"  # there is an account, and it is not clear which, or it is another member's
IGNORED: Final = "ignored"  # somebody has said that it is to be left alone

_NOTHING: Values = MappingProxyType({})
_NO_GROUPS: Mapping[str, str] = MappingProxyType({})
_NOT_OTHERWISE: Mapping[str, tuple[str, str]] = MappingProxyType({})
_NO_OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member's account in a target; nothing is done to one that is not `linked` (O3).

    `system` is which app it is in: host and path, or a user pool; elsewhere there is no such account.
    `id` and `user_name` are in the target's own spelling; until it is found, `user_name` is what it was to be
    found or made by. `origin` says how it was linked: `created`, `external_id` or `adopted:<who>`. `access`
    is what was last sent about it, `active` what was read back since, `None` if it was not. `sent` are the
    attributes as they were last sent, `groups` the ids of the groups that it was put into, by their names,
    and `joining` the names of those that it was about to be put into: it may be in them.

    `readdressed`: its userName or address was changed, of which some targets make a second account; so
    others are looked for when the member leaves. `others` are those of the member's, by their ids, that are
    to be closed, and the ids of the groups that each is to be taken out of.

    `shown_as`: what the target shows otherwise right after it was sent, by attribute (or `group <name>`):
    what was sent, and what is shown.

    `unsure`: a write may have been sent and its answer is not known, so the next step is to look. `taken`:
    the target has said that the name is taken. `full_since`: since when the target has no licence for it.
    `tries` are those of what `tried` digests, which of an account that is nobody's is what was asked when it
    was looked for; `why` is why the latest failed, or what a conflict is.
    """

    standing: Standing = UNKNOWN
    system: str = ""
    id: str = ""
    user_name: str = ""
    origin: str = ""
    access: Access = ""
    active: bool | None = None
    sent: Values = field(default_factory=lambda: _NOTHING)
    groups: Mapping[str, str] = field(default_factory=lambda: _NO_GROUPS)
    joining: tuple[str, ...] = ()
    readdressed: bool = False
    others: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_OTHERS)
    shown_as: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _NOT_OTHERWISE)
    unsure: bool = False
    taken: bool = False
    full_since: str | None = None
    tries: Tries | None = None
    tried: str = ""
    why: str = ""
    unknown: Unknown = ()

    @property
    def is_linked(self) -> bool:
        """Whether Muster may do anything to it."""
        return self.standing == LINKED

    @property
    def is_open(self) -> bool:
        """Whether it is Muster's to close, and was not seen to be closed."""
        return self.is_linked and self.active is not False

    @property
    def state(self) -> str:
        """How it stands, in a word: what members, their history and events show; empty for no account."""
        if self.is_linked:
            return (
                "active"
                if self.is_open or self.others
                else ("deleted" if self.access == "deleted" else "inactive")
            )
        if self.full_since:
            return "no_licence"
        return {MATCHED: "to_adopt"}.get(self.standing, self.standing) or ("failed" if self.tries else "")

    @property
    def due(self) -> str | None:
        """From when on a push has something to do, whatever the member is to have; `None`: nothing.

        The moment is in ISO 8601, empty for at once. What was begun is gone on with, what failed is tried.
        """
        if self.standing == IGNORED:
            return None
        is_sent = self.is_linked and self.active is None and self.access != ""
        if self.tries:
            return self.tries.next()
        return "" if self.unsure or is_sent or self.others else None

    def shown(self) -> Json:
        """Return what members and their history show of it; empty for no account."""
        return {"state": self.state} | ({"id": self.id} if self.id else {}) if self.state else {}

    def to_json(self) -> Json:
        """Return what is stored: what differs from the default."""
        stored = {name: value for name, empty in _EMPTY.items() if (value := getattr(self, name)) != empty}
        if "sent" in stored:
            stored["sent"] = {
                name: list(value) if isinstance(value, tuple) else value for name, value in self.sent.items()
            }
        if "groups" in stored:
            stored["groups"] = dict(self.groups)
        if "joining" in stored:
            stored["joining"] = list(self.joining)
        if "others" in stored:
            stored["others"] = {each: list(groups) for each, groups in self.others.items()}
        if "shown_as" in stored:
            stored["shown_as"] = {name: list(pair) for name, pair in self.shown_as.items()}
        if self.tries:
            stored["tries"] = {"since": self.tries.since, "last": self.tries.last, "count": self.tries.count}
            stored["tries"] |= {
                name: at for name in ("failed", "overdue") if (at := getattr(self.tries, name))
            }
        return stored | dict(self.unknown)

    @staticmethod
    def from_json(document: Json) -> Account:
        """Return the account of what is stored."""
        values = {name: document[name] for name in _EMPTY if name in document}
        if "sent" in values:
            values["sent"] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values["sent"].items()
            }
        if "others" in values:
            values["others"] = {each: tuple(groups) for each, groups in values["others"].items()}
        if "shown_as" in values:
            values["shown_as"] = {name: (sent, shown) for name, (sent, shown) in values["shown_as"].items()}
        if "joining" in values:
            values["joining"] = tuple(values["joining"])
        if "tries" in values:
            values["tries"] = Tries(**values["tries"])
        return Account(**values, unknown=unknown(document, _EMPTY))


NO_ACCOUNT = Account()
_LINKED = Account(standing=LINKED)
_UNKNOWN_MOMENT = "0001-01-01T00:00:00.000Z"
# What there is to say of an account by its state alone; the keys are all states that are shown.
_BY_STATE: Mapping[str, Account] = {
    "active": _LINKED,
    "inactive": replace(_LINKED, active=False),
    "deleted": replace(_LINKED, active=False, access="deleted"),
    "to_adopt": Account(standing=MATCHED),
    "conflict": Account(standing=CONFLICT),
    "ignored": Account(standing=IGNORED),
    "no_licence": Account(full_since=_UNKNOWN_MOMENT),
    "failed": Account(tries=Tries(since=_UNKNOWN_MOMENT, last=_UNKNOWN_MOMENT)),
}
STATES = tuple(_BY_STATE)
OPEN, NO_LICENCE = "active", "no_licence"
# For which somebody has to decide something, or to correct something.
IN_NEED = frozenset({"to_adopt", "conflict", "failed"})
_EMPTY = {name: getattr(NO_ACCOUNT, name) for name in Account.__dataclass_fields__ if name != "unknown"}


def of_shown(shown: Json) -> Account:
    """Return the account of what members and their history show of it, as far as that goes."""
    return replace(_BY_STATE.get(shown.get("state", ""), NO_ACCOUNT), id=shown.get("id") or "")


def is_due(accounts: Mapping[str, Account], changed_for: Iterable[str], connection: str, at: str) -> bool:
    """Whether a push to a connection has to look at a member at a moment (ISO 8601)."""
    since = due(accounts, changed_for).get(connection)
    return since is not None and since <= at


def due(accounts: Mapping[str, Account], changed_for: Iterable[str]) -> dict[str, str]:
    """Return from when on a push has to look at a member, by connection; empty: at once.

    `changed_for` are the connections that no push has brought in line with the member since it changed.
    """
    waiting = {name: when for name, each in accounts.items() if (when := each.due) is not None}
    return waiting | dict.fromkeys(changed_for, "")


def is_in_reach(account: Account, leads_to: str | None) -> bool:
    """Whether pushes still do anything to it; `leads_to` is which app the connection is, `None` for none.

    What was connected before, and is not any more, is left as it was.
    """
    return leads_to is not None and account.system in ("", leads_to)


def linked(accounts: Mapping[str, Account]) -> frozenset[tuple[str, str]]:
    """Return the accounts that are a member's own: connection and id there. No two members share one."""
    return frozenset((name, each.id) for name, each in accounts.items() if each.is_linked and each.id)
