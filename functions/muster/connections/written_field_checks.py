"""Checks of the fields of Vault CRM that custom mappings write (G5, U2). Pure.

A push writes the others where one cannot be written; so these do not keep it from sending anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from muster.checks import Check, Read, Result, judged, unread
from muster.crm import vault_fields
from muster.crm.vault_records import Field
from muster.errors import MusterError
from muster.settings import Settings, mappings
from muster.settings.mappings import Written
from muster.validation import path

_MAPS = ("field_maps", "vault_crm", "outbound", "custom")
# Types that a text cannot be written to.
_NO_TEXT = frozenset(
    {
        "Attachment",
        "Boolean",
        "Currency",
        "DateTime",
        "Formula",
        "ID",
        "Icon",
        "Lookup",
        "Number",
        "Object",
        "ParentObject",
        "Percent",
        "RichText",
    }
)
_NAMED = 10


def checks(
    settings: Settings, fields: Read[Sequence[Field]], picklists: Mapping[str, Read[Iterable[str]]]
) -> Iterator[Check]:
    """Yield the checks of each field that a custom mapping writes; `picklists` are API names by field."""
    if isinstance(fields, MusterError):
        # That the fields could not be read is said elsewhere.
        return
    by_name = {each.name: each for each in fields}
    for attribute, mapped in mappings.custom_outbound(settings).items():
        found = by_name.get(mapped.field)
        yield _field(attribute, mapped, found)
        if found and mapped.field in picklists:
            yield _values(attribute, mapped, picklists[mapped.field])


def _field(attribute: str, mapped: Written, found: Field | None) -> Check:
    check, at = f"field {mapped.field}", path((*_MAPS, attribute))
    place = f"Admin > Configuration > Objects > {vault_fields.OBJECT} > Fields > {mapped.field}"
    if found is None:
        words = f"{vault_fields.OBJECT} has no field {mapped.field}, or the integration user may not see it"
        return Check(check, Result.FAILED, words, f"Let its profile edit {mapped.field}, or correct {at}.")
    if not found.active:
        return Check(check, Result.FAILED, f"{mapped.field} is not active", f"{place} > Status: Active.")
    if found.type in _NO_TEXT:
        words = f"{mapped.field} is of the type {found.type}, and {attribute} is a text"
        return Check(check, Result.FAILED, words, f"Name a text field or a picklist in {at}.")
    too_long = [text for text in _texts(mapped) if found.length and len(text) > found.length]
    if too_long:
        words = f"{mapped.field} takes {found.length} characters, and the map has {too_long[0]!r}"
        return Check(check, Result.FAILED, words, f"Shorten it in {at}.")
    length = f", of {found.length} characters at most" if found.length else ""
    return judged(
        check,
        f"{mapped.field} may {'be' if found.editable else 'not be'} edited{length}",
        f"Let the profile of the integration user edit {mapped.field}, or take {at} out.",
        holds=found.editable,
    )


def _values(attribute: str, mapped: Written, values: Read[Iterable[str]]) -> Check:
    """Return the check that a picklist has what is written to it."""
    check, at = f"values of {mapped.field}", path((*_MAPS, attribute))
    if isinstance(values, MusterError):
        return unread(check, values)
    known = sorted(values)
    named = ", ".join(known[:_NAMED]) + (" …" if len(known) > _NAMED else "")
    if mapped.values is None:
        words = f"{mapped.field} is a picklist of {named}, and {attribute} is written to it as it is"
        remedy = f"Write {at}: {{field: {mapped.field}, map: {{…}}}}, unless its values are these API names."
        return Check(check, Result.WARNING, words, remedy)
    missing = [text for text in _texts(mapped) if text not in known]
    return judged(
        check,
        f"the picklist lacks {', '.join(missing)}" if missing else "the picklist has every value of the map",
        f"Correct {at}: the picklist has {named}.",
        holds=not missing,
    )


def _texts(mapped: Written) -> list[str]:
    return list(dict.fromkeys((mapped.values or {}).values()))
