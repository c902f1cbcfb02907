"""Who belongs in the roster, and if not, why (A4, W7, W8). Pure; each reason has a code of its own."""

from muster.field_maps import Fields, is_valid_email
from muster.reasons import (
    ASSIGNMENT_UNKNOWN,
    CALL_CENTER_MISSING,
    EMAIL_DOMAIN,
    INACTIVE_USER,
    NAME_MISSING,
)
from muster.settings import Domains, Settings


def reason_against(fields: Fields, settings: Settings, already_in: bool) -> str | None:
    """Return the code of the first reason not to provision this user, or `None`: provision.

    `already_in` says that the user is an active member: where the assignments cannot be evaluated
    nobody new is let in, and nobody loses access for that alone.
    """
    if not is_active(fields):
        return INACTIVE_USER
    if not (fields.get("FirstName") and fields.get("LastName")):
        return NAME_MISSING
    if not _domain_allowed(provisioned_email(fields.get("Email"), settings.domains), settings.domains):
        return EMAIL_DOMAIN
    if settings.auto_provision.require_call_center and not in_call_center(fields):
        return CALL_CENTER_MISSING
    if settings.assignments and not already_in:
        return ASSIGNMENT_UNKNOWN
    return None


def is_active(fields: Fields) -> bool:
    """Tell whether the user is active in Salesforce."""
    return fields.get("IsActive") == "true"


def in_call_center(fields: Fields) -> bool:
    """Tell whether the user is in a call center."""
    return bool(fields.get("CallCenterId"))


def provisioned_email(email: str | None, domains: Domains) -> str | None:
    """Return the member's address: with `domains.convert`, a foreign domain becomes the primary one (A4)."""
    if email is None or not (domains.convert and domains.primary and is_valid_email(email)):
        return email
    return email if _domain_allowed(email, domains) else f"{email.rpartition('@')[0]}@{domains.primary}"


def _domain_allowed(email: str | None, domains: Domains) -> bool:
    allowed = {domains.primary, *domains.company, *domains.additional} - {None, ""}
    if not allowed:
        return True
    return is_valid_email(email) and (email or "").rpartition("@")[2].lower() in allowed
