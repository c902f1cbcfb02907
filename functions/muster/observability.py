"""One logger and one set of metrics for every function.

The logger writes one JSON object a line, so a line break in a name cannot forge an entry. What goes
in: ids, counts, codes. What never does: names, e-mail addresses, tokens, message bodies, and the
text of a parser's exception, which quotes its input (`docs/operations.md` lists each metric).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics

from muster import __version__, environment

if TYPE_CHECKING:
    from muster.errors import MusterError
    from muster.reporting.run_metrics import Reading


logger = Logger(service="muster", log_uncaught_exceptions=True, muster_version=__version__)
metrics = Metrics(namespace="Muster", service="muster")
# Two stacks of an account do not count as one.
metrics.set_default_dimensions(stack=environment.stack_name())


def emit(reading: Reading, unit_of: Mapping[str, str]) -> None:
    """Emit a reading at once, under dimensions of its own; `unit_of` has the units that are not Count."""
    emitted = EphemeralMetrics(namespace="Muster", service="muster")
    emitted.add_dimension("stack", environment.stack_name())
    for dimension, where in reading.of.items():
        emitted.add_dimension(dimension, where)
    for name, value in reading.values.items():
        emitted.add_metric(name, unit_of.get(name, "Count"), value)
    emitted.flush_metrics()


def warn_of_gauge(error: MusterError) -> None:
    """Log that a reading of a finished run could not be made."""
    logger.warning("gauge not told", error=type(error).__name__, reason=str(error))
