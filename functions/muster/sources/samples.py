"""How many rows there were of a kind, and the first of them: enough to say who they are."""

from bisect import insort
from dataclasses import dataclass, field
from operator import itemgetter

from muster.sources.salesforce_users import Row

FIRST = 10


@dataclass(slots=True)
class Sample:
    """A count of rows, and those with the smallest ids, in order."""

    count: int = 0
    first: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count a row."""
        self.count += 1
        if len(self.first) < FIRST or row["Id"] < self.first[-1]["Id"]:
            insort(self.first, row, key=itemgetter("Id"))
            del self.first[FIRST:]
