"""`make bench`: ratios of paired runs on this machine, and sizes, within fifteen minutes.

Prints; never fails for being slow, but at the end if a benchmark could not run.
"""

import contextlib
import io
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
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
from tests.benchmarks import (
    apps,
    cold_start,
    handlers,
    imports,
    journal,
    packages,
    past,
    pushes,
    questions,
    running,
)
from tests.benchmarks.canned_aws import CannedAws
from tests.benchmarks.paired import Ratio
from tests.benchmarks.running import Bench, of_ratios


def main() -> int:
    """Run all; return 1 if one could not run."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors.")
    print("Ratios of processor time, paired and interleaved. AWS calls are answered in memory at the wire:")
    print("the client counts, the network does not.\n", flush=True)
    began = time.monotonic()
    failed = running.run(_benches())
    print(f"All of it took {(time.monotonic() - began) / 60:.1f} minutes.")
    for compares in failed:
        print(f"Could not run: {compares}")
    return 1 if failed else 0


def _benches() -> Iterator[Bench]:
    aws = CannedAws(bootstrap._dynamodb(), bootstrap._sqs())
    people, changed = f"{imports.USERS:,}", f"{imports.CHANGED:,}"
    yield of_ratios(
        "Webhook: its whole handler, against bare parsing of the message",
        lambda: _quietly(handlers.webhook, aws),
    )
    yield of_ratios(
        "Worker: its whole handler, against the bare transactions that create the same users",
        lambda: _quietly(handlers.worker, aws),
    )
    yield of_ratios("Cold start: the webhook's process, against the least with boto3", cold_start.imports)
    yield of_ratios(
        f"Imports, full and incremental, of {people} users, {changed} of them changed or none:"
        " against fetching and decoding all of them",
        imports.whole,
    )
    yield Bench("Evaluation alone, in seconds, against nothing", imports.evaluation)
    yield of_ratios(
        f"Pushes of {pushes.PENDING:,} of {pushes.PEOPLE:,} people and of nobody:"
        " against the same calls to Vault CRM",
        pushes.whole,
    )
    yield of_ratios(
        f"Pushes to an app: {apps.PEOPLE:,} members' first contact, one who changes, {apps.SOME} who join a"
        " group or leave, and nobody: against the same calls to the app",
        apps.whole,
    )
    yield of_ratios("Changes of a day: the answer, against bare reading of the entries", journal.whole)
    yield of_ratios(
        f"A list, a file and the health of {people} members, against bare reading", questions.whole
    )
    yield of_ratios(
        f"The past of {people} members: a snapshot, the roster as of a moment, the difference of a month,"
        " against bare reading",
        past.whole,
    )
    yield Bench("Size of what is deployed, with and without bytecode", packages.sizes)


def _quietly(measure: Callable[[CannedAws], Iterable[Ratio]], aws: CannedAws) -> list[Ratio]:
    """Have handlers log and print metrics as on Lambda, to where it costs as much and shows nowhere."""
    logs = logger.registered_handler.setStream(io.StringIO())  # type: ignore[attr-defined]  # a StreamHandler, as configured
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return list(measure(aws))
    finally:
        logger.registered_handler.setStream(logs)  # type: ignore[attr-defined]  # likewise


if __name__ == "__main__":
    sys.exit(main())
