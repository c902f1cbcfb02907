"""Links from users of Salesforce to members, and the keys under which a person is recognised (W8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from muster.roster.member import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is known of one Salesforce user: the member it is linked to, or why there is none.

    A user without a member keeps its `source` here, so that an older message arriving late cannot
    provision someone who has left meanwhile (W4). One that waits for a namesake's seat in the roster
    keeps its `fields`, the assignments it `matches` and the `match_keys` under which it waits (W8).
    """

    crm_id: str
    member: str | None = None
    reason: str | None = None
    source: str | None = None
    fields: Mapping[str, str | None] = field(default_factory=dict)
    matches: tuple[str, ...] = ()
    match_keys: tuple[str, ...] = ()
    revision: int = 0


def match_keys(username: str | None, email: str | None) -> tuple[str, ...]:
    """Return the keys under which a person is recognised, whatever the case (W8)."""
    return tuple(
        f"{kind}#{value.casefold()}" for kind, value in (("username", username), ("email", email)) if value
    )


def vault_key(vault_id: str) -> str:
    """Return the key under which the user of Vault CRM with this id is recognised."""
    return f"vault_crm#{vault_id}"


def keys_named(reference: str) -> tuple[str, ...]:
    """Return the keys that a reference can stand for: an address, or a number, an id in Vault CRM."""
    if "@" in reference:
        return match_keys(reference, reference)
    return (vault_key(reference),) if reference.isascii() and reference.isdigit() else ()


def keys_of(member: Member | None) -> tuple[str, ...]:
    """Return the match keys of a member; none for no member."""
    if member is None:
        return ()
    vault_id = member.crm.get("vault_crm", {}).get("id")
    return (*match_keys(member.username, member.email), *((vault_key(vault_id),) if vault_id else ()))
