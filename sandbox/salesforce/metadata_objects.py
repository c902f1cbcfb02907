"""What the Tooling API shows of outbound messages and flows, and the view of flows that SOQL has.

The rows of these objects are the installed metadata itself: a deployment writes them, a change of a User
reads them. Fields: the object references of the Tooling API (WorkflowOutboundMessage, Flow, FlowDefinition)
and of the SOAP API (FlowDefinitionView).
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.salesforce.ids import PREFIX
from sandbox.salesforce.schema import Field, Schema, SObject
from sandbox.salesforce.standard_objects import ID, STAMPS
from sandbox.salesforce.store import change, find, insert, next_id
from sandbox.salesforce.users import created, modified
from sandbox.salesforce.values import Stored

NEWEST_API_VERSION = 67.0
OLDEST_ACTION_VERSION = 53.0  # Winter '22: before it a flow cannot send outbound messages


def _field(name: str, kind: str, length: int = 0, *, filterable: bool = True) -> Field:
    return Field(name, kind, name, length, createable=False, updateable=False, filterable=filterable)


def _reference(name: str, to: str, relationship: str) -> Field:
    return Field(name, "reference", name, 18, True, False, False, reference_to=to, relationship=relationship)


# Both may be read of one record at a time only.
FULL_NAME = _field("FullName", "string", 255, filterable=False)
METADATA = _field("Metadata", "complexvalue", filterable=False)
_PACKAGE = (_field("NamespacePrefix", "string", 15), _field("ManageableState", "string", 40))

OUTBOUND_MESSAGE = SObject(
    "WorkflowOutboundMessage",
    "Outbound Message",
    PREFIX["WorkflowOutboundMessage"],
    (
        ID,
        _field("Name", "string", 80),
        _field("ApiVersion", "double"),
        _field("EntityDefinitionId", "string", 255),
        _field("IntegrationUserId", "reference", 18),
        *_PACKAGE,
        FULL_NAME,
        METADATA,
        *STAMPS,
    ),
)
FLOW_DEFINITION = SObject(
    "FlowDefinition",
    "Flow Definition",
    PREFIX["FlowDefinition"],
    (
        ID,
        _field("DeveloperName", "string", 80),
        _field("MasterLabel", "string", 255),
        _field("Description", "string", 1000),
        _reference("ActiveVersionId", "Flow", "ActiveVersion"),
        _reference("LatestVersionId", "Flow", "LatestVersion"),
        *_PACKAGE,
        FULL_NAME,
        METADATA,
        *STAMPS,
    ),
)
FLOW = SObject(
    "Flow",
    "Flow Version",
    PREFIX["Flow"],
    (
        ID,
        _reference("DefinitionId", "FlowDefinition", "Definition"),
        _field("MasterLabel", "string", 255),
        _field("Description", "string", 1000),
        _field("VersionNumber", "int"),
        _field("Status", "picklist", 40),
        _field("ProcessType", "picklist", 40),
        _field("ApiVersion", "double"),
        *_PACKAGE,
        FULL_NAME,
        METADATA,
        *STAMPS,
    ),
)
# It has no table: what it shows is in those of the flows.
FLOW_DEFINITION_VIEW = SObject(
    "FlowDefinitionView",
    "Flow Definition View",
    PREFIX["FlowDefinition"],
    (
        _field("DurableId", "string", 255),
        _field("ApiName", "string", 80),
        _field("Label", "string", 255),
        _field("Description", "string", 1000),
        _field("ProcessType", "picklist", 40),
        _field("TriggerType", "picklist", 40),
        _field("ActiveVersionId", "string", 255),
        _field("LatestVersionId", "string", 255),
        _field("VersionNumber", "int"),
        _field("IsActive", "boolean"),
        _field("NamespacePrefix", "string", 15),
        _field("ManageableState", "picklist", 40),
        _field("LastModifiedDate", "datetime"),
    ),
)
# IsActive is about the latest version: false while an older one runs.
_VIEW = """
CREATE VIEW IF NOT EXISTS "FlowDefinitionView" AS
SELECT definition.Id AS Id, definition.Id AS DurableId, definition.DeveloperName AS ApiName,
    latest.MasterLabel AS Label, latest.Description AS Description, latest.ProcessType AS ProcessType,
    json_extract(latest.Metadata, '$.start.triggerType') AS TriggerType,
    definition.ActiveVersionId AS ActiveVersionId, definition.LatestVersionId AS LatestVersionId,
    latest.VersionNumber AS VersionNumber,
    definition.ActiveVersionId IS definition.LatestVersionId AS IsActive,
    definition.NamespacePrefix AS NamespacePrefix, definition.ManageableState AS ManageableState,
    latest.LastModifiedDate AS LastModifiedDate, definition.vanished AS vanished
FROM "FlowDefinition" definition JOIN "Flow" latest ON latest.Id = definition.LatestVersionId
"""


def tooling_schema() -> Schema:
    """Return the objects of the Tooling API."""
    return Schema((OUTBOUND_MESSAGE, FLOW_DEFINITION, FLOW))


def make_views(db: sqlite3.Connection) -> None:
    """Make the view of flows; their tables must be there."""
    db.execute(_VIEW)


class Problem(Exception):
    """Why a component cannot be deployed, in the words of a component failure."""


@dataclass(frozen=True)
class Saved:
    """What became of a component."""

    id: str
    created: bool = False
    changed: bool = False


@dataclass(frozen=True)
class Setup:
    """Where metadata is written: what its rows need besides a component's own values."""

    schema: Schema  # of the data, not of the Tooling API
    clock: Callable[[], datetime]
    pod: str
    user_id: str
    username: str

    def add(self, db: sqlite3.Connection, sobject: SObject, values: dict[str, Stored]) -> str:
        """Add a row and return its id."""
        record_id = next_id(db, sobject.name, self.pod)
        stamps = created(self.clock(), self.user_id)
        insert(db, sobject.name, {"Id": record_id, "ManageableState": "unmanaged"} | stamps | values)
        return record_id

    def write(
        self, db: sqlite3.Connection, sobject: SObject, record_id: str, values: dict[str, Stored]
    ) -> None:
        """Write values over those of a row."""
        change(db, sobject.name, {"Id": record_id} | modified(self.clock(), self.user_id) | values)

    def active_user(self, db: sqlite3.Connection, username: str) -> str | None:
        """Return the id of the active user with this username."""
        if username.casefold() == self.username.casefold():
            return self.user_id
        user = find(db, "User", username, by="Username")
        return str(user["Id"]) if user and user["IsActive"] else None
