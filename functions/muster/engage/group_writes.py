"""What a push writes to a user about one feature: out of a group, or into one (P1, G7). Pure."""

from datetime import date

from muster.crm import engage_features
from muster.crm.engage_features import Feature, Seen
from muster.roster import engage_groups, vault_tries
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.mappings import sends_status

# No group, written as an empty text: for a vault that takes no value for no change (P3).
BLANK = ""

type Writes = dict[str, str | None]


def removal(member: Member, feature: Feature, seen: Seen, settings: Settings, day: date, at: str) -> Writes:
    """Return what takes the member, who is to be in no group, out of one; empty: nothing does, or not yet.

    Whoever asked for it before, what failed is tried again at the time that `vault_tries` says (G7), or at
    once where that is asked for by hand. `at` is now (ISO 8601), `day` today.
    """
    asked = is_asked_for(member, feature, seen)
    tries = vault_tries.of_removal(member, feature)
    if not asked:
        leaves = not engage_groups.may_hold(member, day) or engage_groups.is_being_removed(member, feature)
        waits = tries is not None and at < tries.next(under_way=_is_under_way(seen))
        if waits or not leaves or not _holds(seen):
            return {}
    return _writes(None, feature, seen, settings, retry=asked or tries is not None)


def addition(
    member: Member, feature: Feature, seen: Seen, settings: Settings, at: str, *, waits: bool
) -> Writes:
    """Return what asks for the member's group; `waits`: it is the member's turn in line (G8).

    What Vault CRM refused to save is tried again at the time that `vault_tries` says. `at` is now (ISO 8601).
    """
    tries = vault_tries.of_addition(member, feature)
    is_due = tries is not None and engage_groups.is_unsaved(member, feature) and at >= tries.next()
    if not waits and not is_due and not engage_groups.is_unsent(member, feature):
        return {}
    return _writes(member.feature(feature).request, feature, seen, settings, retry=True)


def is_asked_for(member: Member, feature: Feature, seen: Seen) -> bool:
    """Whether the removal of a member who is to be in no group is asked for, and not sent yet.

    A request that stands for when the member comes back does not ask for it, where nothing is held.
    """
    nothing_stands = member.feature(feature).request is None
    return engage_groups.is_unsent(member, feature) and (nothing_stands or _holds(seen))


def is_in_group(seen: Seen) -> bool:
    """Whether a user is in a group, or something is under way.

    Such a user is not inactivated: Engage Connect does nothing for inactive users (G7).
    """
    return seen.group is not None or _is_under_way(seen)


def _holds(seen: Seen) -> bool:
    return seen.request is not None or seen.group is not None


def _is_under_way(seen: Seen) -> bool:
    return seen.status in (engage_features.REQUEST_SENT, engage_features.RETRY_REQUEST)


def _writes(group: str | None, feature: Feature, seen: Seen, settings: Settings, *, retry: bool) -> Writes:
    connection = settings.connections.vault_crm
    always = connection is not None and connection.always_send_status
    writes = engage_groups.to_send(group, seen, retry=retry, always_send_status=always)
    if sends_status(settings, feature):
        return writes
    # Only requests may be written, and writing the one that is already there would start nothing.
    return {"request": group} if "request" in writes and group != seen.request else {}
