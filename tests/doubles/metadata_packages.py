"""Packages of metadata and their deployment, for tests: plain XML, no code of the sandbox's."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import requests

from tests.doubles.salesforce_over_http import Organization

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
NAME = "Muster_User"
MESSAGE = ("WorkflowOutboundMessage", f"User.{NAME}")
FLOW = ("Flow", NAME)
CONDITION = "OR(ISNEW(), ISCHANGED({!$Record.Title}))"
OPTIONS = {"singlePackage": True, "rollbackOnError": True}
WORKFLOW_FILE = "workflows/User.workflow"
FLOW_FILE = f"flows/{NAME}.flow"


def document(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{content}</{root}>'


def elements(values: Mapping[str, object]) -> str:
    """Elements in order; None leaves one out, a list repeats it, a mapping nests."""
    found = ""
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            content = elements(each) if isinstance(each, Mapping) else each
            found += "" if each is None else f"<{name}>{content}</{name}>"
    return found


def manifest(*members: tuple[str, str], version: str | None = "66.0") -> str:
    types = "".join(elements({"types": {"members": name, "name": kind}}) for kind, name in members)
    return document("Package", types + elements({"version": version}))


def outbound_message(url: str, username: str, *fields: str, **changes: object) -> dict[str, object]:
    return {
        "fullName": NAME,
        "apiVersion": "66.0",
        "description": "Sends changed users",
        "endpointUrl": url.replace("&", "&amp;"),
        "fields": list(fields) or ["Id", "Title"],
        "includeSessionId": "false",
        "integrationUser": username,
        "name": NAME,
        "protected": "false",
        "useDeadLetterQueue": "false",
    } | changes


def workflow(*messages: dict[str, object]) -> str:
    return document("Workflow", elements({"outboundMessages": list(messages)}))


def flow(
    *,
    action: Mapping[str, object] | None = None,
    start: Mapping[str, object] | None = None,
    **changes: object,
) -> str:
    call: dict[str, object] = {
        "name": "Send",
        "label": "Send",
        "locationX": 176,
        "locationY": 287,
        "actionName": f"User.{NAME}",
        "actionType": "outboundMessage",
        "flowTransactionModel": "CurrentTransaction",
        "nameSegment": f"User.{NAME}",
    }
    begin: dict[str, object] = {
        "locationX": 50,
        "locationY": 0,
        "connector": {"targetReference": "Send"},
        "filterFormula": CONDITION,
        "object": "User",
        "recordTriggerType": "CreateAndUpdate",
        "triggerType": "RecordAfterSave",
    }
    whole = {
        "actionCalls": call | dict(action or {}),
        "apiVersion": "66.0",
        "environments": "Default",
        "interviewLabel": "Muster {!$Flow.CurrentDateTime}",
        "label": "Muster User",
        "processType": "AutoLaunchedFlow",
        "start": begin | dict(start or {}),
        "status": "Active",
    }
    return document("Flow", elements(whole | changes))


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return archive.getvalue()


class Metadata:
    """The Metadata and Tooling API of a running organization, and packages that fit it."""

    def __init__(self, org: Organization, url: str = "http://127.0.0.1:9/nowhere") -> None:
        self.org = org
        self.url = url

    def package(self, **files: str | None) -> dict[str, str]:
        """The whole package; `workflow`, `flow` and `manifest` replace a file."""
        message = outbound_message(self.url, self.org.sandbox.username)
        return {
            "package.xml": files.get("manifest") or manifest(MESSAGE, FLOW),
            WORKFLOW_FILE: files.get("workflow") or workflow(message),
            FLOW_FILE: files.get("flow") or flow(),
        }

    def post(self, archive: bytes, **options: object) -> requests.Response:
        parts = {
            "json": (None, json.dumps({"deployOptions": OPTIONS | options}), "application/json"),
            "file": ("deploy.zip", archive, "application/zip"),
        }
        return self.org.call("POST", "/metadata/deployRequest", files=parts)

    def start(self, files: Mapping[str, str | bytes], **options: object) -> str:
        answer = self.post(zipped(files), **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def check(self, deploy_id: str) -> dict[str, Any]:
        answer = self.org.call("GET", f"/metadata/deployRequest/{deploy_id}?includeDetails=true")
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()["deployResult"]
        return result

    def deploy(self, files: Mapping[str, str | bytes], **options: object) -> dict[str, Any]:
        result = self.check(self.start(files, **options))
        assert result["done"] is True
        return result

    def install(self) -> None:
        result = self.deploy(self.package())
        assert result["status"] == "Succeeded", result

    def delete(self, *members: tuple[str, str], **options: object) -> dict[str, Any]:
        files = {"package.xml": manifest(), "destructiveChanges.xml": manifest(*members, version=None)}
        return self.deploy(files, **options)

    def tooling(self, soql: str) -> list[dict[str, Any]]:
        answer = self.org.call("GET", "/tooling/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    def versions(self) -> list[tuple[int, str]]:
        """The flow's versions with their status."""
        rows = self.tooling("SELECT VersionNumber, Status FROM Flow ORDER BY VersionNumber")
        return [(row["VersionNumber"], row["Status"]) for row in rows]

    def activate(self, number: int) -> requests.Response:
        (row,) = self.tooling(f"SELECT Id FROM FlowDefinition WHERE DeveloperName = '{NAME}'")  # noqa: S608
        body = {"Metadata": {"activeVersionNumber": number}}
        return self.org.call("PATCH", f"/tooling/sobjects/FlowDefinition/{row['Id']}", json=body)


def problems(result: Mapping[str, Any]) -> list[str]:
    """What the failures of a deployment say."""
    assert (result["status"], result["success"]) in {("Failed", False), ("SucceededPartial", True)}, result
    failures = result["details"]["componentFailures"]
    assert result["numberComponentErrors"] == len(failures)
    assert all(each["problemType"] in {"Error", "Warning"} and not each["success"] for each in failures)
    return [each["problem"] for each in failures]
