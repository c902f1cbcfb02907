"""The items of an app's push: one person each; counts, hash, file, and what an admin sees. Pure."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from muster.provisioning.differences import Kind
from muster.roster.accounts import Account
from muster.roster.member import Json
from muster.runs.operations import CREATE, DEACTIVATE, GRANT, REVOKE, UPDATE

# What is counted of a person, by the first of these steps that is to be done.
_COUNTED = {
    Kind.DELETE: "deleted",
    Kind.DEACTIVATE: "closed",
    Kind.CREATE: "made",
    Kind.ACTIVATE: "opened",
    Kind.CHANGE: "changed",
    Kind.JOIN: "regrouped",
    Kind.LEAVE: "regrouped",
    Kind.CLOSE_OTHERS: "other_closed",
    Kind.READ_BACK: "read_back",
    Kind.LOOK: "looked_for",
}
# Steps that change nothing in the app.
_READS = frozenset({Kind.LOOK, Kind.READ_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountItem:
    """What is to be done for one person in an app.

    `goal` is the digest of what the member is to have, and `steps` are those that lead there from `account`,
    which is what is known of it once it was looked for; `looked_for` says that this run has done that.
    `before` is what was recorded. `forget` says that nothing is to be done but to note that.
    `takes_freed`: it is tried because somebody who leaves frees a licence, and `retried`: that, or because
    the time for another try has come. `operations` are counted by the guard. `drift` says in what the app is
    not as it was left, where that was compared.
    """

    member: str
    name: str | None
    assignment: str | None
    goal: str
    steps: tuple[Kind, ...]
    account: Account
    before: Account
    looked_for: bool = False
    takes_freed: bool = False
    retried: bool = False
    operations: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def former(self) -> str | None:
        """The assignment that revocations count for."""
        return self.assignment

    @property
    def user(self) -> str:
        """Who it is about, where plans are compared."""
        return self.member

    @property
    def does(self) -> str:
        """What is done, in a word: what runs count; empty if nothing changes and nobody has to act."""
        for kind, counted in _COUNTED.items():
            if kind in self.steps and (kind not in _READS):
                return counted
        if self.account.state and self.account.state != self.before.state:
            # Found there before.
            return {"to_adopt": "to_adopt", "conflict": "conflict"}.get(self.account.state, "linked")
        return next((_COUNTED[kind] for kind in self.steps), "")

    @property
    def is_sent(self) -> bool:
        """Whether anything is written to the app."""
        return any(kind not in _READS for kind in self.steps)

    @property
    def is_shown(self) -> bool:
        """Whether an answer shows it."""
        return bool(self.does)

    @property
    def leaves(self) -> bool:
        """Whether the member is to be in the app no more."""
        return self.goal == LEFT

    def shown(self) -> dict[str, Any]:
        """Return the item as an admin sees it in a preview."""
        return {
            "member": self.member,
            "name": self.name,
            "does": self.does,
            "steps": list(self.steps),
            "account": self.account.user_name or None,
            "account_id": self.account.id or None,
            "why": self.account.why or None,
            "retried": self.retried,
            **({"drift": list(self.drift)} if self.drift else {}),
        }

    def to_json(self) -> Json:
        """Return the item as a line of the plan's file."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return document | {"account": self.account.to_json(), "before": self.before.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "AccountItem":
        """Return the item in one line of the plan's file."""
        return cls(
            **{
                **document,
                "steps": tuple(Kind(each) for each in document["steps"]),
                "account": Account.from_json(document["account"]),
                "before": Account.from_json(document["before"]),
                "operations": tuple(document["operations"]),
                "drift": tuple(document.get("drift", ())),
            }
        )


LEFT = "left"


def operations(steps: Iterable[Kind]) -> tuple[str, ...]:
    """Return the operations that the guard counts these steps as."""
    kinds = frozenset(steps)
    found = []
    if kinds & {Kind.CREATE, Kind.ACTIVATE}:
        found.append(CREATE)
    if kinds & {Kind.DEACTIVATE, Kind.DELETE}:
        # Whoever is closed leaves the groups as well: that is one loss.
        return (*found, DEACTIVATE)
    if Kind.CHANGE in kinds:
        found.append(UPDATE)
    if Kind.JOIN in kinds:
        found.append(GRANT)
    elif Kind.LEAVE in kinds:
        found.append(REVOKE)
    return tuple(found)


def counts(items: Iterable[AccountItem]) -> dict[str, int]:
    """Return the number of people by what is done."""
    return dict(Counter(item.does for item in items if item.does))


def plan_hash(items: Iterable[AccountItem]) -> str:
    """Return the hash of a plan: what would be done to whom.

    What is tried again because the time for it has come is left out, as in every push (I5).
    """
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: each.member):
        if item.does and not item.retried:
            kinds = [kind for kind in item.steps if kind not in _READS]
            line = [item.member, item.goal, kinds, item.account.id, item.account.state]
            digest.update(json.dumps(line).encode() + b"\n")
    return digest.hexdigest()


def written(items: Iterable[AccountItem]) -> bytes:
    """Return items as a part of the plan's file: one JSON object per line."""
    return b"".join(orjson.dumps(item.to_json(), option=orjson.OPT_APPEND_NEWLINE) for item in items)


def read(part: bytes) -> Sequence[AccountItem]:
    """Return the items of a part of the plan's file."""
    return [AccountItem.from_json(orjson.loads(line)) for line in part.splitlines()]
