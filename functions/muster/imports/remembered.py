"""What imports remember once a run is complete (I2, I13, A14, G10). Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from muster.runs.run import ImportState, Run
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
    organization_id = summary.get("organization_id")
    if state.is_of_another_org(organization_id):
        state = replace(state, watermark=None)
    newest = _normal(summary["newest"]) if summary["newest"] else state.watermark
    state = replace(
        state,
        organization_id=organization_id or state.organization_id,
        watermark=max(newest or "", state.watermark or "") or None,
        active=summary["active"],
        frozen=state.frozen if (frozen := summary.get("frozen")) is None else tuple(frozen),
        completed_at=timestamp(now),
    )
    if vault := summary.get("vault_crm"):
        state = _after_vault(state, run, vault, settings)
    if run.mode == "full":
        state = replace(
            state,
            rows=summary["read"],
            evaluated_with=summary["evaluated_with"],
            full_run=run.id,
            new_since=timestamp(now) if first else state.new_since,
        )
        if state.approved == run.plan_hash:
            state = replace(state, approved=None, approved_until=None)
    return state


def _after_vault(state: ImportState, run: Run, vault: Mapping[str, Any], settings: Settings) -> ImportState:
    host = vault.get("host", state.vault_host)
    if host and state.is_of_another_vault(host):
        state = replace(state, vault_watermark=None)
    newest = _normal(vault["newest"]) if vault["newest"] else state.vault_watermark
    watermark = max(newest or "", state.vault_watermark or "") or None
    state = replace(state, vault_watermark=watermark, vault_read_at=run.gathered_at or run.started_at)
    groups = vault.get("groups", state.vault_groups)
    if not vault["whole"]:
        known = state.vault_groups
        more = {name: [*dict.fromkeys([*known.get(name, ()), *found])] for name, found in groups.items()}
        return replace(state, vault_groups={**known, **more})
    state = replace(state, vault_groups=groups)
    decided = vault_settings_digest(settings)
    return replace(state, vault_rows=vault["read"], vault_decided_with=decided, vault_host=host)


def _normal(stamp: str) -> str:
    return timestamp(datetime.fromisoformat(stamp))
