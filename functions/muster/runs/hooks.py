"""What a kind of run hands to the loop in `work`: its plan, what came of applying it, and its end.

Each is a value of one invocation; `ports.Job` says who makes it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.error_log import LogEntry
from muster.runs.answer import PlanShown
from muster.runs.import_state import ImportState
from muster.runs.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned[I]:
    """A plan, and what the run's record, its archive, the error log and the answer get of it.

    `counts` are by outcome, `plan_hash` is what an approval is for, `reasons` say why it has to wait for one,
    and `blocked` why it cannot be applied at all. `left_out` counts by reason who is no active member (A4).
    `summary` is what else the summary has that is kept with the plan; `read` in it is how many people it was
    made for. `errors` is how many the run has had until now. `entries` are logged; so are `standing` ones,
    about what each run finds again, except by a preview: those of them that are new count as errors. A
    preview says `note` after its own words, and has `details`.
    """

    items: Sequence[I]
    counts: Mapping[str, int]
    plan_hash: str
    shown: PlanShown
    reasons: Sequence[Reason] = ()
    blocked: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    errors: int = 0
    entries: Sequence[LogEntry] = ()
    standing: Sequence[LogEntry] = ()
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Progress:
    """What came of applying since it was last recorded.

    `outcomes` are counted for the run's record. `entries` are for the error log; each is an error of the run,
    unless its code is among `good_news`. `errors` are further ones, which are logged already.
    """

    good_news: frozenset[str] = frozenset()
    outcomes: Counter[str] = field(default_factory=Counter)
    entries: list[LogEntry] = field(default_factory=list)
    errors: int = 0

    @property
    def number_of_errors(self) -> int:
        """How many errors there were."""
        return self.errors + sum(entry.code not in self.good_news for entry in self.entries)

    def clear(self) -> None:
        """Start anew, for this is recorded."""
        self.outcomes.clear()
        self.entries.clear()
        self.errors = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ends whose plan is applied.

    `errors` were found while it was planned and are not in the run's record yet; `entries` are logged and no
    errors. `state` is what imports remember from now on, `None` if nothing else. `first` is said before what
    the run did, and `last` after it in its record. With `named` the answer names who joined and left, of
    `shown`, where they are few.
    """

    shown: PlanShown = field(default_factory=PlanShown)
    named: bool = False
    state: ImportState | None = None
    errors: int = 0
    entries: Sequence[LogEntry] = ()
    first: str = ""
    last: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
