"""Short lines of text: so many at most, and counts with their nouns."""

import re
from collections.abc import Sequence

# What leaves room on a screen for the rest of an answer.
MOST = 20
_MORE = re.compile(r"… and ([0-9,]+) more")


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: "1 seat", "1,204 seats"; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def at_most(lines: Sequence[str], most: int = MOST, total: int | None = None) -> list[str]:
    """Return the first lines, and in place of the others one that says how many more there are.

    `total` is how many there are where not all of them are given; lines that were shortened before may be
    shortened again.
    """
    if lines and (more := _MORE.fullmatch(lines[-1])):
        lines, total = lines[:-1], len(lines) - 1 + int(more[1].replace(",", ""))
    there_are = len(lines) if total is None else total
    if there_are <= most and len(lines) == there_are:
        return list(lines)
    shown = list(lines[: most - 1])
    return [*shown, f"… and {there_are - len(shown):,} more"]
