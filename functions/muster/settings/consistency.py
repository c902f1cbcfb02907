"""Consistency between sections of the settings: errors that must be corrected before they are stored."""

from collections.abc import Iterator

from muster.crm.soql_filters import MOST_BYTES, encoded_size
from muster.errors import Problem
from muster.settings import mappings, target_consistency
from muster.settings.locations import named_fields, named_seats
from muster.settings.mappings import fields_to_read
from muster.settings.secret_names import is_secret_of, secrets_of
from muster.settings.sections import Settings
from muster.settings.values import DEFAULT_FIELDS, is_loopback
from muster.validation import did_you_mean, path


def problems(settings: Settings, *, loopback_hosts: bool = False) -> list[Problem]:
    """Return what must be corrected before the settings can be stored.

    `loopback_hosts` says whether connections may lead to this very machine.
    """
    return [
        *_domain_overlaps(settings),
        *_foreign_secrets(settings),
        *([] if loopback_hosts else _loopback_hosts(settings)),
        *_unknown_seats(settings),
        *_seat_cycles(settings),
        *_assignment_names(settings),
        *_former_names(settings),
        *_spellings(settings),
        *_too_many_fields(settings),
        *_custom_twice(settings),
        *_written_twice(settings),
        *_nothing_to_write(settings),
        *target_consistency.problems(settings),
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
    """Yield a problem for each secret that is not the organization's; it would be sent to this one's host."""
    for name, connection in settings.connections.by_host():
        secret = connection.secret
        if secret and not is_secret_of(settings.organization, secret):
            yield Problem(
                f"connections.{name}.secret",
                f"is {secret}, and the secrets of {settings.organization} begin with"
                f" {secrets_of(settings.organization)}",
                f"Name the secret like {secrets_of(settings.organization)}{name.replace('.', '/')}.",
            )


def _loopback_hosts(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each host on this very machine, where only the local stack has anything."""
    for name, connection in settings.connections.by_host():
        if is_loopback(connection.host):
            yield Problem(
                f"connections.{name}.host",
                f"is {connection.host}, which is for the local stack",
                "Write the host of the real system.",
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


def _former_names(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each former name that an assignment has now, or that two have had."""
    present = {assignment.name: position for position, assignment in enumerate(settings.assignments)}
    claimed: dict[str, str] = {}
    for position, assignment in enumerate(settings.assignments):
        for index, name in enumerate(assignment.formerly):
            at = path(("assignments", position, "formerly", index))
            if name in present:
                other = path(("assignments", present[name]))
                yield Problem(at, f"is {name!r}, the name of {other}", "Leave it out, or rename that one.")
            if name in claimed:
                yield Problem(at, f"is {name!r}, as {claimed[name]} is", "Keep it where it belongs.")
            claimed.setdefault(name, at)


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
    """Yield a problem for each custom value that two of Salesforce, Vault CRM and Align would set."""
    for target in mappings.inbound(settings):
        name = target.removeprefix("custom.")
        if name in settings.auto_provision.custom_fields:
            yield Problem(
                path(("field_maps", "vault_crm", "inbound", "custom", target)),
                "is a custom field of Salesforce too, and each import would overwrite the other's value",
                f"Give it another name, like custom.Vault_{name}.",
            )
    others = {*settings.auto_provision.custom_fields, *_read_from_vault_crm(settings)}
    for name in mappings.align_custom(settings):
        if name in others:
            yield Problem(
                path(("field_maps", "align", "inbound", "custom", f"{mappings.CUSTOM}{name}")),
                "is read from another system too, and each import would overwrite the other's value",
                f"Give it another name, like custom.Align_{name}.",
            )


def _read_from_vault_crm(settings: Settings) -> Iterator[str]:
    targets = mappings.inbound(settings)
    return (each.removeprefix(mappings.CUSTOM) for each in targets if each.startswith(mappings.CUSTOM))


_WRITTEN = ("field_maps", "vault_crm", "outbound", "custom")


def _written_twice(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each field of Vault CRM that two attributes would be written to."""
    first: dict[str, str] = {}
    for attribute, written in mappings.custom_outbound(settings).items():
        other = first.setdefault(written.field, attribute)
        if other != attribute:
            yield Problem(
                path((*_WRITTEN, attribute)),
                f"is written to {written.field}, as {other} is, and each would overwrite the other",
                "Map one of them to another field, or take it out.",
            )


def _nothing_to_write(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each custom value that is to be written and that no source but Vault CRM gives."""
    named = (*settings.auto_provision.custom_fields, *mappings.align_custom(settings))
    known = {f"{mappings.CUSTOM}{name}" for name in named}
    read = mappings.inbound(settings)
    for attribute in mappings.custom_outbound(settings):
        at = path((*_WRITTEN, attribute))
        if attribute in read:
            yield Problem(
                at,
                f"is read from {read[attribute]} of Vault CRM itself",
                "Take it out here, or under inbound.",
            )
        elif attribute.startswith(mappings.CUSTOM) and attribute not in known:
            nearest = did_you_mean(attribute, known) if known else "The member has none so far."
            yield Problem(
                at,
                "is no custom value of a member",
                f"{nearest} Custom fields of Salesforce are listed in auto_provision.custom_fields.",
            )
