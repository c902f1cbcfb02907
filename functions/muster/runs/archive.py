"""The run archive, bound to one attempt of a run: what it read, what was known, its plan (I1, Q4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched, islice
from typing import Any

import orjson

from muster.runs.ports import Archive
from muster.runs.run import Run
from muster.sources.ports import Parts

# The document of an attempt that has the settings, the moment, and what else its plan was made with.
DECIDED_WITH = "decided_with"
# The plan's parts, and the document that is its summary: written last, so that the plan is whole with it.
PLAN = "plan"
# In the place of the summary while an attempt is planned again that had been interrupted at that.
UNFINISHED: Mapping[str, bool] = {"unfinished": True}


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

    def put_decided_with(self, document: Mapping[str, Any]) -> None:
        """Keep the document about what the plan is made with, and the run as it is."""
        run = self.run
        body = {"run": run.to_json(), **document}
        self.archive.put_document(run.organization, run.id, run.attempt, DECIDED_WITH, body)

    def parts(self, name: str) -> Any:
        """Yield the parts that are there, in order."""
        run = self.run
        return iter(self.archive.parts(run.organization, run.id, run.attempt, self.folder + name))


def keep_list(parts: Parts, name: str, values: Iterable[Any], values_a_part: int) -> int:
    """Keep a list of values in parts, and return how many parts there are."""
    number = 0
    for number, some in enumerate(batched(values, values_a_part, strict=False), 1):
        parts.put(name, number, orjson.dumps(some, default=sorted))
    return number


def kept_bodies(parts: Parts, name: str, number: int) -> list[bytes]:
    """Return so many parts; an interrupted attempt may have left more behind."""
    return list(islice(parts.parts(name), number)) if number else []


def kept_list(parts: Parts, name: str, number: int) -> list[Any]:
    """Return the values of a list that was kept in so many parts."""
    return [value for body in kept_bodies(parts, name, number) for value in orjson.loads(body)]
