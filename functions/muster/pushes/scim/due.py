"""From when on a push has to look at a member for a SCIM target (O2)."""

from muster.pushes.scim.differences import aim, difference
from muster.pushes.scim.wanted_users import ScimUser
from muster.roster.scim_accounts import ScimAccount
from muster.settings.scim_connection import ScimConnection

_ALWAYS = "9999-12-31T00:00:00.000Z"


def due_from(account: ScimAccount, wanted: ScimUser | None, connection: ScimConnection) -> str | None:
    """Return the moment (ISO 8601) from which there is something to do; empty: now, `None`: never.

    It is stored with the member, and holds as long as neither the member nor the settings change.
    """
    if not difference(account, wanted, connection, _ALWAYS):
        return None
    failed = account.tries is not None and account.tried == aim(wanted)
    return account.tries.next() if failed and account.tries else ""
