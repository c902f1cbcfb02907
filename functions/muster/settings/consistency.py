"""Consistency between sections of the settings: errors that must be corrected before they are stored."""

import re
from collections.abc import Iterator

from muster.crm.soql_filters import MOST_BYTES, encoded_size
from muster.errors import Problem
from muster.settings import mappings
from muster.settings.locations import named_fields, named_seats
from muster.settings.mappings import fields_to_read
from muster.settings.sections import Settings
from muster.settings.values import DEFAULT_FIELDS
from muster.validation import did_you_mean, path

_SECRET_OF = re.compile(r"muster/([^/]+)/.*")


def problems(settings: Settings) -> list[Problem]:
    """Return what must be corrected before the settings can be stored."""
    return [
        *_domain_overlaps(settings),
        *_foreign_secrets(settings),
        *_unknown_seats(settings),
        *_seat_cycles(settings),
        *_assignment_names(settings),
        *_spellings(settings),
        *_too_many_fields(settings),
        *_custom_twice(settings),
    ]


def _domain_overlaps(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each domain that is listed twice.

    Only the primary domain may be repeated, under company: it is one of the company's. An additional
    domain is from outside the company, so it cannot be the company's as well.
    """
    domains = settings.domains
    company: dict[str, str] = {}
    for index, domain in enumerate(domains.company):
        at = f"domains.company[{index}]"
        if domain in company:
            yield Problem(at, f"is {domain}, as {company[domain]} is", "Keep it once.")
        company.setdefault(domain, at)
    taken = {domains.primary: "domains.primary"} | company
    for index, domain in enumerate(domains.additional):
        at = f"domains.additional[{index}]"
        if domain in taken:
            remedy = "Keep it once: under company if it is the company's own, else under additional."
            yield Problem(at, f"is {domain}, as {taken[domain]} is", remedy)
        taken.setdefault(domain, at)


def _foreign_secrets(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each secret of another organization; it would be sent to this one's host."""
    for name, connection in settings.connections:
        secret = connection.secret if connection else None
        owner = _SECRET_OF.fullmatch(secret or "")
        if owner and owner[1] != settings.organization:
            yield Problem(
                f"connections.{name}.secret",
                f"is a secret of the organization {owner[1]}",
                f"Use one of this organization's own, such as muster/{settings.organization}/{name}.",
            )


def _unknown_seats(settings: Settings) -> Iterator[Problem]:
    for at, seat in named_seats(settings):
        if seat not in settings.seats:
            remedy = did_you_mean(seat, settings.seats) if settings.seats else "Add it under seats."
            yield Problem(path(at), f"names the seat {seat!r}, which is not under seats", remedy)


def _seat_cycles(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each seat that needs itself, directly or through others."""
    for name in settings.seats:
        reached: set[str] = set()
        to_follow = [name]
        while to_follow:
            seat = settings.seats.get(to_follow.pop())
            new = set(seat.requires if seat else ()) - reached
            reached |= new
            to_follow.extend(new)
        if name in reached:
            yield Problem(
                path(("seats", name, "requires")), "leads back to this seat", "A seat cannot need itself."
            )


def _assignment_names(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for position, assignment in enumerate(settings.assignments):
        if assignment.name in seen:
            first = path(("assignments", seen[assignment.name]))
            yield Problem(
                path(("assignments", position, "name")), f"is the name of {first} too", "Change one."
            )
        seen.setdefault(assignment.name, position)


def _spellings(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each field that is spelled in two ways: to Salesforce both are the same field."""
    # Read whether or not they are listed, and spelled like this.
    spelled = {name.lower(): name for name in DEFAULT_FIELDS}
    for at, name in named_fields(settings):
        first = spelled.setdefault(name.lower(), name)
        if name != first:
            yield Problem(path(at), f"is {name}, and {first} elsewhere", f"Write {first} here too.")


def _too_many_fields(settings: Settings) -> Iterator[Problem]:
    """Yield a problem if the fields do not fit into the one query with which an import reads them."""
    size = encoded_size(", ".join(fields_to_read(settings)))
    if settings.connections.salesforce and size > MOST_BYTES:
        yield Problem(
            "auto_provision.custom_fields",
            f"make the list of fields to read {size:,} bytes long, and one query takes {MOST_BYTES:,}",
            "Leave out fields that nothing here uses.",
        )


def _custom_twice(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each custom value that both Salesforce and Vault CRM would set."""
    for target in mappings.inbound(settings):
        name = target.removeprefix("custom.")
        if name in settings.auto_provision.custom_fields:
            yield Problem(
                path(("field_maps", "vault_crm", "inbound", "custom", target)),
                "is a custom field of Salesforce too, and each import would overwrite the other's value",
                f"Give it another name, like custom.Vault_{name}.",
            )
