"""Lambda: admins edit members' settings, managers the data capture of their reports (A10, A11).

    {"organization", "by", "as"?: "admin" | "manager", "changes": [
        {"member": an id, e-mail address, username or CRM id,
         "seats"?: [name, …], "workspaces"?: {workspace: profile or null},
         "data_capture"?: {setting: "enabled" | "disabled" | "prevented" | null},
         "crm_user_status"?: "active" | "inactive" | null, "end_date"?: "YYYY-MM-DD" or null,
         "manager"?: a member, named in the same way, or null}, …]}

Up to 500 changes; `events/member_settings_*.json` has one event of each kind to paste.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.admin_requests import By, Event, answer_one, settings_of
from muster.edits.editing_members import EditingMembers
from muster.observability import logger, metrics
from muster.roster.member import Json


class MemberEdits(Event):
    """One event: who edits, and the changes, each of which is checked by itself."""

    by: By
    acting_as: Literal["admin", "manager"] = Field(default="admin", alias="as")
    changes: list[Any] = Field(
        min_length=1, max_length=500, examples=[[{"member": "ada@acme.example", "seats": ["gong"]}]]
    )

    @model_validator(mode="before")
    @classmethod
    def _as_an_object(cls, event: Any) -> Any:
        """Have the parsed event validated: in JSON text, pydantic passes over a key `acting_as`."""
        return event


def _edit(asked: MemberEdits, request_id: str) -> Json:
    stored = settings_of(asked.organization)
    editing = EditingMembers(
        settings=stored.settings,
        roster=bootstrap.roster_table(),
        views=bootstrap.roster_views(),
        now=datetime.now(UTC),  # noqa: TID251 - a handler is who asks the clock
        run=f"edit:{request_id}",
    )
    return editing.edit(asked.changes, asked.by, as_manager=asked.acting_as == "manager")


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> Json:
    """Edit members; refusals are in the answer, faults raise."""
    said = answer_one(event, MemberEdits, lambda asked: _edit(asked, context.aws_request_id))
    edited = sum(bool(result["changed"]) for result in said.get("results", ()))
    metrics.add_metric(name="MemberEdits", unit=MetricUnit.Count, value=edited)
    metrics.add_metric(name="MemberEditsRefused", unit=MetricUnit.Count, value=len(said.get("errors", ())))
    metrics.flush_metrics()
    return said
