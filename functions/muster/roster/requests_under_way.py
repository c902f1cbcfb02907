"""Since when a request has been under way: sent to the Engage server, and not answered (P3).

That is kept in the member's `vault` under `under_way`, by feature, from when it is first seen. Pure.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from muster.crm.engage_features import Feature
from muster.roster.member import Member

# The Engage server answers within seconds. A request that is under way for so long is told.
LONG = timedelta(days=1)


def seen(vault: Mapping[str, Any], feature: Feature, at: str | None) -> dict[str, Any]:
    """Return a member's `vault` when the feature's request is under way at this moment; `None`: it is not."""
    others = {name: since for name, since in vault.get("under_way", {}).items() if name != feature}
    if at is not None:
        others[feature] = vault.get("under_way", {}).get(feature, at)
    rest = {name: value for name, value in vault.items() if name != "under_way"}
    return {**rest, "under_way": others} if others else rest


def too_long_since(member: Member, feature: Feature, now: datetime) -> datetime | None:
    """Return since when a request has been under way for too long; `None`: there is no such request."""
    since = member.vault.get("under_way", {}).get(feature)
    if since is None:
        return None
    began = datetime.fromisoformat(since)
    return began if now - began >= LONG else None
