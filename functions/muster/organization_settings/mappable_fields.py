"""What of a connection can be mapped, and what it is mapped to now, from its own description (G5). Pure.

Each of `of_salesforce`, `of_vault_crm` and `of_align` takes the fields that the integration user is shown.
Left out are fields that are inactive and fields that no mapping may name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.crm import align_fields, vault_fields
from muster.crm.engage_features import FEATURES
from muster.crm.salesforce_fields import fields_of
from muster.crm.vault_records import Field
from muster.errors import Problem
from muster.settings import Settings, mappings
from muster.settings.assignments import FromField
from muster.settings.locations import choices
from muster.validation import Location, path

USER = "User"
# Types of Salesforce that are no single value.
_COMPOUND = frozenset({"address", "base64", "location"})
_VAULT_MAPS = ("field_maps", "vault_crm")
_ALIGN_NAMES = ("connections", "align", "fields")


@dataclass(frozen=True, slots=True)
class Use:
    """A field that is mapped now: to which target, and where the settings say so.

    `writes`: the field is written by a push; otherwise it is read.
    """

    target: str
    field: str
    at: Location
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Mappable:
    """An object's fields with what uses each, all mappings by direction, and warnings about them."""

    object: str
    fields: Sequence[Mapping[str, Any]]
    mappings: Mapping[str, Any]
    warnings: Sequence[Problem]


def of_salesforce(settings: Settings, described: Iterable[Mapping[str, Any]]) -> Mappable:
    """Return the fields of User; `described` are the fields of Salesforce's description."""
    fields = [_of_user(each) for each in described if str(each.get("type")) not in _COMPOUND]
    custom = settings.auto_provision.custom_fields
    written = settings.field_maps.model_dump(mode="json", include={"salesforce"})["salesforce"]
    return _mappable(
        USER,
        fields,
        list(_uses_of_salesforce(settings)),
        {"inbound": {"attributes": written, "custom": {f"{mappings.CUSTOM}{name}": name for name in custom}}},
        frozenset(),
        "Take it out of the settings, or let the integration user read",
    )


def of_vault_crm(settings: Settings, described: Iterable[Field]) -> Mappable:
    """Return the fields of user__sys."""
    maps = settings.field_maps.vault_crm
    shown = {
        "inbound": {
            "system": _switches(vault_fields.SYSTEM_INBOUND, maps.inbound.system),
            "custom": dict(maps.inbound.custom),
        },
        "outbound": {
            "system": _switches(vault_fields.SYSTEM_OUTBOUND, maps.outbound.system),
            "custom": maps.outbound.model_dump(mode="json", include={"custom"})["custom"],
        },
    }
    return _mappable(
        vault_fields.OBJECT,
        [field for field in described if field.active and vault_fields.can_be_mapped(field.name)],
        list(_uses_of_vault_crm(settings)),
        shown,
        frozenset(mappings.vault_fields_to_write(settings)),
        "Switch the mapping off, or let the integration user read",
    )


def of_align(settings: Settings, described: Iterable[Field]) -> Mappable:
    """Return the fields of roster_member__aln."""
    uses = list(_uses_of_align(settings))
    shown: dict[str, dict[str, Any]] = {
        direction: {"system": [_switch(use) for use in uses if use.writes is writes]}
        for direction, writes in (("inbound", False), ("outbound", True))
    }
    custom = settings.field_maps.align.inbound.custom
    shown["inbound"]["custom"] = dict(custom)
    mapped = [
        Use(target, name, ("field_maps", "align", "inbound", "custom", target))
        for target, name in custom.items()
    ]
    return _mappable(
        align_fields.OBJECT,
        [field for field in described if field.active and vault_fields.can_be_mapped(field.name)],
        [*(use for use in uses if use.field), *mapped],
        shown,
        frozenset(use.field for use in uses if use.writes),
        "Write its name there, or let the integration user read",
    )


def _of_user(described: Mapping[str, Any]) -> Field:
    length = described.get("length")
    return Field(
        name=str(described.get("name")),
        label=str(described.get("label", "")),
        type=str(described.get("type", "")),
        editable=described.get("updateable") is True,
        active=True,
        length=length if isinstance(length, int) else 0,
    )


def _mappable(
    object_name: str,
    fields: Sequence[Field],
    uses: Sequence[Use],
    shown: Mapping[str, Any],
    written: frozenset[str],
    remedy: str,
) -> Mappable:
    return Mappable(
        object_name,
        [_row(field, uses) for field in sorted(fields, key=lambda field: field.name)],
        shown,
        list(_warnings(object_name, fields, uses, written, remedy)),
    )


def _row(field: Field, uses: Sequence[Use]) -> dict[str, Any]:
    mine = [use for use in uses if use.field.lower() == field.name.lower()]
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length or None,
        "editable": field.editable,
        "inbound": [use.target for use in mine if not use.writes],
        "outbound": [use.target for use in mine if use.writes],
    }


def _warnings(
    object_name: str, fields: Sequence[Field], uses: Sequence[Use], written: frozenset[str], remedy: str
) -> Iterator[Problem]:
    """Yield a warning for each mapped field that is not there, or is `written` but cannot be edited."""
    editable = {field.name.lower(): field.editable for field in fields}
    for use in uses:
        if use.field.lower() not in editable:
            yield Problem(
                path(use.at),
                f"maps {use.field}, which is not among the fields of {object_name}, or not for the"
                " integration user: nobody can be read",
                f"{remedy} {use.field}.",
            )
        elif use.writes and use.field in written and not editable[use.field.lower()]:
            yield Problem(
                path(use.at),
                f"maps {use.field}, which the integration user may not edit: it cannot be pushed",
                f"Let its profile edit {use.field} of {object_name}.",
            )


# ── What each connection's mappings use ──────────────────────────────────────────────────────────────


def _uses_of_salesforce(settings: Settings) -> Iterator[Use]:
    for target, source in settings.field_maps.salesforce.items():
        for name in fields_of(source) if source is not None else ():
            yield Use(target, name, ("field_maps", "salesforce", target))
    for index, name in enumerate(settings.auto_provision.custom_fields):
        yield Use(f"{mappings.CUSTOM}{name}", name, ("auto_provision", "custom_fields", index))
    for at, choice in choices(settings):
        if isinstance(choice, FromField):
            yield Use(path(at), choice.field, (*at, "field"))


def _uses_of_vault_crm(settings: Settings) -> Iterator[Use]:
    for target, field in mappings.inbound(settings).items():
        is_system = target in vault_fields.SYSTEM_INBOUND
        where = ("inbound", "system") if is_system else ("inbound", "custom", target)
        yield Use(target, field, (*_VAULT_MAPS, *where))
    for target, field in mappings.outbound(settings).items():
        yield Use(target, field, (*_VAULT_MAPS, "outbound", "system"), writes=True)
    for attribute, written in mappings.custom_outbound(settings).items():
        yield Use(attribute, written.field, (*_VAULT_MAPS, "outbound", "custom", attribute), writes=True)


def _uses_of_align(settings: Settings) -> Iterator[Use]:
    """Yield what Align's fields are for, with an empty `field` where that is switched off."""
    names = mappings.align_connection(settings).fields
    pushed = mappings.pushed_features(settings)
    name = mappings.align_name_field(settings)
    yield Use("username" if name == names.username else "email", name, _ALIGN_NAMES)
    yield Use("crm_user_status", names.crm_user_status or "", (*_ALIGN_NAMES, "crm_user_status"))
    yield Use("end_date", names.end_date or "", (*_ALIGN_NAMES, "end_date"))
    for feature in FEATURES:
        for part, field in getattr(names, feature):
            used = field if feature in pushed else ""
            at = (*_ALIGN_NAMES, feature, part)
            if part != "group":
                yield Use(f"{feature}.{part}", used, at)
            yield Use(f"{feature}.{part}", used, at, writes=True)


def _switches(system: Mapping[str, str], active: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"target": target, "field": field, "active": target in active} for target, field in system.items()
    ]


def _switch(use: Use) -> dict[str, Any]:
    return {"target": use.target, "field": use.field or None, "active": bool(use.field)}
