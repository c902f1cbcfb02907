"""What waits in each app in which members have accounts, and how it stands with its pushes (Q3). Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from muster.insight.findings import Finding, Level
from muster.presentation import words
from muster.presentation.lines import counted
from muster.provisioning import account_errors
from muster.roster.member import Json
from muster.settings import Settings
from muster.times import timestamp

_QUERY = "RosterQueryFunction"
# What waits in an app by code of the error log: how bad it is, what it is of one and of several people, what
# to do, and by which state of the accounts they are listed, if by any.
TOLD: Mapping[str, tuple[Level, tuple[str, str], str, str | None]] = {
    account_errors.NO_EFFECT: (
        Level.BROKEN,
        (
            "{app} has said of {people} that the account is closed or open, and shows otherwise.",
            "{app} has said of {people} that their accounts are closed or open, and shows otherwise.",
        ),
        "Look at them in the app: whoever has left may still get in.",
        None,
    ),
    account_errors.TO_ADOPT: (
        Level.WAITS,
        (
            "{people} has an account in {app} that was there before, and waits to be adopted.",
            "{people} have accounts in {app} that were there before, and wait to be adopted.",
        ),
        "Adopt or ignore them: MemberSettingsFunction, accounts.",
        "to_adopt",
    ),
    account_errors.CONFLICTING: (
        Level.WAITS,
        (
            "{people} has an account in {app} that is not clearly theirs.",
            "{people} have accounts in {app} that are not clearly theirs.",
        ),
        "See in the app whose they are; correct a userName, or adopt them.",
        "conflict",
    ),
    account_errors.NO_LICENCE: (
        Level.SOON,
        ("{people} waits for a licence of {app}.", "{people} wait for a licence of {app}."),
        "Buy licences in the app, or free some.",
        "no_licence",
    ),
}


def findings(
    settings: Settings,
    waiting: Mapping[tuple[str, str], int],
    pushed: Mapping[str, datetime | None],
    due: Mapping[str, int | None],
) -> Iterator[Finding]:
    """Yield what there is to know of each app.

    `waiting` counts open entries of the error log by app and code. `pushed` is when a push to an app last
    succeeded, and `due` how many people the next one looks at, `None` for everybody.
    """
    for app, _ in settings.connections.targets():
        called = words.connection(app)
        for code, (level, said, remedy, state) in TOLD.items():
            if count := waiting.get((app, code)):
                what = said[count != 1].format(people=_people(count), app=called)
                yield Finding(level, what, remedy, _QUERY, _listing(settings, app, state))
        last, looks_at = pushed.get(app), due.get(app, 0)
        when = f"last pushed {words.moment(timestamp(last))} UTC" if last else "not pushed yet"
        who = "everybody" if looks_at is None else _people(looks_at) if looks_at else "nobody"
        yield Finding(Level.KNOWN, f"{called}: {when}; the next push looks at {who}.")


def _listing(settings: Settings, app: str, state: str | None) -> Json:
    asked: Json = {"action": "list", "filter": {"account": {app: state}}} if state else {"action": "errors"}
    return {"organization": settings.organization, **asked}


def _people(count: int) -> str:
    return counted(count, "person", "people")
