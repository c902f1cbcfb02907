"""Two stacks of an account do not count as one: each metric has the stack's name."""

import json
import os
import subprocess
import sys

from tests.conftest import ROOT

# What is counted is told at the end of an invocation, a gauge at once.
TELLS = """
from muster.observability import emit, metrics
from muster.reporting.run_metrics import Reading
for _ in range(2):
    metrics.add_metric("RunsSucceeded", "Count", 1)
    metrics.flush_metrics()
    emit(Reading({"MembersActive": 3}, {"organization": "acme"}), {})
"""


def test_every_metric_has_the_name_of_its_stack() -> None:
    environment = os.environ | {"STACK_NAME": "muster-test", "PYTHONPATH": str(ROOT / "functions")}
    printed = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", TELLS], env=environment, capture_output=True, text=True, check=True
    ).stdout
    told = [json.loads(line) for line in printed.splitlines()]
    assert len(told) == 4
    for document in told:
        [directive] = document["_aws"]["CloudWatchMetrics"]
        [names] = directive["Dimensions"]
        assert {"service", "stack"} <= {*names}
        assert document["stack"] == "muster-test"
