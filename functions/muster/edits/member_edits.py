"""What may be edited on a member by hand, who may edit it, and the effect of an edit (A5, A9, A10, A11).

    seats, workspaces, data capture    admins, while the member's assignment has update mode manual
    data capture                       managers of their active direct reports, where the settings let them
    crm_user_status, end_date          admins, always
    manager                            admins, where the organizational structure is ignored
    accounts in apps                   admins, always: adopted, ignored or reconsidered (`account_edits`)

Everything else follows Salesforce or the settings; a refusal says which. Pure: no I/O, no clock.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from muster import validation
from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.edits import account_edits
from muster.edits.account_edits import AppName, Taken
from muster.edits.activity_edits import with_activity
from muster.edits.csv_lines import Columns
from muster.errors import Problem, Rejected
from muster.provisioning.adoption import Word
from muster.references import Reference
from muster.roster import (
    assignment_grants,
    data_capture,
    end_dates,
    engage_groups,
    entitlements,
    salesforce_lifecycle,
    seats,
)
from muster.roster.accounts import Account
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.roster.reasons import EXPLAINED
from muster.roster.seats import Pools, SeatPlace
from muster.settings import Settings, assignment_order
from muster.settings.assignments import Capture, DataCapture
from muster.settings.sections import MOST_SEATS
from muster.settings.values import Listed, Name, SeatName, Section
from muster.times import timestamp
from muster.validation import refused

# Each level is a condition in the transaction, which takes a hundred actions and has seats to move too.
MOST_LEVELS = 30
# A member is one item, and imports write several of them in one transaction of 4 MB.
MOST_WORKSPACES = 50
# How many problems of one change are reported; five hundred changes have to fit into one answer.
MOST_PROBLEMS = 10

_GRANTS = frozenset({"seats", "workspaces", "data_capture"})
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_IDENTITY = ("follows Salesforce in both update modes", "Change it there; the next run brings it.")
_CALL_CENTER = (
    "follows the user's activity and call center in Salesforce",
    "Change it there; the next run brings it.",
)
_ASSIGNED = (
    "is decided by the assignments",
    "Change their filters or order with OrganizationSettingsFunction.",
)
_GROUPS = ("is not a member setting", "Use GroupAssignmentFunction.")
_ELSEWHERE: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "crm",
            "custom",
            "email",
            "extension",
            "first_name",
            "language",
            "last_name",
            "locale",
            "name",
            "phone_numbers",
            "picture_url",
            "time_zone",
            "title",
            "username",
        ),
        _IDENTITY,
    ),
    **dict.fromkeys(("active", "enabled", "inbound_enabled", "inactive_reason"), _CALL_CENTER),
    **dict.fromkeys(("assignment", "update_mode"), _ASSIGNED),
    **dict.fromkeys(("engage", "engage_connect"), _GROUPS),
}


def _capture_setting(value: str) -> str:
    if value not in DataCapture.model_fields:
        raise refused(
            "is not a data capture setting", validation.did_you_mean(value, DataCapture.model_fields)
        )
    return value


def _date(value: str) -> str:
    try:
        if _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise refused("is not a date", "Write year, month and day, for example 2026-12-31.")


type CaptureSetting = Annotated[str, AfterValidator(_capture_setting)]
type EndDate = Annotated[str, Field(examples=["2026-12-31"]), AfterValidator(_date)]


class Edit(Section):
    """One change of one member: what it names is set, what it leaves out stays.

    `member` and `manager` are an id, e-mail address, username or CRM id. `seats` are all the seats the
    member should have; workspaces and data capture are merged, null takes one away.
    """

    member: Reference
    seats: Listed[SeatName] = Field(default=(), max_length=MOST_SEATS, examples=[["gong"]])
    workspaces: Mapping[Name, Name | None] = Field(
        default_factory=dict, max_length=MOST_WORKSPACES, examples=[{"EMEA": "Team member"}]
    )
    data_capture: Mapping[CaptureSetting, Capture | None] = Field(
        default_factory=dict, examples=[{"import_emails": "disabled"}]
    )
    crm_user_status: Literal["active", "inactive"] | None = None
    end_date: EndDate | None = None
    manager: Reference | None = None
    accounts: Mapping[AppName, Word] = Field(
        default_factory=dict, max_length=account_edits.MOST_APPS, examples=[{"scim.gong": "adopt"}]
    )

    @model_validator(mode="after")
    def _requests_something(self) -> "Edit":
        if not self.requested:
            raise refused("says nothing to change", f"Add one of: {', '.join(_EDITABLE)}.")
        return self

    @property
    def requested(self) -> tuple[str, ...]:
        """The attributes to change, null or not."""
        return tuple(name for name in _EDITABLE if name in self.model_fields_set)


_EDITABLE = tuple(name for name in Edit.model_fields if name != "member")

# As the columns of a CSV file; `null` in a cell is no seats, no workspace, no override, no date.
COLUMNS = Columns(
    needed=("member",),
    others=("seats", "crm_user_status", "end_date", "manager"),
    listed=frozenset({"seats"}),
    nested={"workspaces": (), "data_capture": tuple(DataCapture.model_fields), "accounts": ()},
    elsewhere=_ELSEWHERE,
)


@dataclass(frozen=True, slots=True)
class Editor:
    """The person who edits: an admin, or the manager whose member id is `manager`."""

    by: str
    manager: str | None = None

    @property
    def origin(self) -> str:
        """The origin of the values they set."""
        return f"manager:{self.manager}" if self.manager else f"manual:{self.by}"


@dataclass(frozen=True, slots=True)
class Others:
    """Other members on whom it depends what an edit may do.

    `above` is the manager that the edit names, that one's manager and so on, up to the top, to the member
    itself, or to more than `MOST_LEVELS` of them; `taken` are accounts that are linked to somebody.
    """

    above: Sequence[Member] = ()
    taken: Taken = field(default_factory=dict)


def read(document: object) -> Edit:
    """Return an edit as it was sent; raises `Rejected`, whose problems may be at `""`, the edit itself."""
    try:
        return Edit.model_validate(document)
    except ValidationError as error:
        found = validation.problems(error, _schema(), "")[:MOST_PROBLEMS]
    # Not chained: pydantic's error quotes what was sent.
    raise Rejected(
        *(
            Problem(problem.where, *_ELSEWHERE[problem.where]) if problem.where in _ELSEWHERE else problem
            for problem in found
        )
    )


@cache
def _schema() -> dict[str, Any]:
    return Edit.model_json_schema()


def decide(
    member: Member,
    edit: Edit,
    editor: Editor,
    others: Others,
    settings: Settings,
    pools: Pools,
    now: datetime,
    run: str,
) -> tuple[Decision, list[str]]:
    """Return the decision about an edit, and notes for the admin; raises `Rejected` with what is wrong."""
    above = others.above
    accounts = account_edits.judged(member, edit.accounts, editor.by, others.taken, settings)
    refusals = [each for each in accounts.values() if isinstance(each, Problem)]
    faults = [*_faults(member, edit, above, settings), *refusals]
    if found := [*_refusals(member, edit, editor, settings)] or faults:
        raise Rejected(*found[:MOST_PROBLEMS])
    after = member
    notes: list[str] = []
    if "seats" in edit.requested:
        at = timestamp(now)
        after = _with_seats(after, edit, editor, settings, pools, at)
    if "workspaces" in edit.requested:
        after = _with_workspaces(after, edit, editor)
    if "data_capture" in edit.requested:
        after, notes = _with_capture(after, edit, editor, settings)
    if {"seats", "data_capture"} & {*edit.requested}:
        after = entitlements.with_effect(after, settings)
    for name in ("crm_user_status", "end_date"):
        if name in edit.requested:
            after = _with_value(after, name, getattr(edit, name), editor)
    if after.crm_user_status != member.crm_user_status or after.end_date != member.end_date:
        after, said = with_activity(after, settings, now)
        notes += said
    today = end_dates.today(now, settings.time_zone)
    again = engage_groups.returned(member, after, today)
    after = replace(after, **again)
    notes += [_asks_again(after, feature) for feature in engage_features.FEATURES if feature in again]
    if "manager" in edit.requested:
        after = _with_value(after, "manager", above[0].id if above else None, editor)
        notes += ["The manager is not an active member."] if above and not above[0].active else []
    becomes = {app: each for app, each in accounts.items() if isinstance(each, Account)}
    after, said = account_edits.with_accounts(after, becomes, edit.accounts, settings, today)
    notes += said
    outcome = Outcome.DEACTIVATED if member.active and not after.active else Outcome.UPDATED
    decision = salesforce_lifecycle.recorded(member, after, outcome, settings, now, editor.origin, run)
    # If one of them gets another manager at the same moment, there may be a loop after all.
    return replace(decision, unchanged=tuple(above) if after.manager != member.manager else ()), notes


def _asks_again(member: Member, feature: Feature) -> str:
    """Return what is said of a group that a member who comes back gets again (G11)."""
    group = member.feature(feature).request
    return f"The member asks for {feature} group {group!r} again: the next push sends it."


def remarks(member: Member, edit: Edit) -> list[str]:
    """Return remarks on the member after the edit: what was requested but cannot take effect yet."""
    found = []
    for seat in dict.fromkeys(edit.seats):
        match member.seats.get(seat):
            case SeatPlace(state=seats.WAITING):
                found.append(f"No seat {seat} is free: the member waits in line.")
            case SeatPlace(state=seats.BLOCKED, requires=required):
                found.append(f"The seat {seat} needs the seat {required} first.")
    for name, value in edit.data_capture.items():
        setting = member.data_capture.get(name)
        if value and setting and setting.lacks_its_seat:
            found.append(f"{name} is without effect until the seat {setting.seat_required} is held.")
    return found


def _refusals(member: Member, edit: Edit, editor: Editor, settings: Settings) -> Iterator[Problem]:
    """Yield what the editor may not edit, and what governs it instead (A11)."""
    if editor.manager:
        if not member.active or member.manager != editor.manager:
            remedy = "Managers edit their own direct reports; ask the direct manager or an admin."
            yield Problem("member", "is not an active direct report of the manager who asks", remedy)
            return
        for name in edit.requested:
            if name != "data_capture":
                remedy = "Managers switch data capture; ask an admin for everything else."
                yield Problem(name, "is for admins to change", remedy)
        if "data_capture" in edit.requested and member.assignment is None:
            yield Problem("data_capture", *_NO_ASSIGNMENT)
        return
    for name in edit.requested:
        if name in _GRANTS and (reason := _not_by_hand(member, settings)):
            yield Problem(name, *reason)
    if "manager" in edit.requested and not settings.ignore_organizational_structure:
        remedy = "Change the manager there, or switch ignore_organizational_structure on in the settings."
        yield Problem("manager", "follows Salesforce", remedy)


_NO_ASSIGNMENT = (
    "is given to nobody without an assignment, and runs take it back",
    "Add an assignment that matches the member to the settings.",
)


def _not_by_hand(member: Member, settings: Settings) -> tuple[str, str] | None:
    """Return why nothing may be granted to the member by hand, and what to do; `None`: it may."""
    if not member.active:
        why = EXPLAINED.get(member.inactive_reason or "", "It was deactivated.")
        return "is not for a member who is not active", f"Grant it once the member is active again. {why}"
    if member.assignment is None:
        return _NO_ASSIGNMENT
    if _mode(member, settings) == entitlements.AUTOMATIC:
        return (
            f"follows Salesforce through assignment {member.assignment!r} (automatic)",
            "Change the assignment, or the user in Salesforce; with update_mode manual the assignment would"
            " give it once and leave it to be edited here.",
        )
    return None


def _faults(member: Member, edit: Edit, above: Sequence[Member], settings: Settings) -> Iterator[Problem]:
    """Yield the values that are not possible."""
    for place, seat in enumerate(edit.seats):
        if seat not in settings.seats:
            remedy = validation.did_you_mean(seat, settings.seats)
            yield Problem(f"seats[{place}]", "is not a seat of the settings", remedy)
    if len(_merged(member.workspaces, edit.workspaces)) > max(MOST_WORKSPACES, len(member.workspaces)):
        remedy = "Take some away, each with null."
        yield Problem("workspaces", f"would be more than {MOST_WORKSPACES}", remedy)
    ids = [each.id for each in above]
    if ids[:1] == [member.id]:
        yield Problem("manager", "is the member itself", "Name someone else, or null for nobody.")
    elif member.id in ids:
        remedy = "Name someone else, or change that person's manager first."
        yield Problem("manager", "reports to the member, directly or over others", remedy)
    elif len(ids) > MOST_LEVELS:
        remedy = "Name someone nearer to the top."
        yield Problem("manager", f"has more than {MOST_LEVELS} levels of managers above", remedy)


def _with_seats(
    member: Member, edit: Edit, editor: Editor, settings: Settings, pools: Pools, at: str
) -> Member:
    rank = assignment_order.rank(entitlements.assignment_of(member, settings), settings)
    places = seats.placed(member.seats, edit.seats, settings, pools, rank=rank, at=at)
    changed = places.keys() ^ member.seats.keys()
    return replace(member, seats=places, origins=_origins(member, "seats.", changed, places, editor))


def _with_workspaces(member: Member, edit: Edit, editor: Editor) -> Member:
    after = _merged(member.workspaces, edit.workspaces)
    changed = {name for name in edit.workspaces if after.get(name) != member.workspaces.get(name)}
    origins = _origins(member, "workspaces.", changed, after, editor)
    return replace(member, workspaces=after, origins=origins)


def _with_capture(member: Member, edit: Edit, editor: Editor, settings: Settings) -> tuple[Member, list[str]]:
    """Set each setting that has a value; for null, remove the override and restore the assignment's value.

    A value that comes from a Salesforce field is not known here. Clearing the digest makes the next full
    import evaluate the member again, which restores it; in mode manual nothing does.
    """
    assignment = entitlements.assignment_of(member, settings)
    given = assignment_grants.grants(assignment, {}) if assignment else assignment_grants.Grants()
    capture = dict(member.data_capture)
    digest, notes = member.digest, []
    for name, value in edit.data_capture.items():
        was = capture.get(name)
        if value and (was is None or was.intended != value):
            capture[name] = data_capture.intended(value, editor.origin)
        elif not value and was and _may_be_taken_away(was.origin, editor):
            del capture[name]
            if fixed := (given.data_capture or {}).get(name):
                capture[name] = data_capture.intended(fixed, f"assignment:{member.assignment}")
            elif f"data_capture.{name}" not in given.unknown:
                continue
            elif _mode(member, settings) == entitlements.AUTOMATIC:
                digest = ""
                notes.append(f"{name} comes from a Salesforce field: the next full import restores it.")
            else:
                notes.append(f"{name} came from a Salesforce field, once: set it by hand if it is wanted.")
    return replace(member, data_capture=capture, digest=digest), notes


def _may_be_taken_away(origin: str, editor: Editor) -> bool:
    """Whether a setting is an override: for managers, only what a manager has set."""
    return origin.startswith("manager:" if editor.manager else ("manager:", "manual:"))


def _with_value(member: Member, name: str, value: str | None, editor: Editor) -> Member:
    if getattr(member, name) == value:
        return member
    origins = _origins(member, "", {name}, {name} if value else (), editor)
    changed: dict[str, Any] = {name: value, "origins": origins}
    return replace(member, **changed)


def _origins(
    member: Member,
    prefix: str,
    changed: set[str],
    there: Sequence[str] | Mapping[str, Any] | set[str],
    by: Editor,
) -> dict[str, str]:
    """Return the member's origins after these values have changed; only values that exist have one."""
    kept = {
        key: origin
        for key, origin in member.origins.items()
        if key not in {prefix + name for name in changed}
    }
    return kept | {prefix + name: by.origin for name in sorted(changed) if name in there}


def _merged(before: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**before, **changes}.items() if value is not None}


def _mode(member: Member, settings: Settings) -> str | None:
    """Return the update mode that the next run will use: the assignment's in the current settings."""
    assignment = entitlements.assignment_of(member, settings)
    return assignment.update_mode if assignment else member.update_mode
