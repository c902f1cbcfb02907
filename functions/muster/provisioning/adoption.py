"""What a person says of a member's account in an app: it is the member's, or to be left alone (O3). Pure."""

from dataclasses import replace
from typing import Literal

from muster.errors import Problem
from muster.roster.accounts import CONFLICT, IGNORED, LINKED, MATCHED, NO_ACCOUNT, UNKNOWN, Account

type Word = Literal["adopt", "ignore", "reconsider"]


def adopted(where: str, account: Account, by: str, holder: str | None) -> Account | Problem:
    """Return the account as the member's, or why it cannot be: the next push reads it, then writes to it.

    `where` is what a problem is said of, `by` who says so; `holder` is the other member (id) to whom the
    account is linked, if there is one.
    """
    if account.is_linked:
        return account
    if account.standing not in (MATCHED, CONFLICT, IGNORED):
        message = "cannot be adopted: no account there is known that could be the member's"
        remedy = "Push to the app first: it finds the accounts that have a member's userName."
        return Problem(where, message, remedy)
    if not account.id:
        why = account.why or "no account was found"
        remedy = "Correct that in the app or in the CRM, then say reconsider: the next push looks again."
        return Problem(where, f"cannot be adopted, for it is not clear which account it is: {why}", remedy)
    if holder is not None:
        message = f"cannot be adopted: the account {account.id} is linked to the member {holder}"
        return Problem(where, message, "Correct who of the two has which userName.")
    return replace(
        NO_ACCOUNT,
        unknown=account.unknown,
        standing=LINKED,
        system=account.system,
        id=account.id,
        user_name=account.user_name,
        origin=f"adopted:{by}",
        # As far as can be foreseen: the push reads it before it does anything.
        active=True,
        unsure=True,
    )


def ignored(where: str, account: Account, by: str, *, is_in_reach: bool) -> Account | Problem:
    """Return the account as one to be left alone, whatever becomes of the member, or why it cannot be.

    `is_in_reach`: pushes reach the app; one that they do not reach any more keeps what it has.
    """
    if account.standing == IGNORED:
        return account
    if account.is_linked and is_in_reach:
        remedy = "Take the member out of the app: see who of its connection in the settings."
        return Problem(where, "cannot be ignored: the account is one that Muster keeps", remedy)
    if account.standing == UNKNOWN and account.unsure and is_in_reach:
        remedy = "Let a push look for it first, then send this again."
        return Problem(where, "cannot be ignored yet: an account may just have been made", remedy)
    if not account.state:
        remedy = "Who is in the app is said by who of its connection in the settings."
        return Problem(where, "cannot be ignored: no account there is known", remedy)
    return replace(
        account,
        standing=IGNORED,
        origin=f"ignored:{by}",
        why="",
        unsure=False,
        taken=False,
        full_since=None,
        tries=None,
        tried="",
    )


def reconsidered(account: Account) -> Account:
    """Return the account as one that the next push looks for again, even of who has left meanwhile.

    One that is the member's, or that is being looked for already, stays as it is.
    """
    if account.is_linked or not account.state:
        return account
    if account.unsure:
        # It may have been made, and what is known of that says whose it is.
        return replace(account, tries=None, tried="")
    return replace(
        NO_ACCOUNT,
        unknown=account.unknown,
        system=account.system,
        user_name=account.user_name,
        unsure=True,
    )
