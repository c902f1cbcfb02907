"""The Align part of a push: read admins' requests first, write their outcomes back last (G9).

A push does not depend on Align: if Align cannot be reached, the error log says so, the push to Vault CRM
goes on, and the next push brings Align up to date. Values written to Align are absolute: if an answer is
lost, nothing happens twice, and the next push looks again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import batched

from muster.crm import align_fields, engage_features
from muster.crm.vault_records import RECORDS_A_CALL, Outcome
from muster.error_log import LogEntry, entry_of, what_to_do
from muster.errors import MusterError, Problem
from muster.pushes import align_requests
from muster.pushes.align_requests import AlignRecord
from muster.pushes.ports import Vault
from muster.roster import end_dates, engage_groups
from muster.roster.member import Member
from muster.roster.ports import LOOKED_UP_AT_ONCE, Roster
from muster.roster.writing_members import Change, MemberWriter
from muster.runs.clock import RunClock
from muster.runs.run import Run
from muster.settings import Settings
from muster.times import timestamp

# The notification of entries about records: one record, saved once, makes one entry however many pushes.
_OF_A_RECORD = "align"

type Found = list[tuple[AlignRecord, tuple[Member, ...]]]


@dataclass(slots=True)
class AlignSync:
    """One invocation's sync with Align; does nothing if Align is not connected (`align` is `None`)."""

    settings: Settings
    align: Vault | None
    roster: Roster
    clock: RunClock
    # Align could not be reached a moment ago: another try would only cost time.
    _down: bool = field(default=False, init=False)

    # ── First: requests ──────────────────────────────────────────────────────────────────────────

    def take_requests(self, run: Run) -> tuple[Mapping[str, Change], int]:
        """Take over admins' requests; returns the changes by member (id) and the number of new errors.

        The changes are recorded and the errors logged, except in a preview. A record that stays as it is was
        told before, and is no error of this push.
        """
        if self.align is None:
            return {}, 0
        changes: Mapping[str, Change] = {}
        try:
            records = self._records(self.align, [align_requests.retrying(self.settings)])
        except MusterError as error:
            self._down = True
            entries = [self._not_reached(run, error)]
        else:
            changes, entries = self._decided(self._found(records))
        if run.preview:
            return changes, 0
        # Log first: a request that is recorded as taken over is not looked at again.
        new = self.roster.park(run.organization, entries, self.clock.now().timestamp())
        self._record(run, changes)
        return changes, new

    def _decided(self, found: Found) -> tuple[dict[str, Change], list[LogEntry]]:
        """Return the changes and error entries of the records; each must match exactly one member."""
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        matched = Counter(members[0].id for _, members in found if len(members) == 1)
        changes: dict[str, Change] = {}
        entries = []
        for record, members in found:
            records = max((matched[member.id] for member in members), default=1)
            if len(members) != 1 or records > 1:
                problem = align_requests.match_problem(records, len(members), self.settings)
                entries.append(_about(record, align_requests.MEMBER_UNKNOWN, problem))
                continue
            (member,) = members
            if align_requests.has_new_request(member, record):
                refusals = align_requests.refusals(member, record, self.settings, day)
                entries += [_about(record, align_requests.REQUEST_REFUSED, each, member) for each in refusals]
                changes[member.id] = partial(
                    align_requests.with_requests, record=record, settings=self.settings, day=day
                )
        return changes, entries

    # ── Last: outcomes ───────────────────────────────────────────────────────────────────────────

    def report(self, run: Run, touched: Iterable[str]) -> Sequence[LogEntry]:
        """Update Align for these members (ids) and for all who are due; returns the errors."""
        if self.align is None or self._down:
            return ()
        members = self._to_report(run, touched)
        if not members:
            return ()
        try:
            records = self._records(self.align, align_requests.about(members.values(), self.settings))
        except MusterError as error:
            return (self._not_reached(run, error),)
        found = self._found(records)
        self._forget_missing(run, members, {each.id for _, candidates in found for each in candidates})
        plain = [(record, candidates[0]) for record, candidates in found if len(candidates) == 1]
        return self._write(
            self.align,
            run,
            [
                (record, member)
                for record, member in plain
                # A request made meanwhile is not overwritten: the next push takes it over.
                if member.id in members and not align_requests.has_new_request(member, record)
            ],
        )

    def _to_report(self, run: Run, touched: Iterable[str]) -> dict[str, Member]:
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        due = {
            name
            for name, each in self.roster.due(run.organization, day)
            if engage_features.ALIGN in each.what
        }
        members = self.roster.members(run.organization, sorted({*touched, *due}))
        return {name: each for name, each in members.items() if align_requests.needs_update(each)}

    def _forget_missing(self, run: Run, members: Mapping[str, Member], there: Collection[str]) -> None:
        """Record that Align no longer has a record of members it had one of, so as not to ask each time."""
        gone = [
            each
            for name, each in members.items()
            if name not in there and engage_features.ALIGN in each.vault
        ]
        self._record(
            run,
            {
                each.id: partial(
                    align_requests.with_reported, record=None, shown=engage_groups.align_view(each)
                )
                for each in gone
            },
        )

    def _write(
        self, align: Vault, run: Run, found: Sequence[tuple[AlignRecord, Member]]
    ) -> Sequence[LogEntry]:
        """Write the fields that differ, and record what Align now shows; returns the errors."""
        entries: list[LogEntry] = []
        for some in batched(found, RECORDS_A_CALL, strict=False):
            reported: dict[str, Change] = {
                member.id: partial(
                    align_requests.with_reported, record=record.id, shown=engage_groups.align_view(member)
                )
                for record, member in some
            }
            writes = [
                (record, member, fields)
                for record, member in some
                if (fields := align_requests.differences(member, record))
            ]
            try:
                answers = align.update(
                    align_fields.OBJECT, [{"id": record.id, **fields} for record, _, fields in writes]
                )
            except MusterError as error:
                return [*entries, self._not_reached(run, error)]
            for (record, member, _), answer in zip(writes, answers, strict=True):
                if answer.outcome is Outcome.REFUSED:
                    reported.pop(member.id, None)
                    problem = answer.problem or Problem(align_fields.OBJECT, "was refused by Align", "")
                    entries.append(_about(record, align_requests.NOT_WRITTEN, problem, member))
            self._record(run, reported)
            self.clock.check()
        return entries

    # ── Both ─────────────────────────────────────────────────────────────────────────────────────

    def _records(self, align: Vault, conditions: Iterable[str]) -> list[AlignRecord]:
        """Return the records that meet any of these conditions, each once."""
        found: dict[str, AlignRecord] = {}
        for condition in conditions:
            for page in align.query(align_requests.query(condition, self.settings)):
                for row in page.records:
                    record = align_requests.record_of(row, self.settings)
                    found[record.id] = record
        return list(found.values())

    def _found(self, records: Iterable[AlignRecord]) -> Found:
        """Return the records with the members they match."""
        found: Found = []
        for some in batched(records, LOOKED_UP_AT_ONCE, strict=False):
            wanted = {record.id: align_requests.wanted_for(record, self.settings) for record in some}
            known = self.roster.gather(self.settings.organization, wanted)
            found += [(record, align_requests.candidates(known[record.id])) for record in some]
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

    def _not_reached(self, run: Run, error: MusterError) -> LogEntry:
        remedy = (
            f"{what_to_do(error)}. Vault CRM was pushed to all the same; the next push takes over what"
            " is asked for in Align, and updates what Align has missed."
        )
        return entry_of(
            Problem("connections.align:", str(error), remedy),
            at=timestamp(self.clock.now()),
            system=engage_features.ALIGN,
            code=align_requests.NOT_REACHED,
            notification=run.id,
        )


def _about(record: AlignRecord, code: str, problem: Problem, member: Member | None = None) -> LogEntry:
    return entry_of(
        problem,
        at=record.modified,
        system=engage_features.ALIGN,
        code=code,
        notification=_OF_A_RECORD,
        record=record.id,
        member=member.id if member else None,
    )
