"""Which fields Muster reads and writes in Salesforce and Vault CRM, by the settings (W6, A2, G5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from muster.crm import align_fields
from muster.crm.engage_features import FEATURES, Feature
from muster.crm.salesforce_fields import fields_of
from muster.crm.vault_fields import IDENTITY, SYSTEM_INBOUND, SYSTEM_OUTBOUND, engage_fields
from muster.errors import Misconfigured
from muster.settings import Settings
from muster.settings.assignments import Assignment, FromField
from muster.settings.sections import AlignConnection, VaultCrmConnection

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


def align_custom(settings: Settings) -> Mapping[str, str]:
    """Return name of a member's custom value → field of Align that it is read from."""
    written = settings.field_maps.align.inbound.custom if settings.connections.align else {}
    return {target.removeprefix(CUSTOM): field for target, field in written.items()}


def custom_names(settings: Settings) -> frozenset[str]:
    """Return the names of a member's custom values: fields of Salesforce, targets of Vault CRM and Align."""
    targets = (target for target in inbound(settings) if target.startswith(CUSTOM))
    of_vault = (target.removeprefix(CUSTOM) for target in targets)
    return frozenset((*settings.auto_provision.custom_fields, *of_vault, *align_custom(settings)))


def outbound(settings: Settings) -> Mapping[str, str]:
    """Return target → field that a push may write, including features that are not managed."""
    active = settings.field_maps.vault_crm.outbound.system
    return {target: field for target, field in SYSTEM_OUTBOUND.items() if target in active}


@dataclass(frozen=True, slots=True)
class Written:
    """A custom outbound mapping: the field that an attribute is written to, `values` by the attribute's.

    Without `values` the attribute's own is written.
    """

    field: str
    values: Mapping[str, str] | None = None

    def of(self, value: str | None) -> str | None:
        """Return what the field is to hold for a value of the attribute; `None`: nothing is mapped to it."""
        return value if self.values is None else self.values.get(value or "")


def custom_outbound(settings: Settings) -> Mapping[str, Written]:
    """Return attribute of a member → what a push writes for it, beside the system mappings (G5)."""
    return {
        attribute: Written(written) if isinstance(written, str) else Written(written.field, written.map)
        for attribute, written in settings.field_maps.vault_crm.outbound.custom.items()
    }


def is_pushed(settings: Settings) -> bool:
    """Whether there is anything that pushes write to Vault CRM."""
    return bool(pushed_features(settings) or custom_fields_to_write(settings))


def pushed_to(settings: Settings) -> tuple[str, ...]:
    """Return the connections that pushes are for, in their order: Vault CRM, then the apps."""
    vault_crm = ("vault_crm",) if is_pushed(settings) else ()
    return (*vault_crm, *(name for name, _ in settings.connections.targets()))


def custom_fields_to_write(settings: Settings) -> tuple[str, ...]:
    """Return the fields of Vault CRM that custom mappings write, each once; none without a connection."""
    written = custom_outbound(settings) if settings.connections.vault_crm else {}
    return tuple(dict.fromkeys(each.field for each in written.values()))


def vault_fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields to read of each Vault CRM user, each once.

    The fields of pushed features are always included, whatever the maps say: what has to be sent depends
    on the values that Vault CRM shows. So are those that custom mappings write.
    """
    pushing = [field for feature in pushed_features(settings) for field in engage_fields(feature)]
    written = custom_fields_to_write(settings)
    named = (*IDENTITY, *inbound(settings).values(), *outbound(settings).values(), *pushing, *written)
    return tuple(dict.fromkeys(named))


def pushed_features(settings: Settings) -> tuple[Feature, ...]:
    """Return the features that are pushed: managed, and with the mapping of their request active (G1)."""
    connection = settings.connections.vault_crm
    managed = connection.manage_features if connection else ()
    active = outbound(settings)
    return tuple(feature for feature in FEATURES if feature in managed and f"{feature}.request" in active)


def sends_status(settings: Settings, feature: Feature) -> bool:
    """Whether a push may write the feature's status as well as its request."""
    return f"{feature}.status" in outbound(settings)


def vault_fields_to_write(settings: Settings) -> tuple[str, ...]:
    """Return the Vault CRM fields that a push may write; the integration user must have edit rights."""
    features = pushed_features(settings)
    system = (field for target, field in outbound(settings).items() if target.partition(".")[0] in features)
    return (*system, *custom_fields_to_write(settings))


def vault_crm_connection(settings: Settings) -> VaultCrmConnection:
    """Return the connection to Vault CRM; raises `Misconfigured` if there is none."""
    found = settings.connections.vault_crm
    if found is None:
        raise Misconfigured("the settings have no connections.vault_crm")
    return found


def align_connection(settings: Settings) -> AlignConnection:
    """Return the connection to Align; raises `Misconfigured` if there is none."""
    found = settings.connections.align
    if found is None:
        raise Misconfigured("the settings have no connections.align")
    return found


def align_name_field(settings: Settings) -> str:
    """Return the field of Align that members are matched by: e-mail address or username."""
    fields = align_connection(settings).fields
    vault_crm = settings.connections.vault_crm
    return fields.username if vault_crm and vault_crm.match == "username" else fields.email


def align_fields_of(settings: Settings, features: Iterable[Feature]) -> tuple[str, ...]:
    """Return Align's fields of these features: request, status and group of each."""
    fields = align_connection(settings).fields
    return tuple(name for feature in features for _, name in getattr(fields, feature))


def align_fields_to_read(settings: Settings) -> tuple[str, ...]:
    """Return the fields to read of each of Align's records, each once."""
    named = (*align_names_to_read(settings), *align_custom(settings).values())
    return tuple(dict.fromkeys(named))


def align_names_to_read(settings: Settings) -> tuple[str, ...]:
    """Return those of them that `connections.align.fields` and every vault name."""
    fields = align_connection(settings).fields
    by_hand = (name for name in (fields.crm_user_status, fields.end_date) if name)
    return (
        "id",
        align_fields.CREATED,
        align_fields.CHANGED,
        align_name_field(settings),
        *by_hand,
        *align_fields_of(settings, pushed_features(settings)),
    )


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
