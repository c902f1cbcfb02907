"""A data capture setting of a member: what is intended, and what has effect (A9, A10).

A setting that needs a seat has no effect until the seat is held. Only `enabled` needs the seat; `prevented`
holds with or without one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from muster.roster.stored_values import Json, Unknown, unknown

NO_EFFECT = "disabled"
_ENABLED = "enabled"
_NAMES = ("intended", "effective", "seat_required", "origin")


@dataclass(frozen=True, slots=True)
class Capture:
    """A setting as its `origin` intends it, and as it is `effective`; `seat_required` is the seat it needs.

    `unknown` are entries of a newer version.
    """

    intended: str
    effective: str
    seat_required: str | None
    origin: str
    unknown: Unknown = ()

    @property
    def lacks_its_seat(self) -> bool:
        """Whether it has no effect for want of its seat."""
        return self.effective != self.intended

    def to_json(self) -> Json:
        """Return it as it is stored and shown."""
        document: Json = {
            "intended": self.intended,
            "effective": self.effective,
            "seat_required": self.seat_required,
            "origin": self.origin,
        }
        return {**document, **dict(self.unknown)} if self.unknown else document

    @staticmethod
    def from_json(document: Json) -> Capture:
        """Return the setting of its JSON."""
        found = _shared(*(document[name] for name in _NAMES))
        return found if len(document) == len(_NAMES) else replace(found, unknown=unknown(document, _NAMES))


# Members of one assignment have the same: each setting is made once.
_shared = lru_cache(maxsize=1024)(Capture)


def intended(value: str, origin: str) -> Capture:
    """Return a setting that is intended now, before it is known what effect it has."""
    return Capture(value, NO_EFFECT, None, origin)


def with_effect(setting: Capture, seat: str | None, held: Collection[str]) -> Capture:
    """Return the setting with the effect it has while these seats are held; `seat` is what it needs."""
    lacks = setting.intended == _ENABLED and seat is not None and seat not in held
    return _shared(setting.intended, NO_EFFECT if lacks else setting.intended, seat, setting.origin)
