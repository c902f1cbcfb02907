"""Align as the desk at which admins ask for Engage groups, and see what has come of it (G9).

A record of Align that shows Retry Request is taken over once: the member keeps when the record had been
saved last, so that a Retry Request which stays there, because Align could not be written, is not asked
for again. What Align was told is kept with the member as well (`groups.untold`): who differs from it
later is due, whatever came in between. Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from muster.crm import engage_features, vql
from muster.crm.align_fields import (
    CHANGED,
    NAME_FIELDS,
    OBJECT,
    api_name,
    group_field,
    request_field,
    status_code,
    status_field,
)
from muster.crm.engage_features import ALIGN, RETRY_REQUEST, Seen
from muster.crm.pages import single
from muster.errors import Incomplete, Problem
from muster.roster import departures, engage_groups, entitlements
from muster.roster.decisions import Known, Wanted
from muster.roster.links import match_keys
from muster.roster.member import Member
from muster.settings import Settings, mappings
from muster.settings.mappings import vault_crm_connection

MEMBER_UNKNOWN = "align_member_unknown"
REQUEST_REFUSED = "align_request_refused"
NOT_WRITTEN = "align_not_written"
NOT_REACHED = "align_not_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRecord:
    """What Align shows of somebody.

    `name` is the e-mail address or username, by which members are matched; `modified` is when the record
    was saved last, as the vault writes it; `seen` has the features that are pushed, statuses as codes.
    """

    id: str
    name: str | None
    modified: str
    seen: Mapping[str, Seen]

    @property
    def asks(self) -> tuple[str, ...]:
        """The features with Retry Request."""
        return tuple(feature for feature, seen in self.seen.items() if seen.status == RETRY_REQUEST)


# ── What is read ─────────────────────────────────────────────────────────────────────────────────────


def query(condition: str, settings: Settings) -> str:
    """Return the query for the records that fulfil a condition."""
    return vql.select(_to_read(settings), OBJECT, condition)


def retrying(settings: Settings) -> str:
    """Return the condition that a record asks for something."""
    return vql.either(
        *(
            vql.equal(status_field(feature), api_name(RETRY_REQUEST))
            for feature in mappings.pushed_features(settings)
        )
    )


def about(members: Iterable[Member], settings: Settings) -> Iterator[str]:
    """Yield conditions that, one after another, find the records of these members.

    Comparing is case sensitive there, so a record that is known is asked for by its id.
    """
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    for member in members:
        if record := _mark(member).get("id"):
            ids[record] = None
        elif name := getattr(member, vault_crm_connection(settings).match):
            names |= dict.fromkeys((name, name.lower()))
    for field, values in (("id", ids), (NAME_FIELDS[vault_crm_connection(settings).match], names)):
        for some in vql.lists(values):
            yield vql.one_of(field, some)


def record_of(row: Mapping[str, Any], settings: Settings) -> DeskRecord:
    """Return a row as a record; raises `Incomplete` where a field is missing or not what it should be."""
    values = {name: single(row[name]) for name in _to_read(settings) if name in row}
    try:
        record_id, modified = values["id"], values[CHANGED]
        name = values[NAME_FIELDS[vault_crm_connection(settings).match]]
        seen = {feature: _seen(values, feature) for feature in mappings.pushed_features(settings)}
    except KeyError as error:
        raise Incomplete(f"Align left {error.args[0]} out of a record") from None
    if not record_id or not modified:
        raise Incomplete("Align showed a record without its id, or without when it was changed")
    return DeskRecord(id=record_id, name=name, modified=modified, seen=seen)


def _to_read(settings: Settings) -> tuple[str, ...]:
    of_features = [
        field_of(feature)
        for feature in mappings.pushed_features(settings)
        for field_of in (request_field, status_field, group_field)
    ]
    return ("id", CHANGED, NAME_FIELDS[vault_crm_connection(settings).match], *of_features)


def _seen(values: Mapping[str, str | None], feature: str) -> Seen:
    status = values[status_field(feature)]
    return Seen(
        request=values[request_field(feature)],
        status=status_code(feature, status) if status else None,
        group=values[group_field(feature)],
    )


# ── Whom a record is about ───────────────────────────────────────────────────────────────────────────


def wanted_for(record: DeskRecord, settings: Settings) -> Wanted:
    """Return what has to be looked up to tell whom a record is about."""
    by_email = vault_crm_connection(settings).match == "email"
    keys = match_keys(None, record.name) if by_email else match_keys(record.name, None)
    return Wanted(match_keys=keys)


def candidates(known: Known) -> tuple[Member, ...]:
    """Return the members a record may be about; of several, the one who is active."""
    active = tuple(member for member in known.namesakes if member.active)
    return active if len(active) == 1 else known.namesakes


def nobody(records: int, members: int, settings: Settings) -> Problem:
    """Return why nothing is taken over from one of `records` that may be about `members`."""
    match = vault_crm_connection(settings).match
    if members == 0:
        what, remedy = (
            f"is of nobody in the roster: no member has its {match}",
            f"Correct the {match} of the roster member in Align, or import the person from Salesforce.",
        )
    elif records > 1:
        what, remedy = (
            f"has the {match} of another roster member in Align; neither was taken over",
            f"Correct the {match} of one of the two in Align.",
        )
    else:
        what, remedy = (
            f"may be about several members, who share its {match}",
            f"Correct the {match} of the roster member in Align, or of the members in Salesforce.",
        )
    return Problem(OBJECT, what, remedy)


# ── What is asked for ────────────────────────────────────────────────────────────────────────────────


def is_new(member: Member, record: DeskRecord) -> bool:
    """Tell whether the record asks for something that has not been taken over yet."""
    return bool(record.asks) and _mark(member).get("taken") != record.modified


def with_requests(member: Member, record: DeskRecord, settings: Settings, day: date) -> Member:
    """Return the member with what the record asks for, as far as that may be asked; `day` is today."""
    if not is_new(member, record):
        return member
    for feature in record.asks:
        request = record.seen[feature].request
        if _refusal(member, feature, request, settings, day):
            continue
        changed = engage_groups.wish(member, feature, request)
        if changed:
            changed["origins"] = {**member.origins, f"{feature}.request": ALIGN}
        member = replace(member, **(changed or engage_groups.retry(member, feature)))
    mark = {"id": record.id, "taken": record.modified, "told": None}
    return replace(member, vault={**member.vault, ALIGN: mark})


def refusals(member: Member, record: DeskRecord, settings: Settings, day: date) -> tuple[Problem, ...]:
    """Return why requests of the record are not taken over, each by itself."""
    problems = (
        _refusal(member, feature, record.seen[feature].request, settings, day) for feature in record.asks
    )
    return tuple(problem for problem in problems if problem)


def _refusal(
    member: Member, feature: str, request: str | None, settings: Settings, day: date
) -> Problem | None:
    """Return why a request is not taken over; a retry of what an automatic assignment asks for is (A5)."""
    if request is not None and departures.leaves(member, day):
        return Problem(
            request_field(feature),
            "is not taken over: the member is not active, set inactive, or past the end date",
            "Bring the member back with MemberSettingsFunction, or the user in Salesforce, and ask again.",
        )
    governor = entitlements.governor(member, feature, settings)
    if governor and request != getattr(member, feature)["request"]:
        return Problem(
            request_field(feature),
            f"is not taken over: assignment {governor!r} (automatic) decides about it",
            "Change the group of the assignment, or the user in Salesforce; or give the assignment"
            " update_mode manual.",
        )
    return None


# ── What Align is told ───────────────────────────────────────────────────────────────────────────────


def is_told_about(member: Member) -> bool:
    """Tell whether Align may have to be told of the member: who is in Vault CRM, and has changed since.

    Who is not there yet is left to the admins: nothing has become of the request.
    """
    return engage_features.CONNECTION in member.crm and (not _mark(member) or engage_groups.untold(member))


def differences(member: Member, record: DeskRecord) -> dict[str, str | None]:
    """Return the fields to write so that Align shows the member as it is; empty: it does.

    What is not sent yet is told once it is: a Retry Request of our own would be taken for an admin's. A
    status that Align does not have is left out.
    """
    found: dict[str, str | None] = {}
    for feature, seen in record.seen.items():
        if engage_groups.is_unsent(member, feature):
            continue
        mine = getattr(member, feature)
        if mine["request"] != seen.request:
            found[request_field(feature)] = mine["request"]
        if mine["group"] != seen.group:
            found[group_field(feature)] = mine["group"]
        status = mine["status"]
        if status != seen.status and (status is None or status in engage_features.STATUSES[feature]):
            found[status_field(feature)] = None if status is None else api_name(status)
    return found


def with_told(member: Member, record: str | None, told: Mapping[str, Any]) -> Member:
    """Return the member after Align was told `told` (`groups.shown`), in the record of that id, if any."""
    mark = {"taken": None, **_mark(member), "id": record, "told": told}
    return replace(member, vault={**member.vault, ALIGN: mark})


def _mark(member: Member) -> Mapping[str, Any]:
    mark: Mapping[str, Any] = member.vault.get(ALIGN, {})
    return mark
