"""Explain why someone is in the roster or not: gather, then let `explanations` phrase it (Q1). Reads only.

Someone who is not in the roster is looked up in Salesforce and evaluated as an import would do it.
"""

from dataclasses import dataclass
from datetime import datetime

from muster.crm import salesforce_ids
from muster.errors import Misconfigured, NotFound, Problem, Rejected, Unavailable
from muster.insight import explanations, listing_errors
from muster.insight.explanations import Context
from muster.insight.finding_members import find_member
from muster.insight.querying_members import lines_for
from muster.roster import eligibility, salesforce_lifecycle
from muster.roster.finding import find_named
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.reasons import NAMESAKE_ACTIVE
from muster.runs.ports import Runs
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.sources import reading_by_id
from muster.sources.ports import Salesforce

# How many changes of a member are searched for its latest runs, and how many managers for a circle.
_CHANGES_SEARCHED = 50
_MANAGERS_SEARCHED = 30

_NOBODY = (
    "is nobody in the roster or in Salesforce: {}",
    "Check the id. The integration user must be allowed to see all users (permission View All Users).",
)
_NOT_IN_THE_ROSTER = (
    "is not in the roster: {}",
    "Check how it is written, or give the user's Salesforce id. The settings name no Salesforce connection,"
    " so nobody else can be looked up.",
)
_NOT_LINKED = "The member is linked to no Salesforce user that could be asked about."
_NOT_CONNECTED = "The settings name no Salesforce connection, so only what Muster has recorded is known."
_NOT_SEEN = (
    "Salesforce does not show the user to the integration user: it lacks the permission View All Users, or"
    " the user is not in this org."
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an explanation is looked up; `salesforce` is `None` where the settings have no connection."""

    views: RosterViews
    roster: Roster
    runs: Runs
    salesforce: Salesforce | None


@dataclass(frozen=True, slots=True)
class _LiveAnswer:
    """Salesforce's answer, or in words why there is none; `nobody`: it knows no such user."""

    answer: Json | None = None
    reason: str | None = None
    nobody: bool = False


def explain(sources: Sources, settings: Settings, reference: str, now: datetime, *, live: bool) -> Json:
    """Return why someone is in the roster or not, whether found there or only in Salesforce.

    `live`: evaluate a member anew as well. Raises `NotFound` for someone who is in neither, and
    `Rejected` for a name that matches several.
    """
    try:
        member = find_member(sources.views, settings.organization, reference)
    except NotFound:
        return _explain_outsider(sources, settings, reference.strip(), now)
    return _explain_member(sources, settings, member, now, live=live)


def _explain_member(
    sources: Sources, settings: Settings, member: Member, now: datetime, *, live: bool
) -> Json:
    organization = settings.organization
    history, _ = sources.views.history(organization, member.id, _CHANGES_SEARCHED, None)
    state = sources.runs.state(organization)
    link = sources.views.link(organization, member.reports_to) if member.reports_to else None
    manager = sources.views.member(organization, link.member) if link and link.member else None
    above = manager
    if member.manager and (above is None or above.id != member.manager):
        above = sources.views.member(organization, member.manager)
    context = Context(
        lines=lines_for(sources.roster, organization, [member]),
        history=history,
        managers_link=link,
        managers_reason=manager.inactive_reason if manager and not manager.active else None,
        managers_name=above.name if member.manager and above else None,
        above=_above(sources.views, member),
        outdated=state.salesforce.decided_with not in (None, settings_digest(settings)),
    )
    live_answer = _LiveAnswer()
    if live:
        crm_id = explanations.crm_id_of(member)
        live_answer = _ask(sources, settings, crm_id, now) if crm_id else _LiveAnswer(reason=_NOT_LINKED)
    return {
        **explanations.of_member(member, settings, context, now),
        "salesforce": live_answer.reason,
        "now": live_answer.answer,
        "errors": listing_errors.open_about(
            listing_errors.Sources(sources.views, sources.roster, sources.runs, settings),
            organization,
            member,
        ),
    }


def _above(views: RosterViews, member: Member) -> dict[str, str | None]:
    """Return CRM id → manager's CRM id, upward from a member without a manager, to detect a circle."""
    above: dict[str, str | None] = {}
    at = explanations.crm_id_of(member)
    reports_to = None if member.manager else member.reports_to
    while at and at not in above and len(above) < _MANAGERS_SEARCHED:
        above[at] = reports_to
        at = reports_to
        link = views.link(member.organization, at) if at else None
        manager = views.member(member.organization, link.member) if link and link.member else None
        reports_to = manager.reports_to if manager else None
    return above


def _explain_outsider(sources: Sources, settings: Settings, reference: str, now: datetime) -> Json:
    views, organization = sources.views, settings.organization
    crm_id, live_answer = _named(sources, organization, reference)
    link = views.link(organization, crm_id) if crm_id else None
    if link and link.member and (member := views.member(organization, link.member)):
        # Found by an address that only Salesforce has.
        return _explain_member(sources, settings, member, now, live=True)
    if crm_id and not live_answer.reason:
        live_answer = _ask(sources, settings, crm_id, now)
    if live_answer.nobody and link is None:
        raise _nobody(reference, _NOBODY if sources.salesforce else _NOT_IN_THE_ROSTER)
    waits = link is not None and link.reason == NAMESAKE_ACTIVE
    namesakes = views.matching(organization, link.match_keys) if link and waits else []
    return explanations.of_outsider(
        crm_id, link, [*dict.fromkeys(namesakes)], live_answer.answer, live_answer.reason
    )


def _nobody(reference: str, words: tuple[str, str]) -> NotFound:
    what, remedy = words
    return NotFound(Problem("member", what.format(repr(reference[:100])), remedy))


# ── What Salesforce says now ─────────────────────────────────────────────────────────────────────────


def _named(sources: Sources, organization: str, reference: str) -> tuple[str | None, _LiveAnswer]:
    """Return the CRM id of someone who is not in the roster; raises `NotFound` if the name finds nobody."""
    if sources.salesforce is None:
        if not salesforce_ids.is_valid(reference):
            raise _nobody(reference, _NOT_IN_THE_ROSTER)
        return salesforce_ids.to_18(reference), _LiveAnswer()
    try:
        (crm_id,) = find_named([reference], organization, sources.views, sources.salesforce).crm_ids
    except (Misconfigured, Unavailable) as error:
        return None, _unanswered(error)
    except Rejected as error:
        problem = error.problems[0]
        raise NotFound(Problem("member", problem.message, problem.remedy)) from error
    return crm_id, _LiveAnswer()


def _ask(sources: Sources, settings: Settings, crm_id: str, now: datetime) -> _LiveAnswer:
    """Evaluate a user as Salesforce has it now, as an import would; nothing is written."""
    if sources.salesforce is None:
        return _LiveAnswer(reason=_NOT_CONNECTED, nobody=True)
    try:
        read = reading_by_id.read_users([crm_id], settings, sources.salesforce, now, "explain")
    except (Misconfigured, Unavailable) as error:
        return _unanswered(error)
    if crm_id in read.refused:
        return _LiveAnswer(reason=f"Salesforce's answer cannot be used: {read.refused[crm_id]}.")
    if crm_id not in read.changes:
        return _LiveAnswer(reason=_NOT_SEEN, nobody=True)
    change = read.changes[crm_id]
    organization = settings.organization
    wanted = {crm_id: salesforce_lifecycle.wanted_for(change, settings)}
    known = sources.roster.gather(organization, wanted)[crm_id]
    pools = sources.roster.pools(organization, settings.seats)
    decision = salesforce_lifecycle.decide(change, known, settings, pools, now)
    verdict = eligibility.evaluate(
        change.fields, change.matches, settings, known.member, frozen=change.frozen
    )
    return _LiveAnswer(explanations.evaluated(change, verdict, decision, settings))


def _unanswered(error: Misconfigured | Unavailable) -> _LiveAnswer:
    return _LiveAnswer(
        reason=f"Salesforce could not be asked, so this is only what Muster has recorded: {error}."
    )
