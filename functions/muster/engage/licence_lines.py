"""Lines for licences: which waiting members may get one in this push, and which do (G8). Pure.

Vault CRM does not say how many licences are free. Muster knows who has left a group and who is about to;
if nobody leaves, the first in line is tried from time to time.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muster.crm import engage_features
from muster.crm.engage_features import Feature
from muster.engage.push_items import PushItem, Step
from muster.roster import end_dates, engage_groups, licence_places
from muster.roster.licence_places import Line, Place
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.mappings import pushed_features
from muster.sources.vault_users import VaultUser

# How often the first in line is tried for a group that nobody leaves.
PROBE = timedelta(hours=6)
# How many in line are tried again before a new request for the same group, so that it overtakes nobody.
AHEAD = 50


def next_in_line(
    lines: Iterable[tuple[str, Place]],
    free: Mapping[tuple[str, str], int],
    members: Collection[Member],
    users: Mapping[str, VaultUser],
    settings: Settings,
    now: datetime,
) -> dict[str, tuple[Place, bool]]:
    """Return the waiting members who may get a licence in this push: member id → place, whether at once.

    Those not at once get one only if a removal of this push frees it. `lines` are the places (member id,
    place); `free` counts, by feature and group, who has left as far as the roster knows. (It counts who has
    gone to another group of the feature, too: where licences count by feature, that costs one try in vain.)
    `members` are those due for the push, `users` theirs, by Vault CRM id.
    """
    features, day = pushed_features(settings), end_dates.today(now, settings.time_zone)
    freed = _freed(members, users, settings)
    leaving = _leaving(members, users, settings, day)
    free = _by_line(free, settings) + freed
    free += Counter(dict.fromkeys(_requested(members, settings, day), AHEAD))
    left = Counter(leaving)
    tried: set[Line] = set()
    chosen: dict[str, tuple[Place, bool]] = {}
    for member, place in sorted(lines, key=lambda each: each[1].since):
        line = licence_places.line_for(place.feature, place.group, settings)
        if place.feature not in features:
            continue
        if free[line] > 0:
            free[line] -= 1
            tried.add(line)
            chosen.setdefault(member, (place, True))
        elif left[line] > 0:
            left[line] -= 1
            chosen.setdefault(member, (place, False))
        elif line not in leaving and line not in tried:
            tried.add(line)
            if now - datetime.fromisoformat(place.tried) >= PROBE:
                chosen.setdefault(member, (place, True))
    return chosen


def _freed(members: Iterable[Member], users: Mapping[str, VaultUser], settings: Settings) -> Counter[Line]:
    """Return how many licences have become free, by line, since the roster last read the groups."""
    found: Counter[Line] = Counter()
    for member in members:
        for feature in pushed_features(settings):
            group, now = member.feature(feature).group, _group_now(member, feature, users)
            if line := licence_places.freed_by(feature, group, now, settings):
                found[line] += 1
    return found


def _by_line(counts: Mapping[tuple[str, str], int], settings: Settings) -> Counter[Line]:
    found: Counter[Line] = Counter()
    for (feature, group), number in counts.items():
        found[licence_places.line_for(feature, group, settings)] += number
    return found


def _group_now(member: Member, feature: Feature, users: Mapping[str, VaultUser]) -> str | None:
    user = users.get(member.crm[engage_features.CONNECTION]["id"] or "")
    known: str | None = member.feature(feature).group
    return known if user is None else user.seen[feature].group


def _leaving(
    members: Iterable[Member], users: Mapping[str, VaultUser], settings: Settings, day: date
) -> Counter[Line]:
    """Return how many licences are about to become free, by line."""
    found: Counter[Line] = Counter()
    for member in members:
        for feature in pushed_features(settings):
            group, wanted = _group_now(member, feature, users), engage_groups.wanted(member, feature, day)
            line = licence_places.freed_by(feature, group, wanted, settings)
            moves = engage_groups.is_unsent(member, feature) or not engage_groups.may_hold(member, day)
            if line and moves:
                found[line] += 1
    return found


def _requested(members: Iterable[Member], settings: Settings, day: date) -> set[Line]:
    """Return the lines that new requests could overtake: of who is not in them, and has no licence."""
    found = set()
    for member in members:
        known = {(place.feature, place.group) for place in licence_places.places(member)}
        known |= {(each, held) for each in pushed_features(settings) if (held := member.feature(each).group)}
        lines = {licence_places.line_for(*each, settings) for each in known}
        for feature in pushed_features(settings):
            group = engage_groups.wanted(member, feature, day)
            line = licence_places.line_for(feature, group or "", settings)
            if group and engage_groups.is_unsent(member, feature) and line not in lines:
                found.add(line)
    return found


@dataclass(frozen=True, slots=True)
class Removals:
    """The outcome of removals: licences `freed`, by line, and the users who are `still_in` a group."""

    settings: Settings
    freed: Counter[Line]
    still_in: frozenset[str]

    def allow(self, item: PushItem) -> bool:
        """Whether an item may be sent; one that awaits a licence takes a freed one (G8).

        A user who is still in a group is not inactivated: Engage Connect ignores inactive users.
        """
        if item.step is Step.INACTIVATION:
            return item.user not in self.still_in
        if item.awaits is None:
            return True
        group = item.writes[item.awaits]["request"] or ""
        line = licence_places.line_for(item.awaits, group, self.settings)
        if self.freed[line] < 1:
            return False
        self.freed[line] -= 1
        return True
