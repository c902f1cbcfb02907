"""The record of an organization's latest webhook set-up: who, when, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """The state of a set-up; `CONTINUE`: the deployment is not finished, or not known to be."""

    UNDER_WAY = "under_way"
    CONTINUE = "continue"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Setup:
    """One set-up, the latest of its organization.

    `at` is when it began, `until` when it counts as dead if it is still under way (both ISO 8601 in UTC);
    `attempt` identifies it; `deployment` is Salesforce's deployment id; `token` is the digest of the token
    that the outbound message gets, or loses, with it; `replaced` the digest of the one it had.
    """

    action: str
    by: str
    at: str
    until: str
    attempt: str
    outcome: Outcome = Outcome.UNDER_WAY
    deployment: str | None = None
    token: str | None = None
    replaced: str | None = None

    def is_at_work(self, now: datetime) -> bool:
        """Whether another set-up has to wait for this one."""
        return self.outcome is Outcome.UNDER_WAY and now < datetime.fromisoformat(self.until)

    def after(self, before: Setup | None) -> Setup:
        """Return this set-up with the unfinished work of the one before it, if that did not succeed."""
        if before is None or before.outcome is Outcome.SUCCEEDED:
            return self
        return replace(self, deployment=before.deployment, token=before.token, replaced=before.replaced)

    def shown(self) -> dict[str, Any]:
        """Return the set-up as admins see it."""
        return {
            "action": self.action,
            "by": self.by,
            "at": self.at,
            "outcome": self.outcome.value,
            "deployment": self.deployment,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the set-up as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Setup:
        """Return the set-up of a stored document; keys of a newer version are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**known | {"outcome": Outcome(document["outcome"])})
