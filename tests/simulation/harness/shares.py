"""Which share of the long simulations a run plays: one of several, another each week; together they are all.

All of them take hours. Each share has one of so many of all points, schedules and seeds, spread evenly, so
that whatever has just been changed is tried in each.

    make simulate               this week's share
    make simulate SHARE=3       the third, whenever; SHARE=all all of them
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

# A prime: a call fails in six to twelve ways one after the other, and each share is to try all of them.
SHARES = 7


def chosen() -> int | None:
    """Return the share of this run, from 1 on, `None` for all; raises ValueError for what is none."""
    given = os.environ.get("SHARE") or str(datetime.now(UTC).isocalendar().week % SHARES + 1)
    if given == "all":
        return None
    if given not in map(str, range(1, SHARES + 1)):
        raise ValueError(f"SHARE is {given}; it is one of 1 to {SHARES}, or all")
    return int(given)


def every_and_offset() -> tuple[int, int]:
    """Return one of how many is played, and from which on, counted from 0."""
    share = chosen()
    return (1, 0) if share is None else (SHARES, share - 1)


def of_share[T](several: Sequence[T]) -> Sequence[T]:
    """Return those that this run plays."""
    every, offset = every_and_offset()
    return several[offset::every]


def named() -> str:
    """Return what a run says of its share."""
    share = chosen()
    return "all shares" if share is None else f"share {share} of {SHARES}; SHARE={share} plays it again"
