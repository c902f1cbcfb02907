"""Since when a request has been under way: sent to the Engage server, and not answered (P3).

That is kept in the member's `vault` under `under_way`, by feature, from when it is first seen. Pure.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from muster.crm.engage_features import Feature
from muster.roster.member import Member
from muster.roster.vault_state import VaultState

# The Engage server answers within seconds. A request that is under way for so long is told.
LONG = timedelta(days=1)


def seen(vault: VaultState, feature: Feature, at: str | None) -> VaultState:
    """Return a member's `vault` when the feature's request is under way at this moment; `None`: it is not."""
    others = {name: since for name, since in vault.under_way.items() if name != feature}
    if at is not None:
        others[feature] = vault.under_way.get(feature, at)
    return replace(vault, under_way=others)


def too_long_since(member: Member, feature: Feature, now: datetime) -> datetime | None:
    """Return since when a request has been under way for too long; `None`: there is no such request."""
    since = member.vault.under_way.get(feature)
    if since is None:
        return None
    began = datetime.fromisoformat(since)
    return began if now - began >= LONG else None
