"""From when on a push has to look at a member for a SCIM target (O2)."""

from muster.provisioning.differences import aim, difference
from muster.provisioning.wanted_accounts import WantedAccount
from muster.roster.accounts import Account
from muster.settings.target_connection import TargetConnection

_ALWAYS = "9999-12-31T00:00:00.000Z"


def due_from(account: Account, wanted: WantedAccount | None, connection: TargetConnection) -> str | None:
    """Return the moment (ISO 8601) from which there is something to do; empty: now, `None`: never.

    It is stored with the member, and holds as long as neither the member nor the settings change.
    """
    if not difference(account, wanted, connection, _ALWAYS):
        return None
    failed = account.tries is not None and account.tried == aim(wanted)
    return account.tries.next() if failed and account.tries else ""
