"""The SOAP of outbound messaging: the envelope that is sent, and the acknowledgement that must come back.

Source: the outbound messaging WSDL and its notes, developer.salesforce.com. Null fields have no element, and
since February 2026 SessionId is always nil.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ENTERPRISE_OBJECTS = "urn:sobject.enterprise.soap.sforce.com"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
HEADERS = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
API_VERSION = "66.0"
HOST = "https://sandbox.my.salesforce.com"

# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Notification:
    """One notification: its own id, and the record's fields by name without the nulls, `Id` among them."""

    id: str
    object_name: str
    fields: Mapping[str, str]


def envelope(organization_id: str, action_id: str, notifications: list[Notification]) -> bytes:
    """Return the message for up to a hundred notifications, `Id` first and then the fields in ASCII order."""
    out = io.BytesIO()
    xml = XMLGenerator(out, "UTF-8", short_empty_elements=True)

    def start(name: str, attributes: Mapping[str, str] | None = None) -> None:
        xml.startElement(name, AttributesImpl(attributes or {}))

    def element(name: str, text: str) -> None:
        start(name)
        xml.characters(_NOT_XML.sub("", text))
        xml.endElement(name)

    xml.startDocument()
    start("soapenv:Envelope", {"xmlns:soapenv": SOAP, "xmlns:xsd": SCHEMA, "xmlns:xsi": INSTANCE})
    start("soapenv:Body")
    start("notifications", {"xmlns": OUTBOUND})
    element("OrganizationId", organization_id)
    element("ActionId", action_id)
    start("SessionId", {"xsi:nil": "true"})
    xml.endElement("SessionId")
    element("EnterpriseUrl", f"{HOST}/services/Soap/c/{API_VERSION}/{organization_id[:15]}")
    element("PartnerUrl", f"{HOST}/services/Soap/u/{API_VERSION}/{organization_id[:15]}")
    for notification in notifications:
        start("Notification")
        element("Id", notification.id)
        sobject = {"xsi:type": f"sf:{notification.object_name}", "xmlns:sf": ENTERPRISE_OBJECTS}
        start("sObject", sobject)
        for name in sorted(notification.fields, key=lambda name: (name != "Id", name)):
            element(f"sf:{name}", notification.fields[name])
        xml.endElement("sObject")
        xml.endElement("Notification")
    xml.endElement("notifications")
    xml.endElement("soapenv:Body")
    xml.endElement("soapenv:Envelope")
    xml.endDocument()
    return out.getvalue()


def refusal(status: int, body: bytes) -> str | None:
    """Why an answer does not count as an acknowledgement, or None if it does.

    It counts with status 200 and a SOAP body whose `notificationsResponse` holds an `Ack` of true. Nothing
    may stand before the first `<`, not even a blank.
    """
    if status != 200:
        return f"status {status}"
    if not body.startswith(b"<"):
        return "Content is not allowed in prolog"
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return "the answer is not well-formed XML"
    if root.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault") is not None:
        return "SOAP fault"
    ack: Element | None = None
    if root.tag == f"{{{SOAP}}}Envelope":
        ack = root.find(f"{{{SOAP}}}Body/{{{OUTBOUND}}}notificationsResponse/{{{OUTBOUND}}}Ack")
    if ack is None:
        return "no notificationsResponse with an Ack in the answer"
    if (ack.text or "").strip() not in {"true", "1"}:
        return "Ack is not true"
    return None
