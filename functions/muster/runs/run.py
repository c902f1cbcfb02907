"""The record of a run (I1, I7).

A run goes through its phases in order and can stop after each of its steps: the invocation that resumes it
finds what it needs in the record and in the run archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, get_args

type Mode = Literal["full", "incremental", "members"]
type Kind = Literal["import", "settings", "push", "undo"]
_MODES = get_args(Mode.__value__)
_OF_SOME = frozenset({"undoes", "undoes_kind", "app", "compares"})


class Status(StrEnum):
    """How far a run has come, or how it ended."""

    RUNNING = "running"
    PARKED = "parked"
    SUCCEEDED = "succeeded"
    SUCCEEDED_WITH_ERRORS = "succeeded_with_errors"
    PREVIEWED = "previewed"
    REJECTED = "rejected"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether this is final; the record of a run that has ended never changes."""
        return self not in (Status.RUNNING, Status.PARKED)


class Phase(StrEnum):
    """What a run at work is doing."""

    GATHER = "gather"
    APPLY = "apply"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The record of one run.

    `id` sorts by start. `mode` is whom it reads, `None` for a kind of run that has no modes. `members` are
    the CRM ids it is about, empty for everyone; `since` is the moment from which an incremental run reads
    changes. `attempt` counts how often the source was gathered, each into a folder of its own, and
    `gathered_at` is when that began; `cursor` counts the plan's items that were applied.
    `by` is who started it and stays so; `approved_by` and `rejected_by` who decided about it when it
    waited. `request_id` and `decided_request_id` are the ids of these two invocations.
    `settings_version` is what it was planned with, `approved` the hash of the plan that an admin let pass.
    `settings_hash` is the digest of the document that a change of settings is about, and `why` the reason
    given for it. `integration_users` is in whose name each connection was called, by the ids there (U5).
    `left_out` counts by reason who is no active member by its plan (A4). `undoes` is the run that an undo
    puts back, and `undoes_kind` what kind that is, or what it undid itself. `app` is the connection of
    the app that a push is to (`scim.gong`), `None` for Vault CRM; with `compares` the push compares all of
    the app with what was sent. Times are ISO 8601 in UTC.
    """

    id: str
    organization: str
    mode: Mode | None = None
    started_at: str
    kind: Kind = "import"
    status: Status = Status.RUNNING
    phase: Phase = Phase.GATHER
    by: str | None = None
    preview: bool = False
    members: tuple[str, ...] = ()
    since: str | None = None
    attempt: int = 1
    gathered_at: str | None = None
    settings_version: int = 0
    approved: str | None = None
    approved_by: str | None = None
    rejected_by: str | None = None
    request_id: str | None = None
    decided_request_id: str | None = None
    settings_hash: str | None = None
    why: str | None = None
    undoes: str | None = None
    undoes_kind: Kind | None = None
    app: str | None = None
    compares: bool | None = None
    cursor: int = 0
    planned: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    integration_users: Mapping[str, str] = field(default_factory=dict)
    errors: int = 0
    plan_hash: str | None = None
    expires_at: str | None = None
    updated_at: str | None = None
    finished_at: str | None = None
    message: str | None = None

    @property
    def mode_or_kind(self) -> str:
        """What it is called where runs are told apart by their modes."""
        return self.mode or self.kind

    def to_json(self) -> dict[str, Any]:
        """Return the run as functions answer it and as it is stored."""
        record = {**asdict(self), "mode": self.mode_or_kind}
        # Only an undo, or a push to an app, has these.
        return {name: each for name, each in record.items() if name not in _OF_SOME or each is not None}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Run:
        """Return the run of a stored document; keys of a newer version are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        known["mode"] = known["mode"] if known["mode"] in _MODES else None
        known["members"] = tuple(known.get("members", ()))
        known["status"] = Status(known["status"])
        known["phase"] = Phase(known["phase"])
        return cls(**known)


def at_of(run: Run) -> datetime:
    """Return the moment for which a run decides: when its gathering began."""
    return datetime.fromisoformat(run.gathered_at or run.started_at)
