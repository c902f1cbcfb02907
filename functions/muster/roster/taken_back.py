"""What a change takes from a member who stays: seats, and Engage groups (A9, G6). Pure.

The guard counts both as `revoke`. A group that is exchanged for another one is not taken back.
"""

from muster.crm import engage_features
from muster.roster import seats
from muster.roster.member import Member


def seats_lost(before: Member, after: Member) -> tuple[str, ...]:
    """Return the seats that the member held and no longer holds."""
    return tuple(sorted(seats.held(before.seats) - seats.held(after.seats)))


def groups_lost(before: Member, after: Member) -> tuple[str, ...]:
    """Return the Engage features in which the member requested a group and requests none any more."""
    return tuple(
        feature
        for feature in engage_features.FEATURES
        if before.feature(feature).request and not after.feature(feature).request
    )
