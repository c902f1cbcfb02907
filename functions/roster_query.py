"""Lambda: answers admins' questions about the roster and its runs; reads only (Q1).

    {"organization", "action": "list", "filter"?: {"active": true | false | "any", …}, "limit"?, "cursor"?}
    {"organization", "action": "member", "member": an id, e-mail address, username or CRM id}
    {"organization", "action": "explain", "member", "live"?}    why someone is in, or is not
    {"organization", "action": "history", "member", "limit"?, "cursor"?}
    {"organization", "action": "as_of", "member", "at"}         how someone was then
    {"organization", "action": "as_of", "at", "filter"?, "limit"?, "cursor"?}    how everybody was
    {"organization", "action": "diff", "member", "since", "until"?}    what differs of someone in between
    {"organization", "action": "diff", "since" | "since_run", "until"? | "until_run"?, "limit"?, "cursor"?}
    {"organization", "action": "diff", "run_id", "limit"?, "cursor"?}    likewise of everybody, or of a run
    {"organization", "action": "seats"}                         how many are held, and who is in line
    {"organization", "action": "licences", "limit"?, "cursor"?}    who has one of Engage, nobody included
    {"organization", "action": "changes", "since"?, "until"?, "run_id"?, "person"?, "cause"?, "value"?,
     "limit"?, "cursor"?}                                   what happened lately, or in a run
    {"organization", "action": "runs", "filter"?: {"kind", "status", "with_news"}, "limit"?, "cursor"?}
    {"organization", "action": "run", "run_id", "limit"?, "cursor"?}    and what its plan changes
    {"organization", "action": "replay", "run_id"}              whether its plan comes out the same again
    {"organization", "action": "errors", "state"?, "limit"?, "cursor"?}    open ones, unless it says another
    {"organization", "action": "health", "live"?}    what is broken, waits or runs out; is it safe to push?
    {"organization", "action": "export", "what": roster | seats | licences | changes | differences
     | errors, …}                                               as a file; of members also "at" a moment
    {"action": "organizations", "limit"?, "cursor"?}            which there are; the only one without one

Each takes `"as": "text"` for a table in lines of text, and `"detail": true`. An organization there is none
of is `rejected`, with the name it is close to. An answer that has more carries `cursor`: ask again with it,
everything else the same.
`docs/operations.md` has the answers, `events/roster_query_*.json` one event of each kind to paste.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from muster import bootstrap
from muster.admin_requests import Action, Asked, answer, settings_of
from muster.connections import checking
from muster.connections.ports import Ports
from muster.insight import (
    account_explanations,
    comparing_moments,
    explaining_members,
    exporting,
    gathering_health,
    listing_changes,
    listing_errors,
    listing_licences,
    listing_organizations,
    listing_past_members,
    looking_back,
    querying_members,
    querying_runs,
    run_summaries,
)
from muster.insight.listing_past_members import PastPage
from muster.insight.reading_past_rosters import PastSources
from muster.observability import logger, metrics
from muster.presentation import (
    causes,
    changes,
    errors,
    explanations,
    members,
    past,
    past_rosters,
    replays,
    runs,
    seats,
)
from muster.presentation.lines import counted
from muster.replays import replaying
from muster.roster.member import Json
from muster.roster.reasons import EXPLAINED
from muster.roster_questions import (
    LAYOUTS,
    AsOf,
    Changes,
    Difference,
    ErrorLog,
    Explain,
    Export,
    HowItIs,
    MemberList,
    MemberPage,
    OneMember,
    OneRun,
    OrganizationPage,
    Page,
    Question,
    Replayed,
    RunList,
)
from muster.settings import Settings

# What is left of the function's time once the rest is gathered; see the template's Timeout.
_CHECKS_TAKE_S = 80


def _list(request: MemberList) -> Json:
    page = querying_members.list_members(
        querying_members.Sources(bootstrap.roster_views(), bootstrap.roster_table()),
        settings_of(request.organization).settings,
        request.filter,
        request.size,
        request.cursor,
    )
    shown, total = len(page["members"]), page["total"]
    of = "" if shown == total else f"{shown:,} of "
    return {"message": _paged(f"{of}{counted(total, 'member')}", page["cursor"]), **page}


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
    waiting = bootstrap.queue_counts().changes()
    pending = ""
    if waiting:
        of = "of Salesforce on the queue (of all organizations of this stack)"
        pending = f" {counted(waiting, 'message')} {of}: what they say is not in this answer yet."
    return {
        "message": f"{explanations.news(explained)}{pending}",
        "to_do": [
            *(explained["now"]["to_do"] if explained["now"] else ()),
            *account_explanations.to_do(
                request.organization, explained["member"] or "", explained.get("accounts", {})
            ),
        ],
        **explained,
        "messages_waiting": waiting,
    }


def _history(request: MemberPage) -> Json:
    page = querying_members.show_history(
        bootstrap.roster_views(),
        bootstrap.run_table(),
        request.organization,
        request.member,
        request.size,
        request.cursor,
    )
    by_run = page.pop("runs")
    page["history"] = [{**entry, "cause": causes.cause_in_words(entry, by_run)} for entry in page["history"]]
    return {"message": _paged(members.history_news(page["history"]), page["cursor"]), **page}


def _as_of(request: AsOf) -> Json:
    settings = settings_of(request.organization).settings
    if request.member is None:
        sources = PastSources(bootstrap.roster_views(), bootstrap.journal(), bootstrap.snapshot_files())
        page = PastPage(at=request.at, filters=request.filter, limit=request.size, cursor=request.cursor)
        listed = listing_past_members.list_past_members(sources, settings, page, _now())
        return {"message": past_rosters.as_of_headline(listed), **listed}
    found = looking_back.show_as_of(
        bootstrap.roster_views(), bootstrap.run_table(), settings, request.member, request.at, _now()
    )
    return {"message": past.as_of_headline(found), **found}


def _diff(request: Difference) -> Json:
    settings = settings_of(request.organization).settings
    if request.member is None or request.since is None:
        return _differences(request, settings)
    found = looking_back.show_difference(
        bootstrap.roster_views(),
        bootstrap.run_table(),
        settings,
        request.member,
        request.since,
        request.until,
        _now(),
    )
    return {"message": past.diff_headline(found), **found}


def _differences(request: Difference, settings: Settings) -> Json:
    sources = comparing_moments.ComparedSources(
        bootstrap.journal(), bootstrap.roster_table(), bootstrap.run_table(), bootstrap.settings_table()
    )
    asked = comparing_moments.Compared(
        since=request.since,
        until=request.until,
        since_run=request.since_run,
        until_run=request.until_run,
        run_id=request.run_id,
    )
    found = comparing_moments.show_differences(sources, settings, asked, request.size, request.cursor, _now())
    return {"message": past_rosters.diff_headline(found), **found}


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
        limit=request.size,
        cursor=request.cursor,
        one_by_one=request.detail or request.as_ == "text",
    )
    found = listing_changes.list_changes(sources, settings_of(request.organization).settings, asked, _now())
    return {"message": changes.headline(found), **found}


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


def _runs(request: RunList) -> Json:
    page = querying_runs.list_runs(
        bootstrap.run_table(), request.organization, request.filter, request.size, request.cursor
    )
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


def _replay(request: Replayed) -> Json:
    run = querying_runs.find_run(bootstrap.run_table(), request.organization, request.run_id)
    attempt = replaying.ArchivedAttempt(bootstrap.run_archive(), run)
    found = replaying.replay(attempt, replaying.MOST_PEOPLE).to_json()
    return {"message": replays.headline(found), **found}


def _errors(request: ErrorLog) -> Json:
    sources = listing_errors.Sources(
        bootstrap.roster_views(),
        bootstrap.roster_table(),
        bootstrap.run_table(),
        settings_of(request.organization).settings,
    )
    page = listing_errors.list_errors(
        sources, request.organization, request.size, request.cursor, request.state
    )
    return {"message": _paged(errors.news(page["log"]), page["cursor"]), **page}


def _health(request: HowItIs) -> Json:
    stored = settings_of(request.organization)
    vault_crm = stored.settings.connections.vault_crm
    ports = Ports(
        secrets=bootstrap.secrets(request.organization),
        runs=bootstrap.run_table(),
        salesforce=bootstrap.brisk_salesforce,
        vault_crm=bootstrap.brisk_vault,
        align=bootstrap.align,
        scim=bootstrap.brisk_scim,
        user_pool=bootstrap.user_pool,
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
        apps=bootstrap.app_table(),
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
        views=bootstrap.roster_views(),
        roster=bootstrap.roster_table(),
        runs=bootstrap.run_table(),
        files=bootstrap.export_files(),
        holders=bootstrap.unlinked_holder_table(),
        journal=bootstrap.journal(),
        versions=bootstrap.settings_table(),
        snapshots=bootstrap.snapshot_files(),
    )
    wanted = exporting.Wanted(
        what=request.what,
        filters=request.filter,
        at=request.at,
        since=request.since,
        until=request.until,
        since_run=request.since_run,
        until_run=request.until_run,
        run_id=request.run_id,
    )
    return exporting.export(sources, settings_of(request.organization).settings, wanted, _now())


def _organizations(request: OrganizationPage) -> Json:
    page = listing_organizations.list_organizations(bootstrap.settings_table(), request.size, request.cursor)
    return {"message": _paged(counted(len(page["organizations"]), "organization"), page["cursor"]), **page}


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a handler is who asks the clock


def _paged(said: str, cursor: str | None) -> str:
    return f"{said}{'; there is more, ask again with the cursor' if cursor else ''}."


def _action[R: Asked](name: str, request: type[R], run: Callable[[R], Json]) -> Action[R]:
    return Action(request, run, layout=LAYOUTS[name])


ACTIONS: dict[str, Action[Any]] = {
    "list": _action("list", MemberList, _list),
    "member": _action("member", OneMember, _member),
    "explain": _action("explain", Explain, _explain),
    "history": _action("history", MemberPage, _history),
    "as_of": _action("as_of", AsOf, _as_of),
    "diff": _action("diff", Difference, _diff),
    "seats": _action("seats", Question, _seats),
    "licences": _action("licences", Page, _licences),
    "changes": _action("changes", Changes, _changes),
    "runs": _action("runs", RunList, _runs),
    "run": _action("run", OneRun, _run),
    "replay": _action("replay", Replayed, _replay),
    "errors": _action("errors", ErrorLog, _errors),
    "health": _action("health", HowItIs, _health),
    "export": _action("export", Export, _export),
    "organizations": _action("organizations", OrganizationPage, _organizations),
}


@logger.inject_lambda_context(log_event=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> Json:
    """Answer one question; wrong ones are answered with `rejected`, faults raise."""
    metrics.add_metric(name="Questions", unit=MetricUnit.Count, value=1)
    return answer(event, ACTIONS)
