"""Reads a metadata XML file into the JSON that the Tooling API shows of it.

As in Salesforce, an element that a type does not have, or that comes back after others, is refused with its
name. Nothing in a file can make the parser read or expand anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.salesforce.metadata_objects import Problem

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"

type Metadata = dict[str, Any]


@dataclass(frozen=True)
class Element:
    """What an element of a type holds: a kind of value, or a type of its own; once or many times."""

    kind: str = "string"  # string, boolean, int, double, or the name of a type in `type`
    many: bool = False
    required: bool = False
    type: "Mapping[str, Element] | None" = None


def root_of(data: bytes, name: str) -> Node:
    """Return the root of a metadata file. Raises Problem."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise Problem(f"Error parsing file: {error}") from None
    if root.tag != f"{{{NAMESPACE}}}{name}":
        raise Problem(f"Error parsing file: Expected element {{{NAMESPACE}}}{name}, found {root.tag}")
    return root


def children(node: Node, name: str) -> list[Node]:
    """Return the elements of that name in a node."""
    return node.findall(f"{{{NAMESPACE}}}{name}")


def text(node: Node, name: str) -> str:
    """Return the text of the first element of that name, empty where there is none."""
    return (node.findtext(f"{{{NAMESPACE}}}{name}") or "").strip()


def read(node: Node, type_name: str, elements: Mapping[str, Element], *, in_order: bool = False) -> Metadata:
    """Return an element's content, with null for what it leaves out. Raises Problem.

    With `in_order` the elements come in the order of the type, as a schema's sequence asks for.
    """
    found: Metadata = {name: [] if each.many else None for name, each in elements.items()}
    order = list(elements)
    previous = ""
    for child in node:
        name = child.tag.removeprefix(f"{{{NAMESPACE}}}")
        each = elements.get(name)
        late = in_order and each and previous and order.index(name) < order.index(previous)
        if each is None or late:
            raise Problem(
                f"Error parsing file: Element {child.tag} invalid at this location in type {type_name}"
            )
        values = found[name]
        if values not in (None, []) and (not each.many or name != previous):
            raise Problem(
                f"Error parsing file: Element {child.tag} is duplicated at this location in type {type_name}"
            )
        value = _value(child, name, each)
        if isinstance(values, list):
            values.append(value)
        else:
            found[name] = value
        previous = name
    for name, each in elements.items():
        if each.required and found[name] in (None, "", []):
            raise Problem(f"Required field is missing: {name}")
    return found


def _value(node: Node, name: str, element: Element) -> Any:
    if element.type is not None:
        return read(node, element.kind, element.type)
    content = (node.text or "").strip()
    try:
        match element.kind:
            case "boolean":
                return {"true": True, "false": False, "1": True, "0": False}[content]
            case "int":
                return int(content)
            case "double":
                return float(content)
    except (KeyError, ValueError):
        raise Problem(f"Error parsing file: '{content}' is not a valid value for {name}") from None
    return content
