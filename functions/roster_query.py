"""Lambda: answers admins' questions about the roster and its runs; reads only (Q1).

    {"organization", "action": "list", "filter"?: {"active": true | false | "any", …}, "limit"?, "cursor"?}
    {"organization", "action": "member", "member": an id, e-mail address, username or CRM id}
    {"organization", "action": "explain", "member", "live"?}    why someone is in, or is not
    {"organization", "action": "history", "member", "limit"?, "cursor"?}
    {"organization", "action": "seats"}                         how many are held, and who is in line
    {"organization", "action": "licences", "limit"?, "cursor"?}    who has one of Engage, nobody included
    {"organization", "action": "changes", "since"?, "until"?, "run_id"?, "person"?, "cause"?, "value"?,
     "limit"?, "cursor"?, "detail"?, "as"?: "text"}         what happened lately, or in a run
    {"organization", "action": "runs", "filter"?: {"kind", "status", "with_news"}, "limit"?, "cursor"?}
    {"organization", "action": "run", "run_id", "limit"?, "cursor"?}    and what its plan changes
    {"organization", "action": "errors", "state"?, "limit"?, "cursor"?}    open ones, unless it says another
    {"organization", "action": "health", "live"?}    what is broken, waits or runs out; is it safe to push?
    {"organization", "action": "export", "what": roster | seats | licences | errors, "filter"?}
    {"action": "organizations", "limit"?, "cursor"?}            which there are; the only one without one

An organization there is none of is `rejected`, with the name it is close to. An answer that has more
carries `cursor`: ask again with it, everything else the same.
`docs/operations.md` has the answers, `events/roster_query_*.json` one event of each kind to paste.
"""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import Field, model_validator

from muster import bootstrap
from muster.admin_requests import Action, Request, WholeRequest, answer, settings_of
from muster.connections import checking
from muster.connections.ports import Ports
from muster.insight import (
    explaining_members,
    exporting,
    gathering_health,
    listing_changes,
    listing_errors,
    listing_licences,
    listing_organizations,
    querying_members,
    querying_runs,
    run_summaries,
)
from muster.observability import logger, metrics
from muster.presentation import causes, changes, health
from muster.presentation.answers import Layout
from muster.presentation.lines import counted
from muster.references import Reference, RunId
from muster.roster.member import Json
from muster.roster.reasons import EXPLAINED
from muster.validation import refused

# What is left of the function's time once the rest is gathered; see the template's Timeout.
_CHECKS_TAKE_S = 80

type Limit = Annotated[int, Field(ge=1, le=querying_members.MAX_LIMIT)]
type Cursor = Annotated[str, Field(max_length=2048)]
type Written = Annotated[str, Field(min_length=1, max_length=254)]


class Page(Request):
    """An event that asks for a page of something."""

    limit: Limit = querying_members.DEFAULT_LIMIT
    cursor: Cursor | None = None


class OrganizationPage(WholeRequest):
    """An event that asks for a page of the organizations."""

    limit: Limit = querying_members.DEFAULT_LIMIT
    cursor: Cursor | None = None


class MemberPage(Page):
    """An event that asks for a page of one member's history."""

    member: Reference


class MemberList(Page):
    """An event that asks for a page of members."""

    filter: dict[str, Any] = Field(default_factory=dict)


class RunList(Page):
    """An event that asks for a page of runs."""

    filter: dict[str, Any] = Field(default_factory=dict)


class Changes(Page):
    """An event that asks what happened in a period (by default the last 24 hours), or in a run."""

    since: Written | None = None
    until: Written | None = None
    run_id: RunId | None = None
    person: Reference | None = None
    cause: Written | None = None
    value: Written | None = None
    as_: Literal["text"] | None = Field(default=None, alias="as")

    @model_validator(mode="after")
    def _one_period(self) -> Self:
        if self.run_id and (self.since or self.until or self.cause):
            raise refused(
                "has run_id beside since, until or cause",
                "A run has a time of its own: leave the others out, or run_id.",
            )
        return self


class OneMember(Request):
    """An event that asks for one member."""

    member: Reference


class Explain(OneMember):
    """An event that asks why; `live` for a new evaluation of someone who is in the roster."""

    live: bool = False


class ErrorLog(Page):
    """An event that asks for a page of the error log: of the entries in one state, or of those to look at."""

    state: str | None = None


class HowItIs(Request):
    """An event that asks how an organization is; `live` as long as its connections are to be asked."""

    live: bool = True


class Export(Request):
    """An event that asks for a file."""

    what: Annotated[str, Field(min_length=1, max_length=100)]
    format: Literal["csv"] = "csv"
    filter: dict[str, Any] = Field(default_factory=dict)


class OneRun(Page):
    """An event that asks for a run and a page of its plan."""

    run_id: Annotated[str, Field(min_length=1, max_length=100)]


def _list(request: MemberList) -> Json:
    page = querying_members.list_members(
        querying_members.Sources(bootstrap.roster_views(), bootstrap.roster_table()),
        settings_of(request.organization).settings,
        request.filter,
        request.limit,
        request.cursor,
    )
    shown, total = len(page["members"]), page["total"]
    of = "" if shown == total else f"{shown:,} of "
    return {"message": _shown(total, "member", page["cursor"], before=of), **page}


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
    waiting = bootstrap.queue_counts().changes()
    pending = ""
    if waiting:
        of = "of Salesforce on the queue (of all organizations of this stack)"
        pending = f" {counted(waiting, 'message')} {of}: what they say is not in this answer yet."
    return {
        "message": f"{state if explained['member'] else 'Not in the roster'}. {explained['why']}{pending}",
        **explained,
        "messages_waiting": waiting,
    }


def _history(request: MemberPage) -> Json:
    page = querying_members.show_history(
        bootstrap.roster_views(),
        bootstrap.run_table(),
        request.organization,
        request.member,
        request.limit,
        request.cursor,
    )
    runs = page.pop("runs")
    page["history"] = [{**entry, "cause": causes.cause_in_words(entry, runs)} for entry in page["history"]]
    return {"message": _shown(len(page["history"]), "change", page["cursor"]), **page}


def _changes(request: Changes) -> Json:
    sources = listing_changes.Sources(
        bootstrap.journal(),
        bootstrap.roster_views(),
        bootstrap.roster_table(),
        bootstrap.run_table(),
        bootstrap.settings_table(),
    )
    asked = listing_changes.Asked(
        since=request.since,
        until=request.until,
        run_id=request.run_id,
        person=request.person,
        cause=request.cause,
        value=request.value,
        limit=request.limit,
        cursor=request.cursor,
        one_by_one=request.detail or request.as_ == "text",
    )
    found = listing_changes.list_changes(sources, settings_of(request.organization).settings, asked, _now())
    return {"message": changes.headline(found), **found}


def _seats(request: Request) -> Json:
    found = querying_members.show_seats(bootstrap.roster_table(), settings_of(request.organization).settings)
    return {"message": _shown(len(found["seats"]), "seat", None), **found}


def _licences(request: Page) -> Json:
    sources = listing_licences.Sources(
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        holders=bootstrap.unlinked_holder_table(),
        runs=bootstrap.run_table(),
    )
    settings = settings_of(request.organization).settings
    found = listing_licences.list_licences(sources, settings, request.limit, request.cursor)
    return {"message": listing_licences.in_words(found), **found}


def _runs(request: RunList) -> Json:
    page = querying_runs.list_runs(
        bootstrap.run_table(), request.organization, request.filter, request.limit, request.cursor
    )
    return {"message": _shown(len(page["runs"]), "run", page["cursor"]), **page}


def _run(request: OneRun) -> Json:
    table = bootstrap.run_table()
    run = querying_runs.find_run(table, request.organization, request.run_id)
    page = querying_runs.show_run(
        run,
        bootstrap.run_archive(),
        request.limit,
        request.cursor,
        request.by,
        _now(),
        table.lease_until(run.organization, run.id),
    )
    return {"message": run_summaries.in_words(run), "run_id": run.id, **page}


def _errors(request: ErrorLog) -> Json:
    sources = listing_errors.Sources(
        bootstrap.roster_views(), bootstrap.roster_table(), bootstrap.run_table()
    )
    page = listing_errors.list_errors(
        sources, request.organization, request.limit, request.cursor, request.state
    )
    return {"message": _shown(len(page["log"]), "entry", page["cursor"], "entries"), **page}


def _health(request: HowItIs) -> Json:
    stored = settings_of(request.organization)
    vault_crm = stored.settings.connections.vault_crm
    ports = Ports(
        secrets=bootstrap.secrets(request.organization),
        runs=bootstrap.run_table(),
        salesforce=bootstrap.brisk_salesforce,
        vault_crm=bootstrap.brisk_vault,
        align=bootstrap.align,
    )
    now, until = _now(), time.monotonic() + _CHECKS_TAKE_S
    checks = checking.Checking(stored.settings, ports, lambda: until - time.monotonic(), now.date())
    sources = gathering_health.Sources(
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        runs=bootstrap.run_table(),
        health=bootstrap.run_table(),
        queues=bootstrap.queue_counts(),
        received=bootstrap.webhook_journal(),
        checks=checks.rows,
        push_checks=lambda: (
            checking.failed_push_checks(stored.settings, bootstrap.brisk_vault(vault_crm))
            if vault_crm
            else []
        ),
    )
    return gathering_health.show_health(sources, stored, now, live=request.live)


def _export(request: Export) -> Json:
    sources = exporting.Sources(
        bootstrap.roster_views(), bootstrap.roster_table(), bootstrap.run_table(), bootstrap.export_files()
    )
    settings = settings_of(request.organization).settings
    return exporting.export(sources, settings, request.what, request.filter, _now())


def _organizations(request: OrganizationPage) -> Json:
    page = listing_organizations.list_organizations(bootstrap.settings_table(), request.limit, request.cursor)
    return {"message": _shown(len(page["organizations"]), "organization", page["cursor"]), **page}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock


def _shown(count: int, one: str, cursor: str | None, many: str | None = None, *, before: str = "") -> str:
    more = "; there is more, ask again with the cursor" if cursor else ""
    return f"{before}{counted(count, one, many)}{more}."


ACTIONS: dict[str, Action[Any]] = {
    "list": Action(MemberList, _list),
    "member": Action(OneMember, _member),
    "explain": Action(Explain, _explain),
    "history": Action(MemberPage, _history),
    "seats": Action(Request, _seats),
    "licences": Action(Page, _licences),
    "changes": Action(
        Changes, _changes, layout=Layout(changes.summary, changes.as_table, changes.ONLY_IN_DETAIL)
    ),
    "runs": Action(RunList, _runs),
    "run": Action(OneRun, _run),
    "errors": Action(ErrorLog, _errors),
    "export": Action(Export, _export),
    "health": Action(HowItIs, _health, layout=health.LAYOUT),
    "organizations": Action(OrganizationPage, _organizations),
}


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> Json:
    """Answer one question; wrong ones are answered with `rejected`, faults raise."""
    metrics.add_metric(name="Questions", unit=MetricUnit.Count, value=1)
    return answer(event, ACTIONS)
