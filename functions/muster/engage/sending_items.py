"""Writes the items of a push's plan to Vault CRM, each once, and records what comes of it (P2, P3, P5).

What cannot be written is told, and holds up nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import zip_longest

from muster.crm import vault_fields
from muster.crm.vault_records import Outcome, Written
from muster.engage import group_writes, item_outcomes, push_items
from muster.engage.ports import Ports
from muster.engage.push_items import VAULT_CRM, PushItem, Step
from muster.engage.sending_records import sent_in_calls
from muster.error_log import LogEntry
from muster.errors import Misconfigured, OutcomeUnknown, Problem, Rejected
from muster.pushes.blocked import stopped_by
from muster.roster import end_dates
from muster.roster.engage_errors import (
    NOT_TAKEN,
    REFUSED,
    left_in_group,
    not_activated,
    tried_again,
    user_entry,
)
from muster.roster.links import vault_id
from muster.roster.member import Member
from muster.roster.writing_members import MemberWriter
from muster.runs.clock import RunClock
from muster.runs.hooks import Progress
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.mappings import pushed_features, vault_crm_connection
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.vault_users import VaultUser, user_of
from muster.times import timestamp


@dataclass(slots=True)
class ItemSender:
    """Writes items for one invocation of a push; adds to the push's `progress`."""

    ports: Ports
    clock: RunClock
    settings: Settings
    progress: Progress

    def arrived(self, run: Run, items: Sequence[PushItem]) -> list[PushItem]:
        """Return those of items that may have been sent which still are to be; the others are recorded (P5).

        Whoever was refused is recorded too, and is not sent again.
        """
        left = self._not_arrived(run, items)
        members = self._members(run, {item.member for item in left})
        return [
            item
            for item in left
            if item.member not in members or not item_outcomes.was_refused(item, members[item.member])
        ]

    def send(self, run: Run, items: Sequence[PushItem]) -> None:
        """Write one chunk, each record once, and record the outcomes."""
        left = {item.user: item for item in self._still_wanted(run, items)}
        try:
            self._write(run, left)
        except OutcomeUnknown:
            left = {item.user: item for item in self._not_arrived(run, [*left.values()])}
            self._write(run, left)
        self.progress.outcomes["left_to_the_next_push"] += len(left)

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
            raise Misconfigured(f"the push is {stopped_by(failed, VAULT_CRM)}")

    def _still_wanted(self, run: Run, items: Sequence[PushItem]) -> list[PushItem]:
        """Return the items that the roster still wants: members may have changed since the plan was made."""
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        members = self._members(run, {item.member for item in items})
        return [
            item
            for item in items
            if item.member in members
            and vault_id(members[item.member]) == item.user
            and item_outcomes.is_wanted(item, members[item.member], day)
        ]

    def _not_arrived(self, run: Run, items: Sequence[PushItem]) -> list[PushItem]:
        """Return the items that Vault CRM does not have; record the others as sent (P5)."""
        users = self.users_now(item.user for item in items)
        arrived = [
            item for item in items if item.user in users and item_outcomes.has_arrived(item, users[item.user])
        ]
        self.were_sent(run, arrived)
        known = {item.user for item in arrived}
        return [item for item in items if item.user in users and item.user not in known]

    def _answered(self, run: Run, answered: Sequence[tuple[PushItem, Written]]) -> None:
        self.were_sent(run, [item for item, answer in answered if answer.outcome is Outcome.WRITTEN])
        refused = [(item, answer) for item, answer in answered if answer.outcome is Outcome.REFUSED]
        several = [item for item, _ in refused if len(item.fields) > 1]
        refused = [each for each in refused if each[0] not in several]
        self._failed(run, "not_written", [(item, _problem(item, answer)) for item, answer in refused])
        self.progress.outcomes["refused"] += len(refused)
        # Vault CRM held these values already, so nothing was started: the next push decides about them anew.
        unchanged = [item for item, answer in answered if answer.outcome is Outcome.NO_CHANGES]
        self.progress.outcomes["not_sent"] += len(unchanged)
        self._not_taken(run, [item for item in unchanged if item.step is Step.REMOVAL])
        same = {
            item.member: partial(item_outcomes.with_same_fields, item=item)
            for item in unchanged
            if item.step is Step.UPDATE
        }
        self.member_writer(run).write(same)
        # Nobody says which of the fields is at fault.
        for some in zip_longest(*map(item_outcomes.one_by_one, several)):
            self._write(run, {item.user: item for item in some if item})

    def _failed(self, run: Run, code: str, failed: Sequence[tuple[PushItem, Problem]]) -> None:
        """Record what Vault CRM did not save, and tell it, what is tried again by itself once only (P3)."""
        day, at = end_dates.today(at_of(run), self.settings.time_zone), timestamp(at_of(run))
        changes = {
            item.member: partial(item_outcomes.with_failure, item=item, day=day, at=at) for item, _ in failed
        }
        changed = {after.id: (before, after) for before, after in self.member_writer(run).write(changes)}
        for item, problem in failed:
            if item.member in changed and not item_outcomes.is_told(item, *changed[item.member]):
                told = tried_again(problem)
                self.progress.entries.append(user_entry(self._now(), item.user, code, told, item.member))

    def _not_taken(self, run: Run, removals: Sequence[PushItem]) -> None:
        """Try removals that Vault CRM took for no change with an empty text, once; tell them (P3)."""
        if not removals:
            return
        users = self.users_now(item.user for item in removals)
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
            if (blanked := item_outcomes.blanked(item, members[item.member], users[item.user]))
        ]
        self._failed(run, "removal_not_taken", [(item, NOT_TAKEN) for item in left])
        self._write(run, {item.user: item for item in again})

    def were_sent(self, run: Run, items: Sequence[PushItem]) -> None:
        """Record that Vault CRM has these items."""
        day, at = end_dates.today(at_of(run), self.settings.time_zone), timestamp(at_of(run))
        sent = {item.member: partial(item_outcomes.with_sent, item=item, day=day, at=at) for item in items}
        self.member_writer(run).write(sent)
        for item in items:
            self.progress.outcomes[
                "under_way" if item.step is Step.OUTCOME else push_items.COUNTED[item.step]
            ] += 1
            if item.step is Step.INACTIVATION:
                self.progress.entries += self._left_in_groups(item)

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
        record |= {each.field: each.to for each in item.fields.values()}
        if item.active is not None:
            record["status__v"] = "active__v" if item.active else "inactive__v"
        return record

    # ── Users and members ────────────────────────────────────────────────────────────────────────

    def users_now(self, ids: Iterable[str]) -> dict[str, VaultUser]:
        """Return these users as they are now, without archiving them."""
        gathering = VaultGathering(self.settings, self.ports.vault, _NoArchive(), self.clock.check)
        return self.read(gathering, sorted(ids))

    def read(self, gathering: VaultGathering, ids: Sequence[str]) -> dict[str, VaultUser]:
        """Return the users that a gathering shows; who is not understood is told."""
        users = {}
        for user, row in gathering.named(ids).rows.items():
            try:
                users[user] = user_of(row, self.settings, "")
            except Rejected as error:
                self.progress.entries.append(
                    user_entry(self._now(), user, "user_not_understood", error.problems[0])
                )
        return users

    def member_writer(self, run: Run, origin: str | None = None) -> MemberWriter:
        """Return what writes members in the run's name; `origin` is for the history."""
        name = f"run:{run.id}"
        return MemberWriter(
            self.settings, self.ports.roster, self.clock.now(), self.clock.lease, origin or name, name
        )

    def _members(self, run: Run, names: Iterable[str]) -> dict[str, Member]:
        return self.ports.roster.members(run.organization, sorted(names))

    def _now(self) -> str:
        return timestamp(self.clock.now())


def _problem(item: PushItem, answer: Written) -> Problem:
    problem = answer.problem or REFUSED
    return not_activated(problem) if item.step is Step.ACTIVATION else problem


class _NoArchive:
    """Takes parts and keeps none."""

    def put(self, name: str, number: int, body: bytes) -> None:
        """Drop the part."""

    def parts(self, name: str) -> Iterator[bytes]:
        """Return no parts."""
        return iter(())
