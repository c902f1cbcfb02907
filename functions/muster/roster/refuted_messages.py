"""Messages that said what Salesforce, asked after they came in, does not bear out (W11). Pure.

Only what matters is told: that somebody is active, or by which assignment. And only of messages that are
stamped later than what Salesforce shows; with any other, what was read is simply newer.
"""

from muster.crm import salesforce_ids
from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.roster import eligibility
from muster.roster.decisions import Decision, Outcome
from muster.roster.member import Member
from muster.settings import Settings
from muster.sources.newest_changes import is_refuted, message_of
from muster.sources.user_changes import UserChange

CODE = "message_refuted"
_CONNECTION = "salesforce"

type _Standing = tuple[bool, str | None]


def refuted(change: UserChange, decision: Decision, settings: Settings) -> LogEntry | None:
    """Return the error-log entry of the message that a decision refutes, if it refutes one.

    That is the message which what was known came from, where the change was read; or the change itself,
    where what was known was read after it came in.
    """
    known = _known(change, decision)
    if known is None:
        return None
    if decision.outcome is Outcome.STALE:
        told, read, said, shows = change.source, known, _said(change, settings), _standing(decision.before)
    else:
        told, read = known, change.source
        said, shows = _standing(_linked(change, decision)), _standing(decision.after or decision.before)
    if said == shows or not is_refuted(told, read):
        return None
    return _entry(change.crm_id, told, said, shows)


def _linked(change: UserChange, decision: Decision) -> Member | None:
    """Return the member that the user was linked to before."""
    before = decision.before
    return before if before and before.crm.get(_CONNECTION, {}).get("id") == change.crm_id else None


def _known(change: UserChange, decision: Decision) -> str | None:
    """Return the source version that was known of the user before."""
    if member := _linked(change, decision):
        return member.sources.get(_CONNECTION)
    return decision.link_before.source if decision.link_before else None


def _standing(member: Member | None) -> _Standing:
    return (True, member.assignment) if member and member.active else (False, None)


def _said(change: UserChange, settings: Settings) -> _Standing:
    verdict = eligibility.evaluate(change.fields, change.matches, settings)
    if verdict.reason:
        return False, None
    return True, verdict.assignment.name if verdict.assignment else None


def _entry(crm_id: str, told: str, said: _Standing, shows: _Standing) -> LogEntry:
    notification, taken_in = message_of(told)
    problem = Problem(
        "the message",
        f"said that the user is {_in_words(said)}; Salesforce, asked after it had come in, shows one who is"
        f" {_in_words(shows)}, and no change as late as the message says: what Salesforce shows counts",
        "Look at the user in Salesforce. If it is right there, nothing has to be mended; but find out what"
        " sent the message (an old flow, a copy of the org). If nothing of yours did, the webhook's address"
        " is known to others: rotate the token twice (rotate_token), and leave auto_provision.read_back on.",
    )
    # Dated by the message: the same entry whoever finds it, and however often.
    return entry_of(
        problem,
        at=taken_in,
        system=_CONNECTION,
        code=CODE,
        notification=salesforce_ids.to_18(notification)
        if salesforce_ids.is_valid(notification)
        else notification,
        record=crm_id,
    )


def _in_words(standing: _Standing) -> str:
    active, assignment = standing
    if not active:
        return "not to be active"
    return f"active in assignment {assignment}" if assignment else "active"
