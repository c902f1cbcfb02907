"""Questions: explain, list, member, history, as-of, diff, changes, seats, licences, errors and more."""

from typing import Annotated, Any

import typer

from muster_cli.asking import Muster
from muster_cli.failures import Failure

Member = Annotated[
    str, typer.Argument(metavar="MEMBER", help="An e-mail address, username, member id or CRM id.")
]
Limit = Annotated[int | None, typer.Option("--limit", help="So many at most.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Go on where an answer ended.")]
Anybody = Annotated[
    str | None, typer.Argument(metavar="[MEMBER]", help="A member, by any name; without one, everybody.")
]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="NAME=VALUE", help="Any filter; may be given several times."),
]
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None}


def explain(
    to: Muster,
    member: Member,
    *,
    live: Annotated[bool, typer.Option("--live", help="Ask Salesforce anew, even about a member.")] = False,
) -> int:
    """Say why somebody is in the roster or not, and where each value comes from.

    Example: muster explain ada@acme.example
    """
    return to.show(to.query("explain", member=member, live=live or None))


def member(to: Muster, member: Member) -> int:
    """Show all that the roster has of a member."""
    return to.show(to.query("member", member=member))


def history(to: Muster, member: Member, *, limit: Limit = None, cursor: Cursor = None) -> int:
    """List what has changed of a member, the newest first, and by what."""
    answer = to.listed("history", member=member, limit=limit, cursor=cursor)
    return to.show(answer, "history")


def as_of(
    to: Muster,
    member: Anybody = None,
    *,
    at: Annotated[str, typer.Option("--at", help="A moment, or a day, of which the end is meant.")],
    where: Filters = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> int:
    """Show how a member was at a moment, and what has changed since; or who was in the roster.

    Example: muster as-of --at 2026-11-20 --filter seat=gong
    """
    filters = _pairs(where or ()) or None
    answer = to.query("as_of", member=member, at=at, filter=filters, limit=limit, cursor=cursor)
    return to.show(answer, None if member else "members")


def diff(  # noqa: PLR0913 - one parameter an option
    to: Muster,
    member: Anybody = None,
    *,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on: yesterday, a date or a moment.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when; by default now.")] = None,
    since_run: Annotated[str | None, typer.Option("--since-run", help="From the end of this run on.")] = None,
    until_run: Annotated[str | None, typer.Option("--until-run", help="Until the end of this run.")] = None,
    run_id: Annotated[str | None, typer.Option("--run", help="What this run has changed.")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> int:
    """Show what differs between two moments or runs: of a member, or who joined, left and changed.

    Example: muster diff --since 2026-11-01 --until 2026-11-20
    """
    asked = {
        "since": since,
        "until": until,
        "since_run": since_run,
        "until_run": until_run,
        "run_id": run_id,
    }
    return to.show(to.query("diff", member=member, **asked, limit=limit, cursor=cursor))


def list_(  # noqa: PLR0913 - one parameter an option
    to: Muster,
    *,
    seat: Annotated[str | None, typer.Option("--seat", help="Who holds this seat.")] = None,
    waiting: Annotated[str | None, typer.Option("--waiting", help="Who waits for this seat.")] = None,
    assignment: Annotated[str | None, typer.Option("--assignment", help="Who has this assignment.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Who is in this Engage group.")] = None,
    manager: Annotated[str | None, typer.Option("--manager", help="Who reports to this member.")] = None,
    contains: Annotated[
        str | None, typer.Option("--contains", help="Whose name, address or title has this in it.")
    ] = None,
    active: Annotated[str | None, typer.Option("--active", help="true, false or any.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="NAME=VALUE", help="Any other filter; may be given several times."),
    ] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> int:
    """List members by name, the active ones by default.

    Example: muster list --seat gong --assignment "Field sales"
    """
    named = {
        "active": None if active is None else _WORDS.get(active, active),
        "contains": contains,
        "seat": seat,
        "waiting": waiting,
        "assignment": assignment,
        "group": group,
        "manager": manager,
    }
    filters = {name: value for name, value in named.items() if value is not None}
    answer = to.query("list", filter={**filters, **_pairs(where or ())} or None, limit=limit, cursor=cursor)
    return to.show(answer, "members")


def changes(  # noqa: PLR0913 - one parameter an option
    to: Muster,
    *,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on: yesterday, a date or a moment.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when.")] = None,
    run_id: Annotated[str | None, typer.Option("--run", help="Only what this run has changed.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Only of this person.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="Only what was changed by this.")] = None,
    value: Annotated[str | None, typer.Option("--value", help="Only changes of this value.")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> int:
    """Say what has changed: who joined, left, gained or lost what, waits, failed or was held.

    Example: muster changes --since yesterday
    """
    asked = {
        "since": since,
        "until": until,
        "run_id": run_id,
        "person": person,
        "cause": cause,
        "value": value,
    }
    return to.show(to.query("changes", **asked, limit=limit, cursor=cursor))


def seats(to: Muster) -> int:
    """Show how many hold each seat, and who is in line."""
    answer = to.listed("seats")
    return to.show(answer, "seats")


def licences(to: Muster, *, limit: Limit = None, cursor: Cursor = None) -> int:
    """Show who holds which licence in Vault CRM, and which belong to nobody."""
    return to.show(to.query("licences", limit=limit, cursor=cursor))


def errors(
    to: Muster,
    *,
    state: Annotated[
        str | None, typer.Option("--state", help="Those in this state; by default those to look at.")
    ] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> int:
    """List what could not be done, for whom, and what to do about it."""
    answer = to.listed("errors", state=state, limit=limit, cursor=cursor)
    return to.show(answer, "log")


def health(
    to: Muster,
    *,
    live: Annotated[
        bool, typer.Option("--live/--not-live", help="Ask the connections themselves, or leave them out.")
    ] = True,
) -> int:
    """Say whether all is well, the worst first, each with its next step."""
    return to.show(to.query("health", live=None if live else False))


def organizations(to: Muster, *, limit: Limit = None, cursor: Cursor = None) -> int:
    """List the organizations there are."""
    answer = to.of_the_stack("organizations", limit=limit, cursor=cursor)
    return to.show(answer, "organizations")


def _pairs(given: Any) -> dict[str, Any]:
    """Return filters by name; raises `Failure` for what is no pair."""
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Failure(
                f"--filter {pair} is not NAME=VALUE.", "Write, for example, --filter last_name=Lovelace."
            )
        found[name] = _WORDS.get(value, value)
    return found
