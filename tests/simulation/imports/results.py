"""What imports and messages came to, person by person: to be compared with another run, and with Salesforce.

Left out is luck: ids and times, how many history entries led to a state, which of several with an
equal right came first, and what the error log tells of faults that are over.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from muster.roster import seats
from muster.roster.member import Member
from muster.roster.reasons import INACTIVE_USER
from muster.roster.snapshots import Manifest, described, read
from tests.simulation.harness import invariants, quick_moto
from tests.simulation.harness.subject import Said
from tests.simulation.imports.company import Company

_OF_LUCK = frozenset({"id", "version", "updated_at", "source_version"})
# What the error log says of a run that failed; the import after it says whether anything is left.
# And where a push came first, an import had no edit to keep; who was not shown once is shown to the next one.
_PASSING = frozenset(
    {
        "import_failed",
        "not_written",
        "push_failed",
        "request_kept",
        "snapshot_failed",
        "source_user",
        "undo_failed",
        "vault_not_imported",
    }
)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Where a company stands; everyone by first name."""

    members: dict[str, Said] = field(default_factory=dict)
    # Seat → who waits, by rank.
    lines: dict[str, list[list[str]]] = field(default_factory=dict)
    newcomers: frozenset[str | None] = frozenset()
    errors: frozenset[str] = frozenset()
    mailed: frozenset[str] = frozenset()
    evaluated_with: str | None = None
    settings: int = 0

    def differences(self, other: "ImportResult") -> Iterator[str]:
        """Yield in what another run came to something else."""
        for name in self.__dataclass_fields__:
            mine, its = getattr(self, name), getattr(other, name)
            if name == "members":
                for who in sorted({*mine, *its}):
                    yield from _different(who, mine.get(who, {}), its.get(who, {}))
            elif mine != its:
                yield f"{name}: {mine} became {its}"


def _different(who: str, mine: Said, its: Said) -> Iterator[str]:
    for name in sorted({*mine, *its}):
        if mine.get(name) != its.get(name):
            yield f"{who}'s {name}: {mine.get(name)} became {its.get(name)}"


def result(company: Company) -> ImportResult:
    """Return where the company stands."""
    roster = company.roster()
    names = {member.id: company.name_of(member.crm["salesforce"]["id"]) for member in roster.members.values()}
    return ImportResult(
        members={names[member.id] or "": _shown(member, names) for member in roster.members.values()},
        lines={seat: _by_rank(line, names) for seat, line in roster.lines.items()},
        newcomers=frozenset(map(names.get, roster.newcomers)),
        errors=frozenset(entry["code"] for entry in roster.errors) - _PASSING,
        mailed=frozenset(
            address for mail in quick_moto.ses().sent_messages for address in mail.destinations["ToAddresses"]
        ),
        evaluated_with=roster.imports.get("evaluated_with"),
        settings=company.saved()[0],
    )


def _shown(member: Member, names: dict[str, str | None]) -> Said:
    shown: Said = {name: value for name, value in member.to_json().items() if name not in _OF_LUCK}
    seats = {
        seat: {name: value for name, value in place.items() if name != "since"}
        for seat, place in shown["seats"].items()
    }
    manager = names.get(member.manager or "", member.manager)
    return {**shown, "seats": seats, "manager": manager, "matched": member.matched, "origins": member.origins}


def _by_rank(line: list[str], names: dict[str, str | None]) -> list[list[str]]:
    # Who of the same rank came first is a matter of time, and of ids where that is the same.
    ranks: dict[str, list[str]] = {}
    for place in line:
        rank, _, member = place.split("#")
        ranks.setdefault(rank, []).append(names.get(member) or member)
    return [sorted(ranks[rank]) for rank in sorted(ranks)]


# ── What must be so ──────────────────────────────────────────────────────────────────────────────


def limits(company: Company) -> dict[str, int]:
    """Return how many there are of each limited seat."""
    return {name: seat["limit"] for name, seat in company.document["seats"].items() if "limit" in seat}


def broken(company: Company) -> Iterator[str]:
    """Yield what must not be so at any moment."""
    yield from invariants.broken(company.roster(), limits=limits(company))
    yield from taken_by_messages(company)
    if company.rows_of("globex") != company.others:
        yield "something of another organization has changed"


def snapshots(company: Company) -> Iterator[str]:
    """Yield what is wrong with snapshots: whoever has a manifest is whole, and there is one of today (Q2)."""
    files = company.world.objects
    folder, members = (f"_snapshots/{each}/organization=acme/" for each in ("manifests", "members"))
    days = sorted(name.removeprefix(folder)[:10] for name in files if name.startswith(folder))
    if f"{company.world.clock.now():%Y-%m-%d}" not in days:
        yield "an import of everyone has succeeded, and there is no snapshot of the day"
    for day in days:
        manifest = Manifest.from_json(json.loads(files[f"{folder}{day}.json"]))
        for number, part in enumerate(manifest.parts, 1):
            file = files.get(f"{members}day={day}/part-{number:05}.jsonl.gz")
            if file is None or described(file, len(list(read(file)))) != part:
                yield f"part {number} of the snapshot of {day} is not what its manifest says"


def _most(company: Company) -> int:
    """Return how many the guard lets go."""
    limits = {"floor": 5, "count": 500, "percent": 10, **company.document.get("guard", {})}
    share = len(company.roster().members) * limits["percent"] // 100
    return int(max(limits["floor"], min(limits["count"], share)))


def taken_by_messages(company: Company) -> Iterator[str]:
    """Yield where messages let more people go within an hour than the guard allows (W12).

    Those do not count whom Salesforce, read back, shows as deactivated.
    """
    read_back = company.document["auto_provision"].get("read_back", True)
    went: list[tuple[datetime, str]] = []
    for member, entries in company.roster().history.items():
        for _, entry in entries:
            changes = {change["field"]: change["after"] for change in entry["changes"]}
            deactivated = read_back and changes.get("inactive_reason") == INACTIVE_USER
            if entry["run"].startswith("webhook:") and changes.get("active") is False and not deactivated:
                went.append((datetime.fromisoformat(entry["at"]), member))
    most = _most(company)
    for since, _ in went:
        gone = {member for at, member in went if since <= at < since + timedelta(hours=1)}
        if len(gone) > most:
            yield f"messages let {len(gone)} go within an hour, where {most} are allowed"


def let_go_unasked(company: Company) -> Iterator[str]:
    """Yield the runs that let more people go than the guard allows, without approval (I6)."""
    roster = company.roster()
    gone: Counter[str] = Counter()
    for _, entry in (entry for entries in roster.history.values() for entry in entries):
        gone[entry["run"].removeprefix("run:")] += any(
            change["field"] == "active" and change["after"] is False for change in entry["changes"]
        )
    most = _most(company)
    for run, count in gone.items():
        if run in roster.runs and count > most and not roster.runs[run]["approved"]:
            yield f"{count} were let go, where {most} are allowed, and nobody has approved it"


def left_behind(company: Company) -> Iterator[str]:
    """Yield who has left in Salesforce and is still active."""
    active = {each.crm["salesforce"]["id"] for each in company.roster().members.values() if each.active}
    for name, user in company.users().items():
        if not user["IsActive"] and user["Id"] in active:
            yield f"{name} has left, and is still active"


def untrue(company: Company) -> Iterator[str]:
    """Yield where the roster is not what Salesforce and the settings say, once all is quiet.

    Told simply: who is active and in a department with an assignment is in, under it, unless an end date or
    status set by hand says otherwise; as many hold a seat as there are; a manager is an active member, unless
    the managers go round in a loop.
    """
    yield from let_go_unasked(company)
    roster = company.roster()
    members = {member.crm["salesforce"]["id"]: member for member in roster.members.values()}
    users = company.users()
    departments = {each["name"] for each in company.document["assignments"]}
    wanting: Counter[str] = Counter()
    for name, user in users.items():
        member = members.get(user["Id"])
        belongs = user["IsActive"] and user["Department"] in departments and not _closed(company, member)
        assignment = user["Department"] if belongs else None
        if (member.assignment if member and member.active else None) != assignment:
            yield f"{name} should be in {assignment}, and is {member and (member.active, member.assignment)}"
        if member and member.active:
            wanting.update(member.seats.keys())
            yield from _untrue_person(name, user, member)
            above = members.get(None if _reports_to_themselves(user, users) else user["ManagerId"])
            if member.manager != (above.id if above and above.active else None):
                yield f"{name} has another manager than in Salesforce"
    if roster.lease:
        yield "a lease is left"
    for seat, most in limits(company).items():
        if (held := roster.pools.get(seat, (0, 0))[0]) != min(most, wanting[seat]):
            yield f"{held} hold {seat}, which {wanting[seat]} want and of which there are {most}"
    # Whose manager is not in the roster waits for the manager to come, for two days.
    if roster.outbox or any(roster.members[each].manager for each in roster.newcomers):
        yield "of some newcomers no manager was notified"
    for run in roster.runs.values():
        if run["status"] == "running":
            yield "a run is recorded as if it were still at work"


def _closed(company: Company, member: Member | None) -> bool:
    """Tell whether a member is closed by hand."""
    if member is None:
        return False
    today = company.world.clock.moment.date().isoformat()
    return member.crm_user_status == "inactive" or (member.end_date or today) < today


def _reports_to_themselves(user: Said, users: dict[str, Said]) -> bool:
    """Tell whether somebody's managers lead back to them."""
    by_id = {each["Id"]: each for each in users.values()}
    above = user["ManagerId"]
    for _ in users:
        if above == user["Id"]:
            return True
        above = by_id[above]["ManagerId"] if above else None
    return False


def _untrue_person(name: str, user: Said, member: Member) -> Iterator[str]:
    said: dict[str, Any] = {
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "title": user["Title"],
        "email": user["Email"],
    }
    for field_name, value in said.items():
        if getattr(member, field_name) != value:
            yield f"{name}'s {field_name} is not what Salesforce says"
    recording = member.data_capture.get("record_web_conferences")
    held = "gong" in seats.held(member.seats)
    if recording and recording.intended == "enabled" and (recording.effective == "enabled") != held:
        yield f"{name} is recorded without a seat, or not recorded with one"
