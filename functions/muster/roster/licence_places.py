"""A member's place in line for an Engage licence (G8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from muster.roster.member import Member


@dataclass(frozen=True, slots=True)
class Place:
    """A member's place in line for a licence of a group: since when, and when last tried (ISO 8601)."""

    feature: str
    group: str
    since: str
    tried: str


def places(member: Member | None) -> frozenset[Place]:
    """Return the member's places in line; a member who is inactive, or set inactive, has none."""
    if member is None or not member.active or member.crm_user_status == "inactive":
        return frozenset()
    waits = member.vault.get("waits", {})
    return frozenset(Place(feature, **place) for feature, place in waits.items())


def without_place(vault: Mapping[str, Any], feature: str) -> dict[str, Any]:
    """Return a member's `vault` without its place in this feature's line."""
    waits = {name: place for name, place in vault.get("waits", {}).items() if name != feature}
    rest = {name: value for name, value in vault.items() if name != "waits"}
    return {**rest, "waits": waits} if waits else rest
