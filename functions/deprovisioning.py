"""Lambda: whoever leaves is closed in every app within seconds, beside the pushes (O4, W8, W10).

The table's stream calls it with members who are not active, whoever has written them: a message, an import,
an admin. What it cannot do now is left to the next push, for which such members are due.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap, observability
from muster.adapters.aws import member_stream
from muster.observability import logger, metrics
from muster.provisioning.closing_leavers import LeaverClosing, LeaverPorts
from muster.provisioning.ports import Target
from muster.reporting import run_metrics
from muster.roster.member import Json
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection

# What the calls for one account take at most, with all their tries, and what comes after them.
_LAST_SECONDS = 120


@logger.inject_lambda_context(log_event=False)
def handler(event: Json, context: LambdaContext) -> Json:
    """Close the leavers of a batch; return which record Lambda goes on with, as it takes it."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _LAST_SECONDS * 1000

    closing = LeaverClosing(_ports(has_time))
    closing.close(member_stream.leavers(event))
    for closed in closing.closed:
        for reading in run_metrics.access_ended(closed.organization, closed.connection, closed.seconds):
            observability.emit(reading, run_metrics.UNITS)
    metrics.add_metric(name="LeaversLeftToPush", unit=MetricUnit.Count, value=closing.left)
    metrics.flush_metrics()
    if closing.next is not None or closing.left:
        logger.warning(
            "not all closed",
            number=closing.next,
            left=closing.left,
            error=type(closing.why).__name__ if closing.why else None,
            reason=str(closing.why) if closing.why else None,
        )
    return {"batchItemFailures": [{"itemIdentifier": closing.next}] if closing.next is not None else []}


def _ports(has_time: Callable[[], bool]) -> LeaverPorts:
    @cache
    def settings(organization: str) -> Settings | None:
        stored = bootstrap.settings_table().current(organization)
        return stored.settings if stored else None

    return LeaverPorts(settings, bootstrap.roster_table(), _app, _now, has_time)


def _app(settings: Settings, connection: TargetConnection) -> Target | None:
    """Return the app; `None` where it keeps failing, is down for maintenance or has refused the credentials.

    That is what pushes have found. What fails here is not counted: tried as often as this, an app that is
    down for seconds would be quarantined (P6).
    """
    app = bootstrap.brisk_app(connection)
    health = bootstrap.health_tracker(settings.organization, connection.key, _now)
    skipped = health.skipped(app.refusal)
    if skipped:
        logger.warning("left alone", organization=settings.organization, reason=skipped.message)
    return None if skipped else app


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
