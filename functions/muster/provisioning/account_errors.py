"""Entries for the error log about members' accounts in apps, with remedies (O3, I8). Pure."""

from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.provisioning import step_outcomes
from muster.roster.accounts import CONFLICT, MATCHED, Account
from muster.settings.target_connection import TargetConnection

CONFLICTING, TO_ADOPT, NO_LICENCE = "account_conflict", "account_to_adopt", "account_no_licence"
NO_EFFECT, REFUSED, GROUP_REFUSED, LACKING = (
    "account_no_effect",
    "account_refused",
    "app_group_refused",
    "account_lacks_attributes",
)
CODES = frozenset({CONFLICTING, TO_ADOPT, NO_LICENCE, NO_EFFECT, REFUSED, GROUP_REFUSED, LACKING})

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


def lacking(app: str, member: str, names: tuple[str, ...], at: str, run: str) -> LogEntry:
    """Return the entry about a member who lacks attributes without which the app takes nobody."""
    missing = ", ".join(names)
    problem = Problem("the account", f"cannot be made or changed: the member has no {missing}", "")
    remedy = f"Fill the fields in Salesforce that connections.{app} maps to these attributes, or map others."
    return entry_of(
        Problem(problem.where, problem.message, remedy),
        at=at,
        system=app,
        code=LACKING,
        notification=run,
        record=member,
        member=member,
    )
