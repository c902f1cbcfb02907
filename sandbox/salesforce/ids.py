"""Salesforce record ids: 15 characters that tell case apart, or 18 with a suffix that makes up for lost case.

The first three characters, the key prefix, say what the id is of. The suffix has one character for each five
of the fifteen: a number whose bit i is set where character i is an upper-case letter, written as A-Z0-5.
Source: Salesforce help article 000385203 and the public recipes that agree with it.
"""

import re
import string

PREFIX = {
    "Organization": "00D",
    "User": "005",
    "Profile": "00e",
    "UserRole": "00E",
    "CallCenter": "04v",
    "UserLicense": "100",
    "UserLogin": "0Yw",
    "PermissionSet": "0PS",
    "PermissionSetAssignment": "0Pa",
    "Group": "00G",
    "GroupMember": "011",
    "Account": "001",
    "Contact": "003",
    "WorkflowOutboundMessage": "04k",
    "Notification": "04l",
    "FlowDefinition": "300",
    "Flow": "301",
    "DeployRequest": "0Af",
    "QueryLocator": "01g",
}

# Base 62 in ASCII order, so that ids handed out later also sort later.
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SUFFIX = string.ascii_uppercase + "012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-5]{3})?", re.ASCII)


def with_suffix(id15: str) -> str:
    """Return the 18-character form of a 15-character id."""
    suffix = ""
    for start in (0, 5, 10):
        chunk = id15[start : start + 5]
        suffix += _SUFFIX[sum(1 << bit for bit, character in enumerate(chunk) if character.isupper())]
    return id15 + suffix


def canonical(text: str) -> str:
    """Return the 18-character form of an id of either length, with its case put right by the suffix.

    Raises ValueError for anything that is not an id.
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError("not a record id: it must have 15 or 18 letters and digits")
    if len(text) == 15:
        return with_suffix(text)
    body = ""
    for position, character in enumerate(text[:15]):
        flags = _SUFFIX.index(text[15 + position // 5].upper())
        upper = bool(flags >> (position % 5) & 1)
        body += character.upper() if upper else character.lower()
    if with_suffix(body) != body + text[15:].upper():
        raise ValueError("not a record id: the last three characters do not fit the others")
    return with_suffix(body)


def numbered(prefix: str, pod: str, number: int) -> str:
    """Return the id number `number` under a key prefix; `pod` is the organization's own three characters."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return with_suffix(prefix + pod + digits.rjust(9, "0"))
