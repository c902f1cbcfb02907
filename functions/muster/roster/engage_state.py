"""What a member has of an Engage feature: the group it requests, the status of that, and its actual group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from muster.roster.stored_values import Json, Unknown, unknown

_NAMES = ("request", "status", "group")


@dataclass(frozen=True, slots=True)
class Engage:
    """What a member has of a feature; the status as a code, or raw where it is unknown (G3).

    `unknown` are entries of a newer version.
    """

    request: str | None = None
    status: str | None = None
    group: str | None = None
    unknown: Unknown = ()

    def __bool__(self) -> bool:
        """Whether there is anything: a request, a status or a group."""
        return bool(self.request or self.status or self.group)

    def to_json(self) -> Json:
        """Return it as it is stored and shown."""
        document: Json = {"request": self.request, "status": self.status, "group": self.group}
        return {**document, **dict(self.unknown)} if self.unknown else document

    @staticmethod
    def from_json(document: Json) -> Engage:
        """Return the value of its JSON."""
        found = _shared(document.get("request"), document.get("status"), document.get("group"))
        return found if len(document) <= len(_NAMES) else replace(found, unknown=unknown(document, _NAMES))


# Many members have the same: each value is made once.
_shared = lru_cache(maxsize=1024)(Engage)

NO_ENGAGE = Engage()
