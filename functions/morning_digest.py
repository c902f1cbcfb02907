"""Lambda: mails once a day what happened, what needs somebody and what ends soon; without names (N2).

    {"action": "send", "scheduled_at": "2026-11-30T07:00:00Z"}   what the schedule sends; once for each moment
    {"action": "preview"}                                        what would be mailed now; mails nothing

`docs/operations.md` says what is in it, `events/morning_digest_*.json` has an event of each kind to paste.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BeforeValidator

from muster import bootstrap, environment
from muster.admin_requests import Action, WholeRequest, answer
from muster.observability import logger
from muster.presentation.answers import Layout
from muster.presentation.lines import at_most
from muster.reporting import digesting, last_digest
from muster.times import timestamp

# What an organization may take once it is begun, and the mail after it.
_LAST_SECONDS = 20
_LINES_SHOWN = 30


class Send(WholeRequest):
    """An event that mails the digest of the day that ends at a moment."""

    scheduled_at: Annotated[datetime, BeforeValidator(last_digest.moment)]


def _send(request: Send, has_time: Callable[[], bool]) -> dict[str, Any]:
    found = digesting.send(
        _sources(),
        bootstrap.digest_note(),
        bootstrap.inform_topic(),
        request.scheduled_at,
        _now(),
        has_time,
    )
    if found is None:
        return {
            "status": "skipped",
            "message": f"The digest of {timestamp(request.scheduled_at)} was sent before.",
        }
    return {"message": f"Sent: {found.subject}.", "unseen": found.unseen}


def _preview(_: WholeRequest, has_time: Callable[[], bool]) -> dict[str, Any]:
    now = _now()
    found = digesting.make(_sources(), now - last_digest.DAY, now, now, has_time)
    return {"message": f"{found.subject}. Nothing was mailed.", "text": found.text.splitlines()}


def _sources() -> digesting.Sources:
    table = bootstrap.run_table()
    return digesting.Sources(
        settings=bootstrap.settings_table(),
        versions=bootstrap.settings_table(),
        journal=bootstrap.journal(),
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        runs=table,
        health=table,
        received=bootstrap.webhook_journal(),
        apps=bootstrap.app_table(),
        queues=bootstrap.queue_counts(),
        secrets=bootstrap.secrets,
        stack=environment.stack_name(),
        dashboard=environment.dashboard_url(),
    )


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock


def _shown(said: Any) -> list[str]:
    return at_most(said["text"], _LINES_SHOWN)


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Mail the digest, or show it; what cannot be mailed raises, and Lambda tries again."""

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _LAST_SECONDS * 1000

    actions: dict[str, Action[Any]] = {
        "send": Action(Send, partial(_send, has_time=has_time)),
        "preview": Action(
            WholeRequest,
            partial(_preview, has_time=has_time),
            layout=Layout(summary=_shown, only_in_detail=frozenset({"text"})),
        ),
    }
    return answer(event, actions)
