"""Ratios of paired, interleaved runs: what a noisy machine can say truthfully."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Of the cells of `Ratio.row`.
HEADINGS = ("what / against what", "median", "least to most", "rounds", "target", "", "")


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long ours took as the other, round by round; `target` is what it may be at most."""

    name: str
    ratios: Sequence[float]
    target: float | None = None
    note: str = ""

    def row(self) -> tuple[str, ...]:
        """Return it as cells: name, median, least to most, rounds, target, verdict, note."""
        median = statistics.median(self.ratios)
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        verdict = "" if self.target is None else "met" if median <= self.target else "missed"
        target = "" if self.target is None else f"at most {self.target:g}"
        return self.name, f"{median:.2f}", spread, str(len(self.ratios)), target, verdict, self.note


def paired(ours: Callable[[], object], other: Callable[[], object], rounds: int, calls: int) -> list[float]:
    """Return ours over other in processor time, a ratio of medians for each round of so many calls in turn.

    Turns are short, so that a neighbour on the machine, or its clock, slows both alike.
    """
    ours()
    other()
    ratios = []
    for _ in range(rounds):
        turns = [(_processor_seconds(ours), _processor_seconds(other)) for _ in range(calls)]
        spent_on_ours, spent_on_other = (statistics.median(side) for side in zip(*turns, strict=True))
        ratios.append(spent_on_ours / spent_on_other)
    return ratios


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
