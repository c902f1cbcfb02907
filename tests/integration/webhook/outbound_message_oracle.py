"""Says by other means than the product what an outbound message is, and what has to be queued of it.

The product walks an element tree against tables. Here a DOM is written down as one string, a letter
an element, children in alphabetical order, and one regular expression is the whole schema.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from tests.doubles.outbound_messages import OUTBOUND, SOAP, SOBJECT, XSI

type Fields = dict[str, str]

LETTERS = {
    (SOAP, "Envelope"): "E",
    (SOAP, "Body"): "B",
    (OUTBOUND, "notifications"): "N",
    (OUTBOUND, "Notification"): "T",
    (OUTBOUND, "sObject"): "S",
    (OUTBOUND, "ActionId"): "a",
    (OUTBOUND, "EnterpriseUrl"): "e",
    (OUTBOUND, "Id"): "i",
    (OUTBOUND, "OrganizationId"): "o",
    (OUTBOUND, "PartnerUrl"): "p",
    (OUTBOUND, "SessionId"): "s",
}
SCHEMA = re.compile(r"E\(B\(N\((T\((S\(f{0,200}\)|S)?i\)){1,100}ae?op?s?\)\)\)")
ID = re.compile(r"([a-zA-Z0-9]{15})([A-Z0-5]{3})?")
DECLARED = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\s+version=["'](.*?)["'](?:\s+encoding=["'](.*?)["'])?""")
NAMESPACE = re.compile(rb"""(xmlns[\w:]*\s*=\s*)("[^"<]*"|'[^'<]*')""")


class NotOne(Exception):
    """The body is no outbound message."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a valid message holds: the organization's 15 characters, and what goes where."""

    organization: str
    changes: list[tuple[str, Fields]]
    parked: list[tuple[str, str | None, str | None, str]]


def understand(body: bytes) -> Expected:
    """Return what a body says; raises `NotOne`. No body given here comes near the limits of size."""
    declared = DECLARED.match(body)
    if declared and (declared[1] != b"1.0" or (declared[2] or b"UTF-8").upper() != b"UTF-8"):
        raise NotOne
    # minidom puts a blank between namespace and name, and trips over a blank that is inside already.
    body = NAMESPACE.sub(lambda found: found[1] + re.sub(rb"\s", b"%20", found[2]), body)
    try:
        body.decode()
        document = minidom.parseString(body)  # noqa: S318 - the stdlib on purpose: not what the product uses
    except (ExpatError, ValueError, LookupError) as error:
        raise NotOne from error
    root = document.documentElement
    if document.doctype or root is None or not SCHEMA.fullmatch("".join(map(outline, document.childNodes))):
        raise NotOne
    [organization] = root.getElementsByTagNameNS(OUTBOUND, "OrganizationId")
    [action] = root.getElementsByTagNameNS(OUTBOUND, "ActionId")
    eighteen(text(action))
    expected = Expected(eighteen(text(organization))[:15], [], [])
    for notification in root.getElementsByTagNameNS(OUTBOUND, "Notification"):
        sort(notification, expected)
    return expected


def outline(node: minidom.Node) -> str:
    """Return a node as letters; `!` for what no message may hold."""
    if isinstance(node, minidom.Comment):
        return ""
    if isinstance(node, minidom.Text):
        return "" if not node.data.strip(" \t\r\n") else "'"
    if not isinstance(node, minidom.Element):
        return "!"
    namespace, name = node.namespaceURI or "", node.localName or ""
    is_field = namespace == SOBJECT and re.fullmatch(r"[A-Za-z]\w{0,79}", name, re.ASCII)
    letter = "f" if is_field else LETTERS.get((namespace, name), "!")
    inside = "".join(sorted(map(outline, node.childNodes)))
    if letter.islower():
        # Leaves: text is what they are for.
        inside = inside.replace("'", "")
    return f"{letter}({inside})" if inside else letter


def sort(notification: minidom.Element, expected: Expected) -> None:
    """Put a notification where it belongs in `expected`."""
    [own] = [child for child in elements(notification) if child.localName == "Id"]
    number = eighteen(text(own))
    records = [child for child in elements(notification) if child.localName == "sObject"]
    fields: Fields = {}
    kind = None
    for record in records:
        fields = values(record)
        if record.hasAttributeNS(XSI, "type"):
            named = re.fullmatch(
                r"([^\s:]+:)?([A-Za-z]\w{0,79})", record.getAttributeNS(XSI, "type"), re.ASCII
            )
            if not named:
                raise NotOne
            kind = named[2]
    if kind == "User" and "Id" in fields:
        expected.changes.append((number, fields))
    else:
        reason = "no_fields" if "Id" not in fields and kind in ("User", None) else "other_object"
        expected.parked.append((number, kind, fields.get("Id"), reason))


def values(record: minidom.Element) -> Fields:
    """Return a record's fields that are not null."""
    names = [field.localName for field in elements(record)]
    if len(set(names)) < len(names):
        raise NotOne
    found = {}
    for field in elements(record):
        nil = field.getAttributeNS(XSI, "nil") if field.hasAttributeNS(XSI, "nil") else "0"
        value = text(field)
        if nil not in ("true", "false", "1", "0") or (nil in ("true", "1") and value):
            raise NotOne
        if nil in ("false", "0"):
            found[field.localName] = value
    return found | ({"Id": eighteen(found["Id"])} if "Id" in found else {})


def elements(node: minidom.Node) -> Iterator[minidom.Element]:
    return (child for child in node.childNodes if isinstance(child, minidom.Element))


def text(element: minidom.Element) -> str:
    return "".join(child.data for child in element.childNodes if isinstance(child, minidom.Text))


def eighteen(record_id: str) -> str:
    """Return an id with the suffix it ought to have."""
    found = ID.fullmatch(record_id)
    if not found:
        raise NotOne
    capitals = "".join("1" if letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" else "0" for letter in found[1])
    digits = [int(capitals[at : at + 5][::-1], 2) for at in (0, 5, 10)]
    return found[1] + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[digit] for digit in digits)
