"""Entries for the error log about members' accounts in apps, with remedies (O3, I8). Pure."""

from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.provisioning import step_outcomes
from muster.provisioning.group_renames import GroupRename
from muster.roster.accounts import CONFLICT, MATCHED, Account
from muster.settings.target_connection import TargetConnection

CONFLICTING, TO_ADOPT, NO_LICENCE = "account_conflict", "account_to_adopt", "account_no_licence"
NO_EFFECT, REFUSED, GROUP_REFUSED, NOT_RENAMED, LACKING = (
    "account_no_effect",
    "account_refused",
    "app_group_refused",
    "app_group_not_renamed",
    "account_lacks_attributes",
)
ORPHANS = "app_users_of_nobody"
CODES = frozenset(
    {CONFLICTING, TO_ADOPT, NO_LICENCE, NO_EFFECT, REFUSED, GROUP_REFUSED, NOT_RENAMED, LACKING, ORPHANS}
)

# So many are named.
_FEW = 10

_AGAIN = "It is tried again by itself: with the next push, six hours after that, then daily."
_REMEDIES = {
    CONFLICTING: "See in the app whose account it is. Correct the userName there or in the CRM, or adopt"
    " the account with MemberSettingsFunction (accounts: adopt).",
    TO_ADOPT: "If it is the member's, adopt it with MemberSettingsFunction (accounts: adopt); if not,"
    " ignore it there (accounts: ignore).",
    NO_LICENCE: f"Buy licences in the app, or free some. {_AGAIN}",
    NO_EFFECT: f"Look at the account in the app, and ask its support why it says done and does not. {_AGAIN}",
    REFUSED: f"Correct what the app names. {_AGAIN}",
    GROUP_REFUSED: f"Look at the group in the app. {_AGAIN}",
}


def remedy(account: Account) -> str:
    """Return what to do about an account for which nothing more is done for now."""
    return _REMEDIES[code_of(account)]


def fill(app: str) -> str:
    """Return what to do for a member who lacks attributes."""
    return f"Fill the fields in Salesforce that connections.{app} maps to these attributes, or map others."


def told_of(account: Account) -> str | None:
    """Return the code of what is told of an account as it is now; `None`: nothing."""
    waits = account.standing in (CONFLICT, MATCHED) or account.full_since or account.tries
    return code_of(account) if waits else None


def code_of(account: Account) -> str:
    """Return the code of why nothing more is done to an account for now."""
    if account.standing == CONFLICT:
        return CONFLICTING
    if account.standing == MATCHED:
        return TO_ADOPT
    if account.full_since:
        return NO_LICENCE
    return NO_EFFECT if account.why == step_outcomes.NO_EFFECT else REFUSED


def of_account(connection: TargetConnection, member: str, account: Account, at: str, run: str) -> LogEntry:
    """Return the entry about a member's account; `at` is now (ISO 8601), `run` the push."""
    code = code_of(account)
    why = account.why or "has the member's userName, and was there before"
    # The error log has no names and addresses of people.
    shown = "" if connection.ids_are_names else account.id
    where = f"account {shown}" if shown else "the account"
    return entry_of(
        Problem(where, why, _REMEDIES[code]),
        at=at,
        system=connection.key,
        code=code,
        notification=run,
        record=shown or member,
        member=member,
    )


def of_group(app: str, name: str, problem: Problem, at: str, run: str) -> LogEntry:
    """Return the entry about a group, by its name, into which members are not put."""
    told = Problem(f"group {name}", problem.message, f"{problem.remedy} {_REMEDIES[GROUP_REFUSED]}".strip())
    return entry_of(told, at=at, system=app, code=GROUP_REFUSED, notification=run, record=name)


def not_renamed(app: str, rename: GroupRename, problem: Problem | None, at: str, run: str) -> LogEntry:
    """Return the entry about a group that keeps its name, though its assignment has another now."""
    why = problem.message if problem else "there is a group of that name already"
    what = f"cannot be renamed {rename.after}, so its members are put into another of that name: {why}"
    remedy = (
        f"See in the app what the group {rename.before} was for, give {rename.after} the same, and delete the"
        " former. Muster does not touch it any more."
    )
    told = Problem(f"group {rename.before}", what, remedy)
    return entry_of(told, at=at, system=app, code=NOT_RENAMED, notification=run, record=rename.before)


def orphans(app: str, number: int, ids: list[str], at: str, run: str) -> LogEntry:
    """Return the entry about active users of an app who are nobody's; `ids` are those of the first."""
    few = ", ".join(ids[:_FEW]) + (", …" if number > _FEW else "")
    what = f"has {number:,} active {'user' if number == 1 else 'users'} who are no member's: {few}"
    remedy = (
        "See in the app who they are, and close what nobody needs: Muster leaves them alone. A preview of"
        " ScheduledPushFunction with compare names them."
    )
    return entry_of(
        Problem("the app", what, remedy), at=at, system=app, code=ORPHANS, notification=run, record=app
    )


def lacking(app: str, member: str, names: tuple[str, ...], at: str, run: str) -> LogEntry:
    """Return the entry about a member who lacks attributes without which the app takes nobody."""
    missing = ", ".join(names)
    problem = Problem("the account", f"cannot be made or changed: the member has no {missing}", "")
    return entry_of(
        Problem(problem.where, problem.message, fill(app)),
        at=at,
        system=app,
        code=LACKING,
        notification=run,
        record=member,
        member=member,
    )
