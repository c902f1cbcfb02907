"""Links from users of Salesforce to members, and the keys under which a person is recognised (W8)."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import normalize

from muster.roster.member import Member
from muster.roster.reasons import WAITING_REASONS

# A message can come again for 24 hours from Salesforce and for 14 days from the dead-letter queue; the
# last version of a user who is not in the roster is remembered for longer than both.
_REMEMBERED_DAYS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A Salesforce user: the member it is linked to, or why there is none.

    A user without a member keeps its `source` here, so that an older message arriving late cannot
    provision someone who has left meanwhile (W4). A user who waits until an active namesake leaves keeps
    the `match_keys` under which it waits, and nothing else: it is read again before it is let in (A14).
    """

    crm_id: str
    member: str | None = None
    reason: str | None = None
    source: str | None = None
    match_keys: tuple[str, ...] = ()
    revision: int = 0

    @property
    def days(self) -> int | None:
        """How many days it is remembered; `None`: for good, as that of a member or of who waits."""
        keeps = self.member is not None or self.reason in WAITING_REASONS
        return None if keeps else _REMEMBERED_DAYS


def same_text(text: str) -> str:
    """Return an address or username such that two that are the same, whatever their case, are equal.

    Case is all that may differ: `casefold` makes ß and ss one (A14).
    """
    return normalize("NFC", text).lower()


def match_keys(username: str | None, *emails: str | None) -> tuple[str, ...]:
    """Return the keys under which a person is recognised, whatever the case."""
    named = [("username", username), *(("email", email) for email in emails)]
    return tuple(dict.fromkeys(f"{kind}#{same_text(value)}" for kind, value in named if value))


def bucket(key: str) -> str:
    """Return what a match key is stored under; two keys may share it, such as those of ß and ss.

    So were all keys until 0.2.0. Whoever reads them looks at the members' own keys.
    """
    kind, mark, name = key.partition("#")
    return key if kind == "vault_crm" else f"{kind}{mark}{name.casefold()}"


def vault_key(vault_id: str) -> str:
    """Return the key under which the user of Vault CRM with this id is recognised."""
    return f"vault_crm#{vault_id}"


def vault_id(member: Member) -> str | None:
    """Return the id of the user of Vault CRM that the member is linked to, if there is one."""
    return member.crm.get("vault_crm", {}).get("id")


def keys_named(reference: str) -> tuple[str, ...]:
    """Return the keys that a reference may stand for: an address, or a number (an id in Vault CRM)."""
    if "@" in reference:
        return match_keys(reference, reference)
    return (vault_key(reference),) if reference.isascii() and reference.isdigit() else ()


def keys_of(member: Member | None) -> tuple[str, ...]:
    """Return the match keys of a member; none for no member."""
    if member is None:
        return ()
    in_vault = vault_id(member)
    return (*match_keys_of(member), *((vault_key(in_vault),) if in_vault else ()))


def match_keys_of(member: Member) -> tuple[str, ...]:
    """Return the match keys of a member by username and e-mail addresses, its own and the converted one."""
    return match_keys(member.username, member.email, member.own_email)


def own_keys_of(member: Member) -> frozenset[str]:
    """Return the keys that say who a member is: an address with a converted domain is none (A14)."""
    return frozenset(match_keys(member.username, member.own_email or member.email))
