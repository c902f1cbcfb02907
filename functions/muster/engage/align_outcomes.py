"""What Align is shown of a member: request, status and group of each pushed feature (G9).

Nothing that an admin has typed there is written over before it has been taken over or refused: not a
request beside which Retry Request is still missing, and not one in a record that was never filled in.
Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import replace

from muster.crm import engage_features
from muster.crm.engage_features import CONNECTION, FEATURES, RETRY_REQUEST, Feature
from muster.engage.align_records import AlignRecord
from muster.engage.align_requests import is_filled, mark_of
from muster.roster import engage_groups
from muster.roster.member import Member
from muster.roster.vault_state import AlignMark
from muster.settings import Settings
from muster.settings.mappings import align_connection

type Fields = dict[str, str | None]


def is_outdated(member: Member) -> bool:
    """Whether Align may have to be updated: the member is in Vault CRM and has changed since the last update.

    A member who is not in Vault CRM yet is left as the admin wrote it: the request has no outcome.
    """
    return CONNECTION in member.crm and (not member.vault.align or engage_groups.is_outdated_in_align(member))


def is_to_be_filled(member: Member, record: AlignRecord) -> bool:
    """Whether the record does not show yet what the member, who is in Vault CRM, has."""
    return CONNECTION in member.crm and not all(is_filled(member, record, feature) for feature in record.seen)


def differences(member: Member, record: AlignRecord, settings: Settings) -> Fields:
    """Return the fields to write so that Align shows the member as it is; empty if it already does.

    A request is written once it has been sent: before, its Retry Request would look like an admin's. A
    status that Align does not have is left out.
    """
    connection = align_connection(settings)
    found: Fields = {}
    for feature, seen in record.seen.items():
        if engage_groups.is_unsent(member, feature):
            continue
        mine, fields = member.feature(feature), getattr(connection.fields, feature)
        if mine.request != seen.request and not _is_typed(member, record, feature, settings):
            found[fields.request] = mine.request
        if mine.group != seen.group:
            found[fields.group] = mine.group
        status = mine.status
        if status != seen.status and (status is None or status in engage_features.STATUSES[feature]):
            found[fields.status] = None if status is None else connection.statuses.api_name(feature, status)
    return found


def without_statuses(fields: Fields, settings: Settings) -> Fields:
    """Return the fields to write without those of statuses, whose picklist may lack a value."""
    names = align_connection(settings).fields
    statuses = {names.engage.status, names.engage_connect.status}
    return {name: value for name, value in fields.items() if name not in statuses}


def with_reported(
    member: Member, record: AlignRecord, reported: Member, fields: Fields, settings: Settings
) -> Member:
    """Return the member after these fields of its record were written, to show it as `reported`."""
    return _with_mark(member, _mark(member, record, reported, fields, settings))


def _mark(
    member: Member, record: AlignRecord, reported: Member, fields: Fields, settings: Settings
) -> AlignMark:
    """Return what is known of the record then."""
    known = mark_of(member, record)
    # What a record was last written of a feature that is not pushed now, is known once it is again (G12).
    before: Mapping[Feature, str | None] = (known.requests if known else None) or {}
    requests: dict[Feature, str | None] = {
        feature: before[feature] for feature in before if feature not in record.seen
    }
    filled = []
    for feature, seen in record.seen.items():
        name = getattr(align_connection(settings).fields, feature).request
        if name in fields:
            requests[feature] = fields[name]
        elif not _is_typed(reported, record, feature, settings):
            requests[feature] = seen.request
        elif feature in before:
            requests[feature] = before[feature]
        is_blank = fields.get(name, seen.request) is None
        if not is_blank or reported.feature(feature).request is None:
            filled.append(feature)
    filled += [each for each in FEATURES if each not in filled and is_filled(member, record, each)]
    return AlignMark(
        id=record.id,
        taken=known.taken if known else None,
        told=engage_groups.align_view(reported),
        requests=requests,
        filled=tuple(sorted(filled)),
        by_hand=dict(record.by_hand),
    )


def _with_mark(member: Member, mark: AlignMark) -> Member:
    return replace(member, vault=replace(member.vault, align=mark))


def without_record(member: Member) -> Member:
    """Return a member of whom Align has no record any more, so that it is not asked for again."""
    known = member.vault.align
    now = AlignMark(id=None, taken=known.taken if known else None, told=engage_groups.align_view(member))
    return _with_mark(member, now)


def overtaken(
    record: AlignRecord, fields: Fields, now: AlignRecord, settings: Settings
) -> AlignRecord | None:
    """Return a record as its admin saved it while it was being written; `None`: as far as can be seen, no.

    `record` is what was read before `fields` were written, `now` what was read after. The admin's Retry
    Request is gone where the write has put an outcome in its place; the request tells.
    """
    seen = {}
    for feature, before in record.seen.items():
        name = getattr(align_connection(settings).fields, feature).request
        as_left = now.seen[feature].request == fields.get(name, before.request)
        status = now.seen[feature].status if as_left else RETRY_REQUEST
        seen[feature] = replace(now.seen[feature], status=status)
    found = replace(now, seen=seen)
    return found if found.retrying != now.retrying else None


def with_statuses_left(member: Member, record: AlignRecord, reported: Member, settings: Settings) -> Member:
    """Return the member after all but the statuses of its record were written; they are still to be.

    `record` is as it was read after that: a Retry Request that stays there is not a new one.
    """
    now = _mark(member, record, reported, {}, settings)
    return _with_mark(member, replace(now, taken=record.modified, told=None))


def _is_typed(member: Member, record: AlignRecord, feature: Feature, settings: Settings) -> bool:
    """Whether the record's request was typed since it was last written, and not dealt with yet (I10)."""
    request, known = record.seen[feature].request, member.vault.align
    if request == member.feature(feature).request:
        return False
    if settings.pending_edits == "overwrite" or (known and known.taken == record.modified):
        return False
    if known is None or known.id != record.id or not is_filled(member, record, feature):
        return request is not None
    if known.requests is not None and feature in known.requests:
        return request != known.requests[feature]
    told = (known.told or {}).get(feature)
    return request != told.request if told is not None else request is not None
