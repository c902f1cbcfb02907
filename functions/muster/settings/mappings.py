"""Which fields the settings have read from Salesforce and Vault CRM, and written there (W6, A2, G5)."""

from __future__ import annotations

from collections.abc import Mapping

from muster.crm.engage_features import FEATURES
from muster.crm.salesforce_fields import fields_of
from muster.crm.vault_fields import IDENTITY, SYSTEM_INBOUND, SYSTEM_OUTBOUND, engage_fields
from muster.errors import Misconfigured
from muster.settings import Settings
from muster.settings.assignments import Assignment, FromField
from muster.settings.sections import VaultCrmConnection


def inbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field for what an import takes over, system mappings first."""
    written = settings.field_maps.vault_crm.inbound
    system = {target: field for target, field in SYSTEM_INBOUND.items() if target in written.system}
    custom = {target: field for target, field in written.custom.items() if field is not None}
    return system | custom


def outbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field for what a push may write, of features that are not managed as well."""
    active = settings.field_maps.vault_crm.outbound.system
    return {target: field for target, field in SYSTEM_OUTBOUND.items() if target in active}


def to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields that are read of each user, each once.

    Those of a feature that is pushed are among them whatever the maps say: what is to be sent depends
    on what Vault CRM shows (`groups.to_send`).
    """
    pushing = [field for feature in pushed(settings) for field in engage_fields(feature)]
    named = (*IDENTITY, *inbound(settings).values(), *outbound(settings).values(), *pushing)
    return tuple(dict.fromkeys(named))


def pushed(settings: Settings) -> tuple[str, ...]:
    """Return the features that are pushed: managed, and their request's mapping switched on (G1)."""
    connection = settings.connections.vault_crm
    managed = connection.manage_features if connection else ()
    active = outbound(settings)
    return tuple(feature for feature in FEATURES if feature in managed and f"{feature}.request" in active)


def sends_status(settings: Settings, feature: str) -> bool:
    """Tell whether a push may write the feature's status; otherwise only its request."""
    return f"{feature}.status" in outbound(settings)


def to_write(settings: Settings) -> tuple[str, ...]:
    """Return the fields that a push may write, which the integration user has to be allowed to edit."""
    features = pushed(settings)
    return tuple(
        field for target, field in outbound(settings).items() if target.partition(".")[0] in features
    )


def connection(settings: Settings) -> VaultCrmConnection:
    """Return the settings' Vault CRM; raises `Misconfigured` if there is none."""
    found = settings.connections.vault_crm
    if found is None:
        raise Misconfigured("the settings have no connections.vault_crm")
    return found


# A user is what these say, whatever an organization lists.
_NEEDED = ("Id", "SystemModstamp", "IsActive", "FirstName", "LastName", "Username", "Email", "CallCenterId")


def fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return every field of User that the settings speak of, each once: what a query selects (W6, A2)."""
    names = [*_NEEDED, *settings.auto_provision.fields, *settings.auto_provision.custom_fields]
    for source in settings.field_maps.salesforce.values():
        names += fields_of(source) if source is not None else ()
    for assignment in settings.assignments:
        names += _fields_of_values(assignment)
    if not settings.ignore_organizational_structure:
        names.append("ManagerId")
    return tuple(dict.fromkeys(names))


def _fields_of_values(assignment: Assignment) -> list[str]:
    choices: list[object] = [
        *assignment.seats,
        *assignment.workspaces.values(),
        *(choice for _, choice in assignment.data_capture),
        *(section.group for section in (assignment.engage, assignment.engage_connect) if section),
    ]
    return [choice.field for choice in choices if isinstance(choice, FromField)]
