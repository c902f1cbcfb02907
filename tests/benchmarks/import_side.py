"""One side of the import's benchmark, in a process of its own.

    python -m tests.benchmarks.import_side <side> <url>

`floor` fetches every page that a full import reads and decodes it, with the fastest decoder at hand, and
does nothing else; `full` and `incremental` are the function's handler with that mode. Prints processor and
wall seconds and peak memory.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_plus, urlsplit


def floor(url: str) -> Callable[[], object]:
    """Return the least that any import has to do."""
    import orjson
    import requests

    from tests.benchmarks.canned_company import settings_at
    from tests.benchmarks.canned_salesforce import queries

    asked = queries(settings_at(urlsplit(url).netloc))

    def read() -> None:
        session = requests.Session()
        session.trust_env = False
        for query in asked:
            path: str | None = f"/services/data/v66.0/query?q={quote_plus(query)}"
            while path:
                answer = session.get(url + path, timeout=30)
                answer.raise_for_status()
                path = orjson.loads(answer.content).get("nextRecordsUrl")

    return read


def whole_import(url: str, mode: str) -> Callable[[], object]:
    """Return the handler, invoked once."""
    # What bootstrap would load in the middle of it.
    import boto3  # noqa: F401
    import requests  # noqa: F401

    import muster.adapters.aws.roster_table
    import muster.adapters.aws.run_archive
    import muster.adapters.aws.settings_table  # noqa: F401
    import scheduled_import
    from tests.examples import lambda_context

    context = lambda_context()
    context.get_remaining_time_in_millis = lambda: 900_000  # type: ignore[method-assign]

    def run() -> None:
        said = scheduled_import.handler({"organization": "acme", "mode": mode, "by": "schedule"}, context)
        if said["status"] != "succeeded":
            raise RuntimeError(f"the import answered {said['status']}: {said['message']}")

    return run


def main() -> None:
    """Do one side and print what it took."""
    side, url = sys.argv[1:3]
    work = floor(url) if side == "floor" else whole_import(url, side)
    out, sys.stdout = sys.stdout, sys.stderr
    before, began = time.process_time(), time.monotonic()
    work()
    took = time.process_time() - before, time.monotonic() - began
    print(json.dumps({"cpu": took[0], "wall": took[1], "peak_mb": _peak_mb()}), file=out)


def _peak_mb() -> float:
    """Return the most memory of this process; by `getrusage` that includes its parent's, where it began."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024


if __name__ == "__main__":
    main()
