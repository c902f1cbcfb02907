"""Why someone is in the roster or not: gathers what `muster.explaining` puts into words (Q1). Reads only.

Who is not in the roster is looked up in Salesforce and evaluated there and then, as an import would do it.
"""

from dataclasses import dataclass
from datetime import datetime

from muster.crm import salesforce_ids
from muster.errors import Misconfigured, NotFound, Problem, Rejected, Unavailable
from muster.insight import explanations
from muster.insight.explanations import Surroundings
from muster.insight.querying_members import lines_for
from muster.roster import eligibility, salesforce_lifecycle
from muster.roster.finding import crm_ids_of, find
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.roster.reasons import NAMESAKE_ACTIVE
from muster.runs.ports import Runs
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.sources import reading_by_id
from muster.sources.ports import Salesforce

# So many changes of a member are searched for its last runs, so many managers for a circle.
_CHANGES_SEARCHED = 50
_MANAGERS_SEARCHED = 30

_NOBODY = (
    "is nobody in the roster or in Salesforce",
    "Check the id. The integration user must be allowed to see all users (permission View All Users).",
)
_NOT_IN_THE_ROSTER = (
    "is not in the roster",
    "Check how it is written, or give the user's Salesforce id. The settings name no Salesforce connection,"
    " so nobody else can be looked up.",
)
_NOT_LINKED = "The member is linked to no Salesforce user that could be asked about."
_NOT_CONNECTED = "The settings name no Salesforce connection, so only what Muster was told last is known."
_NOT_SEEN = (
    "Salesforce does not show the user to the integration user: it lacks the permission View All Users, or"
    " the user is not in this org."
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to look for an explanation; no `salesforce` where the settings name none."""

    views: RosterViews
    roster: Roster
    runs: Runs
    salesforce: Salesforce | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What Salesforce answered, or in words why there is no answer; `nobody`: it knows no such user."""

    answer: Json | None = None
    silence: str | None = None
    nobody: bool = False


def explain(sources: Sources, settings: Settings, reference: str, now: datetime, *, live: bool) -> Json:
    """Return why someone is in the roster or not, whether found there or only in Salesforce.

    `live`: for a member too, what evaluating it anew would come to. Raises `NotFound` for who is
    nowhere to be found, and `Rejected` for a name that fits several.
    """
    try:
        member = find(sources.views, settings.organization, reference)
    except NotFound:
        return _explain_outsider(sources, settings, reference.strip(), now)
    return _explain_member(sources, settings, member, now, live=live)


def _explain_member(
    sources: Sources, settings: Settings, member: Member, now: datetime, *, live: bool
) -> Json:
    organization = settings.organization
    history, _ = sources.views.history(organization, member.id, _CHANGES_SEARCHED, None)
    state = sources.runs.state(organization)
    around = Surroundings(
        lines=lines_for(sources.roster, organization, [member]),
        history=history,
        managers_link=sources.views.link(organization, member.reports_to) if member.reports_to else None,
        above=_above(sources.views, member),
        outdated=state.evaluated_with not in (None, settings_digest(settings)),
    )
    asked = _Asked()
    if live:
        crm_id = explanations.crm_id_of(member)
        asked = _ask(sources, settings, crm_id, now) if crm_id else _Asked(silence=_NOT_LINKED)
    return {
        **explanations.of_member(member, settings, around, now),
        "salesforce": asked.silence,
        "now": asked.answer,
    }


def _above(views: RosterViews, member: Member) -> dict[str, str | None]:
    """Return CRM id → manager's CRM id from a member without a manager upward, to tell a circle."""
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
    crm_id, asked = _named(sources, organization, reference)
    link = views.link(organization, crm_id) if crm_id else None
    if link and link.member and (member := views.member(organization, link.member)):
        # Found by an address that only Salesforce has.
        return _explain_member(sources, settings, member, now, live=True)
    if crm_id and not asked.silence:
        asked = _ask(sources, settings, crm_id, now)
    if asked.nobody and link is None:
        raise NotFound(Problem("member", *(_NOBODY if sources.salesforce else _NOT_IN_THE_ROSTER)))
    waits = link is not None and link.reason == NAMESAKE_ACTIVE
    namesakes = views.matching(organization, link.match_keys) if link and waits else []
    return explanations.of_outsider(crm_id, link, [*dict.fromkeys(namesakes)], asked.answer, asked.silence)


# ── What Salesforce says now ─────────────────────────────────────────────────────────────────────────


def _named(sources: Sources, organization: str, reference: str) -> tuple[str | None, _Asked]:
    """Return the CRM id of who is not in the roster; raises `NotFound` for who cannot be found by name."""
    if sources.salesforce is None:
        if not salesforce_ids.is_valid(reference):
            raise NotFound(Problem("member", *_NOT_IN_THE_ROSTER))
        return salesforce_ids.to_18(reference), _Asked()
    try:
        (crm_id,) = crm_ids_of([reference], organization, sources.views, sources.salesforce)
    except (Misconfigured, Unavailable) as error:
        return None, _unanswered(error)
    except Rejected as error:
        problem = error.problems[0]
        raise NotFound(Problem("member", problem.message, problem.remedy)) from error
    return crm_id, _Asked()


def _ask(sources: Sources, settings: Settings, crm_id: str, now: datetime) -> _Asked:
    """Evaluate a user as Salesforce has it now, exactly as an import would; nothing is written."""
    if sources.salesforce is None:
        return _Asked(silence=_NOT_CONNECTED, nobody=True)
    try:
        read = reading_by_id.read_users([crm_id], settings, sources.salesforce, now, "explain")
    except (Misconfigured, Unavailable) as error:
        return _unanswered(error)
    if crm_id in read.refused:
        return _Asked(silence=f"Salesforce's answer cannot be used: {read.refused[crm_id]}.")
    if crm_id not in read.changes:
        return _Asked(silence=_NOT_SEEN, nobody=True)
    change = read.changes[crm_id]
    organization = settings.organization
    wanted = {crm_id: salesforce_lifecycle.wanted_for(change, settings)}
    known = sources.roster.gather(organization, wanted)[crm_id]
    pools = sources.roster.pools(organization, settings.seats)
    decision = salesforce_lifecycle.decide(change, known, settings, pools, now)
    verdict = eligibility.evaluate(change.fields, change.matches, settings)
    return _Asked(explanations.evaluated(change, verdict, decision, settings))


def _unanswered(error: Misconfigured | Unavailable) -> _Asked:
    return _Asked(silence=f"Salesforce could not be asked, so only what Muster knows is told: {error}.")
