"""Record-triggered flows as metadata: `flows/Name.flow`, their versions, and what they send.

A flow is a FlowDefinition with versions, each a row of Flow. Deploying a flow that differs from its latest
version adds a version; one that differs in its status at most adds none and changes nothing, as users
observe. At most one version is active, and only that one runs.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.salesforce import metadata_formula as formula
from sandbox.salesforce.metadata_formula import Formula, FormulaError, Row
from sandbox.salesforce.metadata_objects import (
    FLOW,
    FLOW_DEFINITION,
    NEWEST_API_VERSION,
    OLDEST_ACTION_VERSION,
    OUTBOUND_MESSAGE,
    Problem,
    Saved,
    Setup,
)
from sandbox.salesforce.metadata_outbound_messages import check_name, check_version
from sandbox.salesforce.metadata_xml import Element, Metadata, read, root_of
from sandbox.salesforce.store import find
from sandbox.salesforce.values import Stored

MOST_VERSIONS = 50
STATUSES = ("Active", "Draft", "Obsolete", "InvalidDraft")
TRIGGERS = ("Create", "Update", "CreateAndUpdate")
# What Salesforce says of a flow that cannot be deleted, whatever the reason.
UNDELETABLE = "insufficient access rights on cross-reference id"
_CONNECTOR = Element(
    "FlowConnector", type={"isGoTo": Element("boolean"), "targetReference": Element(required=True)}
)
_PLACE = {"locationX": Element("int"), "locationY": Element("int")}
_ACTION: Mapping[str, Element] = {
    "name": Element(required=True),
    "label": Element(required=True),
    "description": Element(),
    **_PLACE,
    "actionName": Element(required=True),
    "actionType": Element(required=True),
    "connector": _CONNECTOR,
    "flowTransactionModel": Element(),
    "nameSegment": Element(),
    "offset": Element("int"),
    "versionSegment": Element("int"),
}
_START: Mapping[str, Element] = {
    **_PLACE,
    "connector": _CONNECTOR,
    # The sandbox's own flows have it without a condition: they run only if something changed.
    "doesRequireRecordChangedToMeetCriteria": Element("boolean"),
    "filterFormula": Element(),
    "object": Element(required=True),
    "recordTriggerType": Element(required=True),
    "triggerType": Element(required=True),
}
_BUILDER = {
    "name": Element(required=True),
    "value": Element("FlowElementReferenceOrValue", type={"stringValue": Element()}),
}
ELEMENTS: Mapping[str, Element] = {
    "actionCalls": Element("FlowActionCall", many=True, type=_ACTION),
    "apiVersion": Element("double", required=True),
    "description": Element(),
    "environments": Element(),
    "interviewLabel": Element(),
    "label": Element(required=True),
    "processMetadataValues": Element("FlowMetadataValue", many=True, type=_BUILDER),
    "processType": Element(required=True),
    "runInMode": Element(),
    "start": Element("FlowStart", required=True, type=_START),
    "status": Element(),
    "triggerOrder": Element("int"),
}


def read_flow(files: Mapping[str, bytes], name: str) -> Metadata | None:
    """Return what the package holds for a flow, or None. Raises Problem."""
    data = files.get(f"flows/{name}.flow")
    return None if data is None else read(root_of(data, "Flow"), "Flow", ELEMENTS)


def save(db: sqlite3.Connection, setup: Setup, name: str, metadata: Metadata) -> Saved:
    """Check a flow and add a version if it differs from the latest one. Raises Problem.

    A new version is active if its status says so; what it replaces becomes obsolete.
    """
    check_name(name)
    status = str(metadata["status"] or "Draft")
    if status not in STATUSES:
        raise Problem(f"Error parsing file: '{status}' is not a valid value for the enum 'FlowVersionStatus'")
    check_version(metadata)
    _check_start(setup, metadata)
    _check_actions(db, metadata)
    return add_version(db, setup, name, metadata | {"status": status})


def _check_start(setup: Setup, metadata: Metadata) -> None:
    start = metadata["start"]
    if metadata["processType"] != "AutoLaunchedFlow":
        raise Problem("The sandbox runs flows with the process type AutoLaunchedFlow only")
    sobject = setup.schema.object(start["object"])
    if sobject is None or not sobject.createable:
        raise Problem(
            f"start (Start) - The object type \"{start['object']}\" can't be found or isn't supported."
        )
    if start["triggerType"] != "RecordAfterSave" or start["recordTriggerType"] not in TRIGGERS:
        raise Problem(f"The sandbox runs flows after a save only, on {', '.join(TRIGGERS)}")
    if start["doesRequireRecordChangedToMeetCriteria"]:
        raise Problem("The sandbox knows no flows that run when a record is changed to meet its condition")
    if start["filterFormula"] is None:
        return
    try:
        condition = formula.parse(start["filterFormula"])
        formula.check(condition, sobject)
        if start["recordTriggerType"] != "Update" and condition.functions & {"ISCHANGED", "ISNEW"} == {
            "ISCHANGED"
        }:
            raise FormulaError("ISCHANGED is not supported for created records without ISNEW.")
    except FormulaError as error:
        raise Problem(f"start (Start) - The formula expression is invalid: {error}") from None


def _check_actions(db: sqlite3.Connection, metadata: Metadata) -> None:
    actions = _actions(metadata)
    calls = metadata["actionCalls"]
    if len(actions) < len(calls):
        raise Problem("The API names of the flow's elements must be unique.")
    start = metadata["start"]
    for each in (start, *calls):
        target = (each["connector"] or {}).get("targetReference")
        if target is not None and target not in actions:
            name = each.get("name", "start")
            raise Problem(f"{name} - The connector's target \"{target}\" can't be found in the flow.")
    for name, action in actions.items():
        version = metadata["apiVersion"]
        if action["actionType"] == "outboundMessage" and version < OLDEST_ACTION_VERSION:
            raise Problem(
                f'{name} (Action) - The action type "Outbound Messages" can\'t be used in flows with the'
                ' process type "Autolaunched Flow".'
            )
        known = find(db, OUTBOUND_MESSAGE.name, action["actionName"], by="FullName")
        on = action["actionName"].partition(".")[0]
        if action["actionType"] != "outboundMessage" or known is None or on != start["object"]:
            raise Problem(
                f"{name} (Action) - We can't find an action with the name and action type that you specified."
            )
        if action["flowTransactionModel"] not in {None, "CurrentTransaction"}:
            model = action["flowTransactionModel"]
            raise Problem(
                f'{name} (Action) - The flow transaction model "{model}" can\'t be used in this flow.'
            )


def add_version(db: sqlite3.Connection, setup: Setup, name: str, metadata: Metadata) -> Saved:
    """Add a version of a flow that is right, unless it is what the latest version is. Raises Problem."""
    definition = find(db, FLOW_DEFINITION.name, name, by="DeveloperName")
    number = 1
    if definition is not None:
        latest = find(db, FLOW.name, definition["LatestVersionId"]) or {}
        if json.loads(str(latest["Metadata"])) | {"status": None} == metadata | {"status": None}:
            return Saved(str(definition["Id"]))
        (count,) = db.execute(
            'SELECT count(*) FROM "Flow" WHERE DefinitionId = ?', (definition["Id"],)
        ).fetchone()
        if count >= MOST_VERSIONS:
            raise Problem("Maximum flow versions reached")
        number = int(str(latest["VersionNumber"])) + 1
        definition_id = str(definition["Id"])
    else:
        definition_id = setup.add(db, FLOW_DEFINITION, {"DeveloperName": name, "FullName": name})
    becomes_active = metadata["status"] == "Active"
    values: dict[str, Stored] = {
        "DefinitionId": definition_id,
        "MasterLabel": str(metadata["label"]),
        "Description": _text(metadata["description"]),
        "VersionNumber": number,
        "Status": str(metadata["status"]) if not becomes_active else "Draft",
        "ProcessType": str(metadata["processType"]),
        "ApiVersion": float(str(metadata["apiVersion"])),
        "FullName": f"{name}-{number}",
        "Metadata": json.dumps(metadata | {"status": "Draft"} if becomes_active else metadata),
    }
    setup.add(db, FLOW, values)
    _describe(db, setup, definition_id)
    if becomes_active:
        activate(db, setup, name, number)
    return Saved(definition_id, created=number == 1, changed=True)


def install(db: sqlite3.Connection, setup: Setup, name: str, message: str) -> None:
    """Make an active flow that sends an outbound message whenever a User is created or changed.

    It is what an admin would build by hand, so no setting keeps it from being active. Raises Problem.
    """
    action: Metadata = dict.fromkeys(_ACTION)
    action |= {"name": "Send", "label": "Send", "actionName": message, "actionType": "outboundMessage"}
    start: Metadata = dict.fromkeys(_START)
    start |= {
        "connector": {"isGoTo": None, "targetReference": "Send"},
        "doesRequireRecordChangedToMeetCriteria": True,
        "object": "User",
        "recordTriggerType": "CreateAndUpdate",
        "triggerType": "RecordAfterSave",
    }
    flow: Metadata = dict.fromkeys(ELEMENTS)
    flow |= {
        "actionCalls": [action],
        "apiVersion": NEWEST_API_VERSION,
        "label": name,
        "processMetadataValues": [],
        "processType": "AutoLaunchedFlow",
        "start": start,
        "status": "Active",
    }
    add_version(db, setup, name, flow)
    definition = find(db, FLOW_DEFINITION.name, name, by="DeveloperName") or {}
    latest = find(db, FLOW.name, definition["LatestVersionId"]) or {}
    activate(db, setup, name, int(str(latest["VersionNumber"])))


def activate(db: sqlite3.Connection, setup: Setup, name: str, number: int) -> Saved:
    """Make a version the active one; 0 makes none active. Raises Problem for one that is not there."""
    definition = find(db, FLOW_DEFINITION.name, name, by="DeveloperName")
    if definition is None:
        raise Problem(f"No FlowDefinition named {name} found")
    rows = db.execute('SELECT * FROM "Flow" WHERE DefinitionId = ?', (definition["Id"],)).fetchall()
    if number and number not in {row["VersionNumber"] for row in rows}:
        raise Problem(f"The flow {name} has no version {number}")
    changes = False
    for row in rows:
        status = row["Status"]
        if row["VersionNumber"] == number:
            status = "Active"
        elif status == "Active":
            status = "Obsolete"
        if status != row["Status"]:
            changes = True
            metadata = json.dumps(json.loads(row["Metadata"]) | {"status": status})
            setup.write(db, FLOW, row["Id"], {"Status": status, "Metadata": metadata})
    _describe(db, setup, str(definition["Id"]))
    return Saved(str(definition["Id"]), changed=changes)


def delete(db: sqlite3.Connection, setup: Setup, member: str) -> str | None:
    """Delete a version, `Name-2`, or a flow with one version, `Name`; return its id, None if there is none.

    Raises Problem for an active version, and for a flow with several.
    """
    version = find(db, FLOW.name, member, by="FullName")
    definition = find(db, FLOW_DEFINITION.name, member, by="DeveloperName")
    if version is None and definition is None:
        return None
    owner = str(version["DefinitionId"] if version else definition and definition["Id"])
    rows = db.execute('SELECT Id, Status FROM "Flow" WHERE DefinitionId = ?', (owner,)).fetchall()
    doomed = [row for row in rows if version is None or row["Id"] == version["Id"]]
    if len(doomed) != 1 or doomed[0]["Status"] == "Active":
        raise Problem(UNDELETABLE)
    db.execute('DELETE FROM "Flow" WHERE Id = ?', (doomed[0]["Id"],))
    if len(rows) == 1:
        db.execute('DELETE FROM "FlowDefinition" WHERE Id = ?', (owner,))
    else:
        _describe(db, setup, owner)
    return str(doomed[0]["Id"])


def delete_users_of(db: sqlite3.Connection, full_name: str) -> None:
    """Delete every flow that sends an outbound message, active or not, as an admin may."""
    users = (
        "SELECT DefinitionId FROM \"Flow\", json_each(Metadata, '$.actionCalls') call"
        " WHERE json_extract(call.value, '$.actionName') = ?"
    )
    found = [row[0] for row in db.execute(users, (full_name,)).fetchall()]
    for definition_id in found:
        db.execute('DELETE FROM "Flow" WHERE DefinitionId = ?', (definition_id,))
        db.execute('DELETE FROM "FlowDefinition" WHERE Id = ?', (definition_id,))


def sent_by(db: sqlite3.Connection, before: Row | None, after: Row) -> list[str]:
    """Return the full names of the outbound messages that the active flows send for a saved User."""
    rows = db.execute(
        'SELECT active.Metadata FROM "FlowDefinition" definition'
        ' JOIN "Flow" active ON active.Id = definition.ActiveVersionId ORDER BY definition.DeveloperName'
    ).fetchall()
    sent: list[str] = []
    for (metadata,) in rows:
        trigger = _trigger(metadata)
        if trigger.runs(before, after):
            sent += trigger.messages
    return sent


@dataclass(frozen=True)
class _Trigger:
    """When an active flow on User runs, and what it sends then."""

    on: str
    needs_change: bool
    condition: Formula | None
    messages: tuple[str, ...]

    def runs(self, before: Row | None, after: Row) -> bool:
        if self.on not in {"CreateAndUpdate", "Create" if before is None else "Update"}:
            return False
        if self.needs_change and before is not None and _values(before) == _values(after):
            return False
        return self.condition is None or self.condition.holds(before, after)


@lru_cache(maxsize=64)
def _trigger(metadata: str) -> _Trigger:
    flow = json.loads(metadata)
    start, actions = flow["start"], _actions(flow)
    messages: list[str] = []
    passed: set[str] = set()
    connector = start["connector"]
    while connector and connector["targetReference"] not in passed:
        passed.add(connector["targetReference"])
        action = actions[connector["targetReference"]]
        messages.append(action["actionName"])
        connector = action["connector"]
    condition = formula.parse(start["filterFormula"]) if start["filterFormula"] else None
    needs_change = bool(start["doesRequireRecordChangedToMeetCriteria"])
    return _Trigger(start["recordTriggerType"], needs_change, condition, tuple(messages))


def _values(row: Row) -> dict[str, Stored]:
    moved = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    return {name: value for name, value in row.items() if name not in moved}


def _actions(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in metadata["actionCalls"]}


def _describe(db: sqlite3.Connection, setup: Setup, definition_id: str) -> None:
    """Write what a definition says of its versions."""
    rows = db.execute(
        'SELECT * FROM "Flow" WHERE DefinitionId = ? ORDER BY VersionNumber', (definition_id,)
    ).fetchall()
    active = next((row for row in rows if row["Status"] == "Active"), None)
    shown = active or rows[-1]
    metadata = {
        "activeVersionNumber": active["VersionNumber"] if active else None,
        "description": shown["Description"],
        "masterLabel": shown["MasterLabel"],
        "urls": None,
    }
    values: dict[str, Stored] = {
        "ActiveVersionId": active["Id"] if active else None,
        "LatestVersionId": rows[-1]["Id"],
        "MasterLabel": shown["MasterLabel"],
        "Description": shown["Description"],
        "Metadata": json.dumps(metadata),
    }
    setup.write(db, FLOW_DEFINITION, definition_id, values)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
