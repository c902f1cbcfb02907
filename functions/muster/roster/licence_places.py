"""A member's place in line for an Engage licence (G8).

There is a line for each group; or one for all groups of a feature, where the vault counts its licences by
feature (settings: `engage_licenses`).
"""

from dataclasses import dataclass, replace

from muster.crm.engage_features import FEATURES, Feature
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.roster.vault_state import VaultState
from muster.settings import Settings

# A feature, and a group in it; no group: the line is for every group of the feature.
type Line = tuple[str, str]


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
    return frozenset(
        Place(feature, place.group, place.since, place.tried) for feature, place in member.vault.waits.items()
    )


def line_for(feature: str, group: str, settings: Settings) -> Line:
    """Return the line in which who wants this group waits."""
    connection = settings.connections.vault_crm
    is_shared = connection is not None and connection.engage_licenses == "per_feature"
    return feature, "" if is_shared else group


def freed_by(feature: str, before: str | None, after: str | None, settings: Settings) -> Line | None:
    """Return the line that has a licence more when somebody goes from one group to another, or to none."""
    if before is None or before == after:
        return None
    left = line_for(feature, before, settings)
    return None if after is not None and left == line_for(feature, after, settings) else left


def groups_left(before: Member | None, after: Member) -> list[tuple[str, str]]:
    """Return each Engage group that the member has left, with its feature: each frees a licence."""
    if before is None or vault_id(before) != vault_id(after):
        # It goes with the user, who may hold it still.
        return []
    groups = ((each, before.feature(each).group, after.feature(each).group) for each in FEATURES)
    return [(feature, was) for feature, was, becomes in groups if was and was != becomes]


def without_place(vault: VaultState, feature: Feature) -> VaultState:
    """Return a member's `vault` without its place in this feature's line."""
    return replace(vault, waits={name: place for name, place in vault.waits.items() if name != feature})
