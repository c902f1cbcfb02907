"""Lambda: tells changes of members outward, as events on an EventBridge bus (O1).

The table's stream calls it with history entries. Admins ask it to send events again, from the history:

    {"organization", "action": "resend_events", "by", "since" and/or "member", "until"?, "cursor"?}

An answer with the status `continue` carries `cursor`: send the event again with it, everything else the
same. `docs/events` has the events' schema, `events/outward` one example of each.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.adapters.aws import history_stream
from muster.admin_requests import Action, SignedRequest, answer, settings_of
from muster.errors import Misconfigured, Problem, Rejected
from muster.events_out import publishing, resending
from muster.observability import logger, metrics
from muster.presentation import resent
from muster.references import Reference
from muster.roster.member import Json
from muster.validation import refused

# What a call of PutEvents takes at most, both tries, and what comes after it.
_LAST_SECONDS = 15

type Written = Annotated[str, Field(min_length=1, max_length=254)]


class Resend(SignedRequest):
    """An event that has events sent again: of everybody since a moment, or of a member."""

    since: Written | None = None
    until: Written | None = None
    member: Reference | None = None
    cursor: Annotated[str, Field(min_length=1, max_length=300)] | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.since is None and self.member is None:
            raise refused(
                "says neither since nor member",
                'Say since when ("since": "yesterday"), of whom ("member": "ada@acme.example"), or both.',
            )
        return self


def _resend(request: Resend, has_time: Callable[[], bool]) -> Json:
    bus = bootstrap.event_bus()
    if bus is None:
        what = "is of no use while the stack publishes no member events"
        raise Rejected(Problem("action", what, "Deploy the stack with the parameter MemberEvents=ENABLED."))
    sources = resending.Sources(bootstrap.journal(), bootstrap.roster_views(), bus)
    asked = resending.Asked(
        since=request.since, until=request.until, member=request.member, cursor=request.cursor
    )
    now = datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
    sent = resending.resend(sources, settings_of(request.organization).settings, asked, now, has_time)
    _count({"MemberEventsSent": sent["events"]})
    status = {"status": "continue"} if sent["cursor"] else {}
    return {**status, "message": resent.in_words(sent), **sent}


def _publish(event: Json, has_time: Callable[[], bool]) -> Json:
    """Tell a batch of the stream; return which entry Lambda goes on with, as it takes it."""
    bus = bootstrap.event_bus()
    if bus is None:
        raise Misconfigured("The table's stream is read, and there is no event bus; deploy the stack again.")

    @cache
    def shows_personal_data(organization: str) -> bool:
        stored = bootstrap.settings_table().current(organization)
        try:
            return stored is not None and stored.settings.events.personal_data
        except Misconfigured:
            # Settings that an upgrade no longer accepts allow nothing, and hold up nobody else's events.
            return False

    ports = publishing.Ports(bus, bootstrap.failure_queue(), shows_personal_data, has_time)
    entries = history_stream.recorded(event)
    published = publishing.publish(entries, ports)
    _count(
        {
            "MemberEventsSent": published.events,
            "MemberEventsDelayed": int(published.next is not None),
            "MemberEventsGivenUp": published.given_up,
        }
    )
    if published.given_up:
        logger.error("history entries nobody can read", entries=published.given_up)
    if published.next is None:
        return {"batchItemFailures": []}
    why = published.why
    logger.error("not all told", number=published.next, error=type(why).__name__, reason=str(why))
    return {"batchItemFailures": [{"itemIdentifier": published.next}]}


def _count(counts: Mapping[str, int]) -> None:
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> Json:
    """Tell a batch of the stream, or send events again; a wrong request is answered with `rejected`."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _LAST_SECONDS * 1000

    if isinstance(event, dict) and "Records" in event:
        return _publish(event, has_time)
    return answer(event, {"resend_events": Action(Resend, partial(_resend, has_time=has_time))})
