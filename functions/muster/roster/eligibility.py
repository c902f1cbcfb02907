"""Who belongs in the roster, and if not, why (A1, A4, W7, W8). Pure; each reason has a code of its own.

`evaluate` is the one evaluation: the webhook, imports, previews and `explain` all use it. It judges what
the member would have, not what the standard fields hold: names and address after field map and conversion.
"""

from dataclasses import dataclass

from muster.crm.salesforce_fields import FieldMap, Fields, is_valid_email, mapped
from muster.roster.member import Member
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
from muster.settings.mappings import fields_named_by

_JUDGED = ("first_name", "last_name", "email")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first reason not to provision a user (`None`: provision), and the winning assignment."""

    reason: str | None
    assignment: Assignment | None = None


def evaluate(
    fields: Fields,
    matches: frozenset[str],
    settings: Settings,
    member: Member | None = None,
    *,
    frozen: bool | None = None,
) -> Verdict:
    """Return whether a user belongs in the roster, and by which assignment.

    `matches` names the assignments whose filter matches in Salesforce, and those without a filter. No
    assignments at all means that everyone belongs, with nothing granted (A2). `member` is the user's own, if
    there is one: what an unlisted field would give stays as the member has it (W5). `frozen` says
    whether the user is frozen in Salesforce (A17); `None`: that is not known.
    """
    winner = assignment_order.winner(matches, settings)
    if not is_active(fields):
        return Verdict(INACTIVE_USER, winner)
    if frozen and settings.auto_provision.frozen_users == "inactive":
        return Verdict(FROZEN_USER, winner)
    judged = would_have(fields, settings, member)
    if not (judged["first_name"] and judged["last_name"]):
        return Verdict(NAME_MISSING, winner)
    if not _domain_allowed(judged["email"], settings.domains):
        return Verdict(EMAIL_DOMAIN, winner)
    if settings.assignments and winner is None:
        return Verdict(UNMATCHED)
    if _requires_call_center(winner, settings) and not in_call_center(fields):
        return Verdict(CALL_CENTER_MISSING, winner)
    return Verdict(None, winner)


def is_judged_by_salesforce(settings: Settings) -> bool:
    """Whether Salesforce has all that is judged, so that the same is found whatever the member has."""
    return all(settings.field_maps.salesforce.get(name) is not None for name in _JUDGED)


def would_have(fields: Fields, settings: Settings, member: Member | None = None) -> dict[str, str | None]:
    """Return the names and the e-mail address that the member would have, which is what is judged (A4)."""
    field_map = settings.field_maps.salesforce
    known = attributes({name: field_map[name] for name in _JUDGED}, fields, settings.domains)
    return {name: known[name] if name in known else getattr(member, name, None) for name in _JUDGED}


def fields_judged(settings: Settings) -> tuple[str, ...]:
    """Return the fields that `evaluate` looks at."""
    return ("IsActive", "CallCenterId", *fields_named_by(settings, _JUDGED))


def attributes(field_map: FieldMap, fields: Fields, domains: Domains) -> dict[str, str | None]:
    """Return target → value, mapped and the address converted; a target of an unlisted field is left out."""
    values = mapped(field_map, fields)
    if "email" in values:
        values["email"] = provisioned_email(values["email"], domains)
    return values


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
