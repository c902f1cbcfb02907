"""Salesforce's outbound message: its SOAP XML parsed into values, and the answers to it (W1, W2).

Anyone who has a webhook's address can send any body to it (threats T4 to T8 and T14). Hence:

- UTF-8 only, decoded strictly before a parser sees it. Other encodings raise exceptions of their own,
  and UTF-16 would hide a DTD from a look at the bytes.
- No DTD, so no entities: the hardened parser refuses them. What it does not limit is limited here before
  it starts: size, elements (and with them depth), attributes, and the length of namespaces.
- A strict walk by namespace and local name. What is not in the WSDL is refused, never skipped.

`SessionId`, `EnterpriseUrl` and `PartnerUrl` are counted and never read into a value (W3).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn, cast
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser

from muster.crm import salesforce_ids
from muster.errors import Problem, Rejected, TooLarge
from muster.webhook.messages import Notification, OutboundMessage

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType


MAX_BODY_BYTES = 1024 * 1024
# Salesforce's own limit (maxOccurs in the WSDL).
MAX_NOTIFICATIONS = 100
# Far more fields than anyone would select of User.
MAX_FIELDS = 200
# Salesforce's largest long text area holds 131,072 characters; nothing near that belongs in a roster.
MAX_FIELD_BYTES = 32 * 1024
_SHORT = MAX_FIELD_BYTES // 4  # in characters, which take four bytes at most
# Envelope, Body, notifications with its five values; per notification: itself, Id, sObject, its fields.
MAX_ELEMENTS = 8 + MAX_NOTIFICATIONS * (3 + MAX_FIELDS)
# An element has one or two tags. Counting them is cheap and bounds the depth too: nothing here recurses,
# and a tree of that depth is built and freed in a few hundredths of a second.
MAX_TAGS = 2 * MAX_ELEMENTS
# Expat prefixes each name with its whole namespace, so a long namespace times many names takes seconds
# and gigabytes, and no handler can stop it. So both are limited before it starts, the attributes by
# counting equals signs.
MAX_NAMESPACE_BYTES = 100
MAX_EQUALS_SIGNS = 10_000
_LONG_NAMESPACE = re.compile(
    rb"""xmlns(?<=[ \t\r\n]xmlns)[^\s=]*+\s*+=\s*+(?:"[^"<]{%(over)d}|'[^'<]{%(over)d})"""
    % {b"over": MAX_NAMESPACE_BYTES + 1}
)

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_FIELD = "{urn:sobject.enterprise.soap.sforce.com}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

# Tag → local name, minimum and maximum occurrences. The WSDL fixes an order, but it carries no meaning.
type _Schema = Mapping[str, tuple[str, int, int]]

_ENVELOPE: _Schema = {f"{_SOAP}Body": ("Body", 1, 1)}
_BODY: _Schema = {f"{_OUTBOUND}notifications": ("notifications", 1, 1)}
_NOTIFICATIONS: _Schema = {
    f"{_OUTBOUND}OrganizationId": ("OrganizationId", 1, 1),
    f"{_OUTBOUND}ActionId": ("ActionId", 1, 1),
    f"{_OUTBOUND}SessionId": ("SessionId", 0, 1),
    f"{_OUTBOUND}EnterpriseUrl": ("EnterpriseUrl", 0, 1),
    f"{_OUTBOUND}PartnerUrl": ("PartnerUrl", 0, 1),
    f"{_OUTBOUND}Notification": ("Notification", 1, MAX_NOTIFICATIONS),
}
_NOTIFICATION: _Schema = {f"{_OUTBOUND}Id": ("Id", 1, 1), f"{_OUTBOUND}sObject": ("sObject", 0, 1)}

_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_OBJECT_TYPE = re.compile(rf"(?:[^:\s]+:)?({_API_NAME.pattern})")
_XML_BLANKS = " \t\r\n"
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


def parse(body: bytes) -> OutboundMessage:
    """Return the message in a request body; raises `TooLarge` or `Rejected` if it is not one.

    The errors give the place by our own names and by position, and never quote the body.
    """
    envelope = _tree(body)
    if envelope.tag != f"{_SOAP}Envelope":
        raise _refused("Envelope", "the body is not a SOAP 1.1 envelope")
    [soap_body] = _parts(envelope, _ENVELOPE, "Envelope")["Body"]
    [notifications] = _parts(soap_body, _BODY, "Body")["notifications"]
    parts = _parts(notifications, _NOTIFICATIONS, "notifications")
    for name in ("SessionId", "EnterpriseUrl", "PartnerUrl"):
        for element in parts[name]:
            _refuse_elements(element, name)
    return OutboundMessage(
        organization_id=_id_in(parts["OrganizationId"][0], "OrganizationId"),
        action_id=_id_in(parts["ActionId"][0], "ActionId"),
        notifications=tuple(
            _notification(element, f"Notification {number}")
            for number, element in enumerate(parts["Notification"], start=1)
        ),
    )


def too_large() -> TooLarge:
    """Return the error for a body over the limit; also for callers that know only its length."""
    remedy = "Select fewer and shorter fields for the outbound message."
    return TooLarge(Problem("body", f"is over {MAX_BODY_BYTES} bytes", remedy))


def acknowledgement(*, accepted: bool) -> str:
    """Return the answer that Salesforce expects: true ends the delivery, false has it retried later."""
    ack = "true" if accepted else "false"
    return _envelope(
        f'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{ack}</Ack>'
        "</notificationsResponse>"
    )


def fault(*problems: Problem) -> str:
    """Return a SOAP 1.1 client fault with the problems and their remedies."""
    text = " ".join(f"{problem.where}: {problem.message}. {problem.remedy}" for problem in problems)
    return _envelope(
        "<soapenv:Fault><faultcode>soapenv:Client</faultcode>"
        f"<faultstring>{html.escape(text, quote=False)}</faultstring></soapenv:Fault>"
    )


def is_utf8(encoding: str) -> bool:
    """Whether a declared encoding is UTF-8, spelled with its dash, in any case."""
    return encoding.lower() == "utf-8"


def _envelope(content: str) -> str:
    # Salesforce's own parser wants `<` as the very first character.
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    )


# ── From bytes to a tree ─────────────────────────────────────────────────────────────────────────


def _tree(body: bytes) -> Element:
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    if b"\0" in body:
        raise _refused("body", "holds a NUL character")
    if body.count(b"<") - body.count(b"<!") > MAX_TAGS:
        raise _refused("body", f"holds more than {MAX_TAGS} tags")
    if body.count(b"=") > MAX_EQUALS_SIGNS or _LONG_NAMESPACE.search(body):
        raise _refused("body", "has too many attributes or too long a namespace")
    # Some body has provoked each of these. Their messages may quote it, so they are dropped.
    try:
        body.decode()
        parser = _Utf8Parser()
        parser.feed(body)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        raise _refused(f"line {line}, column {column + 1}", "the body is not well-formed XML") from None
    except UnicodeDecodeError as error:
        raise _refused(f"byte {error.start + 1}", "the body is not UTF-8") from None
    except (ValueError, LookupError, RecursionError):
        raise _refused("body", "declares a document type, or cannot be read as XML") from None
    return root


class _Utf8Parser(DefusedXMLParser):
    """The hardened parser without DTDs; refuses any declaration but XML 1.0 in UTF-8."""

    parser: XMLParserType  # expat's own, which the stubs leave out

    def __init__(self) -> None:
        super().__init__(target=TreeBuilder(), encoding="utf-8", forbid_dtd=True)
        self.parser.XmlDeclHandler = self._check_declaration
        self.parser.ProcessingInstructionHandler = self._refuse_instruction
        self.parser.CommentHandler = None  # skipped: a call per comment would be the costliest thing to send

    @staticmethod
    def _check_declaration(version: str, encoding: str | None, _standalone: int) -> None:
        if version != "1.0":
            raise _refused("XML declaration", "names another version than 1.0")
        if encoding is not None and not is_utf8(encoding):
            raise _refused("XML declaration", "names another encoding than UTF-8")

    @staticmethod
    def _refuse_instruction(_target: str, _text: str) -> NoReturn:
        # SOAP 1.1, section 3: a message must not contain processing instructions.
        raise _refused("body", "holds a processing instruction")


# ── From the tree to values ──────────────────────────────────────────────────────────────────────


def _parts(element: Element, schema: _Schema, where: str) -> dict[str, list[Element]]:
    """Return an element's children by local name; refuses others, or too many, than `schema` allows."""
    found: dict[str, list[Element]] = {name: [] for name, _, _ in schema.values()}
    _refuse_text(element.text, where)
    for child in element:
        if child.tag not in schema:
            raise _refused(where, "holds an element that outbound messages do not have there")
        found[schema[child.tag][0]].append(child)
        _refuse_text(child.tail, where)
    for name, least, most in schema.values():
        count = len(found[name])
        if not least <= count <= most:
            allowed = str(most) if least == most else f"{least} to {most}"
            raise _refused(where, f"holds {count} {name} elements instead of {allowed}")
    return found


def _notification(element: Element, where: str) -> Notification:
    parts = _parts(element, _NOTIFICATION, where)
    notification_id = salesforce_ids.to_18(_id_in(parts["Id"][0], f"{where}, Id"))
    if not parts["sObject"]:
        return Notification(notification_id, None, {})
    [record] = parts["sObject"]
    return Notification(notification_id, _object(record, where), _fields(record, where))


def _object(record: Element, where: str) -> str | None:
    sent = record.get(_TYPE)
    if sent is None:
        return None
    match = _OBJECT_TYPE.fullmatch(sent)
    if match is None:
        raise _refused(f"{where}, sObject", "has an xsi:type that names no object")
    return match[1]


def _fields(record: Element, where: str) -> dict[str, str]:
    if len(record) > MAX_FIELDS:
        raise _refused(f"{where}, sObject", f"has more than {MAX_FIELDS} fields")
    _refuse_text(record.text, f"{where}, sObject")
    values: dict[str, str | None] = {}
    for element in record:
        name = _known_names.get(element.tag) or _field_name(element.tag)
        if name is None:
            raise _refused_field(record, element, where, "is not a field of a Salesforce object")
        if name in values:
            raise _refused_field(record, element, where, "is there twice")
        text = element.text or ""
        # The fast path: nearly every field is short text and nothing else.
        plain = not (len(element) or element.tail or element.keys()) and len(text) <= _SHORT
        values[name] = text if plain else _value(record, element, where)
    if None in values.values():
        values = {name: value for name, value in values.items() if value is not None}
    fields = cast("dict[str, str]", values)
    if "Id" in fields:
        fields["Id"] = salesforce_ids.to_18(_id(fields["Id"], f"{where}, sObject Id"))
    return fields


# A cache: the same few names come over and over.
_known_names: dict[str, str] = {}
_MOST_KNOWN_NAMES = 1024


def _field_name(tag: str) -> str | None:
    """Return the API name in a tag, `None` if it is not a field."""
    name = tag.removeprefix(_FIELD)
    if name == tag or not _API_NAME.fullmatch(name):
        return None
    if len(_known_names) < _MOST_KNOWN_NAMES:
        _known_names[tag] = name
    return name


def _value(record: Element, element: Element, where: str) -> str | None:
    """Return a field's text as sent, `None` for `xsi:nil`."""
    text = element.text or ""
    if len(element):
        raise _refused_field(record, element, where, "holds elements instead of text")
    if len(text.encode()) > MAX_FIELD_BYTES:
        raise _refused_field(record, element, where, f"is over {MAX_FIELD_BYTES} bytes")
    if element.tail and element.tail.strip(_XML_BLANKS):
        raise _refused_field(record, element, where, "is followed by text")
    nil = element.get(_NIL)
    if nil is None or nil in _FALSE:
        return text
    if nil not in _TRUE or text:
        raise _refused_field(record, element, where, "has an xsi:nil that its content belies")
    return None


def _id_in(element: Element, where: str) -> str:
    return _id(_text(element, where), where)


def _id(text: str, where: str) -> str:
    if not salesforce_ids.is_valid(text):
        raise _refused(where, "is not a Salesforce id")
    return text


def _text(element: Element, where: str) -> str:
    _refuse_elements(element, where)
    return element.text or ""


def _refuse_elements(element: Element, where: str) -> None:
    if len(element):
        raise _refused(where, "holds elements instead of text")


def _refuse_text(text: str | None, where: str) -> None:
    if text and text.strip(_XML_BLANKS):
        raise _refused(where, "holds text between its elements")


def _refused_field(record: Element, element: Element, where: str, message: str) -> Rejected:
    return _refused(f"{where}, field {[*record].index(element) + 1}", message)


def _refused(where: str, message: str) -> Rejected:
    return Rejected(
        Problem(where, message, "Send the message as Salesforce does (Setup, Outbound Messages).")
    )
