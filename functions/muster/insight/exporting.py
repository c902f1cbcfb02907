"""Export the roster, seats, licences or the error log as a CSV file that can be fetched for an hour (Q3)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from tempfile import SpooledTemporaryFile

from muster.errors import Problem, Rejected
from muster.insight import listing_errors
from muster.insight.pages_by_name import MOST_READ, place_of
from muster.insight.ports import ExportFiles
from muster.insight.querying_members import filter_of
from muster.presentation import exports
from muster.presentation.lines import counted
from muster.roster.member import Json
from muster.roster.ports import Roster, RosterViews
from muster.runs.ports import Runs
from muster.settings import Settings
from muster.validation import did_you_mean

# What is larger waits on the disk of the function, not in its memory.
_IN_MEMORY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is exported is read, and where the file goes."""

    views: RosterViews
    roster: Roster
    runs: Runs
    files: ExportFiles


def export(
    sources: Sources, settings: Settings, what: str, filters: Mapping[str, object], now: datetime
) -> Json:
    """Write a file and return `{message, what, rows, bytes, link, until}`.

    `filters` are those of `list`, for what is about members. Raises `Rejected`.
    """
    if what not in exports.EVERYTHING:
        remedy = did_you_mean(what, exports.EVERYTHING)
        raise Rejected(Problem("what", f"is {what!r}, which cannot be exported", remedy))
    if what == "errors" and filters:
        raise Rejected(Problem("filter", "is for what is about members", "Leave it out."))
    if what == "errors":
        columns, lines = _errors(sources, settings)
    else:
        columns, lines = _members(sources, settings, what, filters)
    name = f"{settings.organization}-{what}-{now:%Y%m%dT%H%M%S}.csv"
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        file.write(exports.BYTE_ORDER_MARK.encode())
        file.write(exports.line(columns).encode())
        rows = sum(1 for line in lines if file.write(line.encode()))
        size = file.tell()
        file.seek(0)
        link, until = sources.files.put(settings.organization, name, file, now)
    return {
        "message": f"{counted(rows, 'row')} written; the link works until {until}.",
        "what": what,
        "rows": rows,
        "bytes": size,
        "link": link,
        "until": until,
    }


def _members(
    sources: Sources, settings: Settings, what: str, filters: Mapping[str, object]
) -> tuple[Sequence[str], Iterator[str]]:
    """Return the columns, and the lines by name of the members; only the lines are kept in memory."""
    columns, rows = exports.OF_MEMBERS[what]
    wanted = filter_of(sources.views, settings.organization, filters)
    everyone = islice(sources.views.everyone(settings.organization, wanted.active), MOST_READ)
    found = [
        (place_of(member), [exports.line(cells) for cells in rows(member.to_json())])
        for member in everyone
        if wanted.matches(member)
    ]
    return columns, (line for _, lines in sorted(found) for line in lines)


def _errors(sources: Sources, settings: Settings) -> tuple[Sequence[str], Iterator[str]]:
    columns, rows = exports.ERRORS
    log = listing_errors.list_errors(
        listing_errors.Sources(sources.views, sources.roster, sources.runs),
        settings.organization,
        listing_errors.MOST_READ,
        None,
        "any",
    )["log"]
    return columns, (exports.line(cells) for entry in log for cells in rows(entry))
