"""The items of an import's plan: counts, hash, and how an admin sees them (I1, I5, I6).

The hash covers what would be done to which version of which member, and nothing that differs between
two plans made from the same state. An approval is for one hash.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from muster.crm.engage_features import FEATURES
from muster.roster import seats
from muster.roster.decisions import Decision, Outcome
from muster.roster.history import FieldChange
from muster.roster.member import Member
from muster.runs.operations import CREATE, DEACTIVATE, GRANT, REVOKE, UPDATE
from muster.sources.user_changes import UserChange
from muster.sources.vault_users import VaultUser

_BY_OUTCOME = {
    Outcome.CREATED: CREATE,
    Outcome.LINKED: UPDATE,
    Outcome.UPDATED: UPDATE,
    Outcome.REACTIVATED: UPDATE,
    Outcome.DEACTIVATED: DEACTIVATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What to do about one user.

    `operations` are those the guard counts: grants count for `assignment`, revocations for `former`, the
    previous assignment. `version` is the member's version that the plan was made from, 0 for a new member.
    `change` is all that applying the item needs; `None` for who is served from a line (`seating`).
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
    change: UserChange | VaultUser | None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Item":
        """Return the item in one line of the plan's file."""
        return cls(
            **{
                **document,
                "operations": tuple(document["operations"]),
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
            "changes": [asdict(each) for each in self.changes],
        }


def _change(document: Mapping[str, Any] | None) -> UserChange | VaultUser | None:
    if document is None:
        return None
    if "seen" in document:
        return VaultUser.from_json(document)
    return UserChange(**{**document, "matches": frozenset(document["matches"])})


def item_of(change: UserChange | VaultUser | None, decision: Decision) -> Item:
    """Return the plan's item for a decision; without a change, for a member whom it serves from a line."""
    before, after = decision.before, decision.after
    # What users of Vault CRM have, nobody gives or takes here.
    held = _seats if isinstance(change, VaultUser) else _seats_and_features
    lost = bool(before) and bool(held(before) - held(after))
    gained = bool(held(after) - held(before))
    own = _BY_OUTCOME.get(decision.outcome)
    operations = [own, GRANT if gained else None, REVOKE if lost else None]
    person = after or before
    takes = decision.outcome is Outcome.DEACTIVATED
    governing = before if takes else after
    return Item(
        user=change.crm_id if change else _user_of(person),
        member=person.id if person else None,
        name=person.name if person else None,
        outcome=decision.outcome,
        operations=tuple(each for each in operations if each),
        assignment=governing.assignment if governing else None,
        former=before.assignment if before else None,
        reason=after.inactive_reason if after else None,
        version=before.version if before else 0,
        changes=decision.history.changes if decision.history else (),
        change=change,
    )


def _user_of(member: Member | None) -> str:
    return (member and member.crm.get("salesforce", {}).get("id")) or ""


def _seats(member: Member | None) -> frozenset[str]:
    return seats.held(member.seats) if member else frozenset()


def _seats_and_features(member: Member | None) -> frozenset[str]:
    """Return what a member holds: seats, and the Engage features for which a group is requested."""
    if member is None:
        return frozenset()
    asked = (feature for feature in FEATURES if getattr(member, feature)["request"])
    return _seats(member) | {f"feature:{feature}" for feature in asked}


def counts(items: Iterable[Item]) -> dict[str, int]:
    """Return the number of users by outcome, and of those who get or lose a seat or a group, by operation."""
    found: Counter[str] = Counter()
    for item in items:
        found[item.outcome] += 1
        found.update(operation for operation in item.operations if operation in (GRANT, REVOKE))
    return dict(found)


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
