"""Who belongs in the roster, and if not, why (A1, A4, W7, W8). Pure; each reason has a code of its own.

`evaluate` is the one evaluation: the webhook, imports, previews and `explain` all use it.
"""

from dataclasses import dataclass

from muster.crm.salesforce_fields import Fields, is_valid_email
from muster.roster.reasons import (
    CALL_CENTER_MISSING,
    EMAIL_DOMAIN,
    FROZEN_USER,
    INACTIVE_USER,
    NAME_MISSING,
    UNMATCHED,
)
from muster.settings import Domains, Settings, assignment_order
from muster.settings.assignments import Assignment


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first reason not to provision a user (`None`: provision), and the winning assignment."""

    reason: str | None
    assignment: Assignment | None = None


def evaluate(
    fields: Fields, matches: frozenset[str], settings: Settings, *, frozen: bool | None = None
) -> Verdict:
    """Return whether a user belongs in the roster, and by which assignment.

    `matches` names the assignments whose filter matches in Salesforce, and those without a filter. No
    assignments at all means that everyone belongs, with nothing granted (A2). `frozen` says whether the user
    is frozen in Salesforce (A17); `None`: that is not known.
    """
    winner = assignment_order.winner(matches, settings)
    if not is_active(fields):
        return Verdict(INACTIVE_USER, winner)
    if frozen and settings.auto_provision.frozen_users == "inactive":
        return Verdict(FROZEN_USER, winner)
    if not (fields.get("FirstName") and fields.get("LastName")):
        return Verdict(NAME_MISSING, winner)
    if not _domain_allowed(provisioned_email(fields.get("Email"), settings.domains), settings.domains):
        return Verdict(EMAIL_DOMAIN, winner)
    if settings.assignments and winner is None:
        return Verdict(UNMATCHED)
    if _requires_call_center(winner, settings) and not in_call_center(fields):
        return Verdict(CALL_CENTER_MISSING, winner)
    return Verdict(None, winner)


def _requires_call_center(assignment: Assignment | None, settings: Settings) -> bool:
    own = assignment.require_call_center if assignment else None
    return settings.auto_provision.require_call_center if own is None else own


def is_active(fields: Fields) -> bool:
    """Whether the user is active in Salesforce."""
    return fields.get("IsActive") == "true"


def in_call_center(fields: Fields) -> bool:
    """Whether the user is in a call center."""
    return bool(fields.get("CallCenterId"))


def provisioned_email(email: str | None, domains: Domains) -> str | None:
    """Return the member's address; `domains.convert` turns a foreign domain into the primary one (A4)."""
    if email is None or not (domains.convert and domains.primary and is_valid_email(email)):
        return email
    return email if _domain_allowed(email, domains) else f"{email.rpartition('@')[0]}@{domains.primary}"


def _domain_allowed(email: str | None, domains: Domains) -> bool:
    allowed = {domains.primary, *domains.company, *domains.additional} - {None, ""}
    if not allowed:
        return True
    return is_valid_email(email) and (email or "").rpartition("@")[2].lower() in allowed
