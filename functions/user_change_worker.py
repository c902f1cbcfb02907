"""Lambda: user changes from the queue. Each message succeeds or comes back on its own (W2, T3)."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap
from muster.adapters.aws import change_queue
from muster.errors import ApiCallsUsedUp, MusterError
from muster.observability import logger, metrics
from muster.webhook.applying_changes import apply_message, needs_salesforce
from muster.webhook.deliveries import ASKED_EVERY, SHARE_FOR_MESSAGES
from muster.webhook.following_messages import MessageFollower
from muster.webhook.messages import QueuedMessage
from muster.webhook.ports import Ports

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def follow_one(record: SQSRecord) -> None:
    """Apply one queued message; log and count what came of it, also when it has to come back."""
    try:
        _follow(record)
    except Exception as error:
        # Powertools hands the message back without a word. Only our own errors are known to quote nothing.
        reason = str(error) if isinstance(error, MusterError) else None
        logger.error(
            "not followed",
            message_id=record.message_id,
            error=type(error).__name__,
            reason=reason,
            users=_users_of(record),
        )
        raise


def _users_of(record: SQSRecord) -> list[str]:
    """Return the ids of the users that a message is about, for whoever asks who is affected."""
    try:
        return [change.fields.get("Id", "")[:18] for change in change_queue.decode(record.body).changes]
    except MusterError:
        return []


def _follow(record: SQSRecord) -> None:
    message = change_queue.decode(record.body)
    _note_receipt(message)
    stored = bootstrap.settings_table().current(message.organization)
    now = datetime.now(UTC)  # noqa: TID251 - a handler is what asks the clock
    settings = stored.settings if stored else None
    connection = settings.connections.salesforce if settings and needs_salesforce(settings) else None
    salesforce = bootstrap.brisk_salesforce(connection, SHARE_FOR_MESSAGES) if connection else None

    ports = Ports(bootstrap.roster_table(), bootstrap.loss_table(), salesforce)
    follower = MessageFollower(
        settings,
        bootstrap.delivery_journal(),
        lambda: salesforce.calls_used if salesforce else None,
        lambda error: logger.warning("not remembered", organization=message.organization, reason=str(error)),
    )
    try:
        applied = follower.follow(message, now, lambda fresh: apply_message(fresh, settings, ports, now))
    except ApiCallsUsedUp as error:
        # Not a fault of the message: it would end in the dead-letter queue long before the day is over.
        bootstrap.change_queue().put_back(record.body, int(ASKED_EVERY.total_seconds()))
        logger.warning("waits for calls", organization=message.organization, reason=str(error))
        metrics.add_metric(name="MessagesWaitForCalls", unit=MetricUnit.Count, value=1)
        return
    logger.info(
        "followed",
        organization=message.organization,
        message_id=record.message_id,
        outcomes=dict(applied.outcomes),
        parked=[entry.notification for entry in applied.parked],
    )
    for outcome, count in applied.outcomes.items():
        metrics.add_metric(
            name=f"Changes{outcome.title().replace('_', '')}", unit=MetricUnit.Count, value=count
        )
    metrics.add_metric(name="NotificationsParked", unit=MetricUnit.Count, value=len(applied.parked))
    metrics.add_metric(name="MessagesRefuted", unit=MetricUnit.Count, value=applied.refuted)


def _note_receipt(message: QueuedMessage) -> None:
    """Remember that messages arrive, for whoever asks whether they do (U7)."""
    try:
        bootstrap.webhook_journal().note_received(message.organization, message.received_at)
    except MusterError as error:
        # Admins see it and nothing depends on it: no reason to keep a change waiting.
        logger.warning("receipt not noted", organization=message.organization, reason=str(error))


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Take a batch from SQS; answer which messages must come back."""
    answer = process_partial_response(event, follow_one, processor, context)
    metrics.add_metric(name="MessagesReturned", unit=MetricUnit.Count, value=len(answer["batchItemFailures"]))
    return answer
