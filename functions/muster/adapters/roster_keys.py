"""The keys of the roster in the table, and the shape of its items (docs/architecture.md draws them).

Everything of an organization starts with `ORG#<organization>#`: nothing crosses it. Members lie in
a few shards, so that no single partition bounds how fast a large roster is read; a member's history
lies beside it. Items have few attributes and one JSON `doc`, because botocore's cost is per attribute.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from muster.model import HistoryEntry, Json, Link, LogEntry, Member

type Item = dict[str, Any]

# Fixed for ever: a member's shard is computed from its id.
SHARDS = 8


def member_partition(organization: str, shard: int) -> str:
    """Return the partition of one shard of members and their history."""
    return f"ORG#{organization}#MEMBER#{shard}"


def member_key(organization: str, member: str) -> Item:
    """Return the key of a member."""
    shard = zlib.crc32(member.encode()) % SHARDS
    return {"pk": {"S": member_partition(organization, shard)}, "sk": {"S": f"MEMBER#{member}"}}


def history_prefix(member: str) -> str:
    """Return what the sort keys of a member's history begin with."""
    return f"HISTORY#{member}#"


def history_key(organization: str, entry: HistoryEntry) -> Item:
    """Return the key of a history entry: one per member and version, so that none is written twice."""
    sort = f"{history_prefix(entry.member)}{entry.version:08d}"
    return {**member_key(organization, entry.member), "sk": {"S": sort}}


def link_key(organization: str, crm_id: str) -> Item:
    """Return the key of what is known of one Salesforce user."""
    return {"pk": {"S": f"ORG#{organization}#LINK#salesforce#{crm_id}"}, "sk": {"S": "LINK"}}


def match_key(organization: str, key: str) -> Item:
    """Return the key of the item that says who carries a username or e-mail address."""
    return {"pk": {"S": f"ORG#{organization}#MATCH#{key}"}, "sk": {"S": "MATCH"}}


def error_partition(organization: str) -> str:
    """Return the partition of the error log."""
    return f"ORG#{organization}#ERRORS"


def error_key(organization: str, entry: LogEntry) -> Item:
    """Return the key of an error log entry; the same fault of the same delivery has the same key."""
    sort = f"{entry.at}#{entry.notification}#{entry.code}"
    return {"pk": {"S": error_partition(organization)}, "sk": {"S": sort}}


def member_item(member: Member) -> Item:
    """Return the item of a member."""
    return {
        **member_key(member.organization, member.id),
        "revision": {"N": str(member.revision)},
        "active": {"BOOL": member.active},
        "doc": _doc(member.to_document()),
    }


def to_member(item: Item) -> Member:
    """Return the member of an item."""
    document = json.loads(item["doc"]["S"])
    former_keys = tuple(document.pop("former_keys", ()))
    return Member(**document, former_keys=former_keys, revision=int(item["revision"]["N"]))


def history_item(organization: str, entry: HistoryEntry) -> Item:
    """Return the item of a history entry."""
    return {**history_key(organization, entry), "doc": _doc(asdict(entry))}


def link_item(organization: str, link: Link, expires_at: int | None) -> Item:
    """Return the item of a link."""
    document = {
        name: value for name, value in asdict(link).items() if value and name not in ("crm_id", "revision")
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
    document = json.loads(item["doc"]["S"])
    keys = tuple(document.pop("match_keys", ()))
    crm_id = item["pk"]["S"].rpartition("#")[2]
    return Link(crm_id=crm_id, match_keys=keys, revision=int(item["revision"]["N"]), **document)


def error_item(organization: str, entry: LogEntry, expires_at: int) -> Item:
    """Return the item of an error log entry."""
    return {
        **error_key(organization, entry),
        "expires_at": {"N": str(expires_at)},
        "doc": _doc(asdict(entry)),
    }


def document_of(item: Item) -> Json:
    """Return the JSON document of any item."""
    document: Json = json.loads(item["doc"]["S"])
    return document


def _doc(document: Mapping[str, Any]) -> Item:
    return {"S": json.dumps(document, ensure_ascii=False, separators=(",", ":"))}
