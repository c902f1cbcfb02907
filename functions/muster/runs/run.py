"""The record of a run, and what imports remember between runs (I1, I7).

A run goes through its phases in order and can stop after each of its steps: the invocation that resumes it
finds what it needs in the record and in the run archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from muster.crm import salesforce_ids

type Mode = Literal["full", "incremental", "members", "push"]
type Kind = Literal["import", "settings", "push"]


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

    `id` sorts by start. `members` are the CRM ids it is about, empty for everyone; `since` is the
    moment from which an incremental run reads changes. `attempt` counts how often the source was
    gathered, each into a folder of its own, and `gathered_at` is when that began; `cursor` counts the
    plan's items that were applied.
    `by` is who started it and stays so; `approved_by` and `rejected_by` who decided about it when it
    waited. `request_id` and `decided_request_id` are the ids of these two invocations.
    `settings_version` is what it was planned with, `approved` the hash of the plan that an admin let pass.
    `settings_hash` is the digest of the document that a change of settings is about, and `why` the reason
    given for it. `integration_users` is in whose name each connection was called, by the ids there (U5).
    `left_out` counts by reason who is no active member by its plan (A4). Times are
    ISO 8601 in UTC.
    """

    id: str
    organization: str
    mode: Mode
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

    def to_json(self) -> dict[str, Any]:
        """Return the run as functions answer it and as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Run:
        """Return the run of a stored document; keys of a newer version are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        known["members"] = tuple(known.get("members", ()))
        known["status"] = Status(known["status"])
        known["phase"] = Phase(known["phase"])
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportState:
    """What an organization's imports remember from run to run.

    `watermark` is the newest SystemModstamp on the first page that a completed run read (ISO 8601), and so
    no later than its reading began. `rows` is how many users the last completed full run read, `active` how
    many active members it left, per assignment and under `""`, and `organization_id` the Salesforce org that
    it read (until 0.2.0 it was not stored), `new_since` when the first of that org had completed, after which
    who comes is new; `evaluated_with` is the digest of the settings that everyone in the roster has been
    evaluated with. `approved` is the hash of a plan that may pass the guard until `approved_until`, for an
    admin has approved the settings that lead to it. `frozen` are the CRM ids of the users last seen frozen in
    Salesforce (`None`: not known, or too many to remember). `settings_tried` is the version of
    the settings that Salesforce could not be asked about when it was saved, and has accepted since. What
    begins with `vault_` or `align_` is the same about Vault CRM and Align; `vault_host` is the vault that
    members are linked to (until 0.2.0 it was not stored), `vault_read_at` when it was last read,
    `align_read_with` the digest of the settings that Align was read with.
    """

    watermark: str | None = None
    rows: int | None = None
    active: Mapping[str, int] = field(default_factory=dict)
    evaluated_with: str | None = None
    approved: str | None = None
    approved_until: str | None = None
    full_run: str | None = None
    organization_id: str | None = None
    new_since: str | None = None
    completed_at: str | None = None
    frozen: tuple[str, ...] | None = None
    vault_watermark: str | None = None
    vault_read_at: str | None = None
    vault_rows: int | None = None
    vault_decided_with: str | None = None
    vault_host: str | None = None
    align_watermark: str | None = None
    align_read_with: str | None = None
    settings_tried: int | None = None

    def is_of_another_org(self, organization_id: str | None) -> bool:
        """Whether all this is about another Salesforce org than the one with this id."""
        if self.organization_id is None or organization_id is None:
            return False
        return not salesforce_ids.same(self.organization_id, organization_id)

    def is_of_another_vault(self, host: str) -> bool:
        """Whether members are linked to the users of another vault than the one at this host."""
        return self.vault_host is not None and self.vault_host.casefold() != host.casefold()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ImportState:
        """Return the state of a stored document; keys of a newer version are left out."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        if known.get("frozen") is not None:
            known["frozen"] = tuple(known["frozen"])
        return cls(**known)
