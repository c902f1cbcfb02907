"""The items of an import's plan: counts, hash, and how an admin sees them (I1, I5, I6).

The hash covers what would be done to which version of which member, and nothing that differs between
two plans made from the same state. An approval is for one hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import orjson

from muster.crm.engage_features import FEATURES
from muster.errors import Problem
from muster.presentation import words
from muster.roster import entitlements, seats
from muster.roster.decisions import Decision, Outcome
from muster.roster.history import FieldChange
from muster.roster.member import Member
from muster.roster.taken_back import groups_lost, seats_lost
from muster.runs.operations import CREATE, DEACTIVATE, GRANT, REVOKE, UPDATE
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import LostLink, VaultUser

# How many moves from one assignment to another a warning names.
MOST_MOVES = 5

_BY_OUTCOME = {
    Outcome.CREATED: CREATE,
    Outcome.LINKED: UPDATE,
    Outcome.UPDATED: UPDATE,
    Outcome.REACTIVATED: UPDATE,
    Outcome.DEACTIVATED: DEACTIVATE,
}
# After these, the member is a manager where it was none before; who leaves is decided about first of all.
ARRIVING = frozenset({Outcome.CREATED, Outcome.LINKED, Outcome.REACTIVATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What to do about one user.

    `operations` are those the guard counts: grants count for `assignment`, revocations for `former`, the
    previous assignment. `version` is the member's version that the plan was made from, 0 for a new member.
    `change` is all that applying the item needs; `None` for who is served from a line (`seating`).
    `loses_by_hand` names what was edited by hand on a member who stays, and is overwritten (A12).
    """

    user: str
    member: str | None
    name: str | None
    outcome: str
    operations: tuple[str, ...]
    assignment: str | None
    former: str | None
    reason: str | None
    version: int
    changes: tuple[FieldChange, ...]
    change: UserChange | VaultUser | LostLink | None
    loses_by_hand: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Item":
        """Return the item in one line of the plan's file."""
        if "held" in document and cls is Item:
            return UndoItem.from_json(
                {**document, "held": tuple(Problem(**each) for each in document["held"])}
            )
        return cls(
            **{
                **document,
                "operations": tuple(document["operations"]),
                "loses_by_hand": tuple(document.get("loses_by_hand", ())),
                "changes": tuple(FieldChange(**each) for each in document["changes"]),
                "change": _change(document["change"]),
            }
        )

    def shown(self) -> dict[str, Any]:
        """Return the item as an admin sees it in a preview."""
        return {
            "member": self.member,
            "user": self.user,
            "name": self.name,
            "does": self.outcome,
            "assignment": self.assignment,
            "reason": self.reason,
            **({"loses_by_hand": list(self.loses_by_hand)} if self.loses_by_hand else {}),
            "changes": [asdict(each) for each in self.changes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoItem(Item):
    """What an undo does about one user; `held` is what it cannot put back, and why."""

    held: tuple[Problem, ...] = ()

    def shown(self) -> dict[str, Any]:
        """Return the item as an admin sees it in a preview."""
        shown = Item.shown(self)
        return {**shown, "held": [asdict(each) for each in self.held]} if self.held else shown


def _change(document: Mapping[str, Any] | None) -> UserChange | VaultUser | LostLink | None:
    if document is None:
        return None
    if "seen" in document:
        return VaultUser.from_json(document)
    if "why" in document:
        return LostLink.from_json(document)
    return UserChange(**{**document, "matches": frozenset(document["matches"])})


def item_of(change: UserChange | VaultUser | LostLink | None, decision: Decision) -> Item:
    """Return the plan's item for a decision; without a change, for a member whom it serves from a line."""
    before, after = decision.before, decision.after
    # What users of Vault CRM have, nobody gives or takes here.
    held = _seats if isinstance(change, VaultUser | LostLink) else _seats_and_features
    lost = before is not None and after is not None and _takes_back(change, before, after)
    gained = bool(held(after) - held(before))
    own = _BY_OUTCOME.get(decision.outcome)
    operations = [own, GRANT if gained else None, REVOKE if lost else None]
    waits = decision.outcome is Outcome.WAITING
    # Of who waits for a namesake, the member shown is the one that is in the way.
    person = decision.unchanged[0] if waits and decision.unchanged else after or before
    takes = decision.outcome is Outcome.DEACTIVATED
    governing = before if takes else after
    return Item(
        user=change.id if isinstance(change, LostLink) else change.crm_id if change else _user_of(person),
        member=person.id if person else None,
        name=person.name if person and not waits else _name(change),
        outcome=decision.outcome,
        operations=tuple(each for each in operations if each),
        assignment=governing.assignment if governing else None,
        former=before.assignment if before else None,
        reason=after.inactive_reason if after else decision.link.reason if decision.link else None,
        version=before.version if before else 0,
        changes=decision.history.changes if decision.history else (),
        change=change,
        loses_by_hand=_lost_by_hand(before, after),
    )


def _takes_back(change: UserChange | VaultUser | LostLink | None, before: Member, after: Member) -> bool:
    """Whether seats are taken, or groups, or the user in Vault CRM without whom there is no group.

    A group that Vault CRM shows no request for was taken there.
    """
    if seats_lost(before, after) or isinstance(change, LostLink):
        return True
    return isinstance(change, UserChange) and bool(groups_lost(before, after))


def _lost_by_hand(before: Member | None, after: Member | None) -> tuple[str, ...]:
    """Return what was edited by hand on a member who stays, and is the assignment's from now on."""
    if before is None or after is None or not (before.active and after.active):
        return ()
    lost = entitlements.hand_edits(before) - entitlements.hand_edits(after)
    return tuple(sorted(lost))


def lost_by_hand(items: Iterable[Item]) -> list[Problem]:
    """Return the warning that a plan overwrites what was edited by hand, if it does (A12)."""
    losing = Counter((item.former, item.assignment) for item in items if item.loses_by_hand)
    if not losing:
        return []
    moves = ", ".join(
        f"{count:,} of {former!r}" + (f" (then in {now!r})" if now != former else "")
        for (former, now), count in losing.most_common(MOST_MOVES)
    )
    more = " and others" if len(losing) > MOST_MOVES else ""
    count = losing.total()
    return [
        Problem(
            "assignments",
            f"take what was edited by hand away from {count:,} member{'s' * (count != 1)}: {moves}{more}",
            "If an assignment was only renamed, keep its filter, or write its old name under formerly."
            " Else edit them again afterwards; loses_by_hand of each change says what.",
        )
    ]


def _name(change: UserChange | VaultUser | LostLink | None) -> str | None:
    """Return the name of a user who is no member, as Salesforce has it."""
    fields = change.fields if isinstance(change, UserChange) else {}
    return " ".join(name for each in ("FirstName", "LastName") if (name := fields.get(each))) or None


def _user_of(member: Member | None) -> str:
    return (member and member.crm.get("salesforce", {}).get("id")) or ""


def _seats(member: Member | None) -> frozenset[str]:
    return seats.held(member.seats) if member else frozenset()


def _seats_and_features(member: Member | None) -> frozenset[str]:
    """Return what a member holds: seats, and the Engage features for which a group is requested."""
    if member is None:
        return frozenset()
    asked = (feature for feature in FEATURES if member.feature(feature).request)
    return _seats(member) | {f"feature:{feature}" for feature in asked}


def counts(items: Iterable[Item]) -> dict[str, int]:
    """Return the number of users by outcome, and of those who get or lose a seat or a group, by operation."""
    found: Counter[str] = Counter()
    for item in items:
        found[item.outcome] += 1
        found.update(operation for operation in item.operations if operation in (GRANT, REVOKE))
    return dict(found)


def first(items: Iterable[Item], most: int) -> list[Item]:
    """Return the items that an answer shows: some of each kind, the important kinds first.

    Of who leaves, who joins, who gains or loses something, and of all others; a kind's in the plan's order.
    """
    by_kind: dict[int, list[Item]] = {}
    for item in items:
        some = by_kind.setdefault(_importance(item), [])
        if len(some) < most:
            some.append(item)
    kinds = [by_kind[kind] for kind in sorted(by_kind)]
    share = most // len(kinds) if kinds else 0
    room = most - sum(min(len(some), share) for some in kinds)
    chosen: list[Item] = []
    for some in kinds:
        more = min(room, max(0, len(some) - share))
        chosen += some[: share + more]
        room -= more
    return chosen


def first_shown(items: Iterable[Item], most: int) -> list[dict[str, Any]]:
    """Return the same of the items that change something, as an answer shows them."""
    effective = (item for item in items if item.outcome != Outcome.UNCHANGED)
    return [item.shown() for item in first(effective, most)]


def _importance(item: Item) -> int:
    if item.outcome == Outcome.DEACTIVATED:
        return 0
    if item.outcome in (Outcome.CREATED, Outcome.REACTIVATED):
        return 1
    if item.outcome == Outcome.WAITING:
        return 2
    return 3 if item.operations in ((), (UPDATE,)) else 2


def tally(items: Iterable[Item]) -> dict[str, dict[str, int]]:
    """Return how many join, by assignment, leave, by reason, and change, by attribute (in words)."""
    joins: Counter[str] = Counter()
    leaves: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    for item in items:
        if item.outcome == Outcome.DEACTIVATED:
            leaves[item.reason or ""] += 1
        elif item.outcome in (Outcome.CREATED, Outcome.REACTIVATED):
            joins[item.assignment or ""] += 1
        else:
            changed.update({_called(each.field) for each in item.changes})
    return {"joins": dict(joins), "leaves": dict(leaves), "changed": dict(changed)}


# A plan of many updates names few attributes.
_called = lru_cache(maxsize=1_000)(words.attribute)


def plan_hash(items: Iterable[Item]) -> str:
    """Return the hash of a plan."""
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: each.user):
        # A new member's id, and the time since when someone waits, differ each time a plan is made.
        after = {
            each.field: each.after
            for each in item.changes
            if each.field != "id" and not each.field.endswith(".since")
        }
        line = json.dumps([item.user, item.outcome, item.version, after], sort_keys=True)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def written(items: Iterable[Item]) -> bytes:
    """Return items as a part of the plan's file: one JSON object per line."""
    return b"".join(orjson.dumps(item, default=sorted, option=orjson.OPT_APPEND_NEWLINE) for item in items)


def read(part: bytes) -> list[Item]:
    """Return the items of a part of the plan's file."""
    return [Item.from_json(orjson.loads(line)) for line in part.splitlines()]
