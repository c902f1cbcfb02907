"""What is said by hand of a member's accounts in apps: each adopted, ignored or looked for again (O3).

    adopt         an account that was there before is the member's: the next push reads it and writes to it
    ignore        it is left alone, whatever becomes of the member
    reconsider    the next push looks for the member's account again

Nothing is sent with the edit. Pure: no I/O, no clock.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import Field

from muster import validation
from muster.errors import Problem
from muster.presentation import words as called
from muster.provisioning import adoption
from muster.provisioning.adoption import Word
from muster.provisioning.wanted_accounts import wanted
from muster.roster.accounts import IGNORED, NO_ACCOUNT, Account, is_in_reach
from muster.roster.member import Member
from muster.settings import Settings

# As many as an organization has, of every kind of app.
MOST_APPS = 50

# An app as the settings have it, or had it.
type AppName = Annotated[str, Field(max_length=80, examples=["scim.gong"])]
# By app and the account's id there, the member (id) to whom it is linked.
type Taken = Mapping[tuple[str, str], str]

# How accounts stand of which something is said together, in words.
STATES: Mapping[str, str] = {
    "to_adopt": "waits to be adopted",
    "conflict": "is not clearly theirs",
    "ignored": "is left alone",
    "no_licence": "waits for a licence",
    "failed": "could not be made",
    "active": "is open",
}


def about(member: Member, said: Mapping[str, Word], state: str) -> list[tuple[str, Word]]:
    """Return what is said of the member's accounts that stand so."""
    accounts = member.accounts
    return [(app, word) for app, word in said.items() if accounts.get(app, NO_ACCOUNT).state == state]


def described(said: Mapping[str, Word], state: str) -> str:
    """Return of which accounts something is said, in words."""
    apps = " or ".join(called.connection(app) for app in said)
    return f"an account in {apps} that {STATES[state]}"


def adopting(member: Member, said: Mapping[str, Word]) -> list[tuple[str, str]]:
    """Return the accounts (app, id there) that would be adopted."""
    found = ((app, member.accounts.get(app, NO_ACCOUNT).id) for app, word in said.items() if word == "adopt")
    return [(app, account) for app, account in found if account]


def judged(
    member: Member, said: Mapping[str, Word], by: str, taken: Taken, settings: Settings
) -> dict[str, Account | Problem]:
    """Return, by app, the account as it becomes by what is said of it, or why that cannot be."""
    return {app: _judged(member, app, word, by, taken, settings) for app, word in said.items()}


def with_accounts(
    member: Member,
    becomes: Mapping[str, Account],
    said: Mapping[str, Word],
    settings: Settings,
    today: date,
) -> tuple[Member, list[str]]:
    """Return the member with accounts as they become, and a note on each; the next push looks at them."""
    changed = {app: each for app, each in becomes.items() if each != member.accounts.get(app, NO_ACCOUNT)}
    after = replace(member, accounts={**member.accounts, **changed}) if changed else member
    return after, [_note(after, app, said[app], changed, settings, today) for app in becomes]


def _judged(
    member: Member, app: str, word: Word, by: str, taken: Taken, settings: Settings
) -> Account | Problem:
    where, account = f"accounts.{app}", member.accounts.get(app, NO_ACCOUNT)
    targets = dict(settings.connections.targets())
    leads_to = targets[app].leads_to if app in targets else None
    in_reach = is_in_reach(account, leads_to)
    if leads_to is None and (word != "ignore" or account == NO_ACCOUNT):
        return Problem(where, "is not an app of the settings", validation.did_you_mean(app, targets))
    if word == "ignore":
        return adoption.ignored(where, account, by, is_in_reach=in_reach)
    if not in_reach:
        remedy = "Push first: the member is looked for in the app that it leads to now."
        return Problem(where, "is an account in another app, to which the connection led before", remedy)
    if word == "reconsider":
        return adoption.reconsidered(account)
    holder = taken.get((app, account.id))
    return adoption.adopted(where, account, by, holder if holder != member.id else None)


def _note(
    member: Member, app: str, word: Word, changed: Mapping[str, Account], settings: Settings, today: date
) -> str:
    """Return which account it is, and what comes of it next."""
    account, name = member.accounts.get(app, NO_ACCOUNT), called.connection(app)
    which = f"{account.user_name or account.id} in {name}"
    if app not in changed:
        return f"{_as_it_is(account)}: {which if account.state else name}."
    if word == "ignore":
        return f"Whoever can sign in to the account {which} can go on doing so."
    if word == "reconsider":
        return f"The next push to {name} looks for it."
    target = dict(settings.connections.targets())[app]
    becomes = wanted(member, target, settings, today)
    if becomes is None:
        left = "the member is not to be in the app (who)" if member.active else "the member has left"
        return f"The next push closes the account {which}, for {left}."
    lacks = f" once the member has {', '.join(becomes.lacking)}" if becomes.lacking else ""
    return f"The next push reads the account {which} and brings it in line{lacks}."


def _as_it_is(account: Account) -> str:
    """Return what is said of an account about which nothing changes."""
    if account.standing == IGNORED:
        return "It is left alone already"
    if account.is_linked:
        return "It is the member's already"
    return "There is nothing to reconsider"
