"""Requests that admins make in Align's records, and outcomes written back to them (G9).

A record with Retry Request is read once: the member keeps the record's time of change, so that a Retry
Request that stays there, because Align could not be written, does not count again. The values last written
to Align are kept with the member too: a member that differs from them later is due, whatever happened in
between (`engage_groups`). Pure: no I/O, no clock.
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
from muster.roster import end_dates, engage_groups, entitlements
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
class AlignRecord:
    """A roster member in Align.

    `name` is the e-mail address or username that members are matched by; `modified` the time of the last
    change, in the vault's own format; `seen` the pushed features, with statuses as codes.
    """

    id: str
    name: str | None
    modified: str
    seen: Mapping[str, Seen]

    @property
    def requested(self) -> tuple[str, ...]:
        """The features with Retry Request."""
        return tuple(feature for feature, seen in self.seen.items() if seen.status == RETRY_REQUEST)


# ── Reading records ──────────────────────────────────────────────────────────────────────────────────


def query(condition: str, settings: Settings) -> str:
    """Return the query for the records that meet a condition."""
    return vql.select(_to_read(settings), OBJECT, condition)


def retrying(settings: Settings) -> str:
    """Return the condition for records with a request."""
    return vql.either(
        *(
            vql.equal(status_field(feature), api_name(RETRY_REQUEST))
            for feature in mappings.pushed_features(settings)
        )
    )


def about(members: Iterable[Member], settings: Settings) -> Iterator[str]:
    """Yield conditions that together find the records of these members.

    A known record is found by its id, because Vault compares names case-sensitively.
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


def record_of(row: Mapping[str, Any], settings: Settings) -> AlignRecord:
    """Return a row as a record; raises `Incomplete` if a field is missing or malformed."""
    values = {name: single(row[name]) for name in _to_read(settings) if name in row}
    try:
        record_id, modified = values["id"], values[CHANGED]
        name = values[NAME_FIELDS[vault_crm_connection(settings).match]]
        seen = {feature: _seen(values, feature) for feature in mappings.pushed_features(settings)}
    except KeyError as error:
        raise Incomplete(f"Align left {error.args[0]} out of a record") from None
    if not record_id or not modified:
        raise Incomplete("Align showed a record without its id, or without when it was changed")
    return AlignRecord(id=record_id, name=name, modified=modified, seen=seen)


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


# ── Matching records with members ────────────────────────────────────────────────────────────────────


def wanted_for(record: AlignRecord, settings: Settings) -> Wanted:
    """Return what to look up to match a record with a member."""
    by_email = vault_crm_connection(settings).match == "email"
    keys = match_keys(None, record.name) if by_email else match_keys(record.name, None)
    return Wanted(match_keys=keys)


def candidates(known: Known) -> tuple[Member, ...]:
    """Return the members that match a record; of several, the active one if there is only one."""
    active = tuple(member for member in known.namesakes if member.active)
    return active if len(active) == 1 else known.namesakes


def match_problem(records: int, members: int, settings: Settings) -> Problem:
    """Return why a record's request is not taken over.

    `records` is the number of records for the same member, `members` the number of members that match.
    """
    match = vault_crm_connection(settings).match
    if members == 0:
        what, remedy = (
            f"matches nobody in the roster: no member has its {match}",
            f"Correct the {match} of the roster member in Align, or import the person from Salesforce.",
        )
    elif records > 1:
        what, remedy = (
            f"has the {match} of another roster member in Align; neither was taken over",
            f"Correct the {match} of one of the two in Align.",
        )
    else:
        what, remedy = (
            f"matches several members, who share its {match}",
            f"Correct the {match} of the roster member in Align, or of the members in Salesforce.",
        )
    return Problem(OBJECT, what, remedy)


# ── Requests ─────────────────────────────────────────────────────────────────────────────────────────


def has_new_request(member: Member, record: AlignRecord) -> bool:
    """Whether the record has a request that has not been taken over yet."""
    return bool(record.requested) and _mark(member).get("taken") != record.modified


def with_requests(member: Member, record: AlignRecord, settings: Settings, day: date) -> Member:
    """Return the member with the record's requests, except those that are refused; `day` is today."""
    if not has_new_request(member, record):
        return member
    for feature in record.requested:
        request = record.seen[feature].request
        if _refusal(member, feature, request, settings, day):
            continue
        changed = engage_groups.request_group(member, feature, request)
        if changed:
            changed["origins"] = {**member.origins, f"{feature}.request": ALIGN}
        member = replace(member, **(changed or engage_groups.retry(member, feature)))
    mark = {"id": record.id, "taken": record.modified, "told": None}
    return replace(member, vault={**member.vault, ALIGN: mark})


def refusals(member: Member, record: AlignRecord, settings: Settings, day: date) -> tuple[Problem, ...]:
    """Return the problem of each request that is refused."""
    problems = (
        _refusal(member, feature, record.seen[feature].request, settings, day) for feature in record.requested
    )
    return tuple(problem for problem in problems if problem)


def _refusal(
    member: Member, feature: str, request: str | None, settings: Settings, day: date
) -> Problem | None:
    """Return why a request is refused; a retry of an automatic assignment's own request is not (A5)."""
    if request is not None and end_dates.has_left(member, day):
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


# ── Outcomes written back ────────────────────────────────────────────────────────────────────────────


def needs_update(member: Member) -> bool:
    """Whether Align may have to be updated: the member is in Vault CRM and has changed since the last update.

    A member who is not in Vault CRM yet is left as the admin wrote it: the request has no outcome.
    """
    return engage_features.CONNECTION in member.crm and (
        not _mark(member) or engage_groups.is_outdated_in_align(member)
    )


def differences(member: Member, record: AlignRecord) -> dict[str, str | None]:
    """Return the fields to write so that Align shows the member as it is; empty if it already does.

    A request is written once it has been sent: before, its Retry Request would look like an admin's. A
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


def with_reported(member: Member, record: str | None, shown: Mapping[str, Any]) -> Member:
    """Return the member after Align was updated to `shown` (`engage_groups.shown`).

    `record` is the id of Align's record, `None` if Align has none for the member any more.
    """
    mark = {"taken": None, **_mark(member), "id": record, "told": shown}
    return replace(member, vault={**member.vault, ALIGN: mark})


def _mark(member: Member) -> Mapping[str, Any]:
    mark: Mapping[str, Any] = member.vault.get(ALIGN, {})
    return mark
