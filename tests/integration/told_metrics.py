"""What CloudWatch is told: which metrics with which dimensions, read from what functions print.

Every metric has the stack's name as a dimension, so that two stacks of an account do not count as one. It is
checked here and in the template, and left out of what is compared.
"""

import ast
import json
import re
from dataclasses import dataclass

from muster import environment
from muster.roster.decisions import Outcome
from tests.conftest import ROOT

type Shape = tuple[str, tuple[str, ...]]

SERVICE, STACK = ("service",), "stack"
OF_ORGANIZATION = ("organization", "service")
OF_CONNECTION = ("connection", "organization", "service")
OF_SEAT = ("organization", "seat", "service")

# The metric, and the names of its dimensions in alphabetical order. Tests hold the functions to this table in
# both directions, and the template and docs/operations.md to it.
GAUGES: frozenset[Shape] = frozenset(
    {
        ("HoursSinceLastImport", SERVICE),
        ("HoursSinceLastImport", OF_ORGANIZATION),
        ("HoursSinceLastPush", SERVICE),
        ("HoursSinceLastPush", OF_ORGANIZATION),
        ("HoursSinceLastPush", OF_CONNECTION),
        ("HoursSinceLastGoodCall", SERVICE),
        ("HoursSinceLastGoodCall", OF_CONNECTION),
        ("ConnectionFailures", OF_CONNECTION),
        ("MemberAccounts", ("connection", "organization", "service", "state")),
        ("CredentialsExpireInDays", SERVICE),
        ("CredentialsExpireInDays", OF_CONNECTION),
        ("AccessEndedSeconds", SERVICE),
        ("AccessEndedSeconds", OF_CONNECTION),
        ("SeatsRunningOut", SERVICE),
        ("SeatLimit", OF_SEAT),
        ("SeatsHeld", OF_SEAT),
        ("SeatsFree", OF_SEAT),
        ("SeatsWaiting", OF_SEAT),
        ("MembersActive", OF_ORGANIZATION),
        ("LicencesOfNobody", SERVICE),
        ("LicencesOfNobody", OF_ORGANIZATION),
        ("BaseLicencesLeft", OF_ORGANIZATION),
        ("LicencesWaiting", ("feature", "organization", "service")),
        ("ImportOutcomes", ("organization", "outcome", "service")),
        ("PushOutcomes", ("organization", "outcome", "service")),
        ("PushOutcomes", ("connection", "organization", "outcome", "service")),
        ("RunSeconds", ("kind", "service")),
    }
)


# What a metric filter of the template counts in the access log, where no function is called.
COUNTED_IN_THE_LOG: frozenset[Shape] = frozenset({("CallsThrottled", SERVICE)})


@dataclass(frozen=True, slots=True)
class Told:
    """One value as CloudWatch takes it from a log line."""

    metric: str
    value: float
    of: dict[str, str]
    unit: str

    @property
    def shape(self) -> Shape:
        """Return the metric and the names of its dimensions."""
        return self.metric, tuple(sorted(self.of))


def told(printed: str) -> list[Told]:
    """Return every value in the embedded metric format that was printed, in order."""
    found = []
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert directive["Namespace"] == "Muster"
            for names in directive["Dimensions"]:
                of = {name: document[name] for name in names}
                assert of.pop(STACK) == environment.stack_name()
                for metric in directive["Metrics"]:
                    name, unit = metric["Name"], metric["Unit"]
                    values = document[name] if isinstance(document[name], list) else [document[name]]
                    found += [Told(name, value, of, unit) for value in values]
    return found


def counted() -> frozenset[Shape]:
    """Return what is counted, by the names in the functions' source: it has the service's dimension only."""
    sources = [*(ROOT / "functions").glob("*.py"), ROOT / "functions/muster/bootstrap.py"]
    texts = [
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    names = {text for text in texts if re.fullmatch(r"(?:[A-Z][a-z]+){2,}|Questions", text)}
    # These two are put together: from what a change came to, and what became of a connection.
    assert {"Changes", "Connections"} <= {*texts}
    names |= {f"Changes{outcome.title().replace('_', '')}" for outcome in Outcome}
    names |= {"ChangesDropped", "ChangesRepeated", "ConnectionsQuarantined", "ConnectionsRecovered"}
    return frozenset((name, SERVICE) for name in names) | COUNTED_IN_THE_LOG


def metrics(printed: str) -> dict[str, float]:
    """Return the metrics that were printed, added up by name."""
    found: dict[str, float] = {}
    for line in printed.splitlines():
        document = json.loads(line) if line.startswith("{") else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                name = metric["Name"]
                found[name] = found.get(name, 0) + sum(document[name])
    return found
