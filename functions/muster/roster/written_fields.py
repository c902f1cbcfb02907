"""Fields of Vault CRM that custom mappings write: what of a member is still to be written (G5, I9).

What was dealt with is kept in the member's `vault` under `written`, by attribute:

    value   the attribute's value that was dealt with; another one is due for a push
    open    Vault CRM shows otherwise than it should, or has refused to save it
    sent    what Muster has written last
    same    what Vault CRM showed when it took that for no change: to it, both are the same
    refused Vault CRM has refused to save the value, which has been told

Of tries, `vault_tries` keeps count. Pure; times are in ISO 8601.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from muster.crm.engage_features import FIELDS
from muster.roster import vault_tries
from muster.roster.member import Member
from muster.settings import Settings, mappings
from muster.settings.mappings import Written

_KEY = "written"
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
    mark = _marks(member.vault).get(attribute, {})
    to = mapped.of(value)
    if to is None:
        # A field that somebody else has filled is not emptied for want of a value.
        return None if value is None and now is not None and mark.get("sent") == now else now
    same = "same" in mark and (to, now) == (mark.get("sent"), mark["same"])
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
    if not any(mark.get("open") for mark in _marks(member.vault).values()):
        return None
    tries = vault_tries.of(member, FIELDS)
    return tries.next() if tries else ""


def _has_new_value(member: Member) -> bool:
    return any(mark["value"] != value_of(member, name) for name, mark in _marks(member.vault).items())


# ── What becomes of it: each returns the member's `vault` ────────────────────────────────────────────


def observed(member: Member, shown: Shown, settings: Settings) -> Mapping[str, Any]:
    """Return it after a look at what Vault CRM shows."""
    attributes = mappings.custom_outbound(settings)
    if not attributes and _KEY not in member.vault:
        return member.vault
    if any(mapped.field not in shown for mapped in attributes.values()):
        # A plan that an earlier version made does not say.
        return member.vault
    differing = to_write(member, shown, settings)
    vault = vault_tries.done(member.vault, FIELDS) if _has_new_value(member) else member.vault
    marks = {
        name: _mark(member, name, value_of(member, name), is_open=name in differing) for name in attributes
    }
    return _with(vault if differing else vault_tries.done(vault, FIELDS), marks)


def sent(member: Member, writes: Writes, at: str) -> Mapping[str, Any]:
    """Return it after the fields were written, until an import sees that they have stayed so."""
    marks = {name: {"value": write.value, **_text("sent", write.to)} for name, write in writes.items()}
    return {**vault_tries.tried(_with_new(member, writes, marks), FIELDS, at), "digest": ""}


def unchanged(member: Member, writes: Writes) -> Mapping[str, Any]:
    """Return it after Vault CRM took that for no change: it holds the same already (P2)."""
    marks = {
        name: {"value": write.value, **_text("sent", write.to), **_text("same", write.shown)}
        for name, write in writes.items()
    }
    return vault_tries.done(_with_new(member, writes, marks), FIELDS)


def refused(member: Member, writes: Writes, at: str) -> Mapping[str, Any]:
    """Return it after Vault CRM has refused to save the fields, which is tried again (P3)."""
    marks = {
        name: {**_mark(member, name, write.value, is_open=True), "refused": True}
        for name, write in writes.items()
    }
    return vault_tries.tried(_with_new(member, writes, marks), FIELDS, at, saved=False)


def is_news(before: Member, writes: Writes) -> bool:
    """Whether one of these has not been refused before: each value is told once (P3)."""
    marks = _marks(before.vault)
    return any(
        not (mark := marks.get(name, {})).get("refused") or mark["value"] != write.value
        for name, write in writes.items()
    )


def _marks(vault: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    marks: Mapping[str, Mapping[str, Any]] = vault.get(_KEY, {})
    return marks


def _mark(member: Member, name: str, value: str | None, *, is_open: bool) -> dict[str, Any]:
    before = _marks(member.vault).get(name, {})
    stays = is_open and before.get("value") == value
    kept = {key: before[key] for key in ("sent", "same", *(["refused"] if stays else [])) if key in before}
    return {"value": value, **({"open": True} if is_open else {}), **kept}


def _text(key: str, text: str | None) -> dict[str, str]:
    return {} if text is None else {key: text}


def _with_new(member: Member, writes: Writes, marks: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return `vault` with these marks beside the others; tries of another value count no more."""
    before = _marks(member.vault)
    is_new = any(before.get(name, {}).get("value") != write.value for name, write in writes.items())
    vault = vault_tries.done(member.vault, FIELDS) if is_new else member.vault
    return _with(vault, {**before, **marks})


def _with(vault: Mapping[str, Any], marks: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    rest = {name: value for name, value in vault.items() if name != _KEY}
    return {**rest, _KEY: marks} if marks else rest
