"""What a person says of an account that was there before: it is the member's, or to be left alone (O3)."""

from collections.abc import Mapping
from dataclasses import replace

from muster.errors import Problem
from muster.roster.accounts import CONFLICT, IGNORED, LINKED, MATCHED, NO_ACCOUNT, Account


def adopted(member: str, account: Account, by: str, taken: Mapping[str, str]) -> Account | Problem:
    """Return the account as the member's, or why it cannot be: the next push reads it, then writes to it.

    `taken` maps accounts that are linked, by their ids, to members; `by` is who says so.
    """
    other = taken.get(account.id)
    if account.is_linked:
        return Problem(member, "has an account in the target already", "Nothing is to be done.")
    if account.standing not in (MATCHED, CONFLICT, IGNORED) or not account.id:
        return Problem(
            member,
            "has no account in the target that could be adopted",
            "Push first: accounts with the member's userName are found then.",
        )
    if other is not None and other != member:
        return Problem(
            member,
            f"would get the account that is linked to the member {other}",
            "Correct who of the two has which userName.",
        )
    nobodys = replace(NO_ACCOUNT, unknown=account.unknown)
    return replace(
        nobodys,
        standing=LINKED,
        id=account.id,
        user_name=account.user_name,
        origin=f"adopted:{by}",
        unsure=True,
    )


def ignored(member: str, account: Account, by: str) -> Account | Problem:
    """Return the account as one to be left alone, whatever becomes of the member, or why it cannot be."""
    if account.is_linked:
        return Problem(
            member,
            "has an account that Muster keeps",
            "Take the member out of the app first: see `who` of its connection in the settings.",
        )
    return replace(account, standing=IGNORED, origin=f"ignored:{by}", why="", unsure=False)


def reconsidered(account: Account) -> Account:
    """Return the account as one that the next push looks for again."""
    return account if account.is_linked else replace(NO_ACCOUNT, unknown=account.unknown)
