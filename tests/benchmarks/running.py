"""Runs benchmarks one after another: what each compares, its figures, and how long it took."""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.paired import HEADINGS, Ratio

type Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark: `compares` says what with what, `rows` measures; all rows have as many cells."""

    compares: str
    rows: Callable[[], Iterable[Row]]


def of_ratios(compares: str, ratios: Callable[[], Iterable[Ratio]]) -> Bench:
    """Return a benchmark of ratios."""
    return Bench(compares, lambda: (ratio.row() for ratio in ratios()))


def run(benches: Iterable[Bench]) -> list[str]:
    """Run all, print what comes of each, and return those that could not run; they hinder no other."""
    return [bench.compares for bench in benches if not _ran(bench)]


def _ran(bench: Bench) -> bool:
    # At once, also where output is collected: some take a minute.
    print(f"{bench.compares} …", flush=True)
    # What the one before leaves behind is nobody's cost.
    gc.collect()
    began, rows, reason = time.monotonic(), list[Row](), ""
    try:
        for row in bench.rows():
            rows.append(row)
    except Exception as error:  # noqa: BLE001 - whatever it is, the rest goes on
        reason = f"{type(error).__name__}: {error}"
    _print([HEADINGS, *rows] if rows and len(rows[0]) == len(HEADINGS) else rows)
    took = f"{time.monotonic() - began:.0f} s"
    print(f"could not run, after {took}: {reason}\n" if reason else f"took {took}\n", flush=True)
    return not reason


def _print(rows: Sequence[Row]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
