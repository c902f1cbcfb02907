"""accounts: members' accounts in apps that were there before, adopted, ignored or looked for again."""

from typing import Annotated

import typer

from muster_cli.asking import Muster
from muster_cli.member_commands import MEMBERS

App = Annotated[str, typer.Argument(metavar="APP", help="The app, as in the settings: scim.gong.")]
Whose = Annotated[
    list[str] | None,
    typer.Argument(metavar="[MEMBER]...", help="E-mail addresses, usernames, member ids or CRM ids."),
]
State = Annotated[
    str | None,
    typer.Option(
        "--state", help="In place of members, all whose account is to_adopt, conflict, ignored and so on."
    ),
]
Why = Annotated[str | None, typer.Option("--why", help="Why; it stays in the members' history.")]
Preview = Annotated[bool, typer.Option("--preview", help="Say what would be, and change nothing.")]


def adopt(
    to: Muster,
    app: App,
    members: Whose = None,
    *,
    state: State = None,
    why: Why = None,
    preview: Preview = False,
) -> int:
    """Say that an account that was there before is the member's; the next push writes to it.

    Example: muster accounts adopt scim.gong --state to_adopt --preview
    """
    return _said(to, "adopt", app, members, state, why, preview=preview)


def ignore(
    to: Muster,
    app: App,
    members: Whose = None,
    *,
    state: State = None,
    why: Why = None,
    preview: Preview = False,
) -> int:
    """Leave an account alone, whatever becomes of the member."""
    return _said(to, "ignore", app, members, state, why, preview=preview)


def reconsider(
    to: Muster,
    app: App,
    members: Whose = None,
    *,
    state: State = None,
    why: Why = None,
    preview: Preview = False,
) -> int:
    """Have the next push look for the member's account again."""
    return _said(to, "reconsider", app, members, state, why, preview=preview)


def _said(
    to: Muster,
    word: str,
    app: str,
    members: list[str] | None,
    state: str | None,
    why: str | None,
    *,
    preview: bool,
) -> int:
    """Say that of these accounts, and again while there was no time for all of them."""
    event = {
        "accounts": {app: word},
        "members": members or None,
        "filter": {"account": state} if state else None,
        "why": why,
        "preview": preview or None,
    }
    answer = to.sign(MEMBERS, **event)
    while answer["status"] == "continue":
        to.show(answer)
        answer = to.sign(MEMBERS, **event)
    return to.show(answer)
