"""Lambda: admins edit members' settings, managers the data capture of their reports (A10, A11, T5).

    {"organization", "by", "as"?: "admin" | "manager", "changes": [
        {"member": an id, e-mail address, username or CRM id,
         "seats"?: [name, …], "workspaces"?: {workspace: profile or null},
         "data_capture"?: {setting: "enabled" | "disabled" | "prevented" | null},
         "crm_user_status"?: "active" | "inactive" | null, "end_date"?: "YYYY-MM-DD" or null,
         "manager"?: a member, named in the same way, or null}, …],
     "preview"?: true}

    {"organization", "by", "as"?, "csv": "member,seats,workspaces.EMEA,end_date\\n…", "preview"?: true,
     "from_line"?: a number}

    {"organization", "by", "why", "erase": [a member who has left, named in the same way, …]}

The last erases people for good (T5). Up to 500 changes or people, or a CSV file of up to 10,000 lines;
`status` is `continue` while there are more lines, and the same event goes on with the `from_line` of the
answer. `preview` writes nothing. `events/member_settings_*.json` has one event of each kind to paste.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.admin_requests import FileEvent, Line, answer_one, settings_of
from muster.edits.answers import counts_of
from muster.edits.carrying_out_lines import Part
from muster.edits.editing_members import EditingMembers
from muster.edits.erasing_by_hand import ErasingByHand
from muster.observability import logger, metrics
from muster.references import Reference
from muster.roster.member import Json
from muster.validation import refused


class MemberEdits(FileEvent):
    """One event: who edits, and the changes, each of which is checked by itself."""

    acting_as: Literal["admin", "manager"] = Field(default="admin", alias="as")
    changes: list[Any] | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        examples=[[{"member": "ada@acme.example", "seats": ["gong"]}]],
    )
    erase: list[Reference] | None = Field(
        default=None, min_length=1, max_length=500, examples=[["ada@acme.example"]]
    )
    why: Annotated[Line, Field(max_length=500)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_an_object(cls, event: Any) -> Any:
        """Have the parsed event validated: in JSON text, pydantic passes over a key `acting_as`."""
        return event

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        """Have erasing stand alone, with its reason, for it cannot be undone."""
        held = [name for name in ("changes", "csv", "erase") if getattr(self, name) is not None]
        if len(held) != 1:
            raise refused(
                f"names both {' and '.join(held)}" if held else "names nobody",
                "Send changes, a list of edits; or csv, a file with a line for each; or erase, a list of"
                " people who have left.",
            )
        if self.erase and self.preview:
            raise refused("previews erasing", "Leave preview out; who is active is refused anyway.")
        if bool(self.erase) != bool(self.why):
            raise refused(
                "holds erase without why, or why without erase", "Say with erase, and only there, why."
            )
        if self.erase and self.acting_as == "manager":
            raise refused("erases people as a manager", "An admin erases; leave as out.")
        return self


def _edit(asked: MemberEdits, request_id: str, time_left: Callable[[], float]) -> Json:
    settings = settings_of(asked.organization).settings
    roster, views = bootstrap.roster_table(), bootstrap.roster_views()
    now = datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
    if asked.erase:
        erasing = ErasingByHand(settings, roster, views, now, run=f"erase:{request_id}")
        return erasing.erase(asked.erase, asked.by, asked.why or "")
    editing = EditingMembers(settings, roster, views, now, f"edit:{request_id}", asked.preview)
    as_manager = asked.acting_as == "manager"
    if asked.csv is not None:
        part = Part(time_left, asked.from_line, asked.detail)
        return editing.edit_lines(asked.csv, asked.by, part, as_manager=as_manager)
    return editing.edit(asked.changes or (), asked.by, as_manager=as_manager)


@logger.inject_lambda_context(log_event=False)
def handler(event: object, context: LambdaContext) -> Json:
    """Edit members; refusals are in the answer, faults raise."""
    said = answer_one(
        event,
        MemberEdits,
        lambda asked: _edit(
            asked, context.aws_request_id, lambda: context.get_remaining_time_in_millis() / 1000
        ),
    )
    counts = counts_of(said)
    metrics.add_metric(name="MemberEdits", unit=MetricUnit.Count, value=counts["changed"])
    metrics.add_metric(name="MemberEditsRefused", unit=MetricUnit.Count, value=counts["refused"])
    metrics.flush_metrics()
    return said
