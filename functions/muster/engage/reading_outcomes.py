"""Reads what has come of requests, and records it: of earlier ones, and of those just sent (P2, P3).

Outcomes that take longer than a push waits are read by the next push.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from muster.crm import engage_features
from muster.engage import group_writes, item_outcomes
from muster.engage.licence_lines import Removals
from muster.engage.ports import Ports
from muster.engage.push_items import PushItem
from muster.engage.sending_items import ItemSender
from muster.roster import end_dates, licence_places
from muster.roster.engage_errors import failures
from muster.roster.licence_places import Line
from muster.roster.member import Member
from muster.runs.clock import RunClock
from muster.runs.hooks import Progress
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.mappings import pushed_features
from muster.sources.vault_users import VaultUser
from muster.times import timestamp

# The Engage server mostly answers within seconds: wait this long before each look, then leave it to the
# next push.
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True, slots=True)
class OutcomeReader:
    """Reads and records outcomes for one invocation of a push; adds to its `progress`."""

    ports: Ports
    clock: RunClock
    settings: Settings
    sender: ItemSender
    progress: Progress

    def record_earlier(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> None:
        """Record the outcomes of earlier requests, and as sent the requests that Vault CRM already has."""
        users = {item.user: item_outcomes.seen_user(item) for item in items}
        if resumed:
            # An import may have recorded something newer since the plan was made.
            users = self.sender.users_now(users)
        member_of = {item.user: item.member for item in items}
        shown = partial(item_outcomes.with_shown, settings=self.settings)
        self._record(run, users, member_of, shown)
        self.sender.were_sent(run, [replace(item, active=None) for item in items if item.writes])

    def wait_for(self, run: Run, items: Sequence[PushItem]) -> Removals:
        """Read the outcomes of sent items for a while; returns what the removals among them have freed."""
        waiting = {item.user: item for item in items}
        freed: Counter[Line] = Counter()
        still_in: set[str] = set()
        for seconds in (0.0, *WAITS_S):
            if not waiting:
                break
            self.ports.wait(seconds)
            users = self.sender.users_now(waiting)
            settled = {name: user for name, user in users.items() if not _is_under_way(waiting[name], user)}
            member_of = {name: waiting[name].member for name in settled}
            self._record(run, settled, member_of, item_outcomes.with_answer)
            for name, user in settled.items():
                freed.update(_freed(waiting.pop(name), user, self.settings))
                if any(group_writes.is_in_group(user.seen[each]) for each in pushed_features(self.settings)):
                    still_in.add(name)
            self.clock.check()
        return Removals(self.settings, freed, frozenset(still_in | waiting.keys()))

    def _record(
        self,
        run: Run,
        users: Mapping[str, VaultUser],
        member_of: Mapping[str, str],
        change: Callable[..., Member],
    ) -> None:
        at = timestamp(self.clock.now())
        day, features = (
            end_dates.today(self.clock.now(), self.settings.time_zone),
            pushed_features(self.settings),
        )
        changes = {
            member_of[name]: partial(change, user=user, at=at, day=day, features=features)
            for name, user in users.items()
        }
        for before, after in self.sender.member_writer(run, "crm").write(changes):
            self.progress.entries += failures(before, after, at, run.id)
            for feature in engage_features.FEATURES:
                status = after.feature(feature).status
                if status != before.feature(feature).status:
                    self.progress.outcomes[status or "no_status"] += 1


def _is_under_way(item: PushItem, user: VaultUser) -> bool:
    under_way = (engage_features.REQUEST_SENT, engage_features.RETRY_REQUEST)
    return any(user.seen[feature].status in under_way for feature in item.writes)


def _freed(item: PushItem, user: VaultUser, settings: Settings) -> Iterator[Line]:
    """Yield the line of each licence that the user has freed since the item was planned."""
    for feature in item.writes:
        before, after = item.seen[feature].group, user.seen[feature].group
        if line := licence_places.freed_by(feature, before, after, settings):
            yield line
