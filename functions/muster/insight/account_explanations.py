"""A member's accounts in apps: whose they are, what is due, why there is none, and what to do (Q1). Pure.

What pushes remember of the groups there is not asked: the groups are those that the account was put into.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from muster.insight import run_summaries, seat_explanations
from muster.insight.seat_explanations import Lines
from muster.presentation import words
from muster.provisioning import account_errors
from muster.provisioning.differences import Kind, Step, difference
from muster.provisioning.wanted_accounts import WantedAccount, wanted
from muster.roster import accounts, end_dates
from muster.roster.accounts import CONFLICT, IGNORED, MATCHED, NO_ACCOUNT, Account
from muster.roster.member import Json, Member
from muster.roster.reasons import EXPLAINED
from muster.runs.kinds import YOU
from muster.settings import Settings
from muster.settings.target_connection import HoldersOf, MembersOf, TargetConnection
from muster.times import timestamp

# What the next push does, by step.
_DOES = {
    Kind.LOOK: "looks for the account",
    Kind.LEAVE: "takes it out of {}",
    Kind.DEACTIVATE: "closes it",
    Kind.DELETE: "deletes it",
    Kind.ACTIVATE: "opens it again",
    Kind.CREATE: "makes it",
    Kind.READ_BACK: "reads back whether it is open",
    Kind.CHANGE: "sends what has changed",
    Kind.JOIN: "puts it into {}",
    Kind.CLOSE_OTHERS: "closes the member's other accounts",
}
_NOT_IN_SETTINGS = "The app is not in the settings any more: Muster leaves the account as it is."
_RECONSIDER = "To have it looked for again, use MemberSettingsFunction (accounts: reconsider)."


@dataclass(frozen=True, slots=True)
class _Case:
    """A member and its account in an app, what it is to have there, and the lines that it waits in."""

    member: Member
    connection: TargetConnection
    account: Account
    wanted: WantedAccount | None
    settings: Settings
    lines: Lines
    now: datetime

    @property
    def at(self) -> str:
        return timestamp(self.now)


def of_member(
    member: Member, settings: Settings, lines: Lines, history: Sequence[Json], now: datetime
) -> dict[str, Json]:
    """Return how a member stands with each app, by connection: those of the settings, then all others.

    `{state, user_name, id, since, origin, groups, read_back, is_to_be_in, why, next, due, do, stays_valid}`:
    `state` as the member's JSON shows it (`None`: no account), `since` when it became so, if among the latest
    changes, newest first. `read_back` is `open`, `closed` or `None`, as the app has shown it last. `why` says
    what is not as it is to be, or why there is no account; `next` is what the next push that looks at the
    member does, `due` from when on (ISO 8601; empty: with the next push; `None`: nothing is due), `do` what
    somebody has to do, and `stays_valid` what of a closed account cannot be ended (O4).
    """
    found = {}
    for key, connection in settings.connections.targets():
        to_have = wanted(member, connection, settings, end_dates.today(now, settings.time_zone))
        recorded = member.accounts.get(key, NO_ACCOUNT)
        is_there = recorded.system in ("", connection.leads_to)
        account = recorded if is_there else NO_ACCOUNT
        case = _Case(member, connection, account, to_have, settings, lines, now)
        found[key] = _shown(key, account, history) | _explained(case)
        if not is_there:
            found[key]["why"] = (
                f"Its former account is in {recorded.system}, where the connection led before, and stays"
                f" there as it is. {found[key]['why'] or ''}".rstrip()
            )
    for key, account in member.accounts.items():
        if key not in found and account.state:
            found[key] = _shown(key, account, history) | _nothing_due(_NOT_IN_SETTINGS)
    return found


def to_do(organization: str, member: str, accounts: Mapping[str, Json]) -> list[Json]:
    """Return what an admin can do about a member's accounts, as `of_member` shows them: events to paste."""
    return [
        run_summaries.to_do(
            f"Adopt the account in {words.connection(app)} (or say ignore in place of adopt): this previews"
            " it, and without preview it is done.",
            "MemberSettingsFunction",
            {
                "organization": organization,
                "accounts": {app: "adopt"},
                "members": [member],
                "by": YOU,
                "preview": True,
            },
        )
        for app, account in accounts.items()
        if account["state"] == "to_adopt"
    ]


def _shown(key: str, account: Account, history: Sequence[Json]) -> Json:
    field = f"accounts.{key}.state"
    moments = (
        entry["at"] for entry in history if any(change["field"] == field for change in entry["changes"])
    )
    return {
        "state": account.state or None,
        "user_name": account.user_name or None,
        "id": account.id or None,
        "since": next(moments, None),
        "origin": account.origin or None,
        "groups": sorted(account.groups),
        "read_back": None if account.active is None else "open" if account.active else "closed",
    }


def _nothing_due(why: str) -> Json:
    return {
        "is_to_be_in": False,
        "why": why,
        "next": [],
        "due": None,
        "do": None,
        "stays_valid": None,
    }


def _explained(case: _Case) -> Json:
    why, to_do = _why(case)
    due, steps = _due(case)
    is_closed = case.account.state in ("inactive", "deleted")
    return {
        "is_to_be_in": case.wanted is not None,
        "why": why,
        "next": [_DOES[step.kind].format(words.listed(step.groups)) for step in steps],
        "due": due,
        "do": to_do,
        "stays_valid": case.connection.stays_valid if is_closed else None,
    }


def _due(case: _Case) -> tuple[str | None, Sequence[Step]]:
    """Return from when on a push looks at the member, and what it does then, as far as can be foreseen."""
    key, member = case.connection.key, case.member
    due = accounts.due({key: case.account}, [name for name in member.changed_for if name == key]).get(key)
    account = case.account
    if due and due > case.at:
        # As it will be then.
        return due, difference(account, case.wanted, case.connection, due)
    if due is not None:
        return "", difference(account, case.wanted, case.connection, case.at)
    # The settings may have changed: then everybody is looked at. Who was looked for has no account.
    steps = difference(account, case.wanted, case.connection, case.at, has_looked=True)
    return ("" if steps else None), steps


def _why(case: _Case) -> tuple[str | None, str | None]:
    """Return what is not as it is to be, or why there is no account, and what somebody has to do."""
    account = case.account
    if account.standing == IGNORED:
        _, _, who = account.origin.partition(":")
        return f"The account is left alone, by {who or 'hand'}.", _RECONSIDER
    if account.standing in (MATCHED, CONFLICT) or account.full_since or account.tries:
        return _waits(account), account_errors.remedy(account)
    if account.others:
        return "Another account there is the member's as well, and is to be closed.", None
    if case.wanted is None:
        return _why_not_in(case), None
    if case.wanted.lacking:
        missing = ", ".join(case.wanted.lacking)
        why = f"The member has no {missing}, and the app needs it: nothing is sent."
        return why, account_errors.fill(case.connection.key)
    if account.unsure:
        return "What was sent last may have arrived or not; the next push looks.", None
    if account.is_linked:
        return None, None
    if case.connection.only_ends_access:
        return "Muster makes no accounts there; it closes the account of who leaves, if there is one.", None
    if not case.connection.makes_accounts:
        remedy = "Make the account in the app: it is found as soon as anything changes of the member."
        return "There is none yet, and Muster makes none there (create is off in the settings).", remedy
    return "There is none yet.", None


def _waits(account: Account) -> str:
    why = account.why.removesuffix(".")
    if account.standing == MATCHED:
        there = f"{account.user_name} ({account.id})"
        return f"An account with the member's userName, {there}, was there before, and is left alone."
    if account.standing == CONFLICT:
        return f"It is not clear whose the account is: {why}."
    if account.full_since:
        return f"The app has had no licence left for the member since {words.moment(account.full_since)}."
    return f"The latest try has failed: {why}."


def _why_not_in(case: _Case) -> str:
    member, who = case.member, case.connection.who
    if end_dates.has_left(member, end_dates.today(case.now, case.settings.time_zone)):
        reason = end_dates.closed_by_hand(member, end_dates.today(case.now, case.settings.time_zone))
        return EXPLAINED.get(reason or "", "The member is not active.")
    if isinstance(who, HoldersOf):
        lacks = seat_explanations.lacking(who.seat, member, case.lines)
        return f"Only who holds the seat {who.seat} is in the app. {lacks or ''}".rstrip()
    if isinstance(who, MembersOf):
        named = words.listed(who.assignments)
        has = f"the member has {member.assignment or 'no assignment'}"
        return f"Only members with the assignment {named} are in the app; {has}."
    return "The member is not to be in the app."
