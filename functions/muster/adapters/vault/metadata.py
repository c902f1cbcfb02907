"""A vault's metadata: objects and fields, picklists, the logged-in user and their permissions.

Each reader raises `Unavailable` for an answer of unknown shape: nothing counts as allowed, or as missing,
because it could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from muster.adapters.vault.answers import Answer
from muster.crm.vault_records import BaseLicence, Field, IntegrationUser, SecurityPolicy
from muster.errors import Unavailable

_VERSION = re.compile(r"v([0-9]{1,3})\.([0-9]{1,2})")


def read_fields(answer: Answer) -> list[Field]:
    """Return the fields of an object's metadata."""
    match answer.content:
        case {"object": {"fields": list(fields)}} if all(_is_named(each) for each in fields):
            return [_field(each) for each in fields]
    raise _unclear(answer, "the fields of an object")


def read_user(answer: Answer) -> IntegrationUser:
    """Return the user of a session."""
    match answer.content:
        case {
            "users": [
                {
                    "user": {
                        "id": int() | str() as id_,
                        "user_name__v": str(username),
                        "user_language__v": str(language),
                        "security_profile__v": str(profile),
                        "security_policy_id__v": int(policy),
                    } as user
                }
            ]
        }:
            names = (str(user.get(f"user_{part}_name__v") or "") for part in ("first", "last"))
            active = bool(user.get("active__v"))
            return IntegrationUser(
                str(id_), username, language, profile, policy, active, " ".join(names).strip()
            )
    raise _unclear(answer, "who is logged in")


def read_permissions(answer: Answer, name: str) -> frozenset[str]:
    """Return the actions that a named permission allows; none if there is no such permission."""
    match answer.content.get("data"):
        case list(rows):
            for row in rows:
                match row:
                    case {"name__v": str(shown), "permissions": dict(granted)} if shown == name:
                        return frozenset(action for action, allowed in granted.items() if allowed is True)
            if not rows:
                return frozenset()
    raise _unclear(answer, "a permission")


def read_picklist(answer: Answer) -> dict[str, str]:
    """Return the values of a picklist, API names with their labels."""
    match answer.content.get("picklistValues"):
        case list(values) if all(_is_named(each) for each in values):
            return {each["name"]: str(each.get("label", each["name"])) for each in values}
    raise _unclear(answer, "the values of a picklist")


def read_versions(answer: Answer) -> list[str]:
    """Return the served versions of the API, oldest first, compared as numbers."""
    match answer.content.get("values"):
        case dict(values):
            found = [match for name in values if (match := _VERSION.fullmatch(name))]
            return [each[0] for each in sorted(found, key=lambda each: (int(each[1]), int(each[2])))]
    raise _unclear(answer, "the versions of its API")


def read_policy(answer: Answer) -> SecurityPolicy:
    """Return a security policy."""
    match answer.content:
        case {
            "security_policy__v": {
                "policy_security_settings__v": {"authentication_type__v": {"name__v": str(how)}} as settings
            }
        }:
            days = settings.get("password_expiration__v")
            return SecurityPolicy(how, days if isinstance(days, int) else None)
    raise _unclear(answer, "a security policy")


def read_base_licences(answer: Answer) -> list[BaseLicence]:
    """Return the licences for full users, by application; those with none are left out.

    Vault CRM has no users of other kinds. Which names its applications have is not documented.
    """
    match answer.content.get("applications"):
        case list(applications):
            found = [licence for each in applications if (licence := _base_licence(each))]
            return sorted(found, key=lambda licence: licence.application)
    raise _unclear(answer, "its licences")


def _base_licence(application: object) -> BaseLicence | None:
    match application:
        case {
            "application_name": str(name),
            "user_licensing": {"full__v": {"licensed": int(licensed), "used": int(used)}},
        } if licensed > 0:
            return BaseLicence(name, licensed, used)
    return None


def _field(field: Mapping[str, Any]) -> Field:
    status, picklist, length = field.get("status"), field.get("picklist"), field.get("max_length")
    return Field(
        name=field["name"],
        label=str(field.get("label", field["name"])),
        type=str(field.get("type", "")),
        editable=field.get("editable") is True,
        active=status is None or "active__v" in status,
        picklist=picklist if isinstance(picklist, str) else None,
        length=length if isinstance(length, int) else 0,
    )


def _is_named(each: object) -> bool:
    return isinstance(each, dict) and isinstance(each.get("name"), str)


def _unclear(answer: Answer, what: str) -> Unavailable:
    return Unavailable(f"{answer.summary}, but not with {what}")
