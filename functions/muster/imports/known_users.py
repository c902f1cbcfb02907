"""What the roster knew of the users an import decides about, part by part, as the run archive has it (Q4).

A plan is made from these very documents, so that it can be made again from the archive. A part is small
enough to be in memory as values; all of them are kept as JSON, which takes a fifth of that.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from muster.roster.decisions import Known, Wanted
from muster.roster.links import Link, bucket
from muster.roster.member import Member

# How many users are in a part.
USERS_A_PART = 1_000
_NOTHING = frozenset[str]()


@dataclass(slots=True)
class KnownUsers:
    """What was known of each of many users, in the order in which they are decided about."""

    parts: list[bytes] = field(default_factory=list)

    def of(self, wanted: Sequence[tuple[str, Wanted]]) -> Iterator[Known]:
        """Yield what was known of each of these users, all that were looked up and in the same order."""
        start = 0
        for part in self.parts:
            document = orjson.loads(part)
            members = members_of(document["members"].items())
            for user, each in wanted[start : start + document["looked_up"]]:
                yield _known(user, document["users"].get(user, {}), each, members)
            start += document["looked_up"]

    def members(self, members: Collection[str]) -> dict[str, Member]:
        """Return those of these members (ids) that are known of any user."""
        found: dict[str, Member] = {}
        for part in self.parts if members else ():
            documents = orjson.loads(part)["members"]
            found |= members_of((name, documents[name]) for name in documents.keys() & frozenset(members))
        return found


def part_of(known: Mapping[str, Known]) -> bytes:
    """Return the document about these users; who is not in it is somebody of whom nothing is known."""
    users = {user: _document(each) for user, each in known.items() if not _is_nothing(each)}
    members = {
        member.id: document_of(member)
        for each in known.values()
        for member in (each.member, each.former, *each.namesakes)
        if member is not None
    }
    return orjson.dumps({"looked_up": len(known), "users": users, "members": members})


def members_of(documents: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Member]:
    """Return the members of these ids and documents."""
    return {name: _member(document) for name, document in documents}


def document_of(member: Member) -> dict[str, Any]:
    """Return the document of a member: what is stored, and the revision that a write depends on."""
    return {**member.to_document(), "revision": member.revision}


def _member(document: dict[str, Any]) -> Member:
    revision = document.pop("revision")
    return Member.from_document(document, revision)


def _is_nothing(known: Known) -> bool:
    found = known.link, known.member, known.manager, known.former, *known.namesakes
    return not any(found) and not any((known.matches or {}).values())


def _document(known: Known) -> dict[str, Any]:
    document: dict[str, Any] = {
        "link": known.link and _link_document(known.link),
        "member": known.member and known.member.id,
        "manager": known.manager,
        "former": known.former and known.former.id,
        "matches": {key: sorted(members) for key, members in (known.matches or {}).items() if members},
        "namesakes": [member.id for member in known.namesakes],
    }
    return {name: value for name, value in document.items() if value}


def _link_document(link: Link) -> dict[str, Any]:
    named = {name: getattr(link, name) for name in ("member", "reason", "source", "match_keys", "revision")}
    return {name: value for name, value in named.items() if value}


def _known(user: str, document: Mapping[str, Any], wanted: Wanted, members: Mapping[str, Member]) -> Known:
    link = document.get("link")
    is_linked = bool(link and link.get("member"))
    found = document.get("matches", {})
    # A key that nobody has is known to be nobody's, and a decision rests on that.
    keys = map(bucket, wanted.claims if is_linked else wanted.match_keys)
    matches = {key: frozenset(found.get(key, _NOTHING)) for key in keys}
    return Known(
        link=link and Link(crm_id=user, **{**link, "match_keys": tuple(link.get("match_keys", ()))}),
        member=members.get(document.get("member", "")),
        manager=document.get("manager"),
        matches=(matches or None) if is_linked else matches,
        namesakes=tuple(members[name] for name in document.get("namesakes", ())),
        former=members.get(document.get("former", "")),
    )
