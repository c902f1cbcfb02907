"""Explanations of members and non-members that an admin can read top to bottom and act on (Q1). Pure.

    of_member      someone in the roster: the reason, and every value with its origin
    of_outsider    someone who is not in the roster
    evaluated      the result of evaluating a user now

An origin is `crm`, `align`, `assignment:<name>`, `manual:<user>` or `manager:<user>`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.insight import account_explanations, seat_explanations
from muster.insight.run_summaries import to_do
from muster.insight.seat_explanations import Lines
from muster.roster import (
    eligibility,
    manager_hierarchy,
    requests_set_aside,
    salesforce_lifecycle,
    seats,
)
from muster.roster.activity import grace_ends
from muster.roster.data_capture import Capture
from muster.roster.decisions import Decision, Outcome
from muster.roster.eligibility import Verdict
from muster.roster.entitlements import assignment_of
from muster.roster.links import Link
from muster.roster.member import Json, Member
from muster.roster.reasons import EXPLAINED, INACTIVE_USER, NAMESAKE_ACTIVE, UNMATCHED
from muster.runs.kinds import YOU
from muster.settings import Settings, assignment_order
from muster.settings.assignments import Assignment
from muster.sources.user_changes import UserChange

LAST_CHANGES = 5
LAST_RUNS = 5

_OUTDATED = (
    "The settings have changed since the last full import; the next import evaluates everyone by them."
)
_UNKNOWN_STATUS = (
    "The status is unknown: no name in connections.vault_crm.statuses is this one. Add it there, or check the"
    " user in Vault CRM."
)
_SET_ASIDE = (
    "The request is not sent, because the feature is not pushed. It is sent once connections.vault_crm."
    "manage_features names the feature, and field_maps.vault_crm.outbound its request."
)
_IGNORED = "Managers are not taken from Salesforce (settings: ignore_organizational_structure)."
# The switch of the settings that keeps a member active, by the reason for which it would leave.
_SWITCHES = {INACTIVE_USER: "when_deactivated", UNMATCHED: "when_unmatched"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context of a member's explanation.

    `lines` holds the line for each seat that the member waits for, `history` its latest changes, newest
    first. `managers_link` is the link of its manager's user, `managers_reason` why that user's member is
    inactive, if it is, `managers_name` the name of its manager. `above` maps its CRM id to its manager's, the
    manager's to the next one's, and so on, as far as they are members. `outdated`: the settings have
    changed since everyone was last evaluated.
    """

    lines: Lines
    history: Sequence[Json] = ()
    managers_link: Link | None = None
    managers_reason: str | None = None
    managers_name: str | None = None
    above: Mapping[str, str | None]
    outdated: bool = False


# ── People ───────────────────────────────────────────────────────────────────────────────────────────


def of_member(member: Member, settings: Settings, context: Context, now: datetime) -> Json:
    """Return why a member is active or not, and each value with its origin (Q1).

    The assignments are those of the last evaluation; `did_not_match` is `None` if that was not stored.
    """
    reason, why = _why(member, settings, now)
    matched = () if reason == UNMATCHED else member.matched if member.active else None
    return {
        "in": member.active,
        "why": why,
        "reason": reason,
        "since": _since(context.history, "active"),
        "member": member.id,
        "user": crm_id_of(member),
        "assignment": _won(member.assignment, member.update_mode, assignment_of(member, settings), settings),
        **_others(member.assignment, matched, settings),
        "note": _OUTDATED if context.outdated else None,
        "seats": _seats(member, settings, context),
        "workspaces": {
            name: {"profile": profile, "origin": _origin(member, f"workspaces.{name}")}
            for name, profile in member.workspaces.items()
        },
        "data_capture": {
            name: {**setting.to_json(), "why": _without_effect(setting, member, context.lines)}
            for name, setting in member.data_capture.items()
        },
        "groups": {
            feature: {
                **group.to_json(),
                "origin": _origin(member, f"{feature}.request") if group.request else None,
                **_note(member, feature),
            }
            for feature in engage_features.FEATURES
            if (group := member.feature(feature))
        },
        "accounts": account_explanations.of_member(member, settings, context.lines, context.history, now),
        "identity": _identity(member),
        "manager": _manager(member, settings, context),
        "keep_active": _kept(member, settings, now),
        "frozen": _frozen(member, settings),
        "crm_user_status": _by_hand(member, "crm_user_status"),
        "end_date": _by_hand(member, "end_date"),
        "last_changes": list(context.history[:LAST_CHANGES]),
        "runs": _runs(context.history),
    }


def _note(member: Member, feature: Feature) -> Json:
    if requests_set_aside.has(member, feature):
        return {"note": _SET_ASIDE}
    is_known = engage_features.is_known(feature, member.feature(feature).status)
    return {} if is_known else {"note": _UNKNOWN_STATUS}


def of_outsider(
    crm_id: str | None, link: Link | None, namesakes: Sequence[str], now: Json | None, salesforce: str | None
) -> Json:
    """Return why someone is not in the roster: by Salesforce's answer `now`, else by the last record.

    `now` is the result of `evaluated`; `salesforce` says why there is none. `namesakes` are the members
    that block a waiting user.
    """
    recorded = None
    if link and link.reason:
        why = _in_words(link.reason, namesakes if link.reason == NAMESAKE_ACTIVE else ())
        recorded = {"reason": link.reason, "why": why, "as_of": (link.source or "").partition("|")[0] or None}
    best = now or recorded or {"reason": None, "why": "Nothing is recorded about the person."}
    return {
        "in": False,
        "why": best["why"],
        "reason": best["reason"],
        "member": None,
        "user": crm_id,
        "recorded": recorded,
        "salesforce": salesforce,
        "now": now,
    }


def evaluated(change: UserChange, verdict: Verdict, decision: Decision, settings: Settings) -> Json:
    """Return the result of evaluating a user now: outcome, reason, what was judged, assignments, changes."""
    waits = decision.outcome is Outcome.WAITING
    reason = NAMESAKE_ACTIVE if waits else verdict.reason
    winner = verdict.assignment
    changes = [asdict(each) for each in decision.history.changes] if decision.history else []
    joins = reason is None and decision.outcome in (Outcome.CREATED, Outcome.LINKED)
    event = {"organization": settings.organization, "members": [change.crm_id], "by": YOU}
    return {
        "would_be": str(decision.outcome),
        "why": _outlook(reason, decision, len(changes), settings),
        "reason": reason,
        "would_have": eligibility.would_have(change.fields, settings, decision.before),
        "assignment": _won(winner.name, winner.update_mode, winner, settings) if winner else None,
        **_others(winner.name if winner else None, change.matches, settings),
        "changes": changes,
        "to_do": [to_do("Import the user now.", "ScheduledImportFunction", event)]
        if joins or changes
        else [],
    }


def crm_id_of(member: Member) -> str | None:
    """Return the id of the Salesforce user that a member is linked to."""
    return member.crm.get(salesforce_lifecycle.CONNECTION, {}).get("id")


# ── Assignments ──────────────────────────────────────────────────────────────────────────────────────


def _won(
    name: str | None, update_mode: str | None, assignment: Assignment | None, settings: Settings
) -> Json | None:
    """Return the assignment that decides; its position counts from 1, `None` if the settings lack it."""
    if name is None:
        return None
    position = assignment_order.rank(assignment, settings) + 1 if assignment else None
    return {"name": name, "position": position, "update_mode": update_mode}


def _others(won: str | None, matched: Iterable[str] | None, settings: Settings) -> Json:
    names = [each.name for each in settings.assignments]
    if matched is None:
        return {"also_matched": [], "did_not_match": None}
    matching = frozenset(matched)
    return {
        "also_matched": [name for name in names if name in matching and name != won],
        "did_not_match": [name for name in names if name not in matching],
    }


# ── Why ──────────────────────────────────────────────────────────────────────────────────────────────


def _why(member: Member, settings: Settings, now: datetime) -> tuple[str | None, str]:
    if not member.active:
        reason = member.inactive_reason
        return reason, _in_words(reason or "")
    if reason := _leaves_as(member):
        return reason, f"{_stays(member, reason, settings, now)} {_still_decides(member, settings)}"
    if member.assignment:
        return None, f"Assignment {member.assignment} is the uppermost of those that match."
    if settings.assignments:
        return None, "There were no assignments when the member was last evaluated, so everyone was in."
    return None, "There are no assignments: everyone is in, with nothing granted."


def _in_words(reason: str, namesakes: Sequence[str] = ()) -> str:
    text = EXPLAINED.get(reason, "It was deactivated.")
    return f"{text} That is {', '.join(namesakes)}." if namesakes else text


def _leaves_as(member: Member) -> str | None:
    """Return the reason for which a member would leave if the settings did not keep it (A13)."""
    # What an earlier version stored has no more than the moment.
    return member.kept_reason or (UNMATCHED if member.unmatched_since else None)


def _stays(member: Member, reason: str, settings: Settings, now: datetime) -> str:
    """Return why, and until when, a member stays all the same (A7, A8)."""
    since, switch = member.unmatched_since, _SWITCHES[reason]
    start = f"No assignment matches since {since}" if since else EXPLAINED[reason].removesuffix(".")
    if getattr(settings.keep_active, switch):
        return f"{start}; the member stays for as long as the settings say so (keep_active.{switch})."
    if since is None:
        return f"{start}; the settings keep nobody for that any more: the next import deactivates the member."
    ends = grace_ends(since, settings)
    if datetime.fromisoformat(ends) <= now:
        return f"{start}; the days of grace are over, and the next import deactivates the member."
    return f"{start}; the member will be deactivated on {ends}, by the first import from then on."


def _still_decides(member: Member, settings: Settings) -> str:
    if assignment_of(member, settings):
        return f"Assignment {member.assignment}, the last that matched, still decides what it may have."
    return "The assignment that last matched is not in the settings any more: the member keeps what it has."


def _outlook(reason: str | None, decision: Decision, changes: int, settings: Settings) -> str:
    """Return the result of evaluating a user now, in words."""
    member = decision.after or decision.before
    if reason == NAMESAKE_ACTIVE:
        return _in_words(reason, [each.id for each in decision.unchanged])
    if decision.outcome is Outcome.STALE:
        return "What Salesforce answered is older than what the roster holds; ask again in a while."
    if reason and member and member.active:
        kept = "when_unmatched" if reason == UNMATCHED else "when_deactivated"
        until = (
            f" until {grace_ends(member.unmatched_since, settings)}"
            if member.unmatched_since
            else f" (settings: keep_active.{kept})"
        )
        return f"{_in_words(reason)} The member stays active all the same{until}."
    if reason:
        return _in_words(reason)
    match decision.outcome:
        case Outcome.CREATED:
            return "Nothing stands against it: the next full import adds the user."
        case Outcome.LINKED:
            found = decision.before.id if decision.before else ""
            return f"Nothing stands against it: the next full import links the user to member {found}."
    if not changes:
        return "Evaluated now, nothing would change."
    return f"Evaluated now, {changes:,} {'value' if changes == 1 else 'values'} would change."


def _kept(member: Member, settings: Settings, now: datetime) -> Json | None:
    """Return why the settings keep a member active, since when and until when; `None`: they need not."""
    reason = _leaves_as(member) if member.active else None
    if reason is None:
        return None
    since, always = member.unmatched_since, getattr(settings.keep_active, _SWITCHES[reason])
    ends = grace_ends(since, settings) if since and not always else None
    why = _stays(member, reason, settings, now)
    return {"reason": reason, "unmatched_since": since, "deactivated_on": ends, "why": why}


def _frozen(member: Member, settings: Settings) -> Json | None:
    """Return since when the user is seen frozen in Salesforce, and what that comes to (A17)."""
    if member.frozen_since is None:
        return None
    comes_to = (
        "the next import deactivates the member"
        if settings.auto_provision.frozen_users == "inactive"
        else "the member stays (settings: auto_provision.frozen_users)"
    )
    so_what = f"; {comes_to}" if member.active else ""
    why = f"The user is frozen in Salesforce, as seen since {member.frozen_since}{so_what}."
    return {"since": member.frozen_since, "why": why}


# ── Values and where they come from ──────────────────────────────────────────────────────────────────


def _origin(member: Member, key: str) -> str | None:
    given = f"assignment:{member.assignment}" if member.assignment else None
    return member.origins.get(key) or given


def _without_effect(setting: Capture, member: Member, lines: Lines) -> str | None:
    if not setting.lacks_its_seat or setting.seat_required is None:
        return None
    return f"It has no effect yet. {seat_explanations.lacking(setting.seat_required, member, lines)}"


def _seats(member: Member, settings: Settings, context: Context) -> Json:
    """Return each seat with the reason, and since when it is held, if the latest changes include that."""
    shown = seat_explanations.of_member(member, assignment_of(member, settings), settings, context.lines)
    for name, seat in shown.items():
        if seat["state"] == seats.HELD:
            seat["since"] = _since(context.history, f"seats.{name}.state")
    return shown


def _identity(member: Member) -> Json:
    given = member.crm.get(salesforce_lifecycle.CONNECTION, {}).get("email")
    converted = given is not None and member.email is not None and given != member.email
    return {
        "name": member.name,
        "username": member.username,
        "email": member.email,
        "origin": "crm",
        "as_of": member.sources.get(salesforce_lifecycle.CONNECTION, "").partition("|")[0] or None,
        "why": "The e-mail address is not the one in Salesforce (settings: domains.convert, field_maps)."
        if converted
        else None,
    }


def _by_hand(member: Member, name: str) -> Json:
    value = getattr(member, name)
    return {"value": value, "origin": member.origins.get(name, "crm") if value is not None else None}


def _manager(member: Member, settings: Settings, context: Context) -> Json:
    ignored = settings.ignore_organizational_structure
    if member.manager:
        why, origin = (_IGNORED if ignored else None), member.origins.get("manager", "crm")
    else:
        why, origin = (_IGNORED if ignored else _no_manager(member, context)), None
    return {
        "id": member.manager,
        "name": context.managers_name,
        "user": member.reports_to,
        "origin": origin,
        "why": why,
    }


def _no_manager(member: Member, context: Context) -> str:
    own, above, link = crm_id_of(member), member.reports_to, context.managers_link
    if above is None:
        return "Salesforce names no manager."
    if above == own:
        return "In Salesforce the user is their own manager."
    if link is None or link.member is None:
        reason = f" {EXPLAINED[link.reason]}" if link and link.reason in EXPLAINED else ""
        return f"The manager in Salesforce, {above}, is not a member.{reason}"
    if context.managers_reason:
        why = EXPLAINED.get(context.managers_reason, "It was deactivated.")
        return f"The manager in Salesforce, {above}, is not an active member. {why}"
    for loop in manager_hierarchy.loops(context.above):
        if own in loop:
            circle = " → ".join([*loop, loop[0]])
            return f"The managers in Salesforce lead in a circle, so none of them has one here: {circle}."
    return (
        f"The manager in Salesforce, {above}, became a member after this one was last evaluated; the next"
        " full import enters it. (Or the managers lead in a circle over someone who is not a member.)"
    )


# ── History ──────────────────────────────────────────────────────────────────────────────────────────


def _since(history: Sequence[Json], field: str) -> str | None:
    """Return when a value became what it is, if the latest changes include that."""
    moments = (
        entry["at"] for entry in history if any(change["field"] == field for change in entry["changes"])
    )
    return next(moments, None)


def _runs(history: Sequence[Json]) -> list[Json]:
    """Return the latest runs that changed the member, and the values they changed."""
    found: dict[str, Json] = {}
    for entry in history:
        kind, _, run_id = entry["run"].partition(":")
        if kind == "run":
            run = found.setdefault(run_id, {"run_id": run_id, "at": entry["at"], "changed": []})
            run["changed"] += [
                change["field"] for change in entry["changes"] if change["field"] not in run["changed"]
            ]
    return list(found.values())[:LAST_RUNS]
