"""Lambda: admins ask for Engage groups, take members out of them, or have a request sent once more (G6).

    {"organization", "by", "requests": [
        {"member": an id, e-mail address, username or CRM id,
         "action": "assign" | "remove" | "retry", "feature": "engage" | "engage_connect",
         "group": its name, with assign}, …]}

Up to 500 requests; `events/group_assignment_*.json` has one event of each kind to paste. They are kept
with the members; the next push sends them.
"""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from muster import bootstrap
from muster.admin_requests import By, Event, answer_one, settings_of
from muster.edits.requesting_groups import RequestingGroups
from muster.observability import logger, metrics
from muster.presentation import edits
from muster.presentation.answers import Layout
from muster.roster.member import Json

_LAYOUT = Layout(edits.groups, only_in_detail=frozenset({"results"}))
_EXAMPLE = {
    "member": "ada@acme.example",
    "action": "assign",
    "feature": "engage",
    "group": "UK Field Force",
}


class GroupRequests(Event):
    """One event: who asks, and the requests, each of which is checked by itself."""

    by: By
    requests: list[Any] = Field(min_length=1, max_length=500, examples=[[_EXAMPLE]])


def _assign(asked: GroupRequests, request_id: str) -> Json:
    stored = settings_of(asked.organization)
    requesting = RequestingGroups(
        settings=stored.settings,
        roster=bootstrap.roster_table(),
        views=bootstrap.roster_views(),
        now=datetime.now(UTC),  # noqa: TID251 - a handler is who asks the clock
        run=f"groups:{request_id}",
    )
    return requesting.request(asked.requests, asked.by)


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> Json:
    """Take up group requests; refusals are in the answer, faults raise."""
    taken_up, refused = 0, 0

    def assign(asked: GroupRequests) -> Json:
        nonlocal taken_up, refused
        whole = _assign(asked, context.aws_request_id)
        taken_up, refused = len(whole["results"]), len(whole["errors"])
        return whole

    said = answer_one(event, GroupRequests, assign, _LAYOUT)
    if not refused:
        refused = len(said.get("errors", ()))
    metrics.add_metric(name="GroupRequests", unit=MetricUnit.Count, value=taken_up)
    metrics.add_metric(name="GroupRequestsRefused", unit=MetricUnit.Count, value=refused)
    metrics.flush_metrics()
    return said
