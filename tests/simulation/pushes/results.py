"""What pushes came to: the roster, what Vault CRM shows, who is in which group, what the server was asked.

To be compared with another run, and with one another: at rest the roster shows what the server has.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from muster.crm import engage_features
from muster.crm.engage_features import FEATURES, Feature
from muster.roster import end_dates, engage_groups, licence_places
from muster.roster.member import Member
from tests.simulation.harness.subject import Said
from tests.simulation.imports import results as import_results
from tests.simulation.imports.results import ImportResult
from tests.simulation.pushes.company import PushCompany

# What somebody in line is answered each time the line is tried: how often that is depends on the time.
TRIED = "no_licenses_remaining__v"
_FIELDS = {
    "engage": ("engage_group_request__v", "engage_group_provisioning_status__v", "engage_group__v"),
    "engage_connect": (
        "engage_connect_group_request__v",
        "engage_connect_group_status__v",
        "engage_connect_group__v",
    ),
}

type Asked = tuple[str, str, str | None, str]


@dataclass(frozen=True, slots=True)
class PushResult:
    """Where a company and its vault stand; everyone by first name."""

    roster: ImportResult = field(default_factory=ImportResult)
    vault: dict[str, Said] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    requests: Counter[Asked] = field(default_factory=Counter)
    # Group → who waits for a licence, in order.
    lines: dict[str, list[str]] = field(default_factory=dict)

    def differences(self, other: "PushResult") -> Iterator[str]:
        """Yield in what another run came to something else."""
        yield from self.roster.differences(other.roster)
        for name in ("vault", "groups", "lines"):
            mine, its = getattr(self, name), getattr(other, name)
            for key in sorted({*mine, *its}):
                if mine.get(key) != its.get(key):
                    yield f"{name}, {key}: {mine.get(key)} became {its.get(key)}"
        for asked, how in (
            (other.requests - self.requests, "too often"),
            (self.requests - other.requests, "too"),
        ):
            for (who, feature, group, outcome), count in asked.items():
                seldom = "" if how == "too often" else " seldom"
                yield f"{who} was asked {count} times {how}{seldom} to be in {feature} {group}: {outcome}"


def result(pushing: PushCompany) -> PushResult:
    """Return where the company and its vault stand."""
    return PushResult(
        import_results.result(pushing),
        {name: _shown(pushing, name) for name in pushing.vault_ids},
        pushing.in_groups(),
        Counter(asked for asked in pushing.processed() if asked[3] != TRIED),
        lines(pushing),
    )


def _shown(pushing: PushCompany, name: str) -> Said:
    row = pushing.shown(name)
    columns = ("status__v", "title__sys", *_FIELDS["engage"], *_FIELDS["engage_connect"])
    return {column: row[column] for column in columns}


def lines(pushing: PushCompany) -> dict[str, list[str]]:
    """Return who waits for a licence, by group, the first first."""
    places = sorted(
        (
            place.feature,
            place.group,
            place.since,
            pushing.name_of(member.crm["salesforce"]["id"]) or "",
        )
        for member in pushing.roster().members.values()
        for place in licence_places.places(member)
    )
    found: dict[str, list[str]] = {}
    for feature, group, _, name in places:
        found.setdefault(f"{feature} {group}", []).append(name)
    return found


# ── What must be so ──────────────────────────────────────────────────────────────────────────────


def broken(pushing: PushCompany) -> Iterator[str]:
    """Yield what must not be so at any moment."""
    yield from import_results.broken(pushing)
    yield from _made_up(pushing)


def _made_up(pushing: PushCompany) -> Iterator[str]:
    """Yield who is in a group by the roster that the server never put them into."""
    given = {
        (user, feature, group)
        for user, feature, group in pushing.vault.vault.store._db.execute(
            "SELECT user, feature, wanted FROM engage_request WHERE outcome = 'success__v'"
        )
    }
    for member in pushing.roster().members.values():
        vault_id = member.crm.get(engage_features.CONNECTION, {}).get("id")
        for feature in FEATURES:
            mine = member.feature(feature)
            if mine.group and (vault_id, feature, mine.group) not in given:
                yield f"{pushing.name_in_vault(vault_id or '')} is in {mine.group}, and was never let in"


def untrue(pushing: PushCompany) -> Iterator[str]:
    """Yield where the roster at rest is not what Vault CRM shows, or a wish is not what became of it."""
    day = end_dates.today(pushing.world.clock.now(), "UTC")
    roster = pushing.roster()
    inside = pushing.in_groups()
    for member in roster.members.values():
        vault_id = member.crm.get(engage_features.CONNECTION, {}).get("id")
        if vault_id is None:
            yield f"{member.name} is not linked"
            continue
        name = pushing.name_in_vault(vault_id)
        row = pushing.shown(name)
        for feature in FEATURES:
            wanted = engage_groups.wanted(member, feature, day)
            fields = [row[column] for column in _FIELDS[feature]]
            may_hold = engage_groups.may_hold(member, day)
            yield from _untrue(name, member, feature, fields, inside, may_hold=may_hold)
            if wanted != row[_FIELDS[feature][0]]:
                yield f"{name} wishes for {member.feature(feature)}, and Vault CRM was never asked"
        active = engage_groups.wanted_active(member, day)
        if active is not None and row["status__v"] != ["active__v" if active else "inactive__v"]:
            yield f"{name} is {row['status__v']}, and should be {active}"
    if roster.lease:
        yield "a lease is left"
    for run in roster.runs.values():
        if run["status"] == "running":
            yield "a run is recorded as if it were still at work"


def _untrue(
    name: str,
    member: Member,
    feature: Feature,
    row: list[Any],
    inside: dict[str, list[str]],
    *,
    may_hold: bool,
) -> Iterator[str]:
    request, status, group = row
    mine = member.feature(feature)
    said = (status[0] if isinstance(status, list) else status or "").removesuffix("__v") or None
    # A request that was not sent, or that Vault CRM refused to save, stands, and is sent once the user may
    # hold a licence again.
    is_unsent = mine.status == engage_features.RETRY_REQUEST or engage_groups.is_unsaved(member, feature)
    waits = is_unsent and mine.request and not may_hold
    shown = (mine.status if waits else said, group)
    if (mine.status, mine.group) != shown:
        yield f"{name} has {mine} for {feature}, and Vault CRM shows {row}"
    if said == engage_features.SUCCESS and group != request:
        yield f"{name}'s {feature} request {request} is a success, and the group is {group}"
    for each, who in inside.items():
        if (name in who) != (each == f"{feature} {group}") and each.startswith(f"{feature} "):
            yield f"{name} shows {feature} group {group}, and the server has {each}: {who}"


def asked_twice(pushing: PushCompany) -> Iterator[str]:
    """Yield who was let into a group, or out of all, twice in a row."""
    last: dict[tuple[str, str], tuple[str | None, str]] = {}
    for who, feature, group, outcome in pushing.processed():
        if last.get((who, feature)) == (group, outcome) and outcome == "success__v":
            yield f"{who} was asked twice to be in {feature} {group}"
        last[who, feature] = (group, outcome)
