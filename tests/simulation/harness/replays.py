"""Every plan that a test has made is made again from the archive, and is the same (Q4)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from muster.replays.replaying import replay
from muster.runs.archive import DECIDED_WITH, UNFINISHED
from tests.simulation.harness.quick_archive import QuickArchive

# Of worlds that many tests begin with, each plan is made again once.
_seen: set[int] = set()
_UNFINISHED = json.dumps(UNFINISHED, separators=(",", ":")).encode()


@dataclass(frozen=True)
class StoredAttempt:
    """An attempt's folder among all the objects of an archive."""

    objects: dict[str, bytes]
    folder: str

    def parts(self, name: str) -> Iterator[bytes]:
        """Yield the parts of that name in order."""
        folder = f"{self.folder}{name}/"
        for key in sorted(self.objects):
            if key.startswith(folder) and "/" not in key.removeprefix(folder):
                yield self.objects[key]

    def document(self, name: str) -> dict[str, Any] | None:
        """Return the document of that name."""
        found = self.objects.get(f"{self.folder}{name}.json")
        document: dict[str, Any] | None = None if found is None else json.loads(found)
        return document


def differing(archive: QuickArchive) -> Iterator[str]:
    """Make each plan in an archive again, and yield what came of those that are not the same."""
    for key, known in list(archive.objects.items()):
        folder = key.removesuffix(f"{DECIDED_WITH}.json")
        plan = archive.objects.get(f"{folder}plan.json")
        # Planning may have been interrupted, too.
        if folder == key or plan is None or plan == _UNFINISHED or hash((plan, known)) in _seen:
            continue
        found = replay(StoredAttempt(archive.objects, folder))
        if not found.same:
            yield f"the plan of {folder} comes out another: {found.to_json()}"
        _seen.add(hash((plan, known)))
