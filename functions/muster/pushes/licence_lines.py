"""Lines for licences: who of those who wait in them may get one in this push, and who does (G8). Pure.

Vault CRM does not say how many licences are free. What is known is who has left a group, and who is about
to; where nobody does, the first in line is tried now and then.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muster.crm import engage_features
from muster.pushes.push_plan import Sending, Step
from muster.roster import departures, engage_groups, licence_places
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.mappings import pushed_features
from muster.sources.vault_users import VaultUser

# So often the first in a line that nobody leaves is tried.
PROBE = timedelta(hours=6)
# Before somebody asks anew for a group, so many of its line are tried once more: nobody is overtaken.
AHEAD = 50

# A feature, and a group in it.
type Line = tuple[str, str]


def next_in_line(
    lines: Iterable[tuple[str, Place]],
    free: Counter[Line],
    members: Collection[Member],
    users: Mapping[str, VaultUser],
    settings: Settings,
    now: datetime,
) -> dict[str, tuple[Place, bool]]:
    """Return who of the lines may get a licence in this push: member id → place, and whether at once.

    The others get one if a removal of this push frees it. `lines` has who waits, the first first; `free`
    counts the licences that the roster knows to be free. `members` are whom the push looks at, `users`
    theirs, by id in Vault CRM.
    """
    features, day = pushed_features(settings), departures.today(now, settings.time_zone)
    freed = _freed(members, users, settings)
    leaving = _leaving(members, users, settings, day)
    free = free + freed + Counter(dict.fromkeys(_asked(members, settings, day), AHEAD))
    left = Counter(leaving)
    tried: set[Line] = set()
    chosen: dict[str, tuple[Place, bool]] = {}
    for member, place in lines:
        line = (place.feature, place.group)
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
    """Return how many have left each group since the roster looked last."""
    found: Counter[Line] = Counter()
    for member in members:
        for feature in pushed_features(settings):
            group = getattr(member, feature)["group"]
            if group and _has_left(member, feature, users):
                found[feature, group] += 1
    return found


def _has_left(member: Member, feature: str, users: Mapping[str, VaultUser]) -> bool:
    user = users.get(member.crm[engage_features.CONNECTION]["id"] or "")
    return user is not None and user.seen[feature].group != getattr(member, feature)["group"]


def _leaving(
    members: Iterable[Member], users: Mapping[str, VaultUser], settings: Settings, day: date
) -> Counter[Line]:
    """Return how many are still in each group and about to leave it."""
    found: Counter[Line] = Counter()
    for member in members:
        for feature in pushed_features(settings):
            group = getattr(member, feature)["group"]
            moves = engage_groups.is_unsent(member, feature) or departures.leaves(member, day)
            if (
                group
                and moves
                and engage_groups.wanted(member, feature, day) != group
                and not _has_left(member, feature, users)
            ):
                found[feature, group] += 1
    return found


def _asked(members: Iterable[Member], settings: Settings, day: date) -> set[Line]:
    """Return the groups for which somebody asks now who does not wait in line for them yet."""
    found = set()
    for member in members:
        lines = {(place.feature, place.group) for place in licence_places.places(member)}
        for feature in pushed_features(settings):
            group = engage_groups.wanted(member, feature, day)
            if group and engage_groups.is_unsent(member, feature) and (feature, group) not in lines:
                found.add((feature, group))
    return found


@dataclass(frozen=True, slots=True)
class Removals:
    """What removals have come to: how many licences of each group are `freed`, which users are still in."""

    freed: Counter[Line]
    under_way: frozenset[str]

    def allow(self, item: Sending) -> bool:
        """Tell whether an item may be sent: one in line takes a free licence, if there is one (G8).

        Who is not out of the groups yet is not inactivated: Engage Connect would do nothing for the user.
        """
        if item.step is Step.INACTIVATION:
            return item.user not in self.under_way
        if item.awaits is None:
            return True
        line = (item.awaits, item.writes[item.awaits]["request"] or "")
        if self.freed[line] < 1:
            return False
        self.freed[line] -= 1
        return True
