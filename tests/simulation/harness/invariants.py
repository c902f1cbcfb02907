"""What must be so of the table at any moment, and what of it must not depend on luck.

Luck is which message came first. On it depend, and so are left out of the comparison of two runs:
a member's id and version, its times, and how many history entries led to it; and whether someone
who is out has an inactive member (seen while in) or only a marker (never seen while in).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from muster.adapters.aws import roster_keys
from muster.roster import licence_places
from muster.roster.history import changes_between
from muster.roster.licence_places import Place
from muster.roster.links import Link, keys_of
from muster.roster.member import Member
from muster.roster.reasons import NAMESAKE_ACTIVE, WAITING_REASONS
from muster.roster.recorded_teams import recorded_under
from muster.roster.seats import HELD, WAITING
from muster.sources.member_states import MemberState
from muster.sources.newest_changes import state_of
from tests.simulation.harness.strict_aws import Row

type Json = dict[str, Any]

NO_LIMITS: Mapping[str, int] = {}

_OF_LUCK = frozenset({"id", "version", "updated_at", "organization"})


@dataclass(slots=True)
class Roster:
    """One organization's part of the table, taken apart."""

    members: dict[str, Member] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    history: dict[str, list[tuple[int, Json]]] = field(default_factory=dict)
    carriers: dict[str, set[str]] = field(default_factory=dict)
    waiters: dict[str, set[str]] = field(default_factory=dict)
    errors: list[Json] = field(default_factory=list)
    # Seat → (used, waiting), and → who stands in its line, first the first.
    pools: dict[str, tuple[int, int]] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    # Who stands in line for an Engage licence, and where.
    places: set[tuple[str, Place]] = field(default_factory=set)
    # Manager → reports whose web conferences are recorded.
    reports: dict[str, set[str]] = field(default_factory=dict)
    newcomers: set[str] = field(default_factory=set)
    # (run, manager) of each mail that has not been sent.
    outbox: set[tuple[str, str]] = field(default_factory=set)
    runs: dict[str, Json] = field(default_factory=dict)
    # What the index shows of a member, by its id.
    states: dict[str, MemberState | None] = field(default_factory=dict)
    # Account in an app, by connection and id → whose it is.
    accounts: dict[tuple[str, str], str] = field(default_factory=dict)
    lease: str | None = None
    imports: Json = field(default_factory=dict)

    def source(self, crm_id: str) -> str | None:
        """Return the newest state of a Salesforce user that is taken note of, whoever brought it."""
        link = self.links[crm_id]
        source = self.members[link.member].sources.get("salesforce") if link.member else link.source
        return state_of(source) if source else source


def read(rows: Collection[Row]) -> dict[str, Roster]:
    """Return the table's rosters by organization."""
    rosters: dict[str, Roster] = {}
    for row in rows:
        parts = row["pk"]["S"].split("#")
        if parts[0] == "ORG" and len(parts) > 2:
            _sort_in(rosters.setdefault(parts[1], Roster()), parts[2], row)
    for row in rows:
        parts = row["pk"]["S"].split("#")
        if len(parts) == 2 and row["sk"]["S"] in ("LEASE", "IMPORT"):
            _sort_in_the_organizations_own(rosters.setdefault(parts[1], Roster()), row)
    return rosters


def _sort_in_the_organizations_own(roster: Roster, row: Row) -> None:
    match row["sk"]["S"]:
        case "LEASE":
            roster.lease = row.get("run", {}).get("S")
        case "IMPORT":
            roster.imports = roster_keys.document_of(row)


def _sort_in(roster: Roster, kind: str, row: Row) -> None:  # noqa: C901 - one case a kind of item
    sort = row["sk"]["S"]
    match kind, sort.partition("#")[0]:
        case "MEMBER", "MEMBER":
            member = roster_keys.to_member(row)
            roster.members[member.id] = member
            state = row.get("state", {}).get("S")
            roster.states[member.id] = roster_keys.to_state(state) if state else None
        case "MEMBER", "HISTORY":
            _, member_id, version = sort.split("#")
            roster.history.setdefault(member_id, []).append((int(version), roster_keys.document_of(row)))
        case "LINK", _:
            link = roster_keys.to_link(row)
            roster.links[link.crm_id] = link
        case "MATCH", _:
            key = row["pk"]["S"].split("#", 3)[3]
            roster.carriers[key] = set(row.get("members", {}).get("SS", ()))
            roster.waiters[key] = set(row.get("waiting", {}).get("SS", ()))
        case "ERRORS", _:
            roster.errors.append(roster_keys.document_of(row))
        case "SEATS", "SEAT":
            counts = (int(row["used"]["N"]), int(row["waiting"]["N"]))
            roster.pools[sort.partition("#")[2]] = counts
        case "LINE", _:
            line = roster.lines.setdefault(row["pk"]["S"].split("#", 3)[3], [])
            line.append(sort)
            line.sort()
        case "LICENCES", "FREED":
            # How many licences of a group nobody has been tried for: a hint to the next push.
            pass
        case "LICENCES", _:
            roster.places.add(roster_keys.to_place(row))
        case "REPORTS", _:
            roster.reports.setdefault(row["pk"]["S"].split("#", 3)[3], set()).add(sort)
        case "NEWCOMERS", _:
            roster.newcomers.add(sort)
        case "OUTBOX", _:
            run, _, manager = sort.partition("#")
            roster.outbox.add((run, manager))
        case "FOLLOWED", _:
            # What was followed: a hint that saves calls.
            pass
        case "ACCOUNT", _:
            connection, _, account = row["pk"]["S"].split("#", 3)[3].partition("#")
            roster.accounts[connection, account] = row["member"]["S"]
        case "APPS", _:
            # What pushes remember of an app: without it they look again.
            pass
        case "RUNS", "RUN":
            roster.runs[sort.partition("#")[2]] = roster_keys.document_of(row)
        case _:
            raise AssertionError(f"the harness does not know rows of kind {kind}")


# ── At any moment ────────────────────────────────────────────────────────────────────────────────


def broken(
    roster: Roster, *, shared_addresses: bool = False, limits: Mapping[str, int] = NO_LIMITS
) -> Iterator[str]:
    """Yield what is wrong with a roster; nothing, in any state it may ever be in.

    `shared_addresses`: two linked members may come to have one address, by a change in Salesforce.
    `limits`: how many there are of each limited seat.
    """
    yield from _broken_links(roster)
    yield from _broken_keys(roster)
    yield from _broken_seats(roster, limits)
    yield from _broken_reports(roster)
    places = {
        (member.id, place) for member in roster.members.values() for place in licence_places.places(member)
    }
    if roster.places != places:
        yield "the lines for Engage licences hold others than those who wait"
    for member in roster.members.values():
        yield from _broken_history(
            member, sorted(roster.history.get(member.id, ()), key=lambda entry: entry[0])
        )
    for member_id in roster.history.keys() - roster.members.keys():
        yield f"history of a member that is not there: {member_id}"
    addresses = Counter(key for member in roster.members.values() if member.active for key in keys_of(member))
    for key, count in addresses.items():
        if count > 1 and not shared_addresses:
            yield f"{count} active members carry {key}"


def _broken_links(roster: Roster) -> Iterator[str]:
    for link in roster.links.values():
        if link.member and link.member not in roster.members:
            yield f"{link.crm_id} is linked to a member that is not there"
        elif link.member and roster.members[link.member].crm["salesforce"]["id"] != link.crm_id:
            yield f"{link.crm_id} is linked to a member of another user"
    for member in roster.members.values():
        crm_id = member.crm["salesforce"]["id"] or ""
        if crm_id not in roster.links or roster.links[crm_id].member != member.id:
            yield f"the member of {crm_id} is not linked back"


def _broken_keys(roster: Roster) -> Iterator[str]:
    carried = {(key, member.id) for member in roster.members.values() for key in keys_of(member)}
    waited = {
        (key, link.crm_id)
        for link in roster.links.values()
        if link.reason in WAITING_REASONS
        for key in link.match_keys
    }
    for name, actual, expected in (
        ("carries", {(key, who) for key, all_ in roster.carriers.items() for who in all_}, carried),
        ("waits for", {(key, who) for key, all_ in roster.waiters.items() for who in all_}, waited),
    ):
        for key, who in actual ^ expected:
            yield f"{who} {name} {key} {'only by the key' if (key, who) in actual else 'unknown to the key'}"


def _broken_seats(roster: Roster, limits: Mapping[str, int]) -> Iterator[str]:
    """Yield where pools and lines are not what the members say, or a seat is given out too often (I4)."""
    held: Counter[str] = Counter()
    waiting: dict[str, list[str]] = {}
    for member in roster.members.values():
        for seat, place in member.seats.items():
            if not member.active:
                yield f"an inactive member is {place.state} for {seat}"
            held[seat] += place.state == HELD
            if place.state == WAITING:
                assert place.in_line
                key = roster_keys.line_key("", seat, place.in_line, member.id)
                waiting.setdefault(seat, []).append(key["sk"]["S"])
    for seat in {*held, *waiting, *roster.pools, *roster.lines}:
        counted, line = roster.pools.get(seat, (0, 0)), roster.lines.get(seat, [])
        if counted != (held[seat], len(line)):
            yield f"{seat}: {counted} counted, {(held[seat], len(line))} there"
        if line != sorted(waiting.get(seat, [])):
            yield f"the line for {seat} holds others than those who wait"
        if held[seat] > limits.get(seat, held[seat]):
            yield f"{held[seat]} hold {seat}, of which there are {limits[seat]}"


def _broken_reports(roster: Roster) -> Iterator[str]:
    expected: dict[str, set[str]] = {}
    for member in roster.members.values():
        if (manager := recorded_under(member)) is not None:
            expected.setdefault(manager, set()).add(member.id)
        state = roster.states[member.id]
        known = (member.crm["salesforce"]["id"], member.id, member.digest, member.active)
        if state is None or (state.crm_id, state.member, state.digest, state.active) != known:
            yield "the index shows another state of a member"
    if roster.reports != expected:
        yield "the recorded teams are not those of the members"
    if roster.newcomers - roster.members.keys():
        yield "a newcomer is no member"


def _broken_history(member: Member, entries: list[tuple[int, Json]]) -> Iterator[str]:
    if [version for version, _ in entries] != list(range(1, member.version + 1)):
        yield f"version {member.version}, but history {[version for version, _ in entries]}"
        return
    replayed: dict[str, Any] = {}
    for version, entry in entries:
        if not entry["changes"]:
            yield f"history entry {version} tells no change"
        for change in entry["changes"]:
            if replayed.get(change["field"]) != change["before"]:
                yield f"history entry {version} is wrong about {change['field']} before"
            replayed[change["field"]] = change["after"]
    shown = {change.field: change.after for change in changes_between(None, member)}
    if {name: value for name, value in replayed.items() if value is not None} != shown:
        yield "the history does not lead to the member"


# ── Of two runs ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to, per organization and Salesforce user, luck left out."""

    active: dict[str, Json] = field(default_factory=dict)
    inactive: dict[str, Json] = field(default_factory=dict)
    # The newest state known of who is not active, and what waits with those who wait.
    out: dict[str, str | None] = field(default_factory=dict)
    waiting: dict[str, Json] = field(default_factory=dict)
    errors: frozenset[tuple[str, ...]] = frozenset()

    def differences(self, other: "Result") -> Iterator[str]:
        """Yield in what another run came to something else."""
        for name in ("active", "waiting", "out", "errors"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                yield f"{name}: {mine} became {its}"
        for who in self.inactive.keys() & other.inactive.keys():
            if self.inactive[who] != other.inactive[who]:
                yield f"inactive {who}: {self.inactive[who]} became {other.inactive[who]}"


def result(rosters: dict[str, Roster]) -> Result:
    """Return what a run came to."""
    came_to = Result(errors=frozenset(_errors(rosters)))
    for organization, roster in rosters.items():
        for link in roster.links.values():
            who = f"{organization}/{link.crm_id}"
            member = roster.members[link.member] if link.member else None
            if member and member.active:
                came_to.active[who] = _shown(member)
            elif link.reason == NAMESAKE_ACTIVE:
                came_to.waiting[who] = {"source": state_of(link.source or ""), "keys": link.match_keys}
            else:
                came_to.out[who] = roster.source(link.crm_id)
            if member and not member.active:
                came_to.inactive[who] = _shown(member)
    return came_to


# What the error log says of who waits for a namesake.
ABOUT_NAMESAKES = frozenset({"waits_for_namesake", "namesake_left"})


def by_claim(rosters: dict[str, Roster]) -> Result:
    """Return a coarser result, where it is luck who of several namesakes is in.

    The others wait, or for word of their own: nobody is let in from memory (A14).
    """
    claiming = {
        f"{organization}/{link.crm_id}"
        for organization, roster in rosters.items()
        for link in roster.links.values()
        if link.reason in WAITING_REASONS or (link.member and roster.members[link.member].active)
    }
    exact = result(rosters)
    return Result(
        active={who: {} for who in claiming},
        out=dict.fromkeys(exact.out.keys() - claiming),
        errors=frozenset(entry for entry in exact.errors if ABOUT_NAMESAKES.isdisjoint(entry)),
    )


def _errors(rosters: dict[str, Roster]) -> Iterator[tuple[str, ...]]:
    # When it was received is luck: Salesforce may have had to send it twice.
    for organization, roster in rosters.items():
        for entry in roster.errors:
            yield organization, *(str(value) for name, value in sorted(entry.items()) if name != "at")


def _shown(member: Member) -> Json:
    shown = {name: value for name, value in member.to_json().items() if name not in _OF_LUCK}
    return {**shown, "sources": {name: state_of(source) for name, source in member.sources.items()}}
