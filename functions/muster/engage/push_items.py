"""The items of a push's plan: one person's part in one step each; counts, hash, file (P1).

The steps run in this order, because each can use what the one before it frees, and because Engage
Connect works for active users only:

    outcome         outcomes of earlier requests are recorded in the roster; nothing is sent
    removal         remove from a group
    activation      activate the user
    update          write the fields that custom mappings name, on which an addition may depend
    addition        add to a group; members waiting in line come before new requests
    inactivation    inactivate the user

Pure: no I/O, no clock.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from muster.crm import engage_features
from muster.crm.engage_features import Feature, Seen
from muster.roster.written_fields import FieldWrite


class Step(StrEnum):
    """The steps of a push, in their order."""

    OUTCOME = "outcome"
    REMOVAL = "removal"
    ACTIVATION = "activation"
    UPDATE = "update"
    ADDITION = "addition"
    INACTIVATION = "inactivation"


STEPS = tuple(Step)
# What people call the system.
VAULT_CRM = "Vault CRM"
SENT = frozenset(STEPS) - {Step.OUTCOME}
# The name under which people are counted, by step.
COUNTED = {
    Step.OUTCOME: "looked_at",
    Step.REMOVAL: "removed",
    Step.ACTIVATION: "activated",
    Step.UPDATE: "updated",
    Step.ADDITION: "added",
    Step.INACTIVATION: "inactivated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushItem:
    """One person's part in one step.

    `user` is the Vault CRM id. `writes` maps a feature to the values to write, `request` and `status`; in
    an outcome, to nothing if Vault CRM already holds the request. `active` is the user status to write, in
    an outcome the one Vault CRM shows. `fields` maps an attribute to what an update writes for it. `seen`,
    `written` (by field) and `modified` are what Vault CRM showed when this was planned. `awaits` is the
    feature whose licence has to become free first. `retried` is what is tried again because the time for it
    has come, of the features, `engage_features.USER_STATUS` and `FIELDS`.
    """

    step: Step
    user: str
    member: str
    name: str | None
    version: int
    assignment: str | None
    seen: Mapping[Feature, Seen]
    modified: str | None
    writes: Mapping[Feature, Mapping[str, str | None]] = field(default_factory=dict)
    active: bool | None = None
    fields: Mapping[str, FieldWrite] = field(default_factory=dict)
    written: Mapping[str, str | None] = field(default_factory=dict)
    awaits: Feature | None = None
    retried: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()

    @property
    def former(self) -> str | None:
        """The assignment that revocations count for."""
        return self.assignment

    @property
    def is_sent(self) -> bool:
        """Whether anything is written to Vault CRM."""
        return self.step in SENT

    @property
    def is_shown(self) -> bool:
        """Whether an answer shows it: what is only read is no news."""
        return self.is_sent

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "PushItem":
        """Return the item in one line of the plan's file."""
        seen = {feature: Seen(**each) for feature, each in document["seen"].items()}
        return cls(
            **{
                **document,
                "step": Step(document["step"]),
                "seen": seen,
                "fields": {name: FieldWrite(**each) for name, each in document.get("fields", {}).items()},
                "retried": tuple(document.get("retried", ())),
                "operations": tuple(document["operations"]),
            }
        )

    def shown(self) -> dict[str, Any]:
        """Return the item as an admin sees it in a preview."""
        return {
            "member": self.member,
            "user": self.user,
            "name": self.name,
            "does": self.step,
            "writes": self.writes,
            "active": self.active,
            "fields": {
                name: {"field": each.field, "from": each.shown, "to": each.to}
                for name, each in self.fields.items()
            },
            "if_freed": self.awaits,
            "now": {feature: asdict(seen) for feature, seen in self.seen.items()},
        }


def counts(items: Iterable[PushItem]) -> dict[str, int]:
    """Return the number of people by step, and separately those in line who may get a licence."""
    found: Counter[str] = Counter()
    for item in items:
        found["in_line" if item.awaits else COUNTED[item.step]] += 1
    return dict(found)


def plan_hash(items: Iterable[PushItem]) -> str:
    """Return the hash of a plan: what would be done to which version of which member.

    What is tried again because the time for it has come is left out: a plan made an hour later, while nothing
    has moved, is the same plan (I5).
    """
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda each: (each.step, each.user)):
        writes = {feature: each for feature, each in item.writes.items() if feature not in item.retried}
        active = None if engage_features.USER_STATUS in item.retried else item.active
        fields = {} if engage_features.FIELDS in item.retried else item.fields
        if item.step in SENT and (writes or fields or active is not None):
            line = [item.step, item.user, item.version, writes, active, item.awaits]
            line += [{name: [each.field, each.to] for name, each in fields.items()}] if fields else []
            digest.update(json.dumps(line, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def written(items: Iterable[PushItem]) -> bytes:
    """Return items as a part of the plan's file: one JSON object per line."""
    return b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)


def read(part: bytes) -> list[PushItem]:
    """Return the items of a part of the plan's file."""
    return [PushItem.from_json(orjson.loads(line)) for line in part.splitlines()]


def chunks(items: Sequence[PushItem], most: int) -> Iterator[Sequence[PushItem]]:
    """Yield the items in order, in chunks of one step and at most `most` items."""
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and end - start < most and items[end].step == items[start].step:
            end += 1
        yield items[start:end]
        start = end
