"""What replaying needs of the outside world."""

from collections.abc import Iterator
from typing import Protocol

from muster.roster.member import Json


class Attempt(Protocol):
    """What is archived of one attempt at a run: `replaying.ArchivedAttempt`, or a copy of it."""

    def parts(self, name: str) -> Iterator[bytes]:
        """Yield the parts of that name in order."""

    def document(self, name: str) -> Json | None:
        """Return the document of that name; `None`: there is none."""
