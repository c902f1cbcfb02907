"""Accounts of members who have left, closed beside any push: which, and what is recorded of them (O4). Pure.

No lease keeps a push away meanwhile. Whoever records second sees that the other has written, and notes that
nobody knows how the account is now (`unsure`): whoever comes next looks. The next push looks in any case at
what is closed here, for one that broke off may have sent something that it has not recorded.
"""

from dataclasses import replace

from muster.provisioning.differences import aim, difference
from muster.provisioning.step_outcomes import NOT_SHOWN
from muster.roster.accounts import Account
from muster.settings.target_connection import TargetConnection


def is_to_be_closed(account: Account, connection: TargetConnection, at: str) -> bool:
    """Whether the account of a member who has left is closed now (ISO 8601), and not by the next push.

    One whose id is not known is just being made, or may be another's: that is for a push to see, but where
    Muster makes none. One that a push is closing, that push reads back.
    """
    if account.system not in ("", connection.leads_to):
        return False
    if account.tries and account.tried == aim(None):
        # It was told, and pushes try it again.
        return False
    is_opening = account.unsure and account.access == "given"
    if account.is_linked and account.active is False and not is_opening:
        return False
    if account.access in ("ended", "deleted") and not account.unsure:
        return False
    if not account.id and not connection.only_ends_access:
        return False
    return bool(difference(account, None, connection, at))


def recorded(account: Account, before: Account, there: Account) -> Account:
    """Return what is recorded of an account after it was closed, or that was tried.

    `before` is what it was like when that began, `there` what is recorded by now: what a push has recorded
    meanwhile stays, but for how the account is.
    """
    if there == before:
        # What looking does not show is not looked at for ever, and what was refused has its time.
        is_settled = account.tries is not None or account.why == NOT_SHOWN
        is_known = account.is_linked and account.id != ""
        return replace(account, unsure=True) if is_known and not is_settled else account
    return possibly_closed(there) if there.id in (before.id, account.id) else there


def possibly_closed(account: Account) -> Account:
    """Return an account of a member that may have been closed: before anything else, it is looked at."""
    if not account.is_linked or not account.id:
        return account
    return replace(account, unsure=True, access="ended")
