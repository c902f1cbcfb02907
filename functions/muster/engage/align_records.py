"""Records of Align's roster: the queries for them, what they show, and whom they are about (G9).

Pure: no I/O, no clock.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from muster.crm import vql
from muster.crm.align_fields import CHANGED, CREATED, OBJECT
from muster.crm.engage_features import RETRY_REQUEST, Feature, Seen
from muster.crm.pages import single
from muster.errors import Incomplete, Problem
from muster.roster.decisions import Known, Wanted
from muster.roster.links import match_keys
from muster.roster.member import Member
from muster.settings import Settings, mappings
from muster.settings.mappings import align_connection, vault_crm_connection
from muster.sources.vault_users import texts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignRecord:
    """A roster member in Align.

    `name` is the e-mail address or username that members are matched by; `created` and `modified` the times
    of the first and the last save, in the vault's own format; `seen` the pushed features, with statuses as
    codes. `by_hand` is `crm_user_status` (`active`, `inactive`, `None`: neither) and `end_date` (ISO 8601),
    as far as the settings have them read. `custom` holds the member's custom values that come from Align.
    """

    id: str
    name: str | None
    created: str | None
    modified: str
    seen: Mapping[Feature, Seen]
    by_hand: Mapping[str, str | None]
    custom: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def retrying(self) -> tuple[Feature, ...]:
        """The features with Retry Request."""
        return tuple(feature for feature, seen in self.seen.items() if seen.status == RETRY_REQUEST)

    @property
    def is_new(self) -> bool:
        """Whether it has not been saved again since it was created."""
        return self.created == self.modified


def query(condition: str | None, settings: Settings) -> str:
    """Return the query for the records that meet a condition, for all records without one."""
    return vql.select(
        mappings.align_fields_to_read(settings), OBJECT, *(() if condition is None else (condition,))
    )


def changed_since(moment: str, settings: Settings) -> str:
    """Return the condition for records saved since a moment, or with a Retry Request however old."""
    statuses = align_connection(settings).statuses
    fields = align_connection(settings).fields
    return vql.either(
        vql.since(CHANGED, moment),
        *(
            vql.equal(getattr(fields, feature).status, statuses.api_name(feature, RETRY_REQUEST))
            for feature in mappings.pushed_features(settings)
        ),
    )


def about(members: Iterable[Member], known: Mapping[str, str], settings: Settings) -> Iterator[str]:
    """Yield conditions that together find the records of these members.

    A known record (`known`: by member id) is found by its id, because Vault compares names case-sensitively.
    """
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    for member in members:
        mark = member.vault.align
        if record := known.get(member.id) or (mark.id if mark else None):
            ids[record] = None
        elif name := getattr(member, vault_crm_connection(settings).match):
            names |= dict.fromkeys((name, name.lower()))
    yield from with_ids(ids)
    yield from with_names(names, settings)


def with_names(names: Iterable[str], settings: Settings) -> Iterator[str]:
    """Yield conditions that together find the records with these e-mail addresses, or usernames."""
    for some in vql.lists(names):
        yield vql.one_of(mappings.align_name_field(settings), some)


def with_ids(ids: Iterable[str]) -> Iterator[str]:
    """Yield conditions that together find the records with these ids."""
    for some in vql.lists(ids):
        yield vql.one_of("id", some)


def record_of(row: Mapping[str, Any], settings: Settings) -> AlignRecord:
    """Return a row as a record; raises `Incomplete` if a field is missing or malformed."""
    mapped = mappings.align_custom(settings)
    names = [name for name in mappings.align_fields_to_read(settings) if name in row]
    # A custom mapping may name any field; the others are texts, or picklists of one value.
    own = {*mappings.align_names_to_read(settings)}
    values = {name: single(row[name]) for name in names if name in own}
    try:
        texts = texts_of(row, tuple(mapped.values()))
        custom = {target: texts[name] for target, name in mapped.items()}
        record_id, modified, created = values["id"], values[CHANGED], values[CREATED]
        name = values[mappings.align_name_field(settings)]
        seen = {feature: _seen(values, feature, settings) for feature in mappings.pushed_features(settings)}
        by_hand = _by_hand(values, settings)
    except KeyError as error:
        raise Incomplete(f"Align left {error.args[0]} out of a record") from None
    except ValueError:
        raise Incomplete(f"Align showed an end date of the record {values['id']} that is no date") from None
    if not record_id or not modified:
        raise Incomplete("Align showed a record without its id, or without when it was changed")
    return AlignRecord(
        id=record_id,
        name=name,
        created=created,
        modified=modified,
        seen=seen,
        by_hand=by_hand,
        custom=custom,
    )


def _seen(values: Mapping[str, str | None], feature: Feature, settings: Settings) -> Seen:
    connection = align_connection(settings)
    fields = getattr(connection.fields, feature)
    status = values[fields.status]
    return Seen(
        request=values[fields.request],
        status=connection.statuses.code(feature, status) if status else None,
        group=values[fields.group],
    )


def _by_hand(values: Mapping[str, str | None], settings: Settings) -> dict[str, str | None]:
    connection = align_connection(settings)
    found: dict[str, str | None] = {}
    if connection.fields.crm_user_status:
        shown = (values[connection.fields.crm_user_status] or "").lower()
        names = {name.lower(): code for code, name in connection.crm_user_statuses}
        found["crm_user_status"] = names.get(shown)
    if connection.fields.end_date:
        day = values[connection.fields.end_date]
        found["end_date"] = date.fromisoformat(day).isoformat() if day else None
    return found


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
