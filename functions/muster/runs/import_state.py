"""What an organization's imports remember from run to run (I1, I2, I13, A14, G9, G10). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from muster.crm import salesforce_ids
from muster.times import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is remembered of one connection.

    `watermark` is the newest time of change on the first page that a completed run read (ISO 8601), and so no
    later than its reading began. `rows` is how many users the last completed run of everyone read, and
    `decided_with` the digest of the settings that they were evaluated with. `read_at` is when it was last
    read. `system` is what was read: the id of the Salesforce org, or the host of the vault (until 0.2.0 it
    was not stored).
    """

    watermark: str | None = None
    rows: int | None = None
    decided_with: str | None = None
    read_at: str | None = None
    system: str | None = None

    def read_to(self, newest: str | None) -> SourceState:
        """Return the state once records up to this time of change (ISO 8601) were read."""
        if newest is None:
            return self
        return replace(self, watermark=max(self.watermark or "", timestamp(datetime.fromisoformat(newest))))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportState:
    """What an organization's imports remember from run to run.

    `salesforce`, `vault_crm` and `align` are about the connections of these names. `active` is how many
    active members the last completed run left, per assignment and under `""`, `full_run` the last one of
    everyone, and `new_since` when the first of this Salesforce org had completed, after which who comes is
    new. `approved` is the hash of a plan that may pass the guard until `approved_until`, for an admin has
    approved the settings that lead to it. `frozen` are the CRM ids of the users last seen frozen in
    Salesforce (`None`: not known, or too many to remember). `vault_groups` are the groups that users of Vault
    CRM were seen in, by feature. `settings_tried` is the version of the settings that Salesforce could not be
    asked about when it was saved, and has accepted since.
    """

    salesforce: SourceState = field(default_factory=SourceState)
    vault_crm: SourceState = field(default_factory=SourceState)
    align: SourceState = field(default_factory=SourceState)
    active: Mapping[str, int] = field(default_factory=dict)
    approved: str | None = None
    approved_until: str | None = None
    full_run: str | None = None
    new_since: str | None = None
    completed_at: str | None = None
    frozen: tuple[str, ...] | None = None
    vault_groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings_tried: int | None = None

    def is_of_another_org(self, organization_id: str | None) -> bool:
        """Whether all this is about another Salesforce org than the one with this id."""
        if self.salesforce.system is None or organization_id is None:
            return False
        return not salesforce_ids.same(self.salesforce.system, organization_id)

    def is_of_another_vault(self, host: str) -> bool:
        """Whether members are linked to the users of another vault than the one at this host."""
        linked_to = self.vault_crm.system
        return linked_to is not None and linked_to.casefold() != host.casefold()

    def to_json(self) -> dict[str, Any]:
        """Return the state as it is stored."""
        return {name: _value_at(self, path) for name, path in _STORED.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ImportState:
        """Return the state of a stored document; keys of a newer version are left out."""
        known: dict[str, Any] = {}
        of_connections: dict[str, dict[str, Any]] = {}
        for name, (connection, attribute) in _STORED.items():
            if name in document:
                of = of_connections.setdefault(connection, {}) if connection else known
                of[attribute] = document[name]
        if known.get("frozen") is not None:
            known["frozen"] = tuple(known["frozen"])
        known |= {name: SourceState(**each) for name, each in of_connections.items()}
        return cls(**known)


# The keys of the stored document in their order, each with its connection, if it is about one, and attribute.
_STORED: Mapping[str, tuple[str | None, str]] = {
    "watermark": ("salesforce", "watermark"),
    "rows": ("salesforce", "rows"),
    "active": (None, "active"),
    "evaluated_with": ("salesforce", "decided_with"),
    "approved": (None, "approved"),
    "approved_until": (None, "approved_until"),
    "full_run": (None, "full_run"),
    "organization_id": ("salesforce", "system"),
    "new_since": (None, "new_since"),
    "completed_at": (None, "completed_at"),
    "frozen": (None, "frozen"),
    "vault_watermark": ("vault_crm", "watermark"),
    "vault_read_at": ("vault_crm", "read_at"),
    "vault_rows": ("vault_crm", "rows"),
    "vault_groups": (None, "vault_groups"),
    "vault_decided_with": ("vault_crm", "decided_with"),
    "vault_host": ("vault_crm", "system"),
    "align_watermark": ("align", "watermark"),
    "align_read_with": ("align", "decided_with"),
    "settings_tried": (None, "settings_tried"),
}


def _value_at(state: ImportState, path: tuple[str | None, str]) -> Any:
    connection, attribute = path
    return getattr(getattr(state, connection) if connection else state, attribute)
