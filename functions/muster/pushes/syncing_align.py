"""The Align part of a push or an import: read what admins ask for first, show what came of it last (G9).

Neither depends on Align: if it cannot be reached, or its integration user is not as it has to be (U6), the
error log says so, the rest goes on, and the next run brings Align up to date. Values written to Align are
absolute: if an answer is lost, nothing happens twice, and the next run looks again.

What an admin saves while a record is being written is found by reading it again right after: a request that
is not what was there before is taken over as if Retry Request were beside it.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from muster.checks import Check
from muster.crm import align_fields, engage_features
from muster.crm.vault_records import RECORDS_A_CALL, Outcome
from muster.error_log import LogEntry
from muster.errors import MusterError, Problem
from muster.pushes import align_entries, align_outcomes, align_records, align_requests
from muster.pushes.align_outcomes import Fields
from muster.pushes.align_records import AlignRecord
from muster.pushes.ports import Vault
from muster.roster import end_dates
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.writing_members import Change, MemberWriter
from muster.runs.clock import RunClock
from muster.runs.ports import Runs
from muster.runs.run import ImportState, Run
from muster.settings import Settings
from muster.settings.digests import align_settings_digest
from muster.settings.mappings import pushed_features
from muster.times import timestamp

# Vault commits records some time after their time of change, and clocks differ.
OVERLAP = timedelta(minutes=10)

type Found = list[tuple[AlignRecord, tuple[Member, ...]]]
type Write = tuple[AlignRecord, Member, Fields]


@dataclass(slots=True)
class AlignSync:
    """One invocation's sync with Align; does nothing if Align is not connected (`align` is `None`).

    `preflight` returns the failed ones of the checks that writing to Align depends on (U6). `read` counts
    the records that were read, `newest` is the latest time of change among them, `whole` says that it was
    every record; `written` counts those that were written.
    """

    settings: Settings
    align: Vault | None
    roster: Roster
    runs: Runs
    clock: RunClock
    preflight: Callable[[], Sequence[Check]] = tuple
    read: int | None = field(default=None, init=False)
    newest: str | None = field(default=None, init=False)
    whole: bool = field(default=False, init=False)
    written: int = field(default=0, init=False)
    # Align could not be reached or may not be written: another try would only cost time.
    _down: bool = field(default=False, init=False)
    _checked: bool = field(default=False, init=False)
    _to_fill: set[str] = field(default_factory=set, init=False)
    # Of which records, saved when, the error log has an entry: one is enough.
    _told: Mapping[str, str] = field(default_factory=dict, init=False)

    # ── First: what admins ask for ───────────────────────────────────────────────────────────────

    def take_requests(self, run: Run, linked: Collection[str] = ()) -> tuple[Mapping[str, Change], int]:
        """Take over what admins ask for; returns the changes by member (id) and the number of errors.

        The changes are recorded and the errors logged, except in a preview. `linked` are the Vault CRM ids
        of members who were linked to them only now.
        """
        if self.align is None or not pushed_features(self.settings):
            return {}, 0
        state = self.runs.state(run.organization)
        self._told = state.align_told
        try:
            records = self._records(self.align, [self._wanted(run, state)])
            changes, entries = self._decided(self._found(records), frozenset(linked))
            if changes:
                self._check_user()
        except MusterError as error:
            self._down = True
            changes, entries = {}, [align_entries.not_reached(error, self._now(), run.id)]
        else:
            self.read = len(records)
            self.newest = max((each.modified for each in records), default=None)
        if run.preview:
            return changes, 0
        # Log first: a request that is recorded as taken over is not looked at again.
        self.roster.park(run.organization, entries, self.clock.now().timestamp())
        self._record(run, changes)
        self._keep_told(state)
        return changes, len(entries)

    def state_after(self, state: ImportState) -> ImportState:
        """Return what imports remember, with what was read of Align."""
        if self.read is None:
            return state
        newest = timestamp(datetime.fromisoformat(self.newest)) if self.newest else None
        return replace(
            state,
            align_watermark=max(newest or "", state.align_watermark or "") or None,
            align_read_with=align_settings_digest(self.settings),
        )

    def _wanted(self, run: Run, state: ImportState) -> str | None:
        """Return the condition for the records to read; `None`: all of them."""
        known = state.align_read_with == align_settings_digest(self.settings)
        self.whole = run.mode == "full" or not known or state.align_watermark is None
        if self.whole:
            return None
        since = datetime.fromisoformat(state.align_watermark or "") - OVERLAP
        return align_records.changed_since(timestamp(since), self.settings)

    def _decided(self, found: Found, linked: frozenset[str]) -> tuple[dict[str, Change], list[LogEntry]]:
        """Return the changes and error entries of the records; each must match exactly one member."""
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        matched = Counter(members[0].id for _, members in found if len(members) == 1)
        changes: dict[str, Change] = {}
        entries = []
        unmatched: dict[str, str] = {}
        for record, members in found:
            records = max((matched[member.id] for member in members), default=1)
            if len(members) != 1 or records > 1:
                if record.retrying:
                    unmatched[record.id] = record.modified
                if record.retrying and self._told.get(record.id) != record.modified:
                    problem = align_records.match_problem(records, len(members), self.settings)
                    entries.append(align_entries.about(record, align_entries.MEMBER_UNKNOWN, problem))
                continue
            (member,) = members
            if align_outcomes.is_to_be_filled(member, record):
                self._to_fill.add(member.id)
            new = member.crm.get(engage_features.CONNECTION, {}).get("id") in linked
            change = partial(
                align_requests.taken_over, record=record, settings=self.settings, day=day, linked=new
            )
            if change(member) != member:
                problems = align_requests.refusals(member, record, self.settings, day, linked=new)
                entries += [
                    align_entries.about(record, align_entries.REQUEST_REFUSED, each, member)
                    for each in problems
                ]
                changes[member.id] = change
        now = {record.id: record.modified for record, _ in found}
        self._told = {
            name: modified
            for name, modified in self._told.items()
            if now.get(name, None if self.whole else modified) == modified
        } | unmatched
        return changes, entries

    # ── Last: what came of it ────────────────────────────────────────────────────────────────────

    def report(self, run: Run, touched: Iterable[str]) -> Sequence[LogEntry]:
        """Update Align for these members (ids), for those never filled in, and for all who are due.

        Returns the errors.
        """
        if self.align is None or self._down or not pushed_features(self.settings):
            return ()
        entries: list[LogEntry] = []
        state = self.runs.state(run.organization)
        self._told = state.align_told
        try:
            for some in batched(self._to_report(run, touched), RECORDS_A_CALL, strict=False):
                entries += self._updated(self.align, run, {each.id: each for each in some})
                self.clock.check()
        except MusterError as error:
            self._down = True
            entries.append(align_entries.not_reached(error, self._now(), run.id))
        self._keep_told(state)
        return entries

    def _to_report(self, run: Run, touched: Iterable[str]) -> list[Member]:
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        due = {
            name
            for name, each in self.roster.due(run.organization, day)
            if engage_features.ALIGN in each.what
        }
        members = self.roster.members(run.organization, sorted({*touched, *due, *self._to_fill}))
        return [
            each
            for name, each in members.items()
            if align_outcomes.is_outdated(each) or name in self._to_fill
        ]

    def _updated(self, align: Vault, run: Run, members: Mapping[str, Member]) -> list[LogEntry]:
        """Bring the records of up to 500 members up to date: read, write, and read what was written again."""
        self._check_user()
        records = self._records(align, align_records.about(members.values(), self.settings))
        found = self._found(records)
        self._forget_missing(run, members, {each.id for _, candidates in found for each in candidates})
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        writes = [
            (record, member, align_outcomes.differences(member, record, self.settings))
            for record, (member, *others) in ((record, each) for record, each in found if each)
            # What is asked for meanwhile is not written over: the next run takes it over.
            if not others
            and member.id in members
            and align_requests.taken_over(member, record, self.settings, day) == member
        ]
        done, in_part, entries = self._written(align, [each for each in writes if each[2]])
        self._record(
            run,
            {
                member.id: partial(
                    align_outcomes.with_reported,
                    record=record,
                    reported=member,
                    fields=fields,
                    settings=self.settings,
                )
                for record, member, fields in (*done, *(each for each in writes if not each[2]))
            },
        )
        self._look_again(align, run, done, in_part)
        return entries

    def _written(
        self, align: Vault, writes: Sequence[Write]
    ) -> tuple[list[Write], list[Write], list[LogEntry]]:
        """Write fields; returns what was written, what in part, and an entry for each refused record.

        A refused record is tried once more without statuses, whose picklists may lack a value.
        """
        done, refused = self._sent(align, writes)
        fewer = [
            (record, member, fields)
            for (record, member, all_fields), _ in refused
            if (fields := align_outcomes.without_statuses(all_fields, self.settings)) and fields != all_fields
        ]
        in_part, _ = self._sent(align, fewer)
        self.written += len(done) + len(in_part)
        entries = [
            align_entries.about(record, align_entries.NOT_WRITTEN, problem, member)
            for (record, member, _), problem in refused
            if self._told.get(record.id) != record.modified
        ]
        self._told = {**self._told, **{record.id: record.modified for (record, *_), _ in refused}}
        return done, in_part, entries

    def _sent(self, align: Vault, writes: Sequence[Write]) -> tuple[list[Write], list[tuple[Write, Problem]]]:
        if not writes:
            return [], []
        answers = align.update(
            align_fields.OBJECT, [{"id": record.id, **fields} for record, _, fields in writes]
        )
        pairs = list(zip(writes, answers, strict=True))
        done = [each for each, answer in pairs if answer.outcome is not Outcome.REFUSED]
        refused = [
            (each, answer.problem or Problem(align_fields.OBJECT, "was refused by Align", ""))
            for each, answer in pairs
            if answer.outcome is Outcome.REFUSED
        ]
        return done, refused

    def _look_again(self, align: Vault, run: Run, done: Sequence[Write], in_part: Sequence[Write]) -> None:
        """Read records that were just written, and take over what their admins saved at that moment."""
        ids = [record.id for record, *_ in (*done, *in_part)]
        now = {each.id: each for each in self._records(align, align_records.with_ids(ids))}
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        changes: dict[str, Change] = {}
        for write in (*done, *in_part):
            record, member, fields = write
            if record.id not in now:
                continue
            saved = align_outcomes.overtaken(record, fields, now[record.id], self.settings)
            if saved:
                changes[member.id] = partial(
                    align_requests.taken_over, record=saved, settings=self.settings, day=day
                )
            elif write in in_part:
                changes[member.id] = partial(
                    align_outcomes.with_statuses_left,
                    record=now[record.id],
                    reported=member,
                    settings=self.settings,
                )
                self._told = {**self._told, record.id: now[record.id].modified}
        self._record(run, changes)

    def _forget_missing(self, run: Run, members: Mapping[str, Member], there: Collection[str]) -> None:
        """Record that Align no longer has a record of members it had one of, so as not to ask each time."""
        self._record(
            run,
            {
                name: align_outcomes.without_record
                for name, each in members.items()
                if name not in there and engage_features.ALIGN in each.vault
            },
        )

    def _keep_told(self, state: ImportState) -> None:
        told = self._told
        if told != state.align_told:
            self.runs.change_state(self.settings.organization, lambda known: replace(known, align_told=told))

    # ── Both ─────────────────────────────────────────────────────────────────────────────────────

    def _check_user(self) -> None:
        """Raise `Misconfigured` if Align's integration user is not as it has to be; asked once (U6)."""
        if not self._checked and (failed := self.preflight()):
            raise align_entries.blocked_by(failed)
        self._checked = True

    def _records(self, align: Vault, conditions: Iterable[str | None]) -> list[AlignRecord]:
        """Return the records that meet any of these conditions, each once."""
        found: dict[str, AlignRecord] = {}
        for condition in conditions:
            for page in align.query(align_records.query(condition, self.settings)):
                for row in page.records:
                    record = align_records.record_of(row, self.settings)
                    found[record.id] = record
        return list(found.values())

    def _found(self, records: Iterable[AlignRecord]) -> Found:
        """Return the records with the members they match."""
        found: Found = []
        for some in batched(records, LOOKED_UP_AT_ONCE, strict=False):
            wanted = {record.id: align_records.wanted_for(record, self.settings) for record in some}
            known = self.roster.gather(self.settings.organization, wanted)
            found += [(record, align_records.candidates(known[record.id])) for record in some]
        return found

    def _record(self, run: Run, changes: Mapping[str, Change]) -> None:
        MemberWriter(
            self.settings,
            self.roster,
            self.clock.now(),
            self.clock.lease,
            engage_features.ALIGN,
            f"run:{run.id}",
        ).write(changes)

    def _now(self) -> str:
        return timestamp(self.clock.now())
