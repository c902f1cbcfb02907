"""Members and users found by what people call them: an id, a CRM id, a username, an e-mail address (I2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from muster.crm import salesforce_ids, soql
from muster.crm.salesforce_ids import is_valid, to_18
from muster.errors import NotFound, Problem, Rejected
from muster.roster.links import keys_named, keys_of
from muster.roster.member import Member
from muster.roster.ports import RosterViews
from muster.roster.reasons import EXPLAINED
from muster.sources.ports import Salesforce


@dataclass(frozen=True, slots=True)
class Named:
    """People that an event names: the CRM ids of those who were found, and what is wrong with the others."""

    crm_ids: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def find_named(
    references: Iterable[str], organization: str, views: RosterViews, salesforce: Salesforce
) -> Named:
    """Return who these people are, in the roster or not yet; raises `Rejected` where nobody is found.

    Those who are not in the roster are looked up in Salesforce, by username first and e-mail address second.
    """
    found: dict[str, None] = {}
    problems = []
    for place, reference in enumerate(references):
        try:
            found[_crm_id(reference.strip(), organization, views, salesforce)] = None
        except Rejected as error:
            problem = error.problems[0]
            problems.append(Problem(f"members[{place}]", problem.message, problem.remedy))
    if not found:
        raise Rejected(*problems)
    return Named(tuple(found), tuple(problems))


def _crm_id(reference: str, organization: str, views: RosterViews, salesforce: Salesforce) -> str:
    if is_valid(reference) and reference.startswith("005"):
        return to_18(reference)
    try:
        crm_id = find(views, organization, reference).crm.get("salesforce", {}).get("id")
    except NotFound:
        crm_id = None
    if crm_id:
        return crm_id
    if "@" not in reference:
        remedy = "Give an e-mail address or the user's Id."
        raise Rejected(Problem("members", not_in_the_roster(reference), remedy))
    by_username, by_email = salesforce.batch(
        [soql.select(["Id"], soql.one_of(field, [reference])) for field in ("Username", "Email")]
    )
    ids = [row["Id"] for row in by_username or by_email]
    if len(ids) != 1:
        quoted = _quoted(reference)
        nobody = f"is nobody in the roster or in Salesforce: {quoted}"
        what = f"fits several users of Salesforce: {quoted}" if ids else nobody
        raise Rejected(Problem("members", what, "Give the user's Id."))
    return str(ids[0])


# As much of a name is repeated as tells which it was.
_QUOTED = 100
_LOOK_ELSEWHERE = (
    "Ask explain, which looks into Salesforce too; look into the error log with errors;"
    " list who has left, with the filter active: false."
)


def find(views: RosterViews, organization: str, reference: str) -> Member:
    """Return the member with this id, id in a CRM, username or e-mail address.

    Raises `NotFound`, or `Rejected` where several fit.
    """
    reference = reference.strip()
    reason = None
    wanted = () if salesforce_ids.is_valid(reference) else keys_named(reference)
    if salesforce_ids.is_valid(reference):
        link = views.link(organization, salesforce_ids.to_18(reference))
        ids, reason = ([link.member], link.reason) if link else ([], None)
    elif wanted:
        ids = [*dict.fromkeys(views.matching(organization, wanted))]
    else:
        ids = [reference]
    members = [member for name in ids if name and (member := views.member(organization, name))]
    if wanted:
        members = [member for member in members if not frozenset(wanted).isdisjoint(keys_of(member))]
    members = [member for member in members if member.active] or members
    if not members:
        remedy = EXPLAINED.get(reason or "", _LOOK_ELSEWHERE)
        raise NotFound(Problem("member", not_in_the_roster(reference), remedy))
    if len(members) > 1:
        raise Rejected(
            Problem(
                "member",
                f"fits several members: {_quoted(reference)}",
                f"Name one by id: {', '.join(member.id for member in members)}.",
            )
        )
    return members[0]


def not_in_the_roster(reference: str) -> str:
    """Return what is wrong with a name that finds nobody."""
    return f"is not in the roster: {_quoted(reference)}"


def _quoted(reference: str) -> str:
    return repr(reference[:_QUOTED])
