"""Lambda: answers admins' questions about the roster and its runs; reads only (Q1).

    {"organization", "action": "list", "filter"?: {"active": true | false | "any", …}, "limit"?, "cursor"?}
    {"organization", "action": "member", "member": an id, e-mail address, username or CRM id}
    {"organization", "action": "explain", "member", "live"?}    why someone is in, or is not
    {"organization", "action": "history", "member", "limit"?, "cursor"?}
    {"organization", "action": "seats"}                         how many are held, and who is in line
    {"organization", "action": "licences", "limit"?, "cursor"?}    who has one of Engage, nobody included
    {"organization", "action": "runs", "limit"?, "cursor"?}
    {"organization", "action": "run", "run_id", "limit"?, "cursor"?}    and what its plan changes
    {"organization", "action": "errors", "limit"?, "cursor"?}
    {"action": "organizations", "limit"?, "cursor"?}            which there are; the only one without one

Each takes `"as": "text"` for a table in lines of text, and `"detail": true`. An organization there is none
of is `rejected`, with the name it is close to. An answer that has more carries `cursor`: ask again with it,
everything else the same.
`docs/operations.md` has the answers, `events/roster_query_*.json` one event of each kind to paste.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.admin_requests import Action, Asked, Request, WholeRequest, answer, settings_of
from muster.insight import (
    explaining_members,
    listing_licences,
    listing_organizations,
    querying_members,
    querying_runs,
    run_summaries,
)
from muster.observability import logger, metrics
from muster.presentation import (
    errors,
    explanations,
    licences,
    members,
    organizations,
    runs,
    seats,
)
from muster.presentation.answers import Layout
from muster.presentation.lines import counted
from muster.references import Reference
from muster.roster.member import Json
from muster.roster.reasons import EXPLAINED

type Limit = Annotated[int, Field(ge=1, le=querying_members.MAX_LIMIT)]
type Cursor = Annotated[str, Field(max_length=2048)]
# So many entries are a page where none is asked for: each is a line, and the lines fit on a screen.
SCREEN = 20


class Asking(Asked):
    """What every question may carry: `"as": "text"` for a table in lines of text."""

    as_: Literal["text"] | None = Field(default=None, alias="as")

    @model_validator(mode="before")
    @classmethod
    def _as_an_object(cls, event: Any) -> Any:
        """Have the parsed event validated: in JSON text, pydantic passes over a key `as_`."""
        return event


class Question(Asking, Request):
    """A question about one organization."""


class Paging(Asking):
    """A question that is answered page by page: as long a page as is asked for, else a screen."""

    limit: Limit | None = None
    cursor: Cursor | None = None

    @property
    def asks_for_more(self) -> bool:
        """Whether the page is as long as was asked for."""
        return self.limit is not None

    @property
    def size(self) -> int:
        """How many entries the page has."""
        is_whole = self.detail or self.as_ is not None
        return self.limit or (querying_members.DEFAULT_LIMIT if is_whole else SCREEN)


class Page(Paging, Request):
    """An event that asks for a page of something."""


class OrganizationPage(Paging, WholeRequest):
    """An event that asks for a page of the organizations."""


class MemberPage(Page):
    """An event that asks for a page of one member's history."""

    member: Reference


class MemberList(Page):
    """An event that asks for a page of members."""

    filter: dict[str, Any] = Field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many members the page has: the list is what was asked for, and need not fit on a screen."""
        return self.limit or querying_members.DEFAULT_LIMIT


class OneMember(Question):
    """An event that asks for one member."""

    member: Reference


class Explain(OneMember):
    """An event that asks why; `live` for a new evaluation of someone who is in the roster."""

    live: bool = False


class OneRun(Page):
    """An event that asks for a run and a page of its plan."""

    run_id: Annotated[str, Field(min_length=1, max_length=100)]


def _list(request: MemberList) -> Json:
    page = querying_members.list_members(
        bootstrap.roster_views(),
        bootstrap.roster_table(),
        request.organization,
        request.filter,
        request.size,
        request.cursor,
    )
    return {
        "message": _paged(counted(len(page["members"]), "member"), page["cursor"]),
        "cursor": page["cursor"],
        "members": page["members"],
    }


def _member(request: OneMember) -> Json:
    member = querying_members.show_member(
        bootstrap.roster_views(), bootstrap.roster_table(), request.organization, request.member
    )
    reason = EXPLAINED.get(member["inactive_reason"], "It was deactivated.")
    return {"message": "The member is active." if member["active"] else reason, "member": member}


def _explain(request: Explain) -> Json:
    settings = settings_of(request.organization).settings
    connection = settings.connections.salesforce
    sources = explaining_members.Sources(
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        runs=bootstrap.run_table(),
        salesforce=bootstrap.brisk_salesforce(connection) if connection else None,
    )
    explained = explaining_members.explain(sources, settings, request.member, _now(), live=request.live)
    state = "The member is active" if explained["in"] else "The member is not active"
    return {
        "message": f"{state if explained['member'] else 'Not in the roster'}. {explained['why']}",
        "to_do": explained["now"]["to_do"] if explained["now"] else [],
        **explained,
    }


def _history(request: MemberPage) -> Json:
    page = querying_members.show_history(
        bootstrap.roster_views(), request.organization, request.member, request.size, request.cursor
    )
    return {"message": _paged(members.history_news(page["history"]), page["cursor"]), **page}


def _seats(request: Question) -> Json:
    found = querying_members.show_seats(bootstrap.roster_table(), settings_of(request.organization).settings)
    return {"message": f"{seats.news(found['seats'])}.", **found}


def _licences(request: Page) -> Json:
    sources = listing_licences.Sources(
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        holders=bootstrap.unlinked_holder_table(),
        runs=bootstrap.run_table(),
    )
    settings = settings_of(request.organization).settings
    found = listing_licences.list_licences(sources, settings, request.size, request.cursor)
    return {"message": listing_licences.in_words(found), **found}


def _runs(request: Page) -> Json:
    page = querying_runs.list_runs(bootstrap.run_table(), request.organization, request.size, request.cursor)
    return {"message": _paged(runs.news(page["runs"]), page["cursor"]), **page}


def _run(request: OneRun) -> Json:
    table = bootstrap.run_table()
    run = querying_runs.find_run(table, request.organization, request.run_id)
    page = querying_runs.show_run(
        run,
        bootstrap.run_archive(),
        request.size,
        request.cursor,
        request.by,
        _now(),
        table.lease_until(run.organization, run.id),
    )
    return {"message": run_summaries.in_words(run), "run_id": run.id, "run_status": run.status, **page}


def _errors(request: Page) -> Json:
    page = querying_members.show_errors(
        bootstrap.roster_views(), request.organization, request.size, request.cursor
    )
    return {"message": _paged(errors.news(page["log"]), page["cursor"]), **page}


def _organizations(request: OrganizationPage) -> Json:
    page = listing_organizations.list_organizations(bootstrap.settings_table(), request.size, request.cursor)
    return {"message": _paged(counted(len(page["organizations"]), "organization"), page["cursor"]), **page}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock


def _paged(said: str, cursor: str | None) -> str:
    return f"{said}{'; there is more, ask again with the cursor' if cursor else ''}."


# What an explanation says in sentences, as values.
_EXPLAINED_BY = frozenset(
    {"since", "assignment", "also_matched", "did_not_match", "note", "seats", "workspaces", "data_capture"}
    | {"groups", "identity", "manager", "keep_active", "frozen", "crm_user_status", "end_date"}
    | {"last_changes", "runs", "recorded", "salesforce", "now"}
)
_OF_LICENCES = frozenset({"as_of", "counted_all", "groups", "nobody", "waiting", "members"})
_OF_A_RUN = frozenset({"run", "change", "at_work", "note", "items"})

ACTIONS: dict[str, Action[Any]] = {
    "list": Action(
        MemberList,
        _list,
        layout=Layout(members.lines, members.listed, not_beside_text=frozenset({"members"}), is_listed=True),
    ),
    "member": Action(
        OneMember,
        _member,
        layout=Layout(members.one, members.only, not_beside_text=frozenset({"member"}), is_listed=True),
    ),
    "explain": Action(
        Explain,
        _explain,
        layout=Layout(explanations.lines, explanations.explanation_table, _EXPLAINED_BY),
    ),
    "history": Action(
        MemberPage, _history, layout=Layout(members.history, members.history_table, frozenset({"history"}))
    ),
    "seats": Action(Question, _seats, layout=Layout(seats.lines, seats.seats_table, frozenset({"seats"}))),
    "licences": Action(Page, _licences, layout=Layout(licences.lines, licences.use_table, _OF_LICENCES)),
    "runs": Action(Page, _runs, layout=Layout(runs.lines, runs.runs_table, frozenset({"runs"}))),
    "run": Action(OneRun, _run, layout=Layout(runs.run_lines, runs.run_table, _OF_A_RUN)),
    "errors": Action(Page, _errors, layout=Layout(errors.lines, errors.errors_table, frozenset({"log"}))),
    "organizations": Action(
        OrganizationPage,
        _organizations,
        layout=Layout(organizations.lines, organizations.organizations_table, frozenset({"organizations"})),
    ),
}


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> Json:
    """Answer one question; wrong ones are answered with `rejected`, faults raise."""
    metrics.add_metric(name="Questions", unit=MetricUnit.Count, value=1)
    return answer(event, ACTIONS)
