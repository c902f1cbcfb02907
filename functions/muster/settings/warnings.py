"""Warnings about settings that are valid but do not do what they seem to. They can be saved all the same."""

from collections.abc import Iterator

from muster.crm.engage_features import FEATURES
from muster.crm.salesforce_fields import fields_of
from muster.errors import Problem
from muster.settings import mappings, target_consistency, unseen_changes
from muster.settings.assignments import CaptureFromField, FromField
from muster.settings.locations import captures, choices, seat_required, seats_of
from muster.settings.sections import Settings
from muster.validation import path

# Salesforce composes these from other fields; messages carry the parts instead.
_COMPOUND_FIELDS = frozenset({"Name", "Address"})


def warnings(settings: Settings, *, sends_mail: bool = True) -> list[Problem]:
    """Return the warnings about these settings, with what to do about each.

    `sends_mail`: the stack has an address that mails come from.
    """
    return [
        *_align_never_read(settings),
        *_no_members_to_link(settings),
        *_groups_not_managed(settings),
        *_managed_without_mapping(settings),
        *_messages_believed(settings),
        *_any_message_may_call(settings),
        *_fields_not_carried(settings),
        *_compound_fields(settings),
        *_filters_not_evaluated(settings),
        *unseen_changes.of_filters(settings),
        *_unreachable_assignments(settings),
        *_seats_never_held(settings),
        *_capture_without_seat(settings),
        *_seats_nobody_gets(settings),
        *_grace_without_end(settings),
        *_mails_not_sent(settings, sends_mail),
        *target_consistency.warnings(settings),
    ]


def _align_never_read(settings: Settings) -> Iterator[Problem]:
    """Yield a warning if Align is connected but nothing is pushed, so that no push ever reads it (G9)."""
    if settings.connections.align and not mappings.pushed_features(settings):
        yield Problem(
            "connections.align",
            "is not read: requests are taken over from it by pushes, and no Engage feature is pushed",
            "Add connections.vault_crm, with engage or engage_connect in manage_features.",
        )


def _no_members_to_link(settings: Settings) -> Iterator[Problem]:
    if settings.connections.vault_crm and not settings.connections.salesforce:
        yield Problem(
            "connections.vault_crm",
            "gets no new members: they come from Salesforce, and there is no connection to it",
            "Add connections.salesforce.",
        )


def _groups_not_managed(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each group that an assignment gives for a feature that is not managed (G1)."""
    connection = settings.connections.vault_crm
    for position, assignment in enumerate(settings.assignments):
        for feature in FEATURES:
            if getattr(assignment, feature) and not (connection and feature in connection.manage_features):
                yield Problem(
                    path(("assignments", position, feature)),
                    "is kept and shown as the members' request, but nothing is pushed: "
                    + (
                        f"connections.vault_crm does not manage {feature}"
                        if connection
                        else "there is no connection to a Vault CRM"
                    ),
                    f"Add {feature} to manage_features of connections.vault_crm.",
                )


def _managed_without_mapping(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each inactive mapping that a managed feature needs (G5)."""
    connection = settings.connections.vault_crm
    pushed, inbound = mappings.pushed_features(settings), mappings.inbound(settings)
    for index, feature in enumerate(connection.manage_features if connection else ()):
        if feature not in pushed:
            yield Problem(
                path(("connections", "vault_crm", "manage_features", index)),
                f"manages {feature}, but the mapping of its request is switched off: nothing is pushed",
                f"Add {feature}.request to field_maps.vault_crm.outbound.system.",
            )
            continue
        if not mappings.sends_status(settings, feature):
            yield Problem(
                "field_maps.vault_crm.outbound.system",
                f"lacks {feature}.status: a request that Vault CRM has already cannot be sent once more",
                f"Add {feature}.status.",
            )
        for target in (f"{feature}.group", f"{feature}.status"):
            if target not in inbound:
                yield Problem(
                    "field_maps.vault_crm.inbound.system",
                    f"lacks {target}: imports do not see the outcome of the requests that are pushed",
                    f"Add {target}.",
                )


def _messages_believed(settings: Settings) -> Iterator[Problem]:
    """Yield a warning where what a message says counts, though only its address proves who sent it (W11)."""
    if not settings.auto_provision.read_back:
        yield Problem(
            "auto_provision.read_back",
            "is false: what a message says is believed, so whoever learns the webhook's address, or sends an"
            " old message again, can let people in and put people out until the next import",
            "Leave it out, or set it to true: the users that a message names are then read from Salesforce.",
        )


def _any_message_may_call(settings: Settings) -> Iterator[Problem]:
    connection = settings.connections.salesforce
    if connection and not connection.action_ids:
        yield Problem(
            "connections.salesforce.action_ids",
            "is empty: any outbound message of the Salesforce org may call, with the webhook's token",
            "List the ActionId of Muster's own message: WebhookSetupFunction answers it as action_id after"
            " install, and with status.",
        )


def _fields_not_carried(settings: Settings) -> Iterator[Problem]:
    """Yield the places that read a field which messages do not carry, unless users are read back (W6)."""
    connected = settings.connections.salesforce is not None
    if connected and settings.auto_provision.read_back:
        return
    carried = {*settings.auto_provision.fields, *settings.auto_provision.custom_fields}
    until = " until the next import" if connected else ""
    remedy = (
        "List it in auto_provision, under fields or custom_fields, and select it in the outbound message."
    )
    for target, source in settings.field_maps.salesforce.items():
        missing = sorted(set(fields_of(source)) - carried) if source is not None else []
        if missing:
            yield Problem(
                path(("field_maps", "salesforce", target)),
                f"reads {', '.join(missing)}, which no message carries: the attribute stays as it was{until}",
                remedy,
            )
    for at, choice in choices(settings):
        if isinstance(choice, FromField) and choice.field not in carried:
            yield Problem(
                path(at),
                f"reads {choice.field}, which no message carries: what it gives stays as it was{until}",
                remedy,
            )


def _compound_fields(settings: Settings) -> Iterator[Problem]:
    for index, name in enumerate(settings.auto_provision.fields):
        if name in _COMPOUND_FIELDS:
            yield Problem(
                f"auto_provision.fields[{index}]",
                f"{name} is made of other fields, and no message carries it: there it counts as empty",
                "List the fields it consists of instead.",
            )


def _filters_not_evaluated(settings: Settings) -> Iterator[Problem]:
    filtered = [position for position, each in enumerate(settings.assignments) if each.filter is not None]
    if filtered and settings.connections.salesforce is None:
        yield Problem(
            path(("assignments", filtered[0], "filter")),
            "is neither checked nor evaluated: that is up to Salesforce, and there is no connection to it",
            "Add connections.salesforce.",
        )


def _unreachable_assignments(settings: Settings) -> Iterator[Problem]:
    for position, assignment in enumerate(settings.assignments[:-1]):
        if assignment.filter is None:
            yield Problem(
                path(("assignments", position)),
                "has no filter and matches everyone, so the assignments below it never decide",
                "Move it to the end.",
            )
            return


def _seats_never_held(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each seat that is given without the seat it needs (A9)."""
    for position, assignment in enumerate(settings.assignments):
        given = dict.fromkeys(seats_of(assignment))
        for seat in given:
            missing = [name for name in settings.seats[seat].requires if name not in given]
            if missing:
                yield Problem(
                    path(("assignments", position, "seats")),
                    f"give {seat} without {missing[0]}, which it needs: nobody will hold it",
                    f"Add {missing[0]} to the assignment's seats.",
                )


def _capture_without_seat(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each data capture setting that is enabled without the seat it needs (A9)."""
    required = seat_required(settings)
    for position, assignment in enumerate(settings.assignments):
        given = set(seats_of(assignment))
        for capture, choice in captures(assignment).items():
            # What is prevented or disabled needs no seat.
            enabled = "enabled" in (choice.map.values() if isinstance(choice, CaptureFromField) else [choice])
            if enabled and capture in required and required[capture] not in given:
                yield Problem(
                    path(("assignments", position, "data_capture", capture)),
                    f"needs the seat {required[capture]}, which this assignment does not give: it is kept,"
                    " but not effective until the seat is held",
                    f"Add {required[capture]} to the assignment's seats.",
                )


def _seats_nobody_gets(settings: Settings) -> Iterator[Problem]:
    given = {seat for assignment in settings.assignments for seat in seats_of(assignment)}
    for capture, seat in seat_required(settings).items():
        if settings.assignments and seat not in given:
            yield Problem(
                path(("seat_required", capture)),
                f"needs the seat {seat}, which no assignment gives: {capture} is effective only for members"
                " who get the seat by hand",
                f"Add {seat} to the seats of an assignment.",
            )


def _grace_without_end(settings: Settings) -> Iterator[Problem]:
    keep = settings.keep_active
    if keep.when_unmatched and keep.grace_days:
        yield Problem(
            "keep_active.grace_days",
            "has no meaning beside when_unmatched: members that match nothing stay active for good",
            "Set when_unmatched to false if they are to leave after these days.",
        )


def _mails_not_sent(settings: Settings, sends_mail: bool) -> Iterator[Problem]:
    if settings.managers.notify and not sends_mail:
        yield Problem(
            "managers.notify",
            "is on, but this stack sends no mail: nobody is told of new members",
            "Deploy with the parameter MailFrom: an address that is verified in SES.",
        )
