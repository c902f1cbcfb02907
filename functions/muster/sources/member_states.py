"""What the index by state shows of a member: whom it is linked to, and the digests of what was read."""

from typing import NamedTuple


class MemberState(NamedTuple):
    """What the index shows of a member: its user, its digest, and whether it is active.

    `unmatched_since` is empty unless its days of grace run. `crm_id` is empty for who is linked to Vault CRM
    only, `vault_id` and `vault_digest` for who is not linked to that.
    """

    crm_id: str
    member: str
    digest: str
    active: bool
    unmatched_since: str = ""
    vault_id: str = ""
    vault_digest: str = ""
