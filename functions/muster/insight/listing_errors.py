"""List the error log: what is open, given up or told, whom it is about, and what has solved the rest (I8).

The log is read whole, for a later entry says what has become of an earlier one: so many entries at most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched, islice

from muster.crm.engage_features import CONNECTION
from muster.errors import Problem, Rejected
from muster.insight import error_states
from muster.insight.error_states import Entry, Since
from muster.provisioning import account_errors, step_outcomes
from muster.roster.links import vault_id, vault_key
from muster.roster.member import Json, Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster, RosterViews
from muster.roster.reasons import WAITING_REASONS
from muster.runs.ports import Runs
from muster.runs.run import Run
from muster.settings import Settings
from muster.validation import did_you_mean

MOST_READ = 5_000
# Four days of imports and pushes, each every quarter of an hour: runs are newest first.
_RUNS_LOOKED_AT = 800
_RUNS_A_QUERY = 100
_CHOICES = (*error_states.STATES, "any")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the log, its runs and its members are looked up, and the settings in force."""

    views: RosterViews
    roster: Roster
    runs: Runs
    settings: Settings


def list_errors(
    sources: Sources, organization: str, limit: int, cursor: str | None, state: str | None = None
) -> Json:
    """Return a page of the error log, newest first: `{total, open, log, cursor}`.

    `state` is one of `error_states.STATES` or "any"; without, what is open, given up or only told. Each
    entry has its `state`, `solved_by` (a run) and the `name` of whom it is about. Raises `Rejected`.
    """
    if state is not None and state not in _CHOICES:
        what = f"is {state!r}, which is no state of an entry"
        raise Rejected(Problem("state", what, did_you_mean(state, _CHOICES)))
    entries = _entries(sources, organization)
    wanted = error_states.SHOWN if state is None else {state}
    matching = [entry for entry in entries if state == "any" or entry.state in wanted]
    first = _first(matching, cursor)
    shown = matching[first : first + limit]
    names = _names(sources, organization, shown)
    return {
        "total": len(matching),
        "open": sum(entry.state == error_states.OPEN for entry in entries),
        "log": [{**entry.shown(), "name": names.get(_whom(entry.recorded))} for entry in shown],
        "cursor": _place(shown[-1]) if first + limit < len(matching) else None,
    }


def open_about(sources: Sources, organization: str, member: Member) -> list[Json]:
    """Return the entries about a member that are open, newest first."""
    ids = {member.id, vault_id(member), member.crm.get("salesforce", {}).get("id")} - {None}
    return [
        entry.shown()
        for entry in _entries(sources, organization, about=member)
        if entry.state == error_states.OPEN and {entry.recorded.get("member"), entry.recorded["record"]} & ids
    ]


def _entries(sources: Sources, organization: str, about: Member | None = None) -> list[Entry]:
    recorded = list(islice(sources.views.error_log(organization), MOST_READ))
    if not recorded:
        return []
    members = _keyed([about]) if about else _members(sources, organization, recorded)
    waiting = frozenset(
        entry["record"]
        for entry in recorded
        if entry["code"] in error_states.WAIT
        and entry["record"]
        and (about is None or entry["record"] in members)
        and _waits(sources, organization, entry["record"])
    )
    asks_for_nobodys = any(entry["code"] in error_states.OF_NOBODY for entry in recorded)
    nobodys = sources.views.nobodys(organization) if asks_for_nobodys else frozenset[str]()
    since = Since(
        _runs_since(sources, organization, recorded[-1]["at"]),
        members,
        waiting,
        nobodys,
        frozenset() if about else _refused_groups(sources, organization, recorded),
        sources.settings,
    )
    return error_states.listed(recorded, since)


def _refused_groups(
    sources: Sources, organization: str, recorded: Sequence[Json]
) -> frozenset[tuple[str, str]]:
    """Return the groups of apps, app and name, for which somebody's account still fails; it is tried again.

    Only such members are due, so nobody else is read, and nobody at all where no entry names a group.
    """
    told = {
        (entry["system"], entry["record"])
        for entry in recorded
        if entry["code"] == account_errors.GROUP_REFUSED
    }
    apps = {app for app, _ in told}
    due = sources.roster.due(organization, date.max) if told else ()
    names = sorted(name for name, each in due if apps & each.what)
    failing: set[tuple[str, str]] = set()
    for some in batched(names, LOOKED_UP_AT_ONCE, strict=False):
        for member in sources.roster.members(organization, some).values():
            failing |= {
                (app, group)
                for app, group in told
                if app in member.accounts and step_outcomes.fails_for_group(member.accounts[app], group)
            }
    return frozenset(failing)


def _waits(sources: Sources, organization: str, crm_id: str) -> bool:
    link = sources.views.link(organization, crm_id)
    return link is not None and link.member is None and link.reason in WAITING_REASONS


def _runs_since(sources: Sources, organization: str, moment: str) -> list[Run]:
    """Return the runs that began after a moment, newest first."""
    found: list[Run] = []
    cursor: str | None = None
    while len(found) < _RUNS_LOOKED_AT:
        some, cursor = sources.runs.runs(organization, _RUNS_A_QUERY, cursor)
        found += [run for run in some if run.started_at > moment]
        if cursor is None or some[-1].started_at <= moment:
            break
    return found


# ── Whom entries are about ───────────────────────────────────────────────────────────────────────────


def _members(sources: Sources, organization: str, recorded: Sequence[Json]) -> dict[str, Member]:
    """Return the members that entries name, or that are linked to users of Vault CRM that they name."""
    named = {entry["member"] for entry in recorded if entry.get("member")}
    users = {
        entry["record"] for entry in recorded if entry["system"] == CONNECTION and not entry.get("member")
    }
    for some in batched(sorted(filter(None, users)), LOOKED_UP_AT_ONCE, strict=False):
        named.update(sources.views.matching(organization, tuple(map(vault_key, some))))
    return _keyed(sources.roster.members(organization, sorted(named)).values())


def _keyed(members: Iterable[Member]) -> dict[str, Member]:
    """Return members by id, by CRM id and by the id of their user in Vault CRM."""
    return {
        key: member
        for member in members
        for key in (member.id, vault_id(member), member.crm.get("salesforce", {}).get("id"))
        if key
    }


def _names(sources: Sources, organization: str, shown: Sequence[Entry]) -> dict[str, str | None]:
    """Return the names of whom entries are about, by member id or record."""
    recorded = [entry.recorded for entry in shown]
    members = _members(sources, organization, recorded)
    for whom in {_whom(entry) for entry in recorded} - members.keys():
        link = sources.views.link(organization, whom) if whom.startswith("005") else None
        if link and link.member and (member := sources.views.member(organization, link.member)):
            members[whom] = member
    return {whom: member.name for whom, member in members.items()}


def _whom(entry: Json) -> str:
    return entry.get("member") or entry["record"] or ""


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────


def _place(entry: Entry) -> str:
    """Return where an entry is in the log, which is also its cursor: what is newer comes before it."""
    recorded = entry.recorded
    return "#".join(str(recorded[name] or "") for name in ("at", "notification", "code", "record"))


def _first(entries: Sequence[Entry], cursor: str | None) -> int:
    """Return the number of entries up to the cursor; raises `Rejected` where it is none."""
    if cursor is None:
        return 0
    if cursor.count("#") < 3:
        remedy = "Leave it out to start at the beginning."
        raise Rejected(Problem("cursor", "is not one that was handed out", remedy))
    return sum(_place(entry) >= cursor for entry in entries)
