"""What Muster puts into Salesforce so that changed users arrive: an outbound message and a flow (U7).

    Sender       what message and flow have to be, for one organization
    package      the zip that the Metadata API deploys, of message, flow or both
    removal      the zip that takes both away

The flow is a record-triggered one on User, never a workflow rule: those have been without support since
the end of 2025. Element order is Salesforce's own; a message's elements in another one are refused.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from muster.crm import soql_filters
from muster.settings import Settings
from muster.settings.mappings import fields_to_read
from muster.settings.sections import SalesforceConnection

# What the names of message and flow begin with.
PREFIX = "Muster_"
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_LONGEST_CONDITION = 3_900
# Salesforce keeps 50 versions of a flow. From so many on, the older ones go with the next deployment.
_MANY_VERSIONS = 40
_VERSIONS_KEPT = 10
# What no save of a user changes by itself, or what a flow's condition cannot watch.
_NOT_WATCHED = frozenset(
    {
        "CreatedDate",
        "FullPhotoUrl",
        "Id",
        "LastLoginDate",
        "LastModifiedDate",
        "LastReferencedDate",
        "LastViewedDate",
        "Name",
        "SmallPhotoUrl",
        "SystemModstamp",
    }
)
_UNWATCHABLE_TYPES = frozenset({"address", "base64", "encryptedstring", "location"})
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_WATCHES = re.compile(r"ISCHANGED\(\s*\{!\$Record\.(\w+)\}\s*\)", re.IGNORECASE | re.ASCII)

type Xml = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What message and flow have to be.

    `endpoint` is the URL without its token; `fields` are those the message carries; `watched` those whose
    change sends it, `None` for any save of a user; `username` the user whose permissions decide what the
    message shows.
    """

    organization: str
    name: str
    endpoint: str
    fields: tuple[str, ...]
    watched: tuple[str, ...] | None
    api_version: str
    username: str

    @property
    def message(self) -> str:
        """The full name of the outbound message."""
        return f"User.{self.name}"

    @property
    def condition(self) -> str | None:
        """When the flow runs, as a formula; `None` for any save."""
        return None if self.watched is None else _condition(self.watched)


def name_of(organization: str) -> str:
    """Return what message and flow of an organization are called: letters, digits, single underscores."""
    return PREFIX + re.sub("-+", "_", organization)


def sender_of(
    settings: Settings,
    connection: SalesforceConnection,
    endpoint: str,
    described: Sequence[Mapping[str, Any]],
    username: str,
) -> Sender:
    """Return what Salesforce has to have; `described` are User's fields as Salesforce describes them."""
    auto_provision = settings.auto_provision
    watched = tuple(sorted(_watched(settings, described)))
    return Sender(
        organization=settings.organization,
        name=name_of(settings.organization),
        endpoint=endpoint,
        # Always what the settings list (W5): with fewer, switching read_back off would empty the others.
        fields=(*auto_provision.fields, *auto_provision.custom_fields),
        watched=watched if watched and len(_condition(watched)) <= _LONGEST_CONDITION else None,
        api_version=connection.api_version,
        username=username,
    )


def is_outgrown(before: Settings, after: Settings) -> bool:
    """Tell whether message and flow that were made for some settings lack something that others name."""
    carried = {*before.auto_provision.fields, *before.auto_provision.custom_fields}
    wanted = {*after.auto_provision.fields, *after.auto_provision.custom_fields}
    return not wanted <= carried or not _named(after) <= _named(before)


def watched_in(condition: str | None) -> frozenset[str] | None:
    """Return the fields that a flow's condition watches, in lower case; `None`: it sends at any save.

    Compared so, not as text: Salesforce may write a formula otherwise than it was deployed.
    """
    return None if not condition else frozenset(name.lower() for name in _WATCHES.findall(condition))


def package(
    sender: Sender,
    *,
    url: str | None = None,
    flow: bool = False,
    versions: Sequence[int] = (),
    active: int | None = None,
) -> bytes:
    """Return what is deployed: the message with this endpoint, if given, the flow, if wanted.

    `versions` are those that the flow has, `active` the one that runs: where they are many, all but the
    latest and that one are taken away.
    """
    members: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    if url is not None:
        members["WorkflowOutboundMessage"] = [sender.message]
        files["workflows/User.workflow"] = _document("Workflow", {"outboundMessages": _message(sender, url)})
    if flow:
        members["Flow"] = [sender.name]
        files[f"flows/{sender.name}.flow"] = _document("Flow", _flow(sender))
        old = versions[:-_VERSIONS_KEPT] if len(versions) >= _MANY_VERSIONS else ()
        if doomed := [f"{sender.name}-{number}" for number in old if number != active]:
            files["destructiveChanges.xml"] = _manifest({"Flow": doomed})
    return _zipped({"package.xml": _manifest(members, sender.api_version)} | files)


def removal(sender: Sender, *, message: bool, versions: Iterable[int]) -> bytes:
    """Return what takes the flow's versions away, all of them inactive, and then the message."""
    doomed = {
        "Flow": [f"{sender.name}-{number}" for number in versions],
        "WorkflowOutboundMessage": [sender.message] if message else [],
    }
    return _zipped(
        {
            "package.xml": _manifest({}, sender.api_version),
            "destructiveChanges.xml": _manifest(doomed),
        }
    )


# ── What is watched ──────────────────────────────────────────────────────────────────────────────────


def _watched(settings: Settings, described: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the fields of User whose change may change a member."""
    wanted = _named(settings)
    for field in described:
        name, relationship = str(field.get("name")), str(field.get("relationshipName") or "")
        is_meant = name.lower() in wanted or relationship.lower() in wanted
        if is_meant and name not in _NOT_WATCHED and _can_be_watched(field):
            yield name


def _named(settings: Settings) -> frozenset[str]:
    """Return what is read, mapped, or spoken of in a filter, in lower case."""
    filters = [each.filter for each in settings.assignments if each.filter]
    named = set(fields_to_read(settings)).union(*map(soql_filters.names, filters))
    return frozenset(name.lower() for name in named)


def _can_be_watched(field: Mapping[str, Any]) -> bool:
    # A formula changes with the fields it is made of, which are fields like others.
    is_plain = field.get("type") not in _UNWATCHABLE_TYPES and not field.get("calculated")
    return is_plain and _NAME.fullmatch(str(field.get("name"))) is not None


def _condition(watched: Iterable[str]) -> str:
    # ISCHANGED alone is refused where a flow runs for new records too.
    return f"OR(ISNEW(), {', '.join(f'ISCHANGED({{!$Record.{name}}})' for name in watched)})"


# ── XML ──────────────────────────────────────────────────────────────────────────────────────────────


def _message(sender: Sender, url: str) -> Xml:
    return {
        "fullName": sender.name,
        "apiVersion": sender.api_version,
        "description": f"Sends changed users to Muster, organization {sender.organization}. Muster keeps it.",
        "endpointUrl": url,
        "fields": list(sender.fields),
        "includeSessionId": "false",
        "integrationUser": sender.username,
        "name": sender.name,
        "protected": "false",
        "useDeadLetterQueue": "false",
    }


def _flow(sender: Sender) -> Xml:
    return {
        "actionCalls": {
            "name": "Send",
            "label": "Send",
            "locationX": "176",
            "locationY": "287",
            "actionName": sender.message,
            "actionType": "outboundMessage",
            "flowTransactionModel": "CurrentTransaction",
            "nameSegment": sender.message,
        },
        "apiVersion": sender.api_version,
        "description": f"Sends changed users to Muster, organization {sender.organization}. Muster keeps it.",
        "environments": "Default",
        "interviewLabel": f"{sender.name} {{!$Flow.CurrentDateTime}}",
        "label": f"Muster {sender.organization}",
        "processType": "AutoLaunchedFlow",
        "start": {
            "locationX": "50",
            "locationY": "0",
            "connector": {"targetReference": "Send"},
            "filterFormula": sender.condition,
            "object": "User",
            "recordTriggerType": "CreateAndUpdate",
            "triggerType": "RecordAfterSave",
        },
        "status": "Active",
    }


def _manifest(members: Mapping[str, Sequence[str]], version: str | None = None) -> bytes:
    """Return a package.xml, or with no version a destructiveChanges.xml: members by type, in their order."""
    listed = [{"members": list(names), "name": kind} for kind, names in members.items() if names]
    return _document("Package", {"types": listed, "version": version})


def _document(root: str, content: Xml) -> bytes:
    element = ET.Element(root, xmlns=_NAMESPACE)
    _fill(element, content)
    return bytes(ET.tostring(element, encoding="UTF-8", xml_declaration=True))


def _fill(element: ET.Element, content: Xml) -> None:
    """Add elements in order: a list repeats one, a mapping nests, `None` leaves one out."""
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            if each is None:
                continue
            child = ET.SubElement(element, name)
            if isinstance(each, Mapping):
                _fill(child, each)
            else:
                child.text = each


def _zipped(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            # With a fixed time, the same content is the same archive.
            opened.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()
