"""Lambda: admins edit members' settings, managers the data capture of their reports (A10, A11, T5).

    {"organization", "by", "as"?: "admin" | "manager", "changes": [
        {"member": an id, e-mail address, username or CRM id,
         "seats"?: [name, …], "workspaces"?: {workspace: profile or null},
         "data_capture"?: {setting: "enabled" | "disabled" | "prevented" | null},
         "crm_user_status"?: "active" | "inactive" | null, "end_date"?: "YYYY-MM-DD" or null,
         "manager"?: a member, named in the same way, or null,
         "accounts"?: {"scim.gong": "adopt" | "ignore" | "reconsider"}}, …],
     "preview"?: true}

    {"organization", "by", "accounts": {"scim.gong": "adopt" | "ignore" | "reconsider"},
     "members": [a member, …] or "filter": {"account": "to_adopt"}, "preview"?: true, "why"?}

    {"organization", "by", "as"?, "csv": "member,seats,workspaces.EMEA,end_date\\n…", "preview"?: true,
     "from_line"?: a number}

    {"organization", "by", "why", "erase": [a member who has left, named in the same way, …]}

The second says the same of the accounts of several members, or of all whose account there stands so (O3).
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
from muster.edits.account_edits import MOST_APPS, AppName
from muster.edits.answers import counts_of
from muster.edits.carrying_out_lines import Part
from muster.edits.editing_members import EditingMembers
from muster.edits.erasing_by_hand import ErasingByHand
from muster.observability import logger, metrics
from muster.presentation import edits
from muster.presentation.answers import Layout
from muster.provisioning.adoption import Word
from muster.references import Reference
from muster.roster.member import Json
from muster.settings.values import Section
from muster.validation import refused

_LAYOUT = Layout(edits.members, only_in_detail=frozenset({"results", "lines"}))


class AccountFilter(Section):
    """All members whose account stands so."""

    account: Literal["to_adopt", "conflict", "ignored", "no_licence", "failed", "active"]


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
    accounts: dict[AppName, Word] | None = Field(
        default=None, min_length=1, max_length=MOST_APPS, examples=[{"scim.gong": "adopt"}]
    )
    members: list[Reference] | None = Field(
        default=None, min_length=1, max_length=500, examples=[["ada@acme.example"]]
    )
    filter: AccountFilter | None = None
    why: Annotated[Line, Field(max_length=500)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_an_object(cls, event: Any) -> Any:
        """Have the parsed event validated: in JSON text, pydantic passes over a key `acting_as`."""
        return event

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        """Have erasing stand alone, with its reason, for it cannot be undone."""
        held = [name for name in ("changes", "csv", "erase", "accounts") if getattr(self, name) is not None]
        if len(held) != 1:
            raise refused(
                f"names both {' and '.join(held)}" if held else "names nobody",
                "Send changes, a list of edits; or csv, a file with a line for each; or accounts, what is to"
                " become of accounts in apps; or erase, a list of people who have left.",
            )
        if self.erase and self.preview:
            raise refused("previews erasing", "Leave preview out; who is active is refused anyway.")
        if self.erase and not self.why:
            raise refused("holds erase without why", "Say with erase why.")
        if self.why and not (self.erase or self.accounts):
            raise refused("holds why", "It goes with erase and with accounts; leave it out.")
        if self.erase and self.acting_as == "manager":
            raise refused("erases people as a manager", "An admin erases; leave as out.")
        self._require_whose_accounts()
        return self

    def _require_whose_accounts(self) -> None:
        whose = [name for name in ("members", "filter") if getattr(self, name) is not None]
        if whose and self.accounts is None:
            raise refused(
                f"holds {whose[0]} without accounts", f"Say with {whose[0]} what of their accounts."
            )
        if self.accounts is not None and len(whose) != 1:
            raise refused(
                "holds accounts with both members and filter" if whose else "does not say whose accounts",
                'Name members, a list; or filter, for example {"account": "to_adopt"}, all of them.',
            )
        if self.accounts is not None and self.acting_as == "manager":
            raise refused("is about accounts, as a manager", "An admin adopts and ignores; leave as out.")


def _edit(asked: MemberEdits, request_id: str, time_left: Callable[[], float]) -> Json:
    settings = settings_of(asked.organization).settings
    roster, views = bootstrap.roster_table(), bootstrap.roster_views()
    now = datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock
    if asked.erase:
        erasing = ErasingByHand(settings, roster, views, now, run=f"erase:{request_id}")
        return erasing.erase(asked.erase, asked.by, asked.why or "")
    editing = EditingMembers(settings, roster, views, now, f"edit:{request_id}", asked.preview, asked.why)
    as_manager = asked.acting_as == "manager"
    part = Part(time_left, asked.from_line, asked.detail)
    if asked.accounts and asked.filter:
        return editing.edit_accounts(asked.accounts, asked.filter.account, asked.by, part)
    if asked.accounts:
        changes = [{"member": member, "accounts": asked.accounts} for member in asked.members or ()]
        return editing.edit(changes, asked.by, called="members")
    if asked.csv is not None:
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
        _LAYOUT,
    )
    counts = counts_of(said)
    metrics.add_metric(name="MemberEdits", unit=MetricUnit.Count, value=counts["changed"])
    metrics.add_metric(name="MemberEditsRefused", unit=MetricUnit.Count, value=counts["refused"])
    metrics.flush_metrics()
    return said
