"""Requests that wait until their feature is pushed: managed, and with its request mapped (G1, G12).

A request that is made while its feature is not pushed, or that is not sent yet when that ends, is set aside:
the member's status is what Vault CRM shows, and the request is sent once the feature is pushed. Which are,
is kept in the member's `vault` under `set_aside`. Pure.
"""

from collections.abc import Mapping
from typing import Any

from muster.crm.engage_features import Feature
from muster.roster.member import Member


def has(member: Member, feature: Feature) -> bool:
    """Whether the member's request for a feature is set aside."""
    return feature in member.vault.get("set_aside", ())


def added(vault: Mapping[str, Any], feature: Feature) -> dict[str, Any]:
    """Return a member's `vault` with the feature's request set aside."""
    return {**vault, "set_aside": sorted({*vault.get("set_aside", ()), feature})}


def removed(vault: Mapping[str, Any], feature: Feature) -> dict[str, Any]:
    """Return a member's `vault` without it: the request is to be sent, was sent, or stands no more."""
    left = [each for each in vault.get("set_aside", ()) if each != feature]
    rest = {name: value for name, value in vault.items() if name != "set_aside"}
    return {**rest, "set_aside": left} if left else rest
