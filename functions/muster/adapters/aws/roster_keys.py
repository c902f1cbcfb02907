"""Keys and item shapes of the roster in the table (docs/architecture.md lists them).

All keys of an organization begin with `ORG#<organization>#`. Members are spread over a few shards, so that
no single partition limits how fast a large roster is read; a member's history is stored beside it. Items
have few attributes and one JSON `doc`, because botocore's cost is per attribute.
"""

import zlib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from muster.error_log import LogEntry
from muster.roster import history
from muster.roster.effects import Indexed
from muster.roster.engage_groups import Due
from muster.roster.history import HistoryEntry
from muster.roster.licence_places import Place
from muster.roster.links import Link, bucket
from muster.roster.member import Json, Member
from muster.roster.unlinked_holders import UnlinkedHolder
from muster.sources.member_states import MemberState

type Item = dict[str, Any]

# Never change this: a member's shard is computed from its id.
SHARDS = 8


def member_partition(organization: str, shard: int) -> str:
    """Return the partition of one shard of members and their history."""
    return f"ORG#{organization}#MEMBER#{shard}"


def member_key(organization: str, member: str) -> Item:
    """Return the key of a member."""
    partition = member_partition(organization, shard_of(member))
    return {"pk": {"S": partition}, "sk": {"S": member_sort_key(member)}}


def shard_of(member: str) -> int:
    """Return the shard that a member is in."""
    return zlib.crc32(member.encode()) % SHARDS


def member_sort_key(member: str) -> str:
    """Return the sort key of a member."""
    return f"MEMBER#{member}"


def history_prefix(member: str) -> str:
    """Return the common prefix of the sort keys of a member's history."""
    return f"HISTORY#{member}#"


def history_key(organization: str, member: str, version: int) -> Item:
    """Return the key of a history entry: one per member and version, so that none is written twice."""
    sort = f"{history_prefix(member)}{version:08d}"
    return {**member_key(organization, member), "sk": {"S": sort}}


def link_key(organization: str, crm_id: str) -> Item:
    """Return the key of a Salesforce user's link."""
    return {"pk": {"S": f"ORG#{organization}#LINK#salesforce#{crm_id}"}, "sk": {"S": "LINK"}}


def match_key(organization: str, key: str) -> Item:
    """Return the key of the item that lists the members with a username or e-mail address."""
    return {"pk": {"S": f"ORG#{organization}#MATCH#{bucket(key)}"}, "sk": {"S": "MATCH"}}


def seat_key(organization: str, seat: str) -> Item:
    """Return the key of a seat's pool: how many hold it, how many wait."""
    return {"pk": {"S": f"ORG#{organization}#SEATS"}, "sk": {"S": f"SEAT#{seat}"}}


def line_partition(organization: str, seat: str) -> str:
    """Return the partition of the line for a seat, sorted by place in line (A9)."""
    return f"ORG#{organization}#LINE#{seat}"


def line_key(organization: str, seat: str, place: tuple[int, str], member: str) -> Item:
    """Return the key of a member's place in line, `(rank, since)`."""
    rank, since = place
    return {
        "pk": {"S": line_partition(organization, seat)},
        "sk": {"S": f"{rank:04d}#{since}#{member}"},
    }


def account_key(organization: str, connection: str, account: str) -> Item:
    """Return the key of the item that says whose an account in an app is: no two members share one (O3)."""
    return {"pk": {"S": f"ORG#{organization}#ACCOUNT#{connection}#{account}"}, "sk": {"S": "ACCOUNT"}}


def app_key(organization: str, app: str) -> Item:
    """Return the key of what pushes remember of an app, by the name of its connection."""
    return {"pk": {"S": f"ORG#{organization}#APPS"}, "sk": {"S": app}}


# Prefix of the sort keys of counts, which are beside the places in line.
FREED = "FREED#"


def licence_lines_partition(organization: str) -> str:
    """Return the partition of the lines for Engage licences, sorted by place within a group (G8)."""
    return f"ORG#{organization}#LICENCES"


def licence_line_key(organization: str, place: Place, member: str) -> Item:
    """Return the key of a member's place in line for a licence."""
    return {
        "pk": {"S": licence_lines_partition(organization)},
        "sk": {"S": f"{place.feature}#{_digest(place.group)}#{place.since}#{member}"},
    }


def licence_line_item(organization: str, place: Place, member: str) -> Item:
    """Return the item of a member's place in line for a licence."""
    return {
        **licence_line_key(organization, place, member),
        "group": {"S": place.group},
        "tried": {"S": place.tried},
    }


def freed_key(organization: str, feature: str, group: str) -> Item:
    """Return the key of the count of a group's freed licences that nobody has been tried for yet (G8)."""
    return {
        "pk": {"S": licence_lines_partition(organization)},
        "sk": {"S": f"{FREED}{feature}#{_digest(group)}"},
    }


def _digest(group: str) -> str:
    """Return what stands for a group, so that keys are short whatever its name."""
    return blake2b(group.encode(), digest_size=8).hexdigest()


def to_place(item: Item) -> tuple[str, Place]:
    """Return the member id and the place in line of an item."""
    feature, _, since, member = item["sk"]["S"].split("#")
    return member, Place(feature, item["group"]["S"], since, item["tried"]["S"])


def unlinked_holders_partition(organization: str) -> str:
    """Return the partition of the users of Vault CRM with a group who are linked to nobody (G10)."""
    return f"ORG#{organization}#UNLINKED"


def unlinked_holder_key(organization: str, vault_id: str) -> Item:
    """Return the key of such a user."""
    return {"pk": {"S": unlinked_holders_partition(organization)}, "sk": {"S": vault_id}}


def unlinked_holder_item(organization: str, holder: UnlinkedHolder) -> Item:
    """Return the item of such a user."""
    return {**unlinked_holder_key(organization, holder.id), "doc": _doc(holder.to_document())}


def to_unlinked_holder(item: Item) -> UnlinkedHolder:
    """Return the user of an item."""
    return UnlinkedHolder.from_document(item["sk"]["S"], document_of(item))


def newcomers_partition(organization: str) -> str:
    """Return the partition of new members whose managers are not notified yet (N1)."""
    return f"ORG#{organization}#NEWCOMERS"


def newcomer_key(organization: str, member: str) -> Item:
    """Return the key of a new member in that partition."""
    return {"pk": {"S": newcomers_partition(organization)}, "sk": {"S": member}}


def newcomer_item(organization: str, member: str, now: float) -> Item:
    """Return the item of a new member, created at `now` (epoch seconds)."""
    return {**newcomer_key(organization, member), "since": {"N": str(now)}}


def reports_partition(organization: str, manager: str) -> str:
    """Return the partition of a manager's active direct reports whose web conferences are recorded (N1)."""
    return f"ORG#{organization}#REPORTS#{manager}"


def report_key(organization: str, manager: str, member: str) -> Item:
    """Return the key of such a report."""
    return {"pk": {"S": reports_partition(organization, manager)}, "sk": {"S": member}}


def outbox_partition(organization: str) -> str:
    """Return the partition of the mails to managers still to be sent."""
    return f"ORG#{organization}#OUTBOX"


def outbox_key(organization: str, run: str, manager: str) -> Item:
    """Return the key of a run's mail to a manager; those of the oldest run sort first."""
    return {"pk": {"S": outbox_partition(organization)}, "sk": {"S": f"{run}#{manager}"}}


def error_partition(organization: str) -> str:
    """Return the partition of the error log."""
    return f"ORG#{organization}#ERRORS"


def error_key(organization: str, entry: LogEntry) -> Item:
    """Return the key of an error-log entry; the same fault of the same delivery has the same key."""
    sort = f"{entry.at}#{entry.notification}#{entry.code}#{entry.record or ''}"
    return {"pk": {"S": error_partition(organization)}, "sk": {"S": sort}}


def member_item(member: Member, shown: Indexed) -> Item:
    """Return the item of a member; `shown` is what the indexes `by_state` and `by_due` show of it."""
    return {
        **member_key(member.organization, member.id),
        "revision": {"N": str(member.revision)},
        "active": {"BOOL": member.active},
        **({"state": {"S": _state_key(shown.state)}} if shown.state else {}),
        **({"due": {"S": _due_key(shown.due, member.id)}} if shown.due else {}),
        "doc": _doc(member.to_document()),
    }


def _state_key(state: MemberState) -> str:
    """Return the sort key in the index `by_state` of a member linked to Salesforce or Vault CRM.

    `<CRM id>|<digest>|<a: active, i: not>|<unmatched or inactive since>|<member id>`, and for a member linked
    to Vault CRM also `|<id there>|<digest>`.
    """
    active, since = ("a", state.unmatched_since) if state.active else ("i", state.inactive_since)
    vault = f"|{state.vault_id}|{state.vault_digest}" if state.vault_id else ""
    return f"{state.crm_id}|{state.digest}|{active}|{since}|{state.member}{vault}"


def to_state(state: str) -> MemberState:
    """Return the state of a member from a sort key of the index."""
    crm_id, digest, active, since, member, *vault = state.split("|")
    if active == "a":
        return MemberState(crm_id, member, digest, True, since, *vault)
    return MemberState(crm_id, member, digest, False, "", *vault)._replace(inactive_since=since)


_AT_ONCE = "0"


def _due_key(due: Due, member: str) -> str:
    """Return the sort key in the index `by_due`: `<due from day>|<what>|<member id>`.

    What is due at once sorts before every day.
    """
    return f"{due.since or _AT_ONCE}|{','.join(sorted(due.what))}|{member}"


def to_due(due: str) -> tuple[str, Due]:
    """Return the member id and what is due, from a sort key of the index."""
    since, what, member = due.split("|")
    return member, Due("" if since == _AT_ONCE else since, frozenset(what.split(",")))


def to_member(item: Item) -> Member:
    """Return the member of an item."""
    return member_of(item["doc"]["S"], int(item["revision"]["N"]))


def member_of(doc: str, revision: int = 0) -> Member:
    """Return the member of an item's document; without a revision it cannot be written."""
    return Member.from_document(orjson.loads(doc), revision)


def history_item(organization: str, entry: HistoryEntry) -> Item:
    """Return the item of a history entry; `recorded` is its sort key in the index `by_recorded`.

    Until 0.2.0 entries had none, and are not in the index.
    """
    document = {name: value for name, value in _fields(entry).items() if name != "why" or value}
    return {
        **history_key(organization, entry.member, entry.version),
        "recorded": {"S": history.place(entry.at, entry.member, entry.version)},
        "doc": _doc(document),
    }


def link_item(organization: str, link: Link, expires_at: int | None) -> Item:
    """Return the item of a link."""
    document = {
        name: value for name, value in _fields(link).items() if value and name not in ("crm_id", "revision")
    }
    item = {
        **link_key(organization, link.crm_id),
        "revision": {"N": str(link.revision)},
        "doc": _doc(document),
    }
    if expires_at is not None:
        item["expires_at"] = {"N": str(expires_at)}
    return item


def to_link(item: Item) -> Link:
    """Return the link of an item."""
    document = orjson.loads(item["doc"]["S"])
    # Until 0.2.0, whoever waited for a namesake was remembered with fields and matches: nobody believes them.
    remembered = {name: document[name] for name in ("member", "reason", "source") if name in document}
    return Link(
        crm_id=item["pk"]["S"].rpartition("#")[2],
        revision=int(item["revision"]["N"]),
        match_keys=tuple(document.get("match_keys", ())),
        **remembered,
    )


def error_item(organization: str, entry: LogEntry, expires_at: int) -> Item:
    """Return the item of an error log entry."""
    document = {name: value for name, value in _fields(entry).items() if name != "member" or value}
    return {
        **error_key(organization, entry),
        "expires_at": {"N": str(expires_at)},
        "doc": _doc(document),
    }


def document_of(item: Item) -> Json:
    """Return the JSON document of any item."""
    document: Json = orjson.loads(item["doc"]["S"])
    return document


def _fields(value: HistoryEntry | Link | LogEntry) -> Json:
    """Return the fields of a value; what they hold is taken apart as it is written as JSON."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _doc(document: Mapping[str, Any]) -> Item:
    return {"S": orjson.dumps(document).decode()}
