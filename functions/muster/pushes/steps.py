"""The work of a push: gather who is due, decide, send, and read the outcome (P1 to P5, G7, G8).

Each item is sent once. The plan keeps how Vault CRM showed each user before: a resumed run, and a run that
lost the answer to a write, first checks whether the write has arrived.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice

from muster.crm import engage_features
from muster.crm.vault_records import RECORDS_A_CALL
from muster.error_log import LogEntry, at_most
from muster.errors import Misconfigured
from muster.presentation import outcomes
from muster.pushes import group_writes, item_outcomes, licence_lines, push_items, push_plan
from muster.pushes.blocked import another_vault, blocked_by
from muster.pushes.checking_links import strangers
from muster.pushes.licence_lines import Removals
from muster.pushes.ports import Ports
from muster.pushes.push_items import PushItem, Step
from muster.pushes.push_plan import Plan
from muster.pushes.sending_items import ItemSender, at_of
from muster.pushes.syncing_align import AlignSync
from muster.roster import end_dates, engage_groups, licence_places
from muster.roster.engage_errors import (
    REMOVAL_SUCCEEDED,
    failures,
    field_not_writable,
    under_way_too_long,
    user_not_seen,
)
from muster.roster.engage_groups import Due
from muster.roster.licence_places import Line
from muster.roster.member import Member
from muster.roster.writing_members import Change
from muster.runs import guard
from muster.runs.answer import Ended, PlanShown, RunAnswer
from muster.runs.archive import ITEMS_A_PART, AttemptParts
from muster.runs.clock import RunClock
from muster.runs.parking import SHOWN, Ends, to_look_at
from muster.runs.run import Phase, Run, Status
from muster.settings import Settings
from muster.settings.mappings import custom_fields_to_write, pushed_features, vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.vault_users import VaultUser
from muster.times import timestamp

# The Engage server mostly answers within seconds: wait this long before each look, then leave it to the
# next push.
WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(slots=True)
class Steps:
    """One invocation's work on a push, with the settings it decides by."""

    ports: Ports
    clock: RunClock
    settings: Settings
    errors: list[LogEntry] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    # The fields of custom mappings that can be written, once somebody is due for that.
    writable: frozenset[str] = frozenset()
    align_sync: AlignSync = field(init=False)
    sender: ItemSender = field(init=False)

    def __post_init__(self) -> None:
        """Build the Align part, which does nothing where Align is not connected, and the sending part."""
        ports = self.ports
        self.align_sync = AlignSync(
            self.settings, ports.align, ports.roster, ports.runs, self.clock, ports.align_preflight
        )
        self.sender = ItemSender(self.ports, self.clock, self.settings, self.errors, self.counts)

    @property
    def _ends(self) -> Ends:
        return Ends(self.ports.runs, self.ports.roster, self.clock, self.ports.users)

    def gather_and_go_on(self, run: Run, *, resumed: bool) -> RunAnswer:
        """Gather and decide; then end a preview, park what needs approval, or send.

        Raises `Misconfigured`, before anything is sent, if a check fails that sending depends on (U6), or if
        everybody has yet to be linked to the users of another vault (G10).
        """
        plan, run = self._planned(run, resumed=resumed)
        sends = [item for item in plan.items if item.step in push_items.SENT]
        failed = self.ports.preflight() if sends else ()
        if failed and not run.preview:
            raise Misconfigured(f"the push is {blocked_by(failed)}")
        active = self.ports.runs.state(run.organization).active
        trips = guard.tripped(plan.items, active, self.settings)
        shown = PlanShown(changes=[item.shown() for item in sends[:SHOWN]])
        run, answer = self._ends.after_planning(run, trips, shown)
        if answer is None:
            return self._apply(run, plan.items, resumed=False)
        if run.preview:
            would_be = f" It would be {blocked_by(failed)}." if failed else ""
            if not failed and not trips:
                would_be = " Nothing blocks it: it is safe to push now."
            details = {**answer.details, "blocked_by": [asdict(check) for check in failed]}
            answer = replace(answer, message=answer.message + would_be, details=details)
        return answer

    def apply(self, run: Run, *, resumed: bool = False) -> RunAnswer:
        """Send the plan from where the run left off, and end the run; raises `Misconfigured` (G10)."""
        self._require_the_vault_of_the_links(run)
        parts = self.ports.archive.parts(run.organization, run.id, run.attempt, "plan")
        items = list(islice(chain.from_iterable(map(push_items.read, parts)), run.planned))
        return self._apply(run, items, resumed=resumed)

    # ── Gather and decide ────────────────────────────────────────────────────────────────────────

    def _planned(self, run: Run, *, resumed: bool) -> tuple[Plan, Run]:
        at = at_of(run)
        requested, refused = self.align_sync.take_requests(run)
        members = self._due(run, at, requested)
        if members:
            self._require_the_vault_of_the_links(run)
        users = self._users(run, members.values(), resumed=resumed) if members else {}
        lines, free = self.ports.roster.licence_lines(run.organization)
        in_line = licence_lines.next_in_line(lines, free, members.values(), users, self.settings, at)
        waiting = self._members(run, in_line.keys() - members.keys())
        if waiting:
            self._require_the_vault_of_the_links(run)
        members |= waiting
        in_line = {name: place for name, place in in_line.items() if name in members}
        if waiting:
            users |= self._users(run, waiting.values(), resumed=resumed, folder="line/")
        found = strangers(members.values(), users, self.settings, self.ports.roster)
        members = {name: each for name, each in members.items() if name not in found.members}
        in_line = {name: place for name, place in in_line.items() if name in members}
        plan = push_plan.make_plan(members.values(), users, in_line, self.settings, at, self.writable)
        for number, start in enumerate(range(0, len(plan.items), ITEMS_A_PART), 1):
            body = push_items.written(plan.items[start : start + ITEMS_A_PART])
            self.ports.archive.put(run.organization, run.id, run.attempt, "plan", number, body)
        unseen = [user_not_seen(members[name], self._now(), run.id) for name in plan.unseen]
        self._ends.log_errors(run, unseen)
        refused += self._tell(run, [*found.entries, *self._what_takes_long(members.values())])
        return plan, replace(
            run,
            planned=len(plan.items),
            cursor=0,
            errors=len(plan.unseen) + refused,
            counts=push_items.counts(plan.items),
            plan_hash=push_items.plan_hash(plan.items),
            updated_at=timestamp(self.clock.now()),
        )

    def _require_the_vault_of_the_links(self, run: Run) -> None:
        """Raise `Misconfigured` if members are linked to the users of another vault than the connection's."""
        state, host = self.ports.runs.state(run.organization), vault_crm_connection(self.settings).host
        if state.is_of_another_vault(host):
            raise Misconfigured(f"the push is {blocked_by([another_vault(state.vault_host, host)])}")

    def _what_takes_long(self, members: Iterable[Member]) -> list[LogEntry]:
        """Return entries about requests that have been under way for a day (P3)."""
        now = self.clock.now()
        return [entry for member in members for entry in under_way_too_long(member, now)]

    def _tell(self, run: Run, entries: Sequence[LogEntry]) -> int:
        """Tell what is the same at each push; returns how many were not told before."""
        if run.preview:
            return 0
        return self.ports.roster.park(run.organization, at_most(entries), self.clock.now().timestamp())

    def _due(self, run: Run, at: datetime, requested: Mapping[str, Change]) -> dict[str, Member]:
        """Return the members who are due for a push; the index lists candidates, the member decides.

        `requested` are the changes just requested in Align, by member: a preview has not recorded them.
        """
        # The later of the two days: what is due from a moment on has that of UTC.
        day = max(end_dates.today(at, self.settings.time_zone), at.astimezone(UTC).date())
        listed = [
            (name, due)
            for name, due in self.ports.roster.due(run.organization, day)
            if push_plan.is_due(due, self.settings, at)
        ]
        asking = {name: requested[name](each) for name, each in self._members(run, requested).items()}
        dues = [*(due for _, due in listed), *map(engage_groups.due, asking.values())]
        if any(due and engage_features.FIELDS in due.what for due in dues):
            self.writable = self._writable(run)
        names = {name for name, due in listed if self._has_work(due)}
        found = self._members(run, names - asking.keys()) | asking
        return {
            name: each
            for name, each in found.items()
            if (due := engage_groups.due(each, in_align=False))
            and push_plan.is_due(due, self.settings, at)
            and self._has_work(due)
        }

    def _has_work(self, due: Due) -> bool:
        """Whether there is more to do than to write fields of which none can be written."""
        fields = {engage_features.FIELDS} if not self.writable else set()
        return push_plan.concerns_push(due.what - fields, self.settings)

    def _writable(self, run: Run) -> frozenset[str]:
        """Return the fields of custom mappings that can be written; the others are told, once a day."""
        there = {each.name for each in self.ports.fields() if each.active and each.editable}
        wanted = custom_fields_to_write(self.settings)
        now = self.clock.now()
        told = [field_not_writable(name, now) for name in wanted if name not in there]
        if told and not run.preview:
            self.ports.roster.park(run.organization, at_most(told), now.timestamp())
        return frozenset(there.intersection(wanted))

    def _members(self, run: Run, names: Iterable[str]) -> dict[str, Member]:
        return self.ports.roster.members(run.organization, sorted(names))

    def _users(
        self, run: Run, members: Iterable[Member], *, resumed: bool, folder: str = ""
    ) -> dict[str, VaultUser]:
        ids = sorted({str(member.crm[engage_features.CONNECTION]["id"]) for member in members})
        parts = AttemptParts(self.ports.archive, run, folder)
        gathering = VaultGathering(self.settings, self.ports.vault, parts, self.clock.check, resumed)
        return self.sender.read(gathering, ids)

    # ── Send ─────────────────────────────────────────────────────────────────────────────────────

    def _apply(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> RunAnswer:
        try:
            run = self._send_all(run, items, resumed=resumed)
            self._await(run, [item for item in items if item.step in (Step.REMOVAL, Step.ADDITION)])
            self.errors += self.align_sync.report(run, {item.member for item in items})
            return self._end(run)
        finally:
            self._ends.log_errors(run, self.errors)

    def _send_all(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> Run:
        if run.phase is not Phase.APPLY:
            return run
        removals = [item for item in items if item.step is Step.REMOVAL]
        left: Removals | None = None
        # The invocation before may have sent the first chunk, and died before it recorded that.
        in_doubt = resumed
        for some in push_items.chunks(items[run.cursor :], RECORDS_A_CALL):
            going = list(some)
            if some[0].step is Step.OUTCOME:
                self._record_earlier(run, going, resumed=resumed)
            else:
                if left is None and any(item.awaits or item.step is Step.INACTIVATION for item in some):
                    left = self._await(run, removals)
                if left is not None:
                    going = [item for item in some if left.allow(item)]
                self.sender.send(run, going, in_doubt=in_doubt)
            in_doubt = False
            run = self._recorded(run, run.cursor + len(some))
            self.clock.check()
        # All free licences of pushed features have been offered; those freed later are for the next push.
        free, features = self.ports.roster.licence_lines(run.organization)[1], pushed_features(self.settings)
        offered = {line: number for line, number in free.items() if line[0] in features}
        self.ports.roster.offered(run.organization, offered)
        return self._recorded(replace(run, phase=Phase.NOTIFY), run.cursor)

    # ── Outcomes ─────────────────────────────────────────────────────────────────────────────────

    def _record_earlier(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> None:
        """Record the outcomes of earlier requests, and as sent the requests that Vault CRM already has."""
        users = {item.user: item_outcomes.seen_user(item) for item in items}
        if resumed:
            # An import may have recorded something newer since the plan was made.
            users = self.sender.users_now(users)
        member_of = {item.user: item.member for item in items}
        shown = partial(item_outcomes.with_shown, settings=self.settings)
        self._record_outcomes(run, users, member_of, shown)
        self.sender.were_sent(run, [replace(item, active=None) for item in items if item.writes])

    def _await(self, run: Run, items: Sequence[PushItem]) -> Removals:
        """Read the outcomes of sent items for a while; returns what the removals among them have freed.

        Outcomes that take longer are read by the next push.
        """
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
            self._record_outcomes(run, settled, member_of, item_outcomes.with_answer)
            for name, user in settled.items():
                freed.update(_freed(waiting.pop(name), user, self.settings))
                if any(group_writes.is_in_group(user.seen[each]) for each in pushed_features(self.settings)):
                    still_in.add(name)
            self.clock.check()
        return Removals(self.settings, freed, frozenset(still_in | waiting.keys()))

    def _record_outcomes(
        self,
        run: Run,
        users: Mapping[str, VaultUser],
        member_of: Mapping[str, str],
        change: Callable[..., Member],
    ) -> None:
        at, day = self._now(), end_dates.today(self.clock.now(), self.settings.time_zone)
        features = pushed_features(self.settings)
        changes = {
            member_of[name]: partial(change, user=user, at=at, day=day, features=features)
            for name, user in users.items()
        }
        for before, after in self.sender.member_writer(run, "crm").write(changes):
            self.errors += failures(before, after, at, run.id)
            for feature in engage_features.FEATURES:
                status = after.feature(feature).status
                if status != before.feature(feature).status:
                    self.counts[status or "no_status"] += 1

    # ── The end ──────────────────────────────────────────────────────────────────────────────────

    def _recorded(self, run: Run, cursor: int) -> Run:
        """Record the run's progress, with the counts and errors since it was last recorded."""
        so_far = dict(run.counts) if run.cursor or run.phase is Phase.NOTIFY else {}
        for name, count in self.counts.items():
            so_far[name] = so_far.get(name, 0) + count
        self._ends.log_errors(run, self.errors)
        errors = run.errors + self._number_of_errors()
        self.counts.clear()
        self.errors.clear()
        at = timestamp(self.clock.now())
        run = replace(run, counts=so_far, errors=errors, cursor=cursor, updated_at=at)
        self.ports.runs.save(run, self.clock.lease)
        return run

    def _number_of_errors(self) -> int:
        return sum(entry.code != REMOVAL_SUCCEEDED for entry in self.errors)

    def _end(self, run: Run) -> RunAnswer:
        counts = Counter(run.counts) + self.counts
        self.counts.clear()
        errors = run.errors + self._number_of_errors()
        status = Status.SUCCEEDED_WITH_ERRORS if errors else Status.SUCCEEDED
        message = f"{outcomes.in_words(counts, done=True)}."
        run = replace(run, status=status, errors=errors, counts=dict(counts), message=message)
        self._ends.finish(run)
        return RunAnswer(
            ended=Ended.APPLIED,
            message=f"{run.message}{to_look_at(errors)}",
            run_id=run.id,
            errors=errors,
            counts=run.counts,
        )

    def _now(self) -> str:
        return timestamp(self.clock.now())


def _is_under_way(item: PushItem, user: VaultUser) -> bool:
    under_way = (engage_features.REQUEST_SENT, engage_features.RETRY_REQUEST)
    return any(user.seen[feature].status in under_way for feature in item.writes)


def _freed(item: PushItem, user: VaultUser, settings: Settings) -> Iterator[Line]:
    """Yield the line of each licence that the user has freed since the item was planned."""
    for feature in item.writes:
        before, after = item.seen[feature].group, user.seen[feature].group
        if line := licence_places.freed_by(feature, before, after, settings):
            yield line
