"""Answers admins' questions about the roster; reads only (`events/roster_query_*.json`).

    {"organization", "action": "list", "filter"?: {"active": true | false | "any", …}, "limit"?, "cursor"?}
    {"organization", "action": "member", "member": an id, e-mail address, username or CRM id}
    {"organization", "action": "history", "member", "limit"?, "cursor"?}
    {"organization", "action": "errors", "limit"?, "cursor"?}

An answer that has more carries `cursor`: ask again with it, everything else the same.
"""

from typing import Annotated, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field

from muster import bootstrap, querying
from muster.admin_requests import Action, Request, answer
from muster.model import Json
from muster.observability import logger, metrics
from muster.reasons import EXPLAINED


class Page(Request):
    """An event that asks for a page of something."""

    limit: Annotated[int, Field(ge=1, le=querying.MAX_LIMIT)] = querying.DEFAULT_LIMIT
    cursor: Annotated[str, Field(max_length=2048)] | None = None


class MemberPage(Page):
    """An event that asks for a page of one member's history."""

    member: Annotated[str, Field(min_length=1, max_length=254)]


class MemberList(Page):
    """An event that asks for a page of members."""

    filter: dict[str, Any] = Field(default_factory=dict)


class OneMember(Request):
    """An event that asks for one member."""

    member: Annotated[str, Field(min_length=1, max_length=254)]


def _list(request: MemberList) -> Json:
    page = querying.list_members(
        bootstrap.roster_views(), request.organization, request.filter, request.limit, request.cursor
    )
    return {"message": _shown(len(page["members"]), "member", page["cursor"]), **page}


def _member(request: OneMember) -> Json:
    member = querying.show_member(bootstrap.roster_views(), request.organization, request.member)
    reason = EXPLAINED.get(member["inactive_reason"], "It was deactivated.")
    return {"message": "The member is active." if member["active"] else reason, "member": member}


def _history(request: MemberPage) -> Json:
    page = querying.show_history(
        bootstrap.roster_views(), request.organization, request.member, request.limit, request.cursor
    )
    return {"message": _shown(len(page["history"]), "change", page["cursor"]), **page}


def _errors(request: Page) -> Json:
    page = querying.show_errors(bootstrap.roster_views(), request.organization, request.limit, request.cursor)
    return {"message": _shown(len(page["log"]), "entry", page["cursor"], "entries"), **page}


def _shown(count: int, one: str, cursor: str | None, many: str = "") -> str:
    more = "; there is more, ask again with the cursor" if cursor else ""
    return f"{count} {one if count == 1 else many or one + 's'}{more}."


ACTIONS: dict[str, Action[Any]] = {
    "list": Action(MemberList, _list),
    "member": Action(OneMember, _member),
    "history": Action(MemberPage, _history),
    "errors": Action(Page, _errors),
}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> Json:
    """Answer one question; wrong ones are answered with `rejected`, faults raise."""
    metrics.add_metric(name="Questions", unit=MetricUnit.Count, value=1)
    return answer(event, ACTIONS)
