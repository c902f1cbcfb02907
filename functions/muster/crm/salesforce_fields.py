"""How fields of a Salesforce user become attributes of a member (W7).

A map is `{target: source}`. A target is an attribute of the member, dotted where it is nested; a
source is a field name or one of the two recipes below. Organizations override it per target
(`field_maps.salesforce` in the settings); `None` means that the attribute has no source.

Three states of a field are kept apart (W5): a value, `None` (listed but absent: empty in
Salesforce), and not in the mapping at all (unlisted: unknown, so the attribute stays as it was).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

type Fields = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class FirstValidEmail:
    """The first of the fields that holds an e-mail address; else the last one's value."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """The fields' values with a blank between them, empty ones left out."""

    fields: tuple[str, ...]


type Source = str | FirstValidEmail | Join
type FieldMap = Mapping[str, Source | None]

DEFAULT_SALESFORCE_MAP: dict[str, Source] = {
    "username": FirstValidEmail(("Username", "Email")),
    "email": "Email",
    "first_name": "FirstName",
    "last_name": "LastName",
    # An outbound message does not carry the compound field Name.
    "name": Join(("FirstName", "LastName")),
    "title": "Title",
    "phone_numbers.mobile": "MobilePhone",
    "phone_numbers.other": "Phone",
    "extension": "Extension",
    "locale": "LocaleSidKey",
    "language": "LanguageLocaleKey",
    "time_zone": "TimeZoneSidKey",
    "picture_url": "SmallPhotoUrl",
    "crm.username": "Username",
    "crm.email": "Email",
    "crm.call_center_id": "CallCenterId",
    "crm.profile_id": "ProfileId",
    "crm.user_role_id": "UserRoleId",
    "crm.user_type": "UserType",
    "crm.language": "LanguageLocaleKey",
}
TARGETS = frozenset(DEFAULT_SALESFORCE_MAP)

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# What settings take for a domain, in lower case; its top level may be one of another alphabet (xn--p1ai).
DOMAIN = rf"({_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]"
# A Salesforce username has the form of an e-mail address but need not receive mail. Only the form is checked:
# one @, no blanks, a dot inside the domain. ASCII is asked of the domain alone: without case, a `k` would be
# the sign for kelvin too.
_EMAIL = re.compile(rf"[^@\s\"(),:;<>\[\\\]]{{1,64}}@(?ai:{DOMAIN})")


def is_valid_email(value: str | None) -> bool:
    """Whether `value` has the form of an e-mail address."""
    return value is not None and len(value) <= 254 and _EMAIL.fullmatch(value) is not None


def fields_of(source: Source) -> tuple[str, ...]:
    """Return the Salesforce fields that `source` reads."""
    return (source,) if isinstance(source, str) else source.fields


def mapped(field_map: FieldMap, fields: Fields) -> dict[str, str | None]:
    """Return target → value for every target whose fields are all known; the others are left out."""
    return {
        target: _value(source, fields)
        for target, source in field_map.items()
        if source is not None and all(name in fields for name in fields_of(source))
    }


def _value(source: Source, fields: Fields) -> str | None:
    match source:
        case str():
            return fields[source]
        case FirstValidEmail(names):
            values = [fields[name] for name in names]
            return next((value for value in values if is_valid_email(value)), values[-1])
        case Join(names):
            return " ".join(value for name in names if (value := fields[name])) or None
