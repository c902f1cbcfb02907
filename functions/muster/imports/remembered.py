"""What imports remember once a run is complete (I2, I13, A14, G10). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.runs.import_state import ImportState, SourceState
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import vault_settings_digest
from muster.settings.mappings import salesforce_organization
from muster.times import timestamp


def is_the_first(state: ImportState, settings: Settings) -> bool:
    """Whether everyone was never imported before, or last from another Salesforce org."""
    return state.full_run is None or state.is_of_another_org(salesforce_organization(settings))


def state_after(
    state: ImportState, run: Run, summary: Mapping[str, Any], settings: Settings, now: datetime
) -> ImportState:
    """Return the state after a run for everyone, or of what has changed; `summary` is that of its plan."""
    first = is_the_first(state, settings)
    state = replace(
        state,
        salesforce=_salesforce_after(state, run, summary),
        active=summary["active"],
        frozen=state.frozen if (frozen := summary.get("frozen")) is None else tuple(frozen),
        completed_at=timestamp(now),
    )
    if vault := summary.get("vault_crm"):
        groups = _groups_after(state, vault)
        state = replace(state, vault_crm=_vault_after(state, run, vault, settings), vault_groups=groups)
    if run.mode == "full":
        state = replace(state, full_run=run.id, new_since=timestamp(now) if first else state.new_since)
        if state.approved == run.plan_hash:
            state = replace(state, approved=None, approved_until=None)
    return state


def _salesforce_after(state: ImportState, run: Run, summary: Mapping[str, Any]) -> SourceState:
    organization_id, source = summary.get("organization_id"), state.salesforce
    if state.is_of_another_org(organization_id):
        source = replace(source, watermark=None)
    source = replace(source.read_to(summary["newest"]), system=organization_id or source.system)
    if run.mode != "full":
        return source
    return replace(source, rows=summary["read"], decided_with=summary["evaluated_with"])


def _vault_after(state: ImportState, run: Run, vault: Mapping[str, Any], settings: Settings) -> SourceState:
    source = state.vault_crm
    host = vault.get("host", source.system)
    if host and state.is_of_another_vault(host):
        source = replace(source, watermark=None)
    source = replace(source.read_to(vault["newest"]), read_at=run.gathered_at or run.started_at)
    if not vault["whole"]:
        return source
    return replace(source, rows=vault["read"], decided_with=vault_settings_digest(settings), system=host)


def _groups_after(state: ImportState, vault: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return the groups that users were seen in: those of everyone, or what was known and more."""
    known = state.vault_groups
    groups: Mapping[str, Sequence[str]] = vault.get("groups", known)
    if vault["whole"]:
        return groups
    more = {name: [*dict.fromkeys([*known.get(name, ()), *found])] for name, found in groups.items()}
    return {**known, **more}
