"""Read what happened beside the changes of members: runs, versions of the settings, the error log (Q3)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise

from muster.insight import error_states
from muster.insight.error_states import Since
from muster.insight.periods import Period
from muster.insight.ports import Journal, RunLog, SettingsLog
from muster.roster.member import Json, Member
from muster.runs.parking import APPROVAL
from muster.runs.run import Run
from muster.settings.versions import StoredSettings, changes

MOST_RUNS = 3_000
MOST_ERRORS = 2_000
MOST_VERSIONS = 50
_VERSIONS_A_PAGE = 5
_SHOWN = ("code", "at", "system", "record", "message", "remedy", "notification")
# As `error_log.entry_of` names a member.
_MEMBER = re.compile(r" \(member ([^)\s]+)\)$")
# So many places of a document that changed are named.
_PLACES = 5


def runs(log: RunLog, organization: str, when: Period) -> tuple[list[Run], bool]:
    """Return the runs that began or ended in the period, or still wait, and whether there are more.

    What was approved in it may have begun earlier, by as long as an approval may take.
    """
    since, until = (datetime.fromisoformat(each).astimezone(UTC) for each in (when.since, when.until))
    first, before = f"{since - APPROVAL:%Y%m%dT%H%M%S}", f"{until:%Y%m%dT%H%M%S%f}"
    found = list(islice(log.runs_from(organization, first, before), MOST_RUNS + 1))

    def happened(run: Run) -> bool:
        moments = (run.started_at, run.finished_at)
        return not run.status.ended or any(when.has(each) for each in moments if each)

    return [run for run in found[:MOST_RUNS] if happened(run)], len(found) > MOST_RUNS


def versions(log: SettingsLog, organization: str, when: Period, run: str | None) -> list[Json]:
    """Return the versions of the settings saved in the period, newest first; with `run` those it led to.

    `{version, at, by, approved_by, why, where, places}`: `where` the first of so many `places` that differ
    from the version before.
    """
    return [
        _version(stored, earlier)
        for stored, earlier in pairwise([*_latest_versions(log, organization, when), None])
        if stored and when.has(stored.at) and run in (None, stored.run)
    ]


def errors(
    journal: Journal, organization: str, when: Period, told: Callable[[Json], bool]
) -> tuple[list[Json], bool]:
    """Return the error log of the period by code, of the entries to be told, and whether there are more.

    `{code, at, system, record, member, message, remedy, notification, count}`: how many, and the newest;
    `member` is the id of the member that it names.
    """
    found = journal.errors(organization, when.since, when.until)
    entries = list(islice((entry for entry in found if when.has(entry["at"])), MOST_ERRORS + 1))
    by_code: dict[str, Json] = {}
    for entry in filter(told, entries[:MOST_ERRORS]):
        newest = {name: entry[name] for name in _SHOWN}
        named = _MEMBER.search(entry["message"])
        newest["member"] = entry.get("member") or (named[1] if named else None)
        by_code.setdefault(entry["code"], {**newest, "count": 0})["count"] += 1
    listed = sorted(by_code.values(), key=lambda each: (-each["count"], each["code"]))
    return listed, len(entries) > MOST_ERRORS


def with_states(log: Sequence[Json], runs: Sequence[Run], members: Mapping[str, Member]) -> list[Json]:
    """Return the newest entries by code with `state`: what has become of each since (`error_states`).

    `runs` are those of the period, newest first, and `members` those whom the entries name, by id. Whoever
    waits for a namesake is taken to wait still: whether they do is asked with the whole error log.
    """
    waiting = frozenset(each["record"] for each in log if each["code"] in error_states.WAIT)
    newest_first = sorted(log, key=lambda each: str(each["at"]), reverse=True)
    states = {
        each.recorded["code"]: each.state
        for each in error_states.listed(newest_first, Since(runs, members, waiting))
    }
    return [{**each, "state": states[each["code"]]} for each in log]


def about(person: Member) -> Callable[[Json], bool]:
    """Return what tells whether an entry of the error log is about a person."""
    ids = {person.id, *(name for each in person.crm.values() if (name := each.get("id")))}
    named = f"(member {person.id})"
    return lambda entry: bool({entry["record"], entry.get("member")} & ids) or named in entry["message"]


def of(cause: str) -> Callable[[Json], bool]:
    """Return what tells whether an entry of the error log was made by a run or message, named as a cause."""
    _, _, name = cause.partition(":")
    return lambda entry: name != "" and entry["notification"].partition("#")[0] == name


def before_the_journal(
    journal: Journal, versions: SettingsLog, organization: str, when: Period
) -> Iterator[str]:
    """Yield that the journal of members is younger than a period, if the organization is not."""
    first = versions.version(organization, 1)
    if first is None or not is_earlier(first.at, when.since):
        return
    begins = journal.begins(organization)
    if begins is None or begins > when.since:
        since = f"begins {begins}" if begins else "is empty so far"
        yield (
            f"The journal of members {since}: what Muster changed before it kept one is in each member's"
            " history."
        )


def is_earlier(at: str, than: str) -> bool:
    """Whether a timestamp is earlier than another one, of whatever width the two are."""
    return datetime.fromisoformat(at) < datetime.fromisoformat(than)


def _latest_versions(log: SettingsLog, organization: str, when: Period) -> list[StoredSettings]:
    """Return the versions saved in the period or later, and some before, newest first."""
    found: list[StoredSettings] = []
    while len(found) < MOST_VERSIONS:
        below = found[-1].version if found else None
        some = log.versions(organization, _VERSIONS_A_PAGE, below)
        found += some
        if len(some) < _VERSIONS_A_PAGE or is_earlier(some[-1].at, when.since):
            break
    return found


def _version(stored: StoredSettings, earlier: StoredSettings | None) -> Json:
    where = [each["where"] for each in changes(earlier.document, stored.document)] if earlier else []
    return {
        "version": stored.version,
        "at": stored.at,
        "by": stored.by,
        "approved_by": stored.approved_by,
        "why": stored.why,
        "where": where[:_PLACES],
        "places": len(where),
    }
