"""Snapshots of the roster: everybody as shown, day by day, for questions about the past (Q2, T5). Pure.

A snapshot is read while others write, so it shows no one moment; but each member in it has a version, from
which the history leads to any moment (`past_rosters`).
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from gzip import GzipFile
from hashlib import sha256
from io import BytesIO

import orjson

from muster.roster import accounts
from muster.roster.member import Json, Member

# Of these a part is a megabyte and a half, compressed from twenty.
MEMBERS_A_PART = 10_000
# As small as level 9 makes it, in half the time.
_LEVEL = 6
# What zlib calls the format of gzip, with the largest window; its header has no time.
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a snapshot: how many members, how many bytes, and the digest of these bytes."""

    members: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a snapshot consists of; without one there is no snapshot, for it is written last.

    The roster was read from `begun_at` to `ended_at` (timestamps), after the `run`. `erased` are the ids of
    all who had been erased by then. `accounts` counts accounts by app and state. `day` is that of `begun_at`,
    in UTC.
    """

    organization: str
    day: str
    begun_at: str
    ended_at: str
    run: str
    members: int
    active: int
    parts: tuple[Part, ...]
    erased: tuple[str, ...] = ()
    accounts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    muster_version: str = ""

    def to_json(self) -> Json:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Manifest":
        """Return the manifest of a stored document; keys of a newer version are left out."""
        known: Json = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        known["parts"] = tuple(Part(**part) for part in known["parts"])
        known["erased"] = tuple(known.get("erased", ()))
        return cls(**known)


class PartFile:
    """A file of a snapshot in the making: a line of JSON a member, compressed as they come.

    The same members make the same bytes.
    """

    def __init__(self) -> None:
        self.members = 0
        self._file = BytesIO()
        self._compressing = zlib.compressobj(_LEVEL, wbits=_GZIP)

    def add(self, member: Member) -> None:
        """Add a member, as shown."""
        line = orjson.dumps(member.to_json(), option=orjson.OPT_APPEND_NEWLINE)
        self._file.write(self._compressing.compress(line))
        self.members += 1

    def ended(self) -> bytes:
        """Return the file; nobody is added any more."""
        self._file.write(self._compressing.flush())
        return self._file.getvalue()


def described(file: bytes, members: int) -> Part:
    """Return what the manifest says of a file."""
    return Part(members=members, bytes=len(file), sha256=sha256(file).hexdigest())


def read(file: bytes) -> Iterator[Member]:
    """Yield the members of a file; they have no revision, so that nobody writes them."""
    with GzipFile(fileobj=BytesIO(file)) as lines:
        for line in lines:
            yield member_of(orjson.loads(line))


def member_of(shown: Json) -> Member:
    """Return a member of its JSON, as far as that shows it."""
    stored = {name: value for name, value in shown.items() if name != "source_version"}
    stored["phone_numbers"] = {each["type"]: each["number"] for each in shown["phone_numbers"]}
    own = {name: accounts.of_shown(each) for name, each in stored.pop("accounts", {}).items()}
    member = Member.from_document(stored)
    return replace(member, accounts=own) if own else member
