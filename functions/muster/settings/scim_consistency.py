"""SCIM targets against the rest of the settings: what must be corrected, and what to know first (O2)."""

from collections.abc import Iterator

from muster.errors import Problem
from muster.settings import mappings
from muster.settings.scim_connection import ScimConnection
from muster.settings.sections import Settings
from muster.settings.target_connection import HoldersOf, MembersOf
from muster.validation import did_you_mean, path


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what must be corrected before the settings can be stored."""
    yield from _unknown_assignments(settings)
    yield from _unknown_seats(settings)
    yield from _nothing_to_send(settings)
    yield from _one_target_twice(settings)


def warnings(settings: Settings) -> Iterator[Problem]:
    """Yield what is valid, and does not do what it seems to, or more."""
    for name, connection in settings.connections.scim.items():
        yield from _about_deleting(name, connection)
        yield from _nobody_in_it(name, connection, settings)


def _at(name: str, *keys: str | int) -> str:
    return path(("connections", "scim", name, *keys))


def _unknown_assignments(settings: Settings) -> Iterator[Problem]:
    known = [each.name for each in settings.assignments]
    for name, connection in settings.connections.scim.items():
        if not isinstance(connection.who, MembersOf):
            continue
        for index, wanted in enumerate(connection.who.assignments):
            if wanted not in known:
                remedy = did_you_mean(wanted, known) if known else "Add it under assignments."
                yield Problem(
                    _at(name, "who", "assignments", index), f"names {wanted}, which is no assignment", remedy
                )


def _unknown_seats(settings: Settings) -> Iterator[Problem]:
    for name, connection in settings.connections.scim.items():
        if isinstance(connection.who, HoldersOf) and connection.who.seat not in settings.seats:
            seat = connection.who.seat
            remedy = did_you_mean(seat, settings.seats) if settings.seats else "Add it under seats."
            yield Problem(_at(name, "who", "seat"), f"names {seat}, which is no seat", remedy)


def _nothing_to_send(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each custom value that no member has."""
    known = {
        *(f"{mappings.CUSTOM}{each}" for each in settings.auto_provision.custom_fields),
        *(f"{mappings.CUSTOM}{each}" for each in mappings.align_custom(settings)),
        *(each for each in mappings.inbound(settings) if each.startswith(mappings.CUSTOM)),
    }
    for name, connection in settings.connections.scim.items():
        for attribute, source in connection.attributes.items():
            if source is not None and source.startswith(mappings.CUSTOM) and source not in known:
                nearest = did_you_mean(source, known) if known else "The member has none so far."
                yield Problem(
                    _at(name, "attributes", attribute),
                    f"is {source}, which is no custom value of a member",
                    f"{nearest} Custom fields of Salesforce are listed in auto_provision.custom_fields.",
                )


def _one_target_twice(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each target that two connections would write to, each against the other."""
    first: dict[tuple[str, str], str] = {}
    for name, connection in settings.connections.scim.items():
        other = first.setdefault((connection.host, connection.path), name)
        if other != name:
            yield Problem(
                _at(name, "host"),
                f"leads to the app that connections.scim.{other} leads to, and each would close the other's"
                " accounts",
                "Keep one of them.",
            )


def _about_deleting(name: str, connection: ScimConnection) -> Iterator[Problem]:
    if connection.on_leave != "delete":
        return
    match connection.dialect.deletes_users:
        case "deactivates":
            yield Problem(
                _at(name, "on_leave"),
                f"is delete, and {connection.profile} only deactivates who is deleted",
                "Write on_leave: deactivate, which is the same and can be read back.",
            )
        case "for_good":
            yield Problem(
                _at(name, "on_leave"),
                f"is delete, and whom {connection.profile} deletes never comes back, nor does the name",
                "Write on_leave: deactivate, unless that is what you want.",
            )


def _nobody_in_it(name: str, connection: ScimConnection, settings: Settings) -> Iterator[Problem]:
    if not connection.create and connection.adopt == "by_hand":
        yield Problem(
            _at(name, "create"),
            "is false, and accounts are adopted by hand: until somebody does that, the app gets nobody",
            "Set create to true, or adopt to same_user_name.",
        )
    if settings.connections.salesforce is None:
        yield Problem(
            _at(name),
            "gets no new members: they come from Salesforce, and there is no connection to it",
            "Add connections.salesforce.",
        )
