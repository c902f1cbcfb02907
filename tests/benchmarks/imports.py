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
from collections.abc import Iterator, Mapping
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
ROUNDS = 5
# One side of one round; it takes a fraction of that.
LONGEST_S = 180
_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = os.environ | {
    "PYTHONPATH": f"{_ROOT}:{_ROOT / 'functions'}",
    "RUN_ARCHIVE_BUCKET_NAME": "archive",
}


def whole(users: int = USERS, changed: int = CHANGED) -> Iterator[Ratio]:
    """Measure a full import and an incremental one, where some have changed and where none have.

    Every round has the three sides in turn. `changed` is 0, or more than are read by id.
    """
    for count in (changed, 0):
        with _company(users, count) as url:
            sides: dict[str, list[dict[str, float]]] = {"floor": [], "full": [], "incremental": []}
            notes = {}
            for _ in range(ROUNDS):
                for side, took in sides.items():
                    took.append(_side(side, url))
                    notes[side] = _notes(url, took[-1], 0 if side == "floor" else count)
        what = f"{count:,} of {users:,} changed"
        yield _ratio(f"full import, {what} / fetch and decode all, cpu", sides, "full", 4.0, notes["full"])
        yield _ratio(f"full import, {what} / fetch and decode all, wall", sides, "full", None, "", "wall")
        name = f"incremental, {what} / fetch and decode all, cpu"
        yield _ratio(name, sides, "incremental", None, notes["incremental"])


def _ratio(
    name: str,
    sides: Mapping[str, list[dict[str, float]]],
    side: str,
    target: float | None,
    note: str,
    measure: str = "cpu",
) -> Ratio:
    pairs = zip(sides[side], sides["floor"], strict=True)
    return Ratio(name, [mine[measure] / floor[measure] for mine, floor in pairs], target, note)


def evaluation(people: int = 10_000, assignments: int = 20) -> Iterator[tuple[str, str]]:
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
    yield f"{people:,} people x {assignments} assignments", f"{statistics.median(took):.2f} s"


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
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    if done.returncode:
        raise RuntimeError(f"{side}: {done.stderr.strip().splitlines()[-1]}")
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def _notes(url: str, took: Mapping[str, float], changed: int) -> str:
    """Return seconds, memory and what was called; raises if not exactly the changed members were written."""
    counts: dict[str, int] = json.loads(_call(url, "GET"))
    written = counts.get("written: MEMBER MEMBER", 0)
    if written != changed:
        raise RuntimeError(f"{written:,} members were written, and {changed:,} have changed")
    first = [f"{took['cpu']:.1f} s", f"{took['peak_mb']:.0f} MB at most"]
    # What is written last, whoever was first to call.
    names = sorted(counts, key=lambda name: name.startswith("written"))
    return ", ".join([*first, *(f"{counts[name]:,} {name}" for name in names)])


def _call(url: str, method: str) -> bytes:
    request = urllib.request.Request(f"{url}/counts", method=method, data=b"" if method == "POST" else None)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        body: bytes = answer.read()
        return body
