"""What Muster puts into Salesforce so that changed users arrive: an outbound message and a flow (U7).

    DesiredSetup    what the message and the flow have to be, for one organization
    package         the zip that the Metadata API deploys: the message, the flow, or both
    removal         the zip that deletes both

The flow is record-triggered on User. Workflow rules would work too, but have been out of support since
the end of 2025. Elements are in Salesforce's own order; it refuses a message with any other.
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

# The names of message and flow begin with it.
PREFIX = "Muster_"
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_LONGEST_CONDITION = 3_900
# Salesforce keeps 50 versions of a flow. Once there are this many, the next deployment deletes old ones.
_MANY_VERSIONS = 40
_VERSIONS_KEPT = 10
# Fields that no save of a user changes by itself, or that a flow's condition cannot watch.
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
class DesiredSetup:
    """The message and the flow that Salesforce should have.

    `endpoint` is the URL without its token; `fields` are those the message carries; `watched` those whose
    change sends it, `None` for any save of a user; `username` is the user whose permissions decide what
    the message shows.
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
    def description(self) -> str:
        """The text that admins of the org see at the message and the flow."""
        return f"Sends changed users to Muster, organization {self.organization}. Muster keeps it."

    @property
    def condition(self) -> str | None:
        """When the flow runs, as a formula; `None` for any save."""
        return None if self.watched is None else _condition(self.watched)


def name_of(organization: str) -> str:
    """Return the name of an organization's message and flow: letters, digits, single underscores."""
    return PREFIX + re.sub("-+", "_", organization)


def desired_setup(
    settings: Settings,
    connection: SalesforceConnection,
    endpoint: str,
    described: Sequence[Mapping[str, Any]],
    username: str,
) -> DesiredSetup:
    """Return what Salesforce should have; `described` are the fields of User as Salesforce describes them."""
    auto_provision = settings.auto_provision
    watched = tuple(sorted(_watched(settings, described)))
    return DesiredSetup(
        organization=settings.organization,
        name=name_of(settings.organization),
        endpoint=endpoint,
        # Always all that the settings list (W5): with fewer, switching read_back off would empty the others.
        fields=(*auto_provision.fields, *auto_provision.custom_fields),
        watched=watched if watched and len(_condition(watched)) <= _LONGEST_CONDITION else None,
        api_version=connection.api_version,
        username=username,
    )


def is_outgrown(before: Settings, after: Settings) -> bool:
    """Whether a setup that was deployed for `before` lacks fields that `after` names."""
    carried = {*before.auto_provision.fields, *before.auto_provision.custom_fields}
    wanted = {*after.auto_provision.fields, *after.auto_provision.custom_fields}
    return not wanted <= carried or not _named(after) <= _named(before)


def watched_in(condition: str | None) -> frozenset[str] | None:
    """Return the fields that a flow's condition watches, in lower case; `None`: it sends at any save.

    Compare these, not the text: Salesforce may write a formula differently from how it was deployed.
    """
    return None if not condition else frozenset(name.lower() for name in _WATCHES.findall(condition))


def package(
    desired: DesiredSetup,
    *,
    url: str | None = None,
    flow: bool = False,
    versions: Sequence[int] = (),
    active: int | None = None,
) -> bytes:
    """Return the package to deploy: the message with this endpoint, if given, and the flow, if wanted.

    `versions` are those that the flow has, `active` the one that runs. If there are many, all but the
    latest and the active one are deleted.
    """
    members: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    if url is not None:
        members["WorkflowOutboundMessage"] = [desired.message]
        files["workflows/User.workflow"] = _document("Workflow", {"outboundMessages": _message(desired, url)})
    if flow:
        members["Flow"] = [desired.name]
        files[f"flows/{desired.name}.flow"] = _document("Flow", _flow(desired))
        old = versions[:-_VERSIONS_KEPT] if len(versions) >= _MANY_VERSIONS else ()
        if doomed := [f"{desired.name}-{number}" for number in old if number != active]:
            files["destructiveChanges.xml"] = _manifest({"Flow": doomed})
    return _zipped({"package.xml": _manifest(members, desired.api_version)} | files)


def removal(desired: DesiredSetup, *, message: bool, versions: Iterable[int]) -> bytes:
    """Return the package that deletes the flow's versions, all of them inactive, and then the message."""
    doomed = {
        "Flow": [f"{desired.name}-{number}" for number in versions],
        "WorkflowOutboundMessage": [desired.message] if message else [],
    }
    return _zipped(
        {
            "package.xml": _manifest({}, desired.api_version),
            "destructiveChanges.xml": _manifest(doomed),
        }
    )


# ── What is watched ──────────────────────────────────────────────────────────────────────────────────


def _watched(settings: Settings, described: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the fields of User whose change may change a member."""
    named = _named(settings)
    for field in described:
        name, relationship = str(field.get("name")), str(field.get("relationshipName") or "")
        is_named = name.lower() in named or relationship.lower() in named
        if is_named and name not in _NOT_WATCHED and _can_be_watched(field):
            yield name


def _named(settings: Settings) -> frozenset[str]:
    """Return the fields that are read, mapped, or named in a filter, in lower case."""
    filters = [each.filter for each in settings.assignments if each.filter]
    named = set(fields_to_read(settings)).union(*map(soql_filters.names, filters))
    return frozenset(name.lower() for name in named)


def _can_be_watched(field: Mapping[str, Any]) -> bool:
    # A formula field changes only when its source fields do, and those are watched like any others.
    is_plain = field.get("type") not in _UNWATCHABLE_TYPES and not field.get("calculated")
    return is_plain and _NAME.fullmatch(str(field.get("name"))) is not None


def _condition(watched: Iterable[str]) -> str:
    # ISCHANGED alone is refused where a flow runs for new records too.
    return f"OR(ISNEW(), {', '.join(f'ISCHANGED({{!$Record.{name}}})' for name in watched)})"


# ── XML ──────────────────────────────────────────────────────────────────────────────────────────────


def _message(desired: DesiredSetup, url: str) -> Xml:
    return {
        "fullName": desired.name,
        "apiVersion": desired.api_version,
        "description": desired.description,
        "endpointUrl": url,
        "fields": list(desired.fields),
        "includeSessionId": "false",
        "integrationUser": desired.username,
        "name": desired.name,
        "protected": "false",
        "useDeadLetterQueue": "false",
    }


def _flow(desired: DesiredSetup) -> Xml:
    return {
        "actionCalls": {
            "name": "Send",
            "label": "Send",
            "locationX": "176",
            "locationY": "287",
            "actionName": desired.message,
            "actionType": "outboundMessage",
            "flowTransactionModel": "CurrentTransaction",
            "nameSegment": desired.message,
        },
        "apiVersion": desired.api_version,
        "description": desired.description,
        "environments": "Default",
        "interviewLabel": f"{desired.name} {{!$Flow.CurrentDateTime}}",
        "label": f"Muster {desired.organization}",
        "processType": "AutoLaunchedFlow",
        "start": {
            "locationX": "50",
            "locationY": "0",
            "connector": {"targetReference": "Send"},
            "filterFormula": desired.condition,
            "object": "User",
            "recordTriggerType": "CreateAndUpdate",
            "triggerType": "RecordAfterSave",
        },
        "status": "Active",
    }


def _manifest(members: Mapping[str, Sequence[str]], version: str | None = None) -> bytes:
    """Return a package.xml, or without a version a destructiveChanges.xml: members by type, in order."""
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
            # A fixed time, so that the same content gives the same archive.
            opened.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()
