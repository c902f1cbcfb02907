"""Requests that wait until their feature is pushed: managed, and with its request mapped (G1, G12).

A request that is made while its feature is not pushed, or that is not sent yet when that ends, is set aside:
the member's status is what Vault CRM shows, and the request is sent once the feature is pushed. Which are,
is kept in the member's `vault` under `set_aside`. Pure.
"""

from dataclasses import replace

from muster.crm.engage_features import Feature
from muster.roster.member import Member
from muster.roster.vault_state import VaultState


def has(member: Member, feature: Feature) -> bool:
    """Whether the member's request for a feature is set aside."""
    return feature in member.vault.set_aside


def added(vault: VaultState, feature: Feature) -> VaultState:
    """Return a member's `vault` with the feature's request set aside."""
    return replace(vault, set_aside=tuple(sorted({*vault.set_aside, feature})))


def removed(vault: VaultState, feature: Feature) -> VaultState:
    """Return a member's `vault` without it: the request is to be sent, was sent, or stands no more."""
    return replace(vault, set_aside=tuple(each for each in vault.set_aside if each != feature))
