"""Lambda: admins ask for Engage groups, take members out of them, or have a request sent once more (G6).

    {"organization", "by", "requests": [
        {"member": an id, e-mail address, username or CRM id,
         "action": "assign" | "remove" | "retry", "feature": "engage" | "engage_connect",
         "group": its name, with assign}, …],
     "preview"?: true}

    {"organization", "by", "csv": "member,action,feature,group\\n…", "preview"?: true, "from_line"?: a number}

Up to 500 requests, or a CSV file of up to 10,000 lines; `status` is `continue` while there are more lines,
and the same event goes on with the `from_line` of the answer. `preview` writes nothing.
`events/group_assignment_*.json` has one event of each kind to paste. Requests are kept with the members; the
next push sends them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.admin_requests import FileEvent, answer_one, settings_of
from muster.edits.answers import counts_of
from muster.edits.carrying_out_lines import Part
from muster.edits.requesting_groups import RequestingGroups
from muster.observability import logger, metrics
from muster.roster.member import Json
from muster.validation import refused

_EXAMPLE = {
    "member": "ada@acme.example",
    "action": "assign",
    "feature": "engage",
    "group": "UK Field Force",
}


class GroupRequests(FileEvent):
    """One event: who asks, and the requests, each of which is checked by itself."""

    requests: list[Any] | None = Field(default=None, min_length=1, max_length=500, examples=[[_EXAMPLE]])

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.requests is None) == (self.csv is None):
            raise refused(
                "holds both requests and csv" if self.csv else "asks for nothing",
                "Send requests, a list, or csv, a file with a line for each.",
            )
        return self


def _assign(asked: GroupRequests, request_id: str, time_left: Callable[[], float]) -> Json:
    stored = settings_of(asked.organization)
    requesting = RequestingGroups(
        settings=stored.settings,
        roster=bootstrap.roster_table(),
        views=bootstrap.roster_views(),
        now=datetime.now(UTC),  # noqa: TID251 - a handler is who asks the clock
        run=f"groups:{request_id}",
        preview=asked.preview,
    )
    if asked.csv is not None:
        return requesting.request_lines(asked.csv, asked.by, Part(time_left, asked.from_line, asked.detail))
    return requesting.request(asked.requests or (), asked.by)


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> Json:
    """Take up group requests; refusals are in the answer, faults raise."""
    said = answer_one(
        event,
        GroupRequests,
        lambda asked: _assign(
            asked, context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000
        ),
    )
    counts = counts_of(said)
    taken_up = counts["changed"] + counts["unchanged"]
    metrics.add_metric(name="GroupRequests", unit=MetricUnit.Count, value=taken_up)
    metrics.add_metric(name="GroupRequestsRefused", unit=MetricUnit.Count, value=counts["refused"])
    metrics.flush_metrics()
    return said
