"""`make bench`: ratios of paired runs on this machine, and sizes. Prints; never fails for being slow."""

import contextlib
import io
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ROSTER_TABLE_NAME": "roster",
    "ON_LOCAL_STACK": "true",
    "CHANGE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/changes",
}

from muster import bootstrap
from muster.observability import logger
from tests.benchmarks import cold_start, handlers, imports, journal, packages, pushes, questions
from tests.benchmarks.canned_aws import CannedAws

HEADINGS = ("what / against what", "median", "least to most", "rounds", "target", "", "")


def main() -> None:
    """Run all and print the tables."""
    aws = CannedAws(bootstrap._dynamodb(), bootstrap._sqs())
    # They log and print metrics as on Lambda, to where it costs as much and shows nowhere.
    logs = logger.registered_handler.setStream(io.StringIO())  # type: ignore[attr-defined]  # a StreamHandler, as configured
    _say("The webhook and the worker …")
    with contextlib.redirect_stdout(io.StringIO()):
        ratios = [*handlers.webhook(aws), *handlers.worker(aws)]
    logger.registered_handler.setStream(logs)  # type: ignore[attr-defined]  # likewise
    _print(ratio.row() for ratio in ratios)
    _say("Cold starts …")
    ratios += cold_start.imports()
    _say("Imports of a hundred thousand people (some minutes) …")
    ratios += imports.whole()
    _say("Pushes …")
    ratios += pushes.whole()
    _say("What happened in a day …")
    ratios += journal.whole()
    _say("A list, a file and the health of a hundred thousand …")
    ratios += questions.whole()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} processors;"
        " ratios of processor time, paired and interleaved."
    )
    print("AWS calls are answered in memory at the wire: the client counts, the network does not.\n")
    _print([HEADINGS, *(ratio.row() for ratio in ratios)])
    print()
    print(*imports.evaluation(), sep="\n")
    print()
    _print(packages.sizes())


def _say(what: str) -> None:
    """Tell at once what is measured, also where output is collected."""
    print(what, flush=True)


def _print(rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
