"""An import of 100,000 users, 1 % of them changed, against fetching and decoding the same pages and no more.

Both sides run in processes of their own over loopback, in turn, against a canned company in a third;
processor time counts from when the modules are loaded. The evaluation alone is measured in this process.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from muster.roster.eligibility import evaluate
from muster.roster.entitlements import governed
from muster.roster.member import Member
from muster.settings import Settings
from tests.benchmarks.paired import Ratio
from tests.examples import change

USERS, CHANGED = 100_000, 1_000
ROUNDS = 3
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = os.environ | {
    "PYTHONPATH": f"{_ROOT}:{_ROOT / 'functions'}",
    "RUN_ARCHIVE_BUCKET_NAME": "archive",
}


def whole(users: int = USERS, changed: int = CHANGED) -> Iterator[Ratio]:
    """Measure a full import with some changed and with none, and an incremental one."""
    for count in (changed, 0):
        with _company(users, count) as url:
            floors, ours = [], []
            for _ in range(ROUNDS):
                floors.append(_side("floor", url))
                ours.append(_side("full", url))
            note = f"{users:,} users, {count:,} changed, {ours[-1]['peak_mb']:.0f} MB at most; {_counts(url)}"
            pairs = list(zip(ours, floors, strict=True))
            for what, target in (("cpu", 4.0), ("wall", None)):
                ratios = [mine[what] / floor[what] for mine, floor in pairs]
                name = f"full import, {count:,} changed / fetch and decode, {what}"
                yield Ratio(name, ratios, target, note if what == "cpu" else "")
            if count:
                quiet = [_side("incremental", url) for _ in range(ROUNDS)]
                floor = statistics.median(each["cpu"] for each in floors)
                ratios = [each["cpu"] / floor for each in quiet]
                yield Ratio("incremental, nothing new / fetch and decode all", ratios, None, _counts(url))


def evaluation(people: int = 10_000, assignments: int = 20) -> Iterator[str]:
    """Measure whether so many people belong, by which of so many assignments, and what they get."""
    document: dict[str, Any] = {
        "organization": "acme",
        "auto_provision": {"require_call_center": False},
        "seats": {"gong": {}},
        "assignments": [
            {
                "name": f"Assignment {number}",
                "filter": f"Department = 'D{number}'",
                "seats": ["gong"],
                "workspaces": {"EMEA": "Team member"},
                "data_capture": {"record_web_conferences": "enabled"},
            }
            for number in range(assignments)
        ],
    }
    settings = Settings.model_validate_json(json.dumps(document))
    now, nobody = "2026-11-21T08:00:00.000Z", Member(id="new", organization="acme")
    one = change(organization=settings)
    changes = [
        replace(
            one,
            crm_id=f"005{number:012d}AAA",
            matches=frozenset({f"Assignment {number % assignments}", f"Assignment {assignments - 1}"}),
        )
        for number in range(people)
    ]
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for each in changes:
            verdict = evaluate(each.fields, each.matches, settings)
            governed(nobody, verdict.assignment, each.fields, settings, {}, now)
        took.append(time.process_time() - began)
    yield f"evaluation alone: {people:,} people x {assignments} assignments, {statistics.median(took):.2f} s"


@contextmanager
def _company(users: int, changed: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.canned_company", str(users), str(changed)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT, cwd=_ROOT
    ) as company:
        assert company.stdout
        yield company.stdout.readline().strip()
        company.communicate()


def _side(side: str, url: str) -> dict[str, float]:
    _call(url, "POST")
    command = [sys.executable, "-m", "tests.benchmarks.import_side", side, url]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        command,
        env=_ENVIRONMENT | {"AWS_ENDPOINT_URL": url},
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def _counts(url: str) -> str:
    counts: dict[str, int] = json.loads(_call(url, "GET"))
    written = {name.removeprefix("written: "): n for name, n in counts.items() if name.startswith("written")}
    called = {name: n for name, n in counts.items() if name not in written and not name.startswith("written")}
    return ", ".join(f"{n:,} {name}" for name, n in [*called.items(), *written.items()])


def _call(url: str, method: str) -> bytes:
    request = urllib.request.Request(f"{url}/counts", method=method, data=b"" if method == "POST" else None)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        body: bytes = answer.read()
        return body
