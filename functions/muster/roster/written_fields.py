"""Fields of Vault CRM that custom mappings write: what of a member is still to be written (G5, I9).

What was dealt with is kept in the member's `vault` as `written`, by attribute (`vault_state.WrittenMark`).
Of tries, `vault_tries` keeps count. Pure; times are in ISO 8601.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from muster.crm.engage_features import FIELDS
from muster.roster import vault_tries
from muster.roster.member import Member
from muster.roster.vault_state import VaultState, WrittenMark
from muster.settings import Settings, mappings
from muster.settings.mappings import Written

_SALESFORCE = "salesforce"

type Shown = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """What one field is to hold for a member: `to`, instead of `shown`, for the attribute's `value`."""

    field: str
    value: str | None
    to: str | None
    shown: str | None


type Writes = Mapping[str, FieldWrite]


def value_of(member: Member, attribute: str) -> str | None:
    """Return a member's value of an attribute, as custom mappings name it: `title`, `custom.Region__c`."""
    section, _, name = attribute.partition(".")
    values: Mapping[str, str | None]
    match section:
        case "crm":
            values = member.crm.get(_SALESFORCE, {})
        case "custom":
            values = member.custom
        case "phone_numbers":
            values = member.phone_numbers
        case _:
            found: str | None = getattr(member, attribute)
            return found
    return values.get(name)


def to_write(member: Member, shown: Shown, settings: Settings) -> dict[str, FieldWrite]:
    """Return by attribute what differs from what Vault CRM shows, by field, and is to be written."""
    return {
        attribute: FieldWrite(mapped.field, value_of(member, attribute), to, shown[mapped.field])
        for attribute, mapped in mappings.custom_outbound(settings).items()
        if mapped.field in shown and (to := _to_hold(member, attribute, mapped, shown)) != shown[mapped.field]
    }


def _to_hold(member: Member, attribute: str, mapped: Written, shown: Shown) -> str | None:
    """Return what the field is to hold; what it holds already where nothing is to be written."""
    value, now = value_of(member, attribute), shown[mapped.field]
    mark = member.vault.written.get(attribute)
    to = mapped.of(value)
    if to is None:
        # A field that somebody else has filled is not emptied for want of a value.
        return None if value is None and now is not None and mark and mark.sent == now else now
    same = mark is not None and mark.same is not None and (to, now) == (mark.sent, mark.same)
    return now if same else to


def due_to_write(
    member: Member, shown: Shown, settings: Settings, at: str, writable: Collection[str]
) -> dict[str, FieldWrite]:
    """Return what is to be written now to the `writable` fields.

    That is nothing before the next try of what was tried is due.
    """
    tries = vault_tries.of(member, FIELDS)
    if tries and at < tries.next() and not _has_new_value(member):
        return {}
    found = to_write(member, shown, settings)
    return {name: write for name, write in found.items() if write.field in writable}


def due_since(member: Member) -> str | None:
    """Return from when on a push has to look at the member's fields; `None`: nothing is to be written."""
    if _has_new_value(member):
        return ""
    if not any(mark.open for mark in member.vault.written.values()):
        return None
    tries = vault_tries.of(member, FIELDS)
    return tries.next() if tries else ""


def _has_new_value(member: Member) -> bool:
    return any(mark.value != value_of(member, name) for name, mark in member.vault.written.items())


# ── What becomes of it: each returns the member's `vault` ────────────────────────────────────────────


def observed(member: Member, shown: Shown, settings: Settings) -> VaultState:
    """Return it after a look at what Vault CRM shows."""
    attributes = mappings.custom_outbound(settings)
    if not attributes and not member.vault.written:
        return member.vault
    if any(mapped.field not in shown for mapped in attributes.values()):
        # A plan that an earlier version made does not say.
        return member.vault
    differing = to_write(member, shown, settings)
    vault = vault_tries.done(member.vault, FIELDS) if _has_new_value(member) else member.vault
    marks = {
        name: _mark(member, name, value_of(member, name), is_open=name in differing) for name in attributes
    }
    return replace(vault if differing else vault_tries.done(vault, FIELDS), written=marks)


def sent(member: Member, writes: Writes, at: str) -> VaultState:
    """Return it after the fields were written, until an import sees that they have stayed so."""
    marks = {name: WrittenMark(value=write.value, sent=write.to) for name, write in writes.items()}
    return replace(vault_tries.tried(_with_new(member, writes, marks), FIELDS, at), digest="")


def unchanged(member: Member, writes: Writes) -> VaultState:
    """Return it after Vault CRM took that for no change: it holds the same already (P2)."""
    marks = {
        name: WrittenMark(value=write.value, sent=write.to, same=write.shown)
        for name, write in writes.items()
    }
    return vault_tries.done(_with_new(member, writes, marks), FIELDS)


def refused(member: Member, writes: Writes, at: str) -> VaultState:
    """Return it after Vault CRM has refused to save the fields, which is tried again (P3)."""
    marks = {
        name: replace(_mark(member, name, write.value, is_open=True), refused=True)
        for name, write in writes.items()
    }
    return vault_tries.tried(_with_new(member, writes, marks), FIELDS, at, saved=False)


def is_news(before: Member, writes: Writes) -> bool:
    """Whether one of these has not been refused before: each value is told once (P3)."""
    marks = before.vault.written
    return any(
        (mark := marks.get(name)) is None or not mark.refused or mark.value != write.value
        for name, write in writes.items()
    )


def _mark(member: Member, name: str, value: str | None, *, is_open: bool) -> WrittenMark:
    before = member.vault.written.get(name)
    if before is None:
        return WrittenMark(value=value, open=is_open)
    stays = is_open and before.value == value
    return WrittenMark(
        value=value,
        open=is_open,
        sent=before.sent,
        same=before.same,
        refused=stays and before.refused,
    )


def _with_new(member: Member, writes: Writes, marks: Mapping[str, WrittenMark]) -> VaultState:
    """Return `vault` with these marks beside the others; tries of another value count no more."""
    before = member.vault.written
    is_new = any(
        (mark.value if (mark := before.get(name)) else None) != write.value for name, write in writes.items()
    )
    vault = vault_tries.done(member.vault, FIELDS) if is_new else member.vault
    return replace(vault, written={**before, **marks})
