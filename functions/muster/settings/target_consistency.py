"""Apps with members' accounts against the rest of the settings: what to correct, what to know (O2, O4)."""

from collections.abc import Iterator

from muster.errors import Problem
from muster.settings import mappings
from muster.settings.scim_connection import ScimConnection
from muster.settings.sections import Settings
from muster.settings.target_connection import HoldersOf, MembersOf, TargetConnection
from muster.validation import did_you_mean, path


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what must be corrected before the settings can be stored."""
    for _, connection in settings.connections.targets():
        yield from _unknown_assignments(connection, settings)
        yield from _unknown_seats(connection, settings)
    yield from _no_such_value(settings)
    yield from _one_app_twice(settings)


def warnings(settings: Settings) -> Iterator[Problem]:
    """Yield what is valid, and does not do what it seems to, or more."""
    for app in settings.connections.scim.values():
        yield from _about_deleting(app)
        yield from _nobody_in_it(app)
    for _, connection in settings.connections.targets():
        yield from _without_salesforce(connection, settings)


def _at(connection: TargetConnection, *keys: str | int) -> str:
    return path(("connections", connection.kind, connection.name, *keys))


def _unknown_assignments(connection: TargetConnection, settings: Settings) -> Iterator[Problem]:
    if not isinstance(connection.who, MembersOf):
        return
    known = [each.name for each in settings.assignments]
    for index, wanted in enumerate(connection.who.assignments):
        if wanted not in known:
            remedy = did_you_mean(wanted, known) if known else "Add it under assignments."
            where = _at(connection, "who", "assignments", index)
            yield Problem(where, f"names {wanted}, which is no assignment", remedy)


def _unknown_seats(connection: TargetConnection, settings: Settings) -> Iterator[Problem]:
    if isinstance(connection.who, HoldersOf) and connection.who.seat not in settings.seats:
        seat = connection.who.seat
        remedy = did_you_mean(seat, settings.seats) if settings.seats else "Add it under seats."
        yield Problem(_at(connection, "who", "seat"), f"names {seat}, which is no seat", remedy)


def _no_such_value(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each custom value that no member has."""
    known = {
        *(f"{mappings.CUSTOM}{each}" for each in settings.auto_provision.custom_fields),
        *(f"{mappings.CUSTOM}{each}" for each in mappings.align_custom(settings)),
        *(each for each in mappings.inbound(settings) if each.startswith(mappings.CUSTOM)),
    }
    for where, source in _sources(settings):
        if source.startswith(mappings.CUSTOM) and source not in known:
            nearest = did_you_mean(source, known) if known else "The member has none so far."
            yield Problem(
                where,
                f"is {source}, which is no custom value of a member",
                f"{nearest} Custom fields of Salesforce are listed in auto_provision.custom_fields.",
            )


def _sources(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each attribute of a member that is sent or looked for, with the place that names it."""
    for connection in settings.connections.scim.values():
        for attribute, source in connection.attributes.items():
            if source is not None:
                yield _at(connection, "attributes", attribute), source
    for pool in settings.connections.cognito.values():
        yield _at(pool, "known_by", "member"), pool.known_by.member


def _one_app_twice(settings: Settings) -> Iterator[Problem]:
    """Yield a problem for each app that two connections would write to, each against the other."""
    places = {"scim": "host", "cognito": "user_pool"}
    first: dict[str, str] = {}
    for key, connection in settings.connections.targets():
        other = first.setdefault(connection.leads_to, key)
        if other != key:
            yield Problem(
                _at(connection, places[connection.kind]),
                f"leads to the app that connections.{other} leads to, and each would close the other's"
                " accounts",
                "Keep one of them.",
            )


def _about_deleting(connection: ScimConnection) -> Iterator[Problem]:
    if connection.on_leave != "delete":
        return
    match connection.dialect.deletes_users:
        case "deactivates":
            yield Problem(
                _at(connection, "on_leave"),
                f"is delete, and {connection.profile} only deactivates who is deleted",
                "Write on_leave: deactivate, which is the same and can be read back.",
            )
        case "for_good":
            yield Problem(
                _at(connection, "on_leave"),
                f"is delete, and whom {connection.profile} deletes never comes back, nor does the name",
                "Write on_leave: deactivate, unless that is what you want.",
            )


def _nobody_in_it(connection: ScimConnection) -> Iterator[Problem]:
    if not connection.create and connection.adopt == "by_hand":
        yield Problem(
            _at(connection, "create"),
            "is false, and accounts are adopted by hand: until somebody does that, the app gets nobody",
            "Set create to true, or adopt to same_user_name.",
        )


def _without_salesforce(connection: TargetConnection, settings: Settings) -> Iterator[Problem]:
    if settings.connections.salesforce is None:
        yield Problem(
            _at(connection),
            "hears of nobody who comes or leaves: that is known from Salesforce, and there is no connection"
            " to it",
            "Add connections.salesforce.",
        )
