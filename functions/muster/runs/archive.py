"""The run archive, bound to one attempt of a run: the pages it read and its plan (I1)."""

from dataclasses import dataclass
from typing import Any

from muster.runs.ports import Archive
from muster.runs.run import Run


@dataclass(frozen=True, slots=True)
class AttemptParts:
    """The archive, bound to one attempt of one run: the `Parts` of `sources.ports`."""

    archive: Archive
    run: Run
    folder: str = ""

    def put(self, name: str, number: int, body: bytes) -> None:
        """Keep a part."""
        run = self.run
        self.archive.put(run.organization, run.id, run.attempt, self.folder + name, number, body)

    def parts(self, name: str) -> Any:
        """Yield the parts that are there, in order."""
        run = self.run
        return iter(self.archive.parts(run.organization, run.id, run.attempt, self.folder + name))
