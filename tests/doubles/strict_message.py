"""Reads an outbound message strictly by the WSDL: anything unexpected, in any place, is an assertion error.

It works on what is literally in the text (prefixes, declarations, order), through expat without namespaces.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True)
class Message:
    """What a message says; `notifications` are pairs of notification id and fields in their order."""

    organization_id: str
    action_id: str
    enterprise_url: str
    partner_url: str
    notifications: list[tuple[str, dict[str, str]]]

    @property
    def ids(self) -> list[str]:
        return [notification_id for notification_id, _ in self.notifications]

    @property
    def fields(self) -> list[dict[str, str]]:
        return [fields for _, fields in self.notifications]


def read_message(body: bytes) -> Message:
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    envelope = _tree(body)
    _expect(envelope, "soapenv:Envelope", {"xmlns:soapenv": SOAP, "xmlns:xsd": XSD, "xmlns:xsi": XSI})
    (soap_body,) = envelope.children
    _expect(soap_body, "soapenv:Body", {})
    (root,) = soap_body.children
    _expect(root, "notifications", {"xmlns": OUTBOUND})
    organization, action, session, enterprise, partner, *notifications = root.children
    for node, tag in (
        (organization, "OrganizationId"),
        (action, "ActionId"),
        (enterprise, "EnterpriseUrl"),
        (partner, "PartnerUrl"),
    ):
        _expect(node, tag, {}, leaf=True)
    _expect(session, "SessionId", {"xsi:nil": "true"}, leaf=True)
    assert session.text == ""
    assert 1 <= len(notifications) <= 100
    return Message(
        organization.text,
        action.text,
        enterprise.text,
        partner.text,
        [_notification(node) for node in notifications],
    )


def _notification(node: Node) -> tuple[str, dict[str, str]]:
    _expect(node, "Notification", {})
    notification_id, sobject = node.children
    _expect(notification_id, "Id", {}, leaf=True)
    _expect(sobject, "sObject", {"xsi:type": "sf:User", "xmlns:sf": SOBJECT})
    fields: dict[str, str] = {}
    for child in sobject.children:
        prefix, _, name = child.tag.partition(":")
        assert prefix == "sf"
        assert name not in fields
        _expect(child, child.tag, {}, leaf=True)
        fields[name] = child.text
    return notification_id.text, fields


def _expect(node: Node, tag: str, attributes: dict[str, str], *, leaf: bool = False) -> None:
    assert (node.tag, node.attributes) == (tag, attributes)
    if leaf:
        assert node.children == []
    else:
        assert node.text == ""


def _tree(body: bytes) -> Node:
    top = Node("", {})
    stack = [top]
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        node = Node(tag, attributes)
        stack[-1].children.append(node)
        stack.append(node)

    def end(tag: str) -> None:
        assert stack.pop().tag == tag

    def text(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.Parse(body, True)
    (root,) = top.children
    return root
