"""What the index by state shows of a member: the users it is linked to, and the digests of their rows."""

from typing import NamedTuple


class MemberState(NamedTuple):
    """What the index shows of a member: its user, its digest, and whether it is active.

    `unmatched_since` is empty unless its days of grace are running, `inactive_since` if it is active or was
    deactivated before that was kept (both ISO 8601). `crm_id` is empty for a member linked to
    Vault CRM only, `vault_id` and `vault_digest` for one not linked to Vault CRM.
    """

    crm_id: str
    member: str
    digest: str
    active: bool
    unmatched_since: str = ""
    vault_id: str = ""
    vault_digest: str = ""
    inactive_since: str = ""
