"""Outbound messages as metadata: `workflows/User.workflow`, and the rows that they become.

Elements: WorkflowOutboundMessage of the Metadata API. SessionId is sent no more: whatever
includeSessionId says, it reads back as false.
"""

import json
import re
import sqlite3
from collections.abc import Mapping

from sandbox.salesforce.metadata_objects import (
    NEWEST_API_VERSION,
    OUTBOUND_MESSAGE,
    Problem,
    Saved,
    Setup,
)
from sandbox.salesforce.metadata_xml import Element, Metadata, children, read, root_of, text
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.store import find
from sandbox.salesforce.values import Stored

TYPE = OUTBOUND_MESSAGE.name
ELEMENTS: Mapping[str, Element] = {
    "fullName": Element(required=True),
    "apiVersion": Element("double", required=True),
    "description": Element(),
    "endpointUrl": Element(required=True),
    "fields": Element(many=True),
    "includeSessionId": Element("boolean", required=True),
    "integrationUser": Element(required=True),
    "name": Element(required=True),
    "protected": Element("boolean", required=True),
    "useDeadLetterQueue": Element("boolean"),
}
_URL = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*(?<!_)", re.ASCII)


def check_name(name: str) -> None:
    """Raise Problem for what cannot be a developer name."""
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise Problem(
            f"The name {name} can only contain underscores and alphanumeric characters. It must be unique,"
            " begin with a letter, not include spaces, not end with an underscore, and not contain two"
            " consecutive underscores."
        )


def check_version(metadata: Metadata) -> None:
    """Raise Problem for an API version that there is not."""
    version = float(str(metadata["apiVersion"]))
    if not 1 <= version <= NEWEST_API_VERSION or version % 1:
        raise Problem(f'The field apiVersion can\'t be "{version:g}".')


def read_workflow(files: Mapping[str, bytes], full_name: str) -> Metadata | None:
    """Return what the package holds for `User.Name`, or None. Raises Problem."""
    object_name, _, name = full_name.partition(".")
    data = files.get(f"workflows/{object_name}.workflow")
    if data is None:
        return None
    found = [
        each
        for each in children(root_of(data, "Workflow"), "outboundMessages")
        if text(each, "fullName") == name
    ]
    if len(found) > 1:
        raise Problem(f"Duplicate developer name: {full_name}")
    return read(found[0], TYPE, ELEMENTS, in_order=True) if found else None


def save(db: sqlite3.Connection, setup: Setup, full_name: str, metadata: Metadata) -> Saved:
    """Install an outbound message, or replace what one of its name holds: its id stays. Raises Problem."""
    object_name, _, name = full_name.partition(".")
    check_name(name)
    sobject = setup.schema.object(object_name)
    if sobject is None or not sobject.createable:
        raise Problem(f"In field: object - no CustomObject named {object_name} found")
    check_version(metadata)
    url = str(metadata["endpointUrl"])
    if not _URL.fullmatch(url):
        raise Problem(f"Invalid endpoint URL: {url}")
    user_id = setup.active_user(db, str(metadata["integrationUser"]))
    if user_id is None:
        raise Problem(f"In field: integrationUser - no User named {metadata['integrationUser']} found")
    return write(db, setup, full_name, metadata | {"fields": _field_names(sobject, metadata)}, user_id)


def write(db: sqlite3.Connection, setup: Setup, full_name: str, metadata: Metadata, user_id: str) -> Saved:
    """Write an outbound message that is right."""
    shown = metadata | {"includeSessionId": False, "useDeadLetterQueue": bool(metadata["useDeadLetterQueue"])}
    del shown["fullName"]
    content = json.dumps(shown, sort_keys=True)
    values: dict[str, Stored] = {
        "Name": str(metadata["name"]),
        "FullName": full_name,
        "ApiVersion": float(str(metadata["apiVersion"])),
        "EntityDefinitionId": full_name.partition(".")[0],
        "IntegrationUserId": user_id,
        "Metadata": content,
    }
    present = find(db, TYPE, full_name, by="FullName")
    if present is None:
        return Saved(setup.add(db, OUTBOUND_MESSAGE, values), created=True, changed=True)
    record_id = str(present["Id"])
    if present["Metadata"] == content:
        return Saved(record_id)
    setup.write(db, OUTBOUND_MESSAGE, record_id, values)
    return Saved(record_id, changed=True)


def delete(db: sqlite3.Connection, full_name: str) -> str | None:
    """Remove an outbound message, with what waits to be sent for it; return its id, None if there is none.

    Raises Problem while a version of a flow, active or not, refers to it.
    """
    present = find(db, TYPE, full_name, by="FullName")
    if present is None:
        return None
    user = db.execute(
        "SELECT FullName FROM \"Flow\", json_each(Metadata, '$.actionCalls') call"
        " WHERE json_extract(call.value, '$.actionName') = ?",
        (full_name,),
    ).fetchone()
    if user is not None:
        raise Problem(
            "This outbound message is referenced elsewhere in salesforce.com. Remove the usage and try again."
            f" : Flow - {user[0]}"
        )
    db.execute("DELETE FROM notification WHERE message = ?", (full_name.partition(".")[2],))
    db.execute(f'DELETE FROM "{TYPE}" WHERE Id = ?', (present["Id"],))  # noqa: S608  # a constant's name
    return str(present["Id"])


def _field_names(sobject: SObject, metadata: Metadata) -> list[str]:
    chosen: dict[str, None] = {"Id": None}  # every message carries it
    wanted = metadata["fields"]
    for name in wanted if isinstance(wanted, list) else ():
        field = sobject.field(str(name))
        if field is None or field.name == "Name":  # a compound field
            raise Problem(f"In field: fields - no CustomField named {sobject.name}.{name} found")
        chosen[field.name] = None
    return list(chosen)
