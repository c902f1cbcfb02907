"""An organization's settings: every key, its default and what it accepts (S1).

These models are validation, defaults and JSON Schema in one (`settings.schema` prints it). Unknown keys
are refused; every key but `organization` has a default. `settings.consistency` checks one section against
another, such as an assignment's seats against `seats`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from muster.settings.align_names import AlignFields, AlignStatuses, CrmUserStatuses
from muster.settings.assignments import Assignment, DataCaptureSeats, Seat
from muster.settings.connection import Connection, secret_of
from muster.settings.engage_statuses import Statuses
from muster.settings.field_maps import FieldMaps
from muster.settings.scim_connection import ScimConnection
from muster.settings.target_connection import TargetConnection
from muster.settings.user_pool_connection import UserPoolConnection
from muster.settings.values import (
    DEFAULT_FIELDS,
    ActionId,
    ClientId,
    CustomField,
    Domain,
    Listed,
    OrganizationName,
    SalesforceHost,
    SalesforceOrganizationId,
    SalesforceVersion,
    SeatName,
    SecretName,
    Section,
    StandardField,
    TargetName,
    TimeZone,
    VaultHost,
    VaultVersion,
    no_duplicates,
)
from muster.validation import refused

type EngageFeature = Literal["engage", "engage_connect"]

# A DynamoDB transaction holds 100 actions. A member that gives up 20 seats, with its places in line, and
# gets 20 others needs 80; the member and its other items need the rest.
MOST_SEATS = 20
# What is known of a member's account in each of them is in the member's item.
MOST_TARGETS = 10

_NEEDED_FIELDS = ("Id", "Username", "Email", "FirstName", "LastName", "IsActive", "CallCenterId")


def _all_needed(fields: tuple[str, ...]) -> tuple[str, ...]:
    missing = [name for name in _NEEDED_FIELDS if name not in fields]
    if missing:
        raise refused(f"lacks {', '.join(missing)}", "Add it, and select it in the outbound message.")
    if not {"SystemModstamp", "LastModifiedDate"} & set(fields):
        raise refused(
            "lacks SystemModstamp and LastModifiedDate",
            "Add one, better both: without a time an older change could overwrite a newer one.",
        )
    return fields


def _not_too_many[Seats: Mapping[str, Any]](seats: Seats) -> Seats:
    if len(seats) > MOST_SEATS:
        raise refused(
            f"holds {len(seats)}, more than {MOST_SEATS}",
            "Take some out: when a member changes, all its seats move in one transaction, which has no room"
            " for more.",
        )
    return seats


def _not_too_many_targets[Targets: Mapping[str, Any]](targets: Targets) -> Targets:
    if len(targets) > MOST_TARGETS:
        raise refused(f"holds {len(targets)}, more than {MOST_TARGETS}", "Take some out.")
    return targets


def _with_secrets(connections: Mapping[str, Any], begin: str) -> dict[str, Any]:
    """Return connections with the names of their secrets where the document does not name them."""
    return {
        name: {"secret": f"{begin}/{name}", **connection}
        if isinstance(connection, dict) and name not in ("scim", "cognito")
        else connection
        for name, connection in connections.items()
    }


class AutoProvision(Section):
    """Following the users of Salesforce: its outbound messages, and imports."""

    enabled: bool = Field(
        default=True,
        description=(
            "Off: messages are acknowledged, counted and dropped, and schedules import nothing; nobody is"
            " changed."
        ),
    )
    require_call_center: bool = Field(
        default=True, description="Whether a user without a call center is left out, or disabled if known."
    )
    read_back: bool = Field(
        default=True,
        description=(
            "Whether the users that a message names are read from Salesforce, to follow that. Off: the"
            " message's own values are followed. Needs connections.salesforce."
        ),
    )
    fields: Annotated[Listed[StandardField], AfterValidator(no_duplicates), AfterValidator(_all_needed)] = (
        Field(
            default=DEFAULT_FIELDS,
            max_length=150,
            description=(
                "The standard fields to follow. Where users are read from Salesforce, these are read, with"
                " every field that is mapped or that an assignment names. With read_back off, the fields"
                " that the outbound message is set up to carry: Salesforce leaves empty ones out of it, so"
                " one that is listed here and absent there is empty, and one that is not listed is unknown"
                " and stays as it was."
            ),
        )
    )
    custom_fields: Annotated[Listed[CustomField], AfterValidator(no_duplicates)] = Field(
        default=(),
        max_length=150,
        description=(
            "The custom fields to follow likewise; they are kept with the member under `custom`, without"
            " being mapped."
        ),
        examples=[["Region__c"]],
    )
    frozen_users: Literal["told", "inactive"] = Field(
        default="told",
        description=(
            "What becomes of users who are frozen in Salesforce (UserLogin): told, they stay, and the import"
            " names them; inactive, they leave as if they were deactivated."
        ),
    )


class Domains(Section):
    """Whose e-mail addresses belong to the company. Without any domain, every address is accepted."""

    primary: Domain | None = Field(
        default=None, description="The main domain; `convert` moves foreign addresses here."
    )
    company: Listed[Domain] = Field(default=(), description="The company's domains, beside the primary.")
    additional: Listed[Domain] = Field(
        default=(),
        description="Domains from outside the company whose users are provisioned too.",
    )
    convert: bool = Field(
        default=False,
        description="Give users of other domains an address in the primary one; else they are left out.",
    )

    @model_validator(mode="after")
    def _convert_needs_primary(self) -> "Domains":
        if self.convert and self.primary is None:
            raise refused("convert has no domain to convert to", "Set primary, or convert to false.")
        return self


class SalesforceConnection(Connection):
    """The Salesforce org the users come from."""

    host: SalesforceHost = Field(description="The My Domain host of the org.")
    organization_id: SalesforceOrganizationId = Field(
        description="Id of the org (Setup > Company Information); messages of others are refused."
    )
    api_version: SalesforceVersion = Field(default="66.0", description="Version of the API, in quotes.")
    login: Literal["client_credentials", "jwt_bearer"] = Field(
        default="client_credentials", description="The OAuth flow that the external client app allows."
    )
    secret: SecretName | None = secret_of("salesforce")
    action_ids: Listed[ActionId] = Field(
        default=(),
        max_length=20,
        description="Ids of the outbound messages that may call; empty allows every one of the org.",
    )


class VaultCrmConnection(Connection):
    """The Vault CRM that hands out Engage licences."""

    host: VaultHost = Field(description="The vault's host.")
    api_version: VaultVersion = Field(default="v26.1", description="Version of the Vault API.")
    secret: SecretName | None = secret_of("vault_crm")
    manage_features: Annotated[Listed[EngageFeature], AfterValidator(no_duplicates)] = Field(
        default=(), description="The Engage features that are pushed; the others are only read and shown."
    )
    match: Literal["email", "username"] = Field(
        default="email", description="What links a Vault CRM user to a member."
    )
    statuses: Statuses = Field(
        default_factory=Statuses,
        description="API names of the values of the status picklists, where they differ from the default.",
    )
    always_send_status: bool = Field(
        default=False,
        description=(
            "Whether Retry Request is sent along with every request that changes, as Align does it. Off:"
            " only where the request alone would start nothing."
        ),
    )
    engage_licenses: Literal["per_group", "per_feature"] = Field(
        default="per_group",
        description=(
            "Whether each Engage group has licences of its own, or all groups of a feature share them: who of"
            " those who wait for a licence is tried when somebody leaves a group."
        ),
    )
    client_id: ClientId = Field(
        default="muster", description="How the vault's logs, and its filter of client ids, know Muster."
    )

    def status_code(self, feature: EngageFeature, api_name: str) -> str:
        """Return Muster's code for a status, in any case, or the value itself if it is unknown (G3)."""
        return self.statuses.code(feature, api_name)

    def api_name(self, feature: EngageFeature, code: str) -> str:
        """Return the API name of a status in Vault CRM; raises `KeyError` if the feature lacks the code."""
        return self.statuses.api_name(feature, code)


class AlignConnection(Connection):
    """An Align vault where admins keep the roster; leave it out to keep the roster in Muster."""

    host: VaultHost = Field(description="The vault's host.", examples=["acme-align.veevavault.com"])
    api_version: VaultVersion = Field(default="v26.1", description="Version of the Vault API.")
    secret: SecretName | None = secret_of("align")
    fields: AlignFields = Field(
        default_factory=AlignFields,
        description="API names of the fields of roster_member__aln, where they differ from the default.",
    )
    statuses: AlignStatuses = Field(
        default_factory=AlignStatuses,
        description="API names of the values of the status picklists, where they differ from the default.",
    )
    crm_user_statuses: CrmUserStatuses = Field(
        default_factory=CrmUserStatuses,
        description="API names of the values of crm_user_status__aln, where they differ from the default.",
    )


type SystemConnection = SalesforceConnection | VaultCrmConnection | AlignConnection | ScimConnection


class Connections(Section):
    """The outside systems. One that is not here is not used."""

    salesforce: SalesforceConnection | None = Field(default=None, description="Where the users come from.")
    vault_crm: VaultCrmConnection | None = Field(default=None, description="Where Engage licences live.")
    align: AlignConnection | None = Field(default=None, description="Where admins may keep the roster.")
    scim: Annotated[Mapping[TargetName, ScimConnection], AfterValidator(_not_too_many_targets)] = Field(
        default_factory=dict,
        description=f"The apps that are provisioned by SCIM 2.0, by name, up to {MOST_TARGETS}.",
        examples=[{"gong": {"host": "api.example.com", "profile": "gong", "who": {"seat": "gong"}}}],
        json_schema_extra={"additionalProperties": False, "maxProperties": MOST_TARGETS},
    )
    cognito: Annotated[Mapping[TargetName, UserPoolConnection], AfterValidator(_not_too_many_targets)] = (
        Field(
            default_factory=dict,
            description=f"The Cognito user pools in which sessions are ended, by name, up to {MOST_TARGETS}.",
            examples=[{"portal": {"user_pool": "eu-central-1_AbC123dEf"}}],
            json_schema_extra={"additionalProperties": False, "maxProperties": MOST_TARGETS},
        )
    )

    def each(self) -> Iterator[tuple[str, Connection]]:
        """Yield each connection that there is with its name: `salesforce`, `scim.gong`, `cognito.portal`."""
        yield from self.by_host()
        yield from ((pool.key, pool) for pool in self.cognito.values())

    def by_host(self) -> Iterator[tuple[str, SystemConnection]]:
        """Yield each connection that has a host and a secret, with its name."""
        for name in ("salesforce", "vault_crm", "align"):
            if connection := getattr(self, name):
                yield name, connection
        for target in self.scim.values():
            yield target.key, target

    def targets(self) -> Iterator[tuple[str, TargetConnection]]:
        """Yield each app in which members have accounts with its name: `scim.gong`, `cognito.portal`."""
        yield from ((target.key, target) for target in self.scim.values())
        yield from ((pool.key, pool) for pool in self.cognito.values())


class Managers(Section):
    """Notifications to direct managers, and what they may do."""

    notify: bool = Field(
        default=False,
        description=(
            "Mail a manager once a run, naming the new direct reports, if at least one active report's web"
            " conferences are recorded."
        ),
    )
    may_toggle_capture: bool = Field(
        default=False,
        description=(
            "Let direct managers switch the data capture of their reports; it holds until the member changes"
            " assignment."
        ),
    )


class Events(Section):
    """What is told outward of members' changes, where the stack publishes them."""

    personal_data: bool = Field(
        default=False,
        description=(
            "Put the values that changed into member events, and who changed them by hand: names, addresses,"
            " phone numbers. Otherwise events have ids and the names of the fields."
        ),
    )


class KeepActive(Section):
    """Members who stay active although they should not; not recommended, they keep their access."""

    when_deactivated: bool = Field(default=False, description="When deactivated in Salesforce.")
    when_unmatched: bool = Field(default=False, description="When no assignment matches any more.")
    grace_days: int = Field(
        default=0,
        ge=0,
        le=365,
        description=(
            "Days that a member stays active after the last assignment has ceased to match; the next full"
            " import after them deactivates it. 0: at once. Without meaning beside when_unmatched."
        ),
    )


_FLOOR = "Up to so many changes always pass."
_COUNT = "More changes than this park the run."
_PERCENT = "More changes than this percentage of the active members park the run."


class GuardLimits(Section):
    """Limits of one operation; what is left out is taken from the general limits."""

    floor: int | None = Field(default=None, ge=0, le=1_000_000, description=_FLOOR)
    count: int | None = Field(default=None, ge=0, le=1_000_000, description=_COUNT)
    percent: float | None = Field(default=None, ge=0, le=100, description=_PERCENT)


class GuardOperations(Section):
    """Limits of single operations. Create, update and grant are limited only where they are here."""

    create: GuardLimits | None = Field(default=None, description="New members.")
    update: GuardLimits | None = Field(default=None, description="Changed members.")
    deactivate: GuardLimits | None = Field(default=None, description="Deactivated members.")
    grant: GuardLimits | None = Field(default=None, description="Seats and groups given.")
    revoke: GuardLimits | None = Field(default=None, description="Seats and groups taken back.")


class Guard(Section):
    """When a run or a change of settings waits for approval, per run and per assignment.

    That is with more changes than `floor`, and more than `count` or `percent` of the active members.
    """

    floor: int = Field(default=5, ge=0, le=1_000_000, description=_FLOOR)
    count: int = Field(default=500, ge=0, le=1_000_000, description=_COUNT)
    percent: float = Field(default=10, ge=0, le=100, description=_PERCENT)
    operations: GuardOperations = Field(
        default_factory=GuardOperations, description="Limits of single operations."
    )
    second_person: bool = Field(
        default=False, description="Whoever approves what waits must be somebody else than who started it."
    )


class Settings(Section):
    """The settings of one organization."""

    organization: OrganizationName = Field(description="The organization; the name in its webhook address.")
    time_zone: TimeZone = Field(default="UTC", description="In which end dates are read.")
    auto_provision: AutoProvision = Field(
        default_factory=AutoProvision, description="Following the users of Salesforce."
    )
    domains: Domains = Field(default_factory=Domains, description="The company's e-mail domains.")
    connections: Connections = Field(default_factory=Connections, description="The outside systems.")
    field_maps: FieldMaps = Field(
        default_factory=FieldMaps, description="How fields of the connected systems become attributes."
    )
    seats: Annotated[Mapping[SeatName, Seat], AfterValidator(_not_too_many)] = Field(
        default_factory=dict,
        description=f"The seats there are, by name, up to {MOST_SEATS}.",
        examples=[{"gong": {"limit": 200}, "forecast": {"limit": 20, "requires": ["gong"]}}],
        json_schema_extra={"additionalProperties": False, "maxProperties": MOST_SEATS},
    )
    seat_required: DataCaptureSeats = Field(
        default_factory=DataCaptureSeats, description="Which data capture setting needs which seat."
    )
    assignments: Listed[Assignment] = Field(
        default=(),
        max_length=200,
        description="Who gets what, in order; none: everyone, with nothing granted.",
    )
    managers: Managers = Field(default_factory=Managers, description="What direct managers may do.")
    events: Events = Field(default_factory=Events, description="Events of members, told outward.")
    keep_active: KeepActive = Field(default_factory=KeepActive, description="Members who stay active.")
    ignore_organizational_structure: bool = Field(
        default=False, description="Do not take managers from Salesforce."
    )
    pending_edits: Literal["protect", "overwrite"] = Field(
        default="protect",
        description=(
            "What an import does with Engage requests that are not pushed yet. protect: they are kept and"
            " reported. overwrite: existing members take the CRM's values."
        ),
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description=(
            "Days after which a member who has left is erased by the daily import: name, addresses, history;"
            " it cannot be undone. Default: kept until somebody erases them."
        ),
    )
    guard: Guard = Field(
        default_factory=Guard, description="When a run or a change of settings waits for approval."
    )

    @property
    def scheduled(self) -> bool:
        """Whether schedules import this organization."""
        return self.auto_provision.enabled and self.connections.salesforce is not None

    @model_validator(mode="after")
    def _own_connections(self) -> "Settings":
        for _, connection in self.connections.each():
            connection.belong_to(self.organization)
        for several in (self.connections.scim, self.connections.cognito):
            for name, target in several.items():
                target.be_called(name)
        return self

    @model_validator(mode="before")
    @classmethod
    def _default_secrets(cls, document: Any) -> Any:
        """Name each connection's secret after the organization where the document does not."""
        match document:
            case {"organization": str(organization), "connections": dict(connections)}:
                named = _with_secrets(connections, f"muster/{organization}")
                if isinstance(targets := connections.get("scim"), dict):
                    named["scim"] = _with_secrets(targets, f"muster/{organization}/scim")
                return {**document, "connections": named}
        return document
