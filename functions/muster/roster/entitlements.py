"""What a member gets: seats, workspaces, data capture and groups, by update mode (A2, A3, A5, A9, A10)."""

from collections.abc import Mapping
from dataclasses import replace

from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.crm.salesforce_fields import Fields
from muster.roster import assignment_grants, data_capture, engage_groups, seats
from muster.roster.data_capture import Capture
from muster.roster.member import Attributes, Member
from muster.roster.seats import Pools
from muster.settings import Settings, assignment_order
from muster.settings.assignments import Assignment

AUTOMATIC = "automatic"
MANUAL = "manual"

# What the names of origins begin with for what an assignment gives.
_GRANTED = ("seats.", "workspaces.")


def governed(
    before: Member,
    assignment: Assignment | None,
    fields: Fields,
    settings: Settings,
    pools: Pools,
    at: str,
) -> Attributes:
    """Return the attributes that the assignment decides; without an assignment, nothing is given.

    An automatic assignment decides every time, a manual one once: for a member who is new, comes back, or
    had another assignment (A5). `at` is now (ISO 8601).
    """
    if assignment is None:
        # No assignments at all: groups requested by hand, or in the CRM, are left alone.
        return {**without(before), **_groups_given(before, assignment_grants.Grants())}
    seeded = not before.active or not _goes_on(before, assignment, settings)
    attributes: Attributes = {
        "assignment": assignment.name,
        "assignment_filter": assignment_order.filter_digest(assignment),
        "update_mode": assignment.update_mode,
    }
    before = replace(before, data_capture=_under_the_new_name(before, assignment))
    if not seeded and assignment.update_mode == MANUAL:
        wanted: tuple[str, ...] = tuple(before.seats)
        capture = before.data_capture
    else:
        given = assignment_grants.grants(assignment, fields)
        wanted = (*given.seats, *(seat for seat in before.seats if f"seats.{seat}" in given.unknown))
        attributes |= _given(before, given)
        capture = _capture_given(before, assignment, given, keeps_overrides=not seeded)
    rank = assignment_order.rank(assignment, settings)
    places = seats.placed(before.seats, wanted, settings, pools, rank=rank, at=at)
    return {**attributes, "seats": places, "data_capture": _effects(capture, places, settings)}


def kept(
    before: Member,
    winner: Assignment | None,
    fields: Fields,
    settings: Settings,
    pools: Pools,
    at: str,
) -> Attributes:
    """Return what a member may have who stays only because the settings keep it (A7, A8, A13).

    The assignment that last matched goes on deciding, whatever matches now: a leaver's profile or department
    is often changed too. If the settings have it no more, `winner` decides, the one that matches now; without
    one the member keeps what it has, but for seats that there are no more.
    """
    assignment = assignment_of(before, settings)
    if assignment is None and before.assignment is not None and settings.assignments:
        assignment = winner
        if winner is None:
            rank = assignment_order.rank(None, settings)
            places = seats.placed(before.seats, before.seats, settings, pools, rank=rank, at=at)
            return {"seats": places, "data_capture": _effects(before.data_capture, places, settings)}
    return governed(before, assignment, fields, settings, pools, at)


def assignment_of(member: Member, settings: Settings) -> Assignment | None:
    """Return the member's assignment as the settings have it now, under another name perhaps (A12)."""
    return assignment_order.successor(member.assignment, member.assignment_filter, settings)


def hand_edits(member: Member) -> frozenset[str]:
    """Return what admins and managers have set on the member that moving to another assignment overwrites."""
    values = {name: origin for name, origin in member.origins.items() if name.startswith(_GRANTED)}
    values |= {f"data_capture.{name}": setting.origin for name, setting in member.data_capture.items()}
    return frozenset(name for name, origin in values.items() if origin.startswith(("manual:", "manager:")))


def governor(member: Member, feature: Feature, settings: Settings) -> str | None:
    """Return the name of the automatic assignment that decides the member's group for a feature (A5)."""
    assignment = assignment_of(member, settings)
    if assignment is None or getattr(assignment, feature) is None:
        return None
    return assignment.name if assignment.update_mode == AUTOMATIC else None


def without(member: Member) -> Attributes:
    """Return the attributes of a member without an assignment: nothing given, no group requested (W8)."""
    return {
        **_nothing_given(),
        "origins": _of_the_person(member.origins),
        **_requested(member, dict.fromkeys(engage_features.FEATURES)),
    }


def closed(member: Member) -> Attributes:
    """Return the attributes of a member closed by hand: nothing is given, but requests stand (A16).

    Its requests for groups stand for when the member comes back (G11); until then a push takes it out of its
    groups (G7).
    """
    requests = {
        name: origin
        for feature in engage_features.FEATURES
        if (origin := member.origins.get(name := f"{feature}.request"))
    }
    return {**_nothing_given(), "origins": _of_the_person(member.origins) | requests}


def seated(member: Member, seat: str, rank: int, settings: Settings, pools: Pools, at: str) -> Member:
    """Return the member with the seat that it is first in line for, at its rank, with what needs it."""
    places = seats.placed(member.seats, member.seats, settings, pools, rank=rank, at=at, next_in_line=seat)
    return with_effect(replace(member, seats=places), settings)


def with_effect(member: Member, settings: Settings) -> Member:
    """Return the member with each data capture setting effective as far as the seats held allow."""
    return replace(member, data_capture=_effects(member.data_capture, member.seats, settings))


def _effects(capture: Mapping[str, Capture], places: seats.Places, settings: Settings) -> dict[str, Capture]:
    held = seats.held(places)
    return {
        name: data_capture.with_effect(setting, getattr(settings.seat_required, name), held)
        for name, setting in capture.items()
    }


def _nothing_given() -> Attributes:
    return {
        "assignment": None,
        "assignment_filter": None,
        "update_mode": None,
        "seats": {},
        "workspaces": {},
        "data_capture": {},
    }


def _given(before: Member, given: assignment_grants.Grants) -> Attributes:
    workspaces = {
        **{
            name: profile
            for name, profile in before.workspaces.items()
            if f"workspaces.{name}" in given.unknown
        },
        **(given.workspaces or {}),
    }
    return {"workspaces": workspaces, **_groups_given(before, given)}


def _groups_given(before: Member, given: assignment_grants.Grants) -> Attributes:
    """Return the groups that the assignment requests, and those that stay as they were.

    A group that it does not name is given back if an assignment requested it: then it has no origin.
    """
    named = given.groups or {}
    requests: dict[Feature, str | None] = {}
    kept: dict[str, str] = {}
    for feature in engage_features.FEATURES:
        origin = before.origins.get(f"{feature}.request")
        if feature in named:
            if f"groups.{feature}" not in given.unknown:
                requests[feature] = named[feature]
        elif origin:
            kept[f"{feature}.request"] = origin
        else:
            requests[feature] = None
    return {"origins": _of_the_person(before.origins) | kept, **_kept(before), **_requested(before, requests)}


def _kept(member: Member) -> Attributes:
    return {"engage": member.engage, "engage_connect": member.engage_connect, "vault": member.vault}


def _requested(member: Member, requests: Mapping[Feature, str | None]) -> Attributes:
    """Return the attributes that change when these groups are requested (G6)."""
    attributes: Attributes = {}
    for feature, group in requests.items():
        attributes |= engage_groups.request_group(replace(member, **attributes), feature, group)
    return attributes


def _capture_given(
    before: Member, assignment: Assignment, given: assignment_grants.Grants, *, keeps_overrides: bool
) -> dict[str, Capture]:
    """Return the assignment's settings, and what managers have overridden in this assignment (A10)."""
    origin = f"assignment:{assignment.name}"
    capture = {
        name: data_capture.intended(value, origin) for name, value in (given.data_capture or {}).items()
    }
    for name, setting in before.data_capture.items():
        overridden = keeps_overrides and setting.origin.startswith("manager:")
        if overridden or f"data_capture.{name}" in given.unknown:
            capture[name] = setting
    return capture


def _goes_on(before: Member, assignment: Assignment, settings: Settings) -> bool:
    """Whether the member had this assignment so far, under whatever name (A12)."""
    return assignment.name == before.assignment or assignment == assignment_of(before, settings)


def _under_the_new_name(before: Member, assignment: Assignment) -> dict[str, Capture]:
    """Return the data capture settings, of which those given by the member's assignment name it anew."""
    former, origin = f"assignment:{before.assignment}", f"assignment:{assignment.name}"
    return {
        name: replace(setting, origin=origin) if setting.origin == former else setting
        for name, setting in before.data_capture.items()
    }


def _of_the_person(origins: Mapping[str, str]) -> dict[str, str]:
    """Return the origins of values that no assignment gives: status, end date, manager (A11)."""
    return {name: origin for name, origin in origins.items() if "." not in name}
