"""What questions need of the outside world, beside the roster and its runs."""

from typing import Protocol

from muster.roster.member import Json


class Organizations(Protocol):
    """The organizations with settings; the adapter is `adapters.aws.settings_table`."""

    def organizations(self, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Return up to `limit` organizations by name, and the name to continue after (`None`: no more)."""
