"""Whoever left longer ago than the settings keep members for, erased by the daily import (T5)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched, islice

from muster.error_log import LogEntry, entry_of
from muster.errors import Problem
from muster.presentation.lines import counted
from muster.roster.erasing_members import MemberEraser
from muster.roster.erasure import WAITS_FOR_ACCOUNT
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.runs.clock import OutOfTime, RunClock
from muster.settings import Settings
from muster.times import timestamp

# The rest follows with the next full import, as does what there is no time for.
MOST_A_RUN = 1_000


def erase_leavers(
    settings: Settings, roster: Roster, clock: RunClock, run: str
) -> tuple[int, list[LogEntry]]:
    """Erase members inactive for longer than `retention_days`; returns how many, and what is to be told.

    Those that cannot be erased yet, because a push still has to take a licence back or to close an account,
    stay for the next time; accounts that no push closes any more are told, one entry an app. Costs a read of
    the index, and of the members concerned. Raises as `MemberEraser.erase` does.
    """
    if settings.retention_days is None:
        return 0, []
    now = clock.now()
    until = timestamp(now - timedelta(days=settings.retention_days))
    eraser = MemberEraser(
        settings,
        roster,
        now,
        origin=run,
        run=run,
        why=f"inactive for more than {settings.retention_days} days (settings: retention_days)",
        lease=clock.lease,
    )
    candidates = islice(_left_before(until, settings, roster), MOST_A_RUN)
    for some in batched(candidates, LOOKED_UP_AT_ONCE, strict=False):
        try:
            clock.check()
        except OutOfTime:
            break
        eraser.erase(some)
    told = [_waits(app, len(who), timestamp(now), run) for app, who in sorted(eraser.left_open.items())]
    return eraser.erased, told


def _waits(app: str, people: int, at: str, run: str) -> LogEntry:
    """Return the entry about accounts that are open in an app, and keep people from being erased."""
    message = (
        f"keeps {counted(people, 'person', 'people')} from being erased (retention_days): their accounts"
        " there are open, and no push closes them any more"
    )
    said = f'{{"accounts": {{"{app}": "ignore"}}, "filter": {{"account": "active"}}}}'
    remedy = (
        f"Close the accounts there, then say so with MemberSettingsFunction: {said}. Its preview names whose"
        " they are."
    )
    return entry_of(
        Problem(f"connections.{app}", message, remedy),
        at=at,
        system=app,
        code=WAITS_FOR_ACCOUNT,
        notification=run.removeprefix("run:"),
        record=app,
    )


def _left_before(until: str, settings: Settings, roster: Roster) -> Iterator[str]:
    """Yield the members (ids) who were deactivated before that moment (ISO 8601)."""
    unknown: list[str] = []
    for state in roster.states(settings.organization):
        if state.active:
            continue
        if not state.inactive_since:
            unknown.append(state.member)
        elif state.inactive_since < until:
            yield state.member
    # Deactivated by a version that did not keep when: nothing has changed about them since.
    for some in batched(unknown, LOOKED_UP_AT_ONCE, strict=False):
        for member in roster.members(settings.organization, some).values():
            if datetime.fromisoformat(member.updated_at or until) < datetime.fromisoformat(until):
                yield member.id
