"""Lines for licences: which waiting members may get one in this push, and which do (G8). Pure.

Vault CRM does not say how many licences are free. Muster knows who has left a group and who is about to;
if nobody leaves, the first in line is tried from time to time.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muster.crm import engage_features
from muster.pushes.push_plan import PushItem, Step
from muster.roster import end_dates, engage_groups, licence_places
from muster.roster.licence_places import Place
from muster.roster.member import Member
from muster.settings import Settings
from muster.settings.mappings import pushed_features
from muster.sources.vault_users import VaultUser

# How often the first in line is tried for a group that nobody leaves.
PROBE = timedelta(hours=6)
# How many in line are tried again before a new request for the same group, so that it overtakes nobody.
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
    """Return the waiting members who may get a licence in this push: member id → place, whether at once.

    Those not at once get one only if a removal of this push frees it. `lines` are the places (member id,
    place), first in line first; `free` counts the licences that the roster knows to be free. `members` are
    those due for the push, `users` theirs, by Vault CRM id.
    """
    features, day = pushed_features(settings), end_dates.today(now, settings.time_zone)
    freed = _freed(members, users, settings)
    leaving = _leaving(members, users, settings, day)
    free = free + freed + Counter(dict.fromkeys(_requested(members, settings, day), AHEAD))
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
    """Return how many have left each group since the roster last read it."""
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
    """Return how many are in each group and about to leave it."""
    found: Counter[Line] = Counter()
    for member in members:
        for feature in pushed_features(settings):
            group = getattr(member, feature)["group"]
            moves = engage_groups.is_unsent(member, feature) or not engage_groups.may_hold(member, day)
            if (
                group
                and moves
                and engage_groups.wanted(member, feature, day) != group
                and not _has_left(member, feature, users)
            ):
                found[feature, group] += 1
    return found


def _requested(members: Iterable[Member], settings: Settings, day: date) -> set[Line]:
    """Return the groups with a new request by somebody who is not in line for them."""
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
    """The outcome of removals: licences `freed` by group, and the users who are `still_in` a group."""

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
        line = (item.awaits, item.writes[item.awaits]["request"] or "")
        if self.freed[line] < 1:
            return False
        self.freed[line] -= 1
        return True
