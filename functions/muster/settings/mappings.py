"""Which fields Muster reads and writes in Salesforce and Vault CRM, by the settings (W6, A2, G5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from muster.crm.engage_features import FEATURES
from muster.crm.salesforce_fields import fields_of
from muster.crm.vault_fields import IDENTITY, SYSTEM_INBOUND, SYSTEM_OUTBOUND, engage_fields
from muster.errors import Misconfigured
from muster.settings import Settings
from muster.settings.assignments import Assignment, FromField
from muster.settings.sections import VaultCrmConnection

# How the targets of custom values begin.
CUSTOM = "custom."


def salesforce_organization(settings: Settings) -> str | None:
    """Return the id of the Salesforce org that the users come from."""
    connection = settings.connections.salesforce
    return connection.organization_id if connection else None


def inbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field of Vault CRM that an import reads, system mappings first."""
    written = settings.field_maps.vault_crm.inbound
    system = {target: field for target, field in SYSTEM_INBOUND.items() if target in written.system}
    custom = {target: field for target, field in written.custom.items() if field is not None}
    return system | custom


def custom_names(settings: Settings) -> frozenset[str]:
    """Return the names of the custom values of a member: fields of Salesforce, targets of Vault CRM."""
    targets = (target for target in inbound(settings) if target.startswith(CUSTOM))
    return frozenset(
        (*settings.auto_provision.custom_fields, *(target.removeprefix(CUSTOM) for target in targets))
    )


def outbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field that a push may write, including features that are not managed."""
    active = settings.field_maps.vault_crm.outbound.system
    return {target: field for target, field in SYSTEM_OUTBOUND.items() if target in active}


def vault_fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields to read of each Vault CRM user, each once.

    The fields of pushed features are always included, whatever the maps say: what has to be sent depends
    on the values that Vault CRM shows.
    """
    pushing = [field for feature in pushed_features(settings) for field in engage_fields(feature)]
    named = (*IDENTITY, *inbound(settings).values(), *outbound(settings).values(), *pushing)
    return tuple(dict.fromkeys(named))


def pushed_features(settings: Settings) -> tuple[str, ...]:
    """Return the features that are pushed: managed, and with the mapping of their request active (G1)."""
    connection = settings.connections.vault_crm
    managed = connection.manage_features if connection else ()
    active = outbound(settings)
    return tuple(feature for feature in FEATURES if feature in managed and f"{feature}.request" in active)


def sends_status(settings: Settings, feature: str) -> bool:
    """Whether a push may write the feature's status as well as its request."""
    return f"{feature}.status" in outbound(settings)


def vault_fields_to_write(settings: Settings) -> tuple[str, ...]:
    """Return the Vault CRM fields that a push may write; the integration user must have edit rights."""
    features = pushed_features(settings)
    return tuple(
        field for target, field in outbound(settings).items() if target.partition(".")[0] in features
    )


def vault_crm_connection(settings: Settings) -> VaultCrmConnection:
    """Return the connection to Vault CRM; raises `Misconfigured` if there is none."""
    found = settings.connections.vault_crm
    if found is None:
        raise Misconfigured("the settings have no connections.vault_crm")
    return found


# Always read: evaluating a user needs these, whatever an organization lists.
_NEEDED = ("Id", "SystemModstamp", "IsActive", "FirstName", "LastName", "Username", "Email", "CallCenterId")


def fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields of User to read from Salesforce: all that the settings name, each once (W6, A2)."""
    names = [*_NEEDED, *settings.auto_provision.fields, *settings.auto_provision.custom_fields]
    for source in settings.field_maps.salesforce.values():
        names += fields_of(source) if source is not None else ()
    for assignment in settings.assignments:
        names += _fields_of_values(assignment)
    if not settings.ignore_organizational_structure:
        names.append("ManagerId")
    # Salesforce refuses a field that is selected twice, in whatever capitals.
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(name.lower(), name)
    return tuple(spelled.values())


def address_fields(settings: Settings) -> tuple[str, ...]:
    """Return the fields that a member's username and e-mail address are read from."""
    return fields_named_by(settings, ("username", "email"))


def fields_named_by(settings: Settings, targets: Iterable[str]) -> tuple[str, ...]:
    """Return the fields of User that these attributes of a member are read from, each once."""
    sources = (settings.field_maps.salesforce.get(target) for target in targets)
    return tuple(dict.fromkeys(name for source in sources if source for name in fields_of(source)))


def _fields_of_values(assignment: Assignment) -> list[str]:
    choices: list[object] = [
        *assignment.seats,
        *assignment.workspaces.values(),
        *(choice for _, choice in assignment.data_capture),
        *(section.group for section in (assignment.engage, assignment.engage_connect) if section),
    ]
    return [choice.field for choice in choices if isinstance(choice, FromField)]
