"""The work of a push: gather who is due, decide, send, and read the outcome (P1 to P5, G7, G8).

Each item is sent once. The plan keeps how Vault CRM showed each user before: a resumed run, and a run that
lost the answer to a write, first checks whether the write has arrived.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain, islice

from muster.crm import engage_features, vault_fields
from muster.crm.vault_records import RECORDS_A_CALL, Outcome, Written
from muster.error_log import LogEntry, at_most
from muster.errors import Misconfigured, OutcomeUnknown, Problem, Rejected
from muster.pushes import group_writes, licence_lines, push_plan
from muster.pushes.blocked import blocked_by, stopped_by
from muster.pushes.licence_lines import Line, Removals
from muster.pushes.ports import Ports
from muster.pushes.push_plan import Plan, PushItem, Step
from muster.pushes.sending_records import sent_in_calls
from muster.pushes.syncing_align import AlignSync
from muster.roster import end_dates, engage_groups
from muster.roster.engage_errors import (
    NOT_TAKEN,
    REFUSED,
    REMOVAL_SUCCEEDED,
    failures,
    left_in_group,
    tried_again,
    under_way_too_long,
    user_entry,
    user_not_seen,
)
from muster.roster.member import Member
from muster.roster.writing_members import Change, MemberWriter
from muster.runs import guard
from muster.runs.answer import Ended, PlanShown, RunAnswer
from muster.runs.archive import ITEMS_A_PART, AttemptParts
from muster.runs.clock import RunClock
from muster.runs.parking import SHOWN, Ends, in_words
from muster.runs.run import Phase, Run, Status
from muster.settings import Settings
from muster.settings.mappings import pushed_features, vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.vault_users import VaultUser, user_of
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
    align_sync: AlignSync = field(init=False)

    def __post_init__(self) -> None:
        """Build the Align part, which does nothing where Align is not connected."""
        self.align_sync = AlignSync(self.settings, self.ports.align, self.ports.roster, self.clock)

    @property
    def _ends(self) -> Ends:
        return Ends(self.ports.runs, self.ports.roster, self.clock)

    def gather_and_go_on(self, run: Run, *, resumed: bool) -> RunAnswer:
        """Gather and decide; then end a preview, park what needs approval, or send.

        Raises `Misconfigured`, before anything is sent, if a check fails that sending depends on (U6).
        """
        plan, run = self._planned(run, resumed=resumed)
        sends = [item for item in plan.items if item.step in push_plan.SENT]
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
            details = {**answer.details, "blocked_by": [asdict(check) for check in failed]}
            answer = replace(answer, message=answer.message + would_be, details=details)
        return answer

    def apply(self, run: Run, *, resumed: bool = False) -> RunAnswer:
        """Send the plan from where the run left off, and end the run."""
        parts = self.ports.archive.parts(run.organization, run.id, run.attempt, "plan")
        items = list(islice(chain.from_iterable(map(push_plan.read, parts)), run.planned))
        return self._apply(run, items, resumed=resumed)

    # ── Gather and decide ────────────────────────────────────────────────────────────────────────

    def _planned(self, run: Run, *, resumed: bool) -> tuple[Plan, Run]:
        at = self._at(run)
        requested, refused = self.align_sync.take_requests(run)
        members = self._due(run, at, requested)
        users = self._users(run, members.values(), resumed=resumed) if members else {}
        lines, free = self.ports.roster.licence_lines(run.organization)
        in_line = licence_lines.next_in_line(lines, free, members.values(), users, self.settings, at)
        waiting = self._members(run, in_line.keys() - members.keys())
        members |= waiting
        in_line = {name: place for name, place in in_line.items() if name in members}
        if waiting:
            users |= self._users(run, waiting.values(), resumed=resumed, folder="line/")
        plan = push_plan.make_plan(members.values(), users, in_line, self.settings, at)
        for number, start in enumerate(range(0, len(plan.items), ITEMS_A_PART), 1):
            body = push_plan.written(plan.items[start : start + ITEMS_A_PART])
            self.ports.archive.put(run.organization, run.id, run.attempt, "plan", number, body)
        unseen = [user_not_seen(members[name], self._now(), run.id) for name in plan.unseen]
        self._ends.log_errors(run, unseen)
        refused += self._tell_what_takes_long(run, members.values())
        return plan, replace(
            run,
            planned=len(plan.items),
            cursor=0,
            errors=len(plan.unseen) + refused,
            counts=push_plan.counts(plan.items),
            plan_hash=push_plan.plan_hash(plan.items),
            updated_at=timestamp(self.clock.now()),
        )

    def _tell_what_takes_long(self, run: Run, members: Iterable[Member]) -> int:
        """Tell requests that have been under way for a day; returns how many were not told before (P3)."""
        if run.preview:
            return 0
        now = self.clock.now()
        entries = [entry for member in members for entry in under_way_too_long(member, now)]
        return self.ports.roster.park(run.organization, at_most(entries), now.timestamp())

    def _due(self, run: Run, at: datetime, requested: Mapping[str, Change]) -> dict[str, Member]:
        """Return the members who are due for a push; the index lists candidates, the member decides.

        `requested` are the changes just requested in Align, by member: a preview has not recorded them.
        """
        # The later of the two days: what is due from a moment on has that of UTC.
        day = max(end_dates.today(at, self.settings.time_zone), at.astimezone(UTC).date())
        names = [
            name
            for name, due in self.ports.roster.due(run.organization, day)
            if push_plan.is_due(due, self.settings, at)
        ]
        found = self._members(run, {*names, *requested})
        found |= {name: change(found[name]) for name, change in requested.items() if name in found}
        return {
            name: each
            for name, each in found.items()
            if push_plan.is_due(engage_groups.due(each, in_align=False), self.settings, at)
        }

    def _members(self, run: Run, names: Iterable[str]) -> dict[str, Member]:
        return self.ports.roster.members(run.organization, sorted(names))

    def _users(
        self, run: Run, members: Iterable[Member], *, resumed: bool, folder: str = ""
    ) -> dict[str, VaultUser]:
        ids = sorted({str(member.crm[engage_features.CONNECTION]["id"]) for member in members})
        parts = AttemptParts(self.ports.archive, run, folder)
        gathering = VaultGathering(self.settings, self.ports.vault, parts, self.clock.check, resumed)
        return self._read(gathering, ids)

    def _users_now(self, ids: Iterable[str]) -> dict[str, VaultUser]:
        """Return these users as they are now, without archiving them."""
        gathering = VaultGathering(self.settings, self.ports.vault, _NoArchive(), self.clock.check)
        return self._read(gathering, sorted(ids))

    def _read(self, gathering: VaultGathering, ids: Sequence[str]) -> dict[str, VaultUser]:
        users = {}
        for vault_id, row in gathering.named(ids).rows.items():
            try:
                users[vault_id] = user_of(row, self.settings, "")
            except Rejected as error:
                self.errors.append(
                    user_entry(self._now(), vault_id, "user_not_understood", error.problems[0])
                )
        return users

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
        for some in push_plan.chunks(items[run.cursor :], RECORDS_A_CALL):
            going = list(some)
            if some[0].step is Step.OUTCOME:
                self._record_earlier(run, going, resumed=resumed)
            else:
                if left is None and any(item.awaits or item.step is Step.INACTIVATION for item in some):
                    left = self._await(run, removals)
                if left is not None:
                    going = [item for item in some if left.allow(item)]
                self._send(run, going, in_doubt=in_doubt)
            in_doubt = False
            run = self._recorded(run, run.cursor + len(some))
            self.clock.check()
        # All free licences have been offered to the lines; those freed later are for the next push.
        self.ports.roster.offered(run.organization, self.ports.roster.licence_lines(run.organization)[1])
        return self._recorded(replace(run, phase=Phase.NOTIFY), run.cursor)

    def _send(self, run: Run, items: Sequence[PushItem], *, in_doubt: bool) -> None:
        """Write one chunk, each record once, and record the outcomes."""
        if in_doubt:
            items = self._not_arrived(run, items)
        left = {item.user: item for item in self._still_wanted(run, items, in_doubt=in_doubt)}
        try:
            self._write(run, left)
        except OutcomeUnknown:
            left = {item.user: item for item in self._not_arrived(run, [*left.values()])}
            self._write(run, left)
        self.counts["left_to_the_next_push"] += len(left)

    def _write(self, run: Run, left: dict[str, PushItem]) -> None:
        """Write these items, by user, and record the outcomes call by call; what has one is taken out.

        Raises `Misconfigured` where a refusal turns out to be about what the integration user may do: that
        is no fault of the records, which stay as they are (P3, U6).
        """
        stop_if_blocked = cache(self._stop_if_blocked)

        def refused() -> None:
            stop_if_blocked()
            self.clock.check()

        records = [self._record(item) for item in left.values()]
        for answers in sent_in_calls(self.ports.vault, vault_fields.OBJECT, records, refused):
            answered = [(left.pop(answer.id), answer) for answer in answers]
            self._answered(run, [each for each in answered if not each[1].forbidden])
            if forbidden := [each for each in answered if each[1].forbidden]:
                self._stop_if_blocked()
                self._answered(run, forbidden)

    def _stop_if_blocked(self) -> None:
        if failed := self.ports.preflight():
            raise Misconfigured(f"the push is {stopped_by(failed)}")

    def _still_wanted(self, run: Run, items: Sequence[PushItem], *, in_doubt: bool) -> list[PushItem]:
        """Return the items that the roster still wants: members may have changed since the plan was made.

        `in_doubt`: the invocation before may have sent some of them, and have recorded who was refused.
        """
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        members = self._members(run, {item.member for item in items})
        return [
            item
            for item in items
            if item.member in members
            and push_plan.is_wanted(item, members[item.member], day)
            and not (in_doubt and push_plan.was_refused(item, members[item.member]))
        ]

    def _not_arrived(self, run: Run, items: Sequence[PushItem]) -> list[PushItem]:
        """Return the items that Vault CRM does not have; record the others as sent (P5)."""
        users = self._users_now(item.user for item in items)
        arrived = [
            item for item in items if item.user in users and push_plan.has_arrived(item, users[item.user])
        ]
        self._were_sent(run, arrived)
        known = {item.user for item in arrived}
        return [item for item in items if item.user in users and item.user not in known]

    def _answered(self, run: Run, answered: Sequence[tuple[PushItem, Written]]) -> None:
        self._were_sent(run, [item for item, answer in answered if answer.outcome is Outcome.WRITTEN])
        refused = [(item, answer) for item, answer in answered if answer.outcome is Outcome.REFUSED]
        self._failed(run, "not_written", [(item, answer.problem or REFUSED) for item, answer in refused])
        self.counts["refused"] += len(refused)
        # Vault CRM held these values already, so nothing was started: the next push decides about them anew.
        unchanged = [item for item, answer in answered if answer.outcome is Outcome.NO_CHANGES]
        self.counts["not_sent"] += len(unchanged)
        self._not_taken(run, [item for item in unchanged if item.step is Step.REMOVAL])

    def _failed(self, run: Run, code: str, failed: Sequence[tuple[PushItem, Problem]]) -> None:
        """Record what Vault CRM did not save, and tell it, what is tried again by itself once only (P3)."""
        day, at = end_dates.today(self._at(run), self.settings.time_zone), timestamp(self._at(run))
        changes = {
            item.member: partial(push_plan.with_failure, item=item, day=day, at=at) for item, _ in failed
        }
        changed = {after.id: (before, after) for before, after in self._member_writer(run).write(changes)}
        for item, problem in failed:
            if item.member in changed and not push_plan.is_told(item, *changed[item.member]):
                told = tried_again(problem)
                self.errors.append(user_entry(self._now(), item.user, code, told, item.member))

    def _not_taken(self, run: Run, removals: Sequence[PushItem]) -> None:
        """Try removals that Vault CRM took for no change with an empty text, once; tell them (P3)."""
        if not removals:
            return
        users = self._users_now(item.user for item in removals)
        members = self._members(run, {item.member for item in removals})
        shown = [item for item in removals if item.user in users and item.member in members]
        # Whoever is out of the group meanwhile is for the next push to record.
        left = [
            item
            for item in shown
            if any(group_writes.is_in_group(users[item.user].seen[feature]) for feature in item.writes)
        ]
        again = [
            blanked
            for item in left
            if (blanked := push_plan.blanked(item, members[item.member], users[item.user]))
        ]
        self._failed(run, "removal_not_taken", [(item, NOT_TAKEN) for item in left])
        self._write(run, {item.user: item for item in again})

    def _were_sent(self, run: Run, items: Sequence[PushItem]) -> None:
        day, at = end_dates.today(self._at(run), self.settings.time_zone), timestamp(self._at(run))
        sent = {item.member: partial(push_plan.with_sent, item=item, day=day, at=at) for item in items}
        self._member_writer(run).write(sent)
        for item in items:
            self.counts["under_way" if item.step is Step.OUTCOME else push_plan.COUNTED[item.step]] += 1
            if item.step is Step.INACTIVATION:
                self.errors += self._left_in_groups(item)

    def _left_in_groups(self, item: PushItem) -> Iterator[LogEntry]:
        """Yield an entry for each group in which the user was inactivated: of features not managed."""
        for feature in sorted(item.seen.keys() - {*pushed_features(self.settings)}):
            if item.seen[feature].group:
                problem = left_in_group(feature)
                yield user_entry(self._now(), item.user, "inactivated_in_group", problem, item.member)

    def _record(self, item: PushItem) -> dict[str, str | None]:
        """Return the record to write for an item."""
        record: dict[str, str | None] = {"id": item.user}
        for feature, writes in item.writes.items():
            if "request" in writes:
                record[vault_fields.request_field(feature)] = writes["request"]
            if status := writes.get("status"):
                record[vault_fields.status_field(feature)] = vault_crm_connection(self.settings).api_name(
                    feature, status
                )
        if item.active is not None:
            record["status__v"] = "active__v" if item.active else "inactive__v"
        return record

    # ── Outcomes ─────────────────────────────────────────────────────────────────────────────────

    def _record_earlier(self, run: Run, items: Sequence[PushItem], *, resumed: bool) -> None:
        """Record the outcomes of earlier requests, and as sent the requests that Vault CRM already has."""
        users = {item.user: push_plan.seen_user(item) for item in items}
        if resumed:
            # An import may have recorded something newer since the plan was made.
            users = self._users_now(users)
        member_of = {item.user: item.member for item in items}
        self._record_outcomes(run, users, member_of, push_plan.with_outcome)
        self._were_sent(run, [replace(item, active=None) for item in items if item.writes])

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
            users = self._users_now(waiting)
            settled = {name: user for name, user in users.items() if not _is_under_way(waiting[name], user)}
            member_of = {name: waiting[name].member for name in settled}
            self._record_outcomes(run, settled, member_of, push_plan.with_answer)
            for name, user in settled.items():
                freed.update(_left(waiting.pop(name), user))
                if any(group_writes.is_in_group(user.seen[each]) for each in pushed_features(self.settings)):
                    still_in.add(name)
            self.clock.check()
        return Removals(freed, frozenset(still_in | waiting.keys()))

    def _record_outcomes(
        self,
        run: Run,
        users: Mapping[str, VaultUser],
        member_of: Mapping[str, str],
        change: Callable[..., Member],
    ) -> None:
        at, day = self._now(), end_dates.today(self.clock.now(), self.settings.time_zone)
        changes = {
            member_of[name]: partial(change, user=user, at=at, day=day) for name, user in users.items()
        }
        for before, after in self._member_writer(run, "crm").write(changes):
            self.errors += failures(before, after, at, run.id)
            for feature in engage_features.FEATURES:
                status = getattr(after, feature)["status"]
                if status != getattr(before, feature)["status"]:
                    self.counts[status or "no_status"] += 1

    def _member_writer(self, run: Run, origin: str | None = None) -> MemberWriter:
        name = f"run:{run.id}"
        return MemberWriter(
            self.settings, self.ports.roster, self.clock.now(), self.clock.lease, origin or name, name
        )

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
        message = f"{in_words(counts)}."
        run = replace(run, status=status, errors=errors, counts=dict(counts), message=message)
        self._ends.finish(run)
        said = f" {errors} to look at: RosterQueryFunction lists them (errors)." if errors else ""
        return RunAnswer(
            ended=Ended.APPLIED,
            message=f"{run.message}{said}",
            run_id=run.id,
            errors=errors,
            counts=run.counts,
        )

    def _at(self, run: Run) -> datetime:
        return datetime.fromisoformat(run.gathered_at or run.started_at)

    def _now(self) -> str:
        return timestamp(self.clock.now())


class _NoArchive:
    """Takes parts and keeps none."""

    def put(self, name: str, number: int, body: bytes) -> None:
        """Drop the part."""

    def parts(self, name: str) -> Iterator[bytes]:
        """Return no parts."""
        return iter(())


def _is_under_way(item: PushItem, user: VaultUser) -> bool:
    under_way = (engage_features.REQUEST_SENT, engage_features.RETRY_REQUEST)
    return any(user.seen[feature].status in under_way for feature in item.writes)


def _left(item: PushItem, user: VaultUser) -> Iterator[Line]:
    """Yield the groups that the user has left since the item was planned."""
    for feature in item.writes:
        group = item.seen[feature].group
        if group and user.seen[feature].group != group:
            yield feature, group
