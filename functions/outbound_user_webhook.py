"""Receives Salesforce's outbound messages: checks the sender, queues the changes, acknowledges (W1-W3).

Event: API Gateway's REST proxy event of `POST …/organizations/{organization}/integrations/{provider}/webhook
?token=…` (`events/outbound_user_webhook.json`). Answer: always XML.

    200  Ack true    every change is on the queue
    503  Ack false   it could not be queued; Salesforce sends it again, for 24 hours
    404  Fault       wrong organization, provider, token, Salesforce org or ActionId; always the same bytes
    413  Fault       the body is over 1 MiB
    400  Fault       the body is not an outbound message in UTF-8

One line is logged a call: outcome and counts, never the path, the token or anything from the body.
"""

import contextlib
import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap, environment
from muster.adapters import outbound_message
from muster.errors import Misconfigured, NotFound, Problem, Rejected, TooLarge, Unavailable
from muster.observability import logger, metrics
from muster.webhook import receiving

type Event = dict[str, Any]
type Answer = dict[str, Any]

# What a refused sender gets, whatever it was refused for (W2).
_NO_WEBHOOK = Problem(
    "webhook", "there is none at this address", "Compare the endpoint URL with the one Muster gave."
)
# Base64 makes four characters of three bytes; what is longer cannot fit and is not decoded.
_MAX_BODY_CHARACTERS = (outbound_message.MAX_BODY_BYTES + 2) // 3 * 4
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)

if environment.in_lambda():
    # A new execution environment gets most processor time here, before its first call. What the
    # environment lacks, that call reports.
    with contextlib.suppress(Misconfigured):
        bootstrap.webhook_registry()
        bootstrap.change_queue()


@logger.inject_lambda_context(log_event=False, clear_state=True)
@metrics.log_metrics
def handler(event: Event, context: LambdaContext) -> Answer:
    """Answer one call; nothing a caller can send makes it raise."""
    try:
        receipt = _receive(event)
    except NotFound as error:
        return _refusal(404, "refused", "SendersRefused", error, _NO_WEBHOOK)
    except TooLarge as error:
        return _refusal(413, "too_large", "MessagesMalformed", error, *error.problems)
    except Rejected as error:
        return _refusal(400, "malformed", "MessagesMalformed", error, *error.problems)
    except (Unavailable, Misconfigured) as error:
        write = logger.error if isinstance(error, Misconfigured) else logger.warning
        write("outbound message", outcome="not_queued", reason=str(error))
        _count("MessagesNotQueued")
        return _answer(503, outbound_message.acknowledgement(accepted=False))
    logger.info("outbound message", outcome="accepted", changes=receipt.changes, parked=receipt.parked)
    _count("MessagesAccepted")
    _count("NotificationsReceived", receipt.changes + receipt.parked)
    return _answer(200, outbound_message.acknowledgement(accepted=True))


def _receive(event: Event) -> receiving.Receipt:
    now = datetime.now(UTC)  # noqa: TID251 - a handler is what asks the clock
    path = event.get("pathParameters") or {}
    sender = receiving.identify(
        path.get("organization") or "",
        path.get("provider") or "",
        _token(event),
        registry=bootstrap.webhook_registry(),
        now=now,
    )
    logger.append_keys(organization=sender.organization)
    body = _body(event)
    _check_charset(event)
    message = outbound_message.parse(body)
    return receiving.receive(message, sender, queue=bootstrap.change_queue(), received_at=now)


def _token(event: Event) -> str:
    """Return the token of the query, empty unless there is exactly one."""
    given = _values(event, "queryStringParameters", "multiValueQueryStringParameters").get("token") or []
    return given[0] if len(given) == 1 else ""


def _body(event: Event) -> bytes:
    """Return the body as the bytes that were sent."""
    text: str = event.get("body") or ""
    if len(text) > _MAX_BODY_CHARACTERS:
        raise outbound_message.too_large()
    try:
        return b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError:
        remedy = "Send the message as XML in UTF-8."
        raise Rejected(Problem("body", "is neither Base64 nor text", remedy)) from None


def _check_charset(event: Event) -> None:
    """Raise `Rejected` if a Content-Type header names another charset than UTF-8; none need be named."""
    headers = _values(event, "headers", "multiValueHeaders")
    content_types = [value for name in headers if name.lower() == "content-type" for value in headers[name]]
    if not all(outbound_message.is_utf8(charset) for charset in _CHARSET.findall("\n".join(content_types))):
        remedy = "Send text/xml; charset=UTF-8, as Salesforce does."
        raise Rejected(Problem("Content-Type", "names another charset than UTF-8", remedy))


def _values(event: Event, last: str, every: str) -> dict[str, list[str]]:
    """Return headers or query parameters, each with all its values; under `last` there is only the last."""
    return event.get(every) or {name: [value] for name, value in (event.get(last) or {}).items()}


def _refusal(status: int, outcome: str, metric: str, error: Rejected, *problems: Problem) -> Answer:
    logger.info("outbound message", outcome=outcome, where=error.problems[0].where)
    _count(metric)
    return _answer(status, outbound_message.fault(*problems))


def _count(metric: str, value: int = 1) -> None:
    metrics.add_metric(metric, MetricUnit.Count, value)


def _answer(status: int, body: str) -> Answer:
    return {"statusCode": status, "headers": {"Content-Type": "text/xml; charset=utf-8"}, "body": body}
