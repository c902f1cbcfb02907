"""One thing about an organization's health: how bad it is, what it is, and what to do. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from muster.roster.member import Json


class Level(StrEnum):
    """How bad a finding is; `broken` is worst."""

    BROKEN = "broken"
    WAITS = "waits"
    SOON = "soon"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about an organization: what it is, and what to do, with the event to paste if any."""

    level: Level
    what: str
    remedy: str = ""
    function: str | None = None
    event: Json | None = None

    def shown(self) -> Json:
        """Return it as JSON."""
        known = {"remedy": self.remedy, "function": self.function, "event": self.event}
        return {
            "level": self.level,
            "what": self.what,
            **{name: value for name, value in known.items() if value},
        }
