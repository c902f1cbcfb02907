"""List the fields of a connection that can be mapped, from the connection's own metadata (G5).

Fields that `crm.vault_fields` does not allow to be mapped are left out, and so are inactive ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from muster.connections.ports import VaultMetadata
from muster.crm import vault_fields
from muster.crm.vault_records import Field
from muster.errors import Misconfigured, NotFound, Problem, Rejected
from muster.organization_settings.ports import SettingsStore
from muster.organization_settings.saving import Answer, shown
from muster.settings import Settings, mappings
from muster.settings.sections import VaultCrmConnection
from muster.validation import Location, path

_MAPS = ("field_maps", "vault_crm")


def describe_vault_crm(
    organization: str, store: SettingsStore, vault: Callable[[VaultCrmConnection], VaultMetadata]
) -> Answer:
    """Return the fields of Vault CRM's users with their mappings, all mappings, and warnings about them.

    Raises `NotFound` without settings, `Rejected` without a connection or where it is misconfigured,
    `Unavailable` while the vault does not answer.
    """
    stored = store.current(organization)
    if stored is None:
        remedy = "Save some with the action put."
        raise NotFound(Problem("organization", f"{organization} has no settings yet", remedy))
    settings = stored.settings
    connection = settings.connections.vault_crm
    if connection is None:
        remedy = "Add it, with the vault's host, and put the settings."
        raise Rejected(Problem("connections.vault_crm", "is not in the settings", remedy))
    try:
        found = vault(connection).fields(vault_fields.OBJECT)
    except Misconfigured as error:
        remedy = "Correct that, then run the action again."
        raise Rejected(Problem("connections.vault_crm", f"could not be asked: {error}", remedy)) from error
    fields = [field for field in found if field.active and vault_fields.can_be_mapped(field.name)]
    return {
        "message": f"{len(fields)} fields of {vault_fields.OBJECT} can be mapped.",
        "version": stored.version,
        "connection": "vault_crm",
        "object": vault_fields.OBJECT,
        "fields": _described(fields, settings),
        "mappings": _mappings(settings),
        "warnings": shown(list(_warnings(fields, settings))),
    }


def _described(fields: Sequence[Field], settings: Settings) -> list[dict[str, Any]]:
    inbound, outbound = mappings.inbound(settings), mappings.outbound(settings)
    return [
        {
            "name": field.name,
            "label": field.label,
            "type": field.type,
            "editable": field.editable,
            "inbound": _targets_of(field.name, inbound),
            "outbound": _targets_of(field.name, outbound),
        }
        for field in sorted(fields, key=lambda field: field.name)
    ]


def _targets_of(name: str, field_map: Mapping[str, str]) -> list[str]:
    return [target for target, field in field_map.items() if field == name]


def _mappings(settings: Settings) -> dict[str, Any]:
    """Return every mapping, laid out as in the document, including inactive ones."""
    maps = settings.field_maps.vault_crm
    return {
        "inbound": {
            "system": _switches(vault_fields.SYSTEM_INBOUND, maps.inbound.system),
            "custom": dict(maps.inbound.custom),
        },
        "outbound": {"system": _switches(vault_fields.SYSTEM_OUTBOUND, maps.outbound.system)},
    }


def _switches(system: Mapping[str, str], active: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"target": target, "field": field, "active": target in active} for target, field in system.items()
    ]


def _warnings(fields: Sequence[Field], settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each mapped field that cannot be read, or is pushed but cannot be edited."""
    editable = {field.name: field.editable for field in fields}
    for at, field in _active(settings):
        if field not in editable:
            yield Problem(
                path((*_MAPS, *at)),
                f"maps {field}, which is not among the vault's fields, or not for the integration user: users"
                " cannot be read",
                f"Switch the mapping off, or let the integration user read {field}.",
            )
    for field in mappings.vault_fields_to_write(settings):
        if editable.get(field) is False:
            yield Problem(
                path((*_MAPS, "outbound", "system")),
                f"maps {field}, which the integration user may not edit: it cannot be pushed",
                f"Let its profile edit {field} of {vault_fields.OBJECT}.",
            )


def _active(settings: Settings) -> Iterator[tuple[Location, str]]:
    """Yield the location of each active mapping, and its field."""
    for target, field in mappings.inbound(settings).items():
        is_system = target in vault_fields.SYSTEM_INBOUND
        yield ("inbound", "system") if is_system else ("inbound", "custom", target), field
    for field in mappings.outbound(settings).values():
        yield ("outbound", "system"), field
