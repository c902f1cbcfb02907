"""resend-events: events of members put on the bus once more, from the history."""

from typing import Annotated

import typer

from muster_cli.asking import Muster

_EVENTS = "MemberEventsFunction"


def resend_events(
    to: Muster,
    *,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on: yesterday, a date or a moment.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when; by default now.")] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="Only of this member; without --since, all there were.")
    ] = None,
) -> int:
    """Send the events of members again, with the ids that they had; say --since, --member or both.

    Example: muster resend-events --since yesterday
    """
    event = {"action": "resend_events", "since": since, "until": until, "member": member}
    answer = to.sign(_EVENTS, **event)
    while answer["status"] == "continue":
        to.show(answer)
        answer = to.sign(_EVENTS, **event, cursor=answer["cursor"])
    return to.show(answer)
