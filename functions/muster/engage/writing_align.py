"""Align shown what members have: the fields that differ are read, compared, written and read again (G9).

What an admin saves while a record is being written is found by reading it again right after: a request that
is not what was there before is taken over as if Retry Request were beside it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from muster.crm import align_fields
from muster.crm.vault_records import Outcome
from muster.engage import align_entries, align_outcomes, align_records, align_requests
from muster.engage.align_outcomes import Fields
from muster.engage.align_records import AlignRecord
from muster.engage.reading_align import AlignRoster
from muster.engage.sending_records import sent_in_calls
from muster.error_log import LogEntry
from muster.errors import Problem
from muster.roster import end_dates
from muster.roster.member import Member
from muster.roster.writing_members import Change
from muster.runs.run import Run

type Write = tuple[AlignRecord, Member, Fields]
type Refused = tuple[Write, Problem]

_REFUSED = Problem(align_fields.OBJECT, "was refused by Align", "")


@dataclass(slots=True)
class AlignWriter:
    """Writes to Align's records for one run.

    `known` are records that were just read, by the ids of their members. `written` counts the records that
    were written.
    """

    desk: AlignRoster
    run: Run
    known: Mapping[str, str]
    written: int = field(default=0, init=False)

    def update(self, members: Mapping[str, Member]) -> list[LogEntry]:
        """Bring the records of up to 500 members up to date: read, write, and read what was written again."""
        self.desk.check_user()
        records = self.desk.records(align_records.about(members.values(), self.known, self.desk.settings))
        found = self.desk.matched(records)
        self._forget_missing(members, {each.id for _, candidates in found for each in candidates})
        day = end_dates.today(self.desk.clock.now(), self.desk.settings.time_zone)
        times = Counter(each.id for _, candidates in found for each in candidates)
        writes = [
            (record, member, align_outcomes.differences(member, record, self.desk.settings))
            for record, (member, *others) in ((record, each) for record, each in found if each)
            # What is asked for meanwhile is not written over: the next run takes it over.
            if not others
            and member.id in members
            and times[member.id] == 1
            and align_requests.taken_over(member, record, self.desk.settings, day) == member
        ]
        done, in_part, refused = self._written([each for each in writes if each[2]])
        self.desk.change(
            self.run,
            {
                member.id: partial(
                    align_outcomes.with_reported,
                    record=record,
                    reported=member,
                    fields=fields,
                    settings=self.desk.settings,
                )
                for record, member, fields in (*done, *(each for each in writes if not each[2]))
            },
        )
        now = self._look_again(done, in_part)
        return [
            align_entries.about(now.get(record.id, record), align_entries.NOT_WRITTEN, problem, member)
            for (record, member, _), problem in refused
        ]

    def _written(self, writes: Sequence[Write]) -> tuple[list[Write], list[Write], list[Refused]]:
        """Write fields; returns what was written, what in part, and what was refused, with the reason.

        A refused record is tried once more without statuses, whose picklists may lack a value. What one call
        too many would have written is left to the next run (P3).
        """
        done, refused = self._sent(writes)
        fewer = [
            (record, member, fields)
            for (record, member, all_fields), _ in refused
            if (fields := align_outcomes.without_statuses(all_fields, self.desk.settings))
            and fields != all_fields
        ]
        in_part, _ = self._sent(fewer)
        self.written += len(done) + len(in_part)
        return done, in_part, refused

    def _sent(self, writes: Sequence[Write]) -> tuple[list[Write], list[Refused]]:
        records = [{"id": record.id, **fields} for record, _, fields in writes]
        left = {write[0].id: write for write in writes}
        done: list[Write] = []
        refused: list[Refused] = []
        for answers in sent_in_calls(
            self.desk.vault, align_fields.OBJECT, records, self.desk.stop_if_not_allowed
        ):
            if any(answer.forbidden for answer in answers):
                self.desk.stop_if_not_allowed()
            for answer in answers:
                each = left.pop(answer.id)
                if answer.outcome is Outcome.REFUSED:
                    refused.append((each, answer.problem or _REFUSED))
                else:
                    done.append(each)
        return done, refused

    def _look_again(self, done: Sequence[Write], in_part: Sequence[Write]) -> dict[str, AlignRecord]:
        """Take over what admins saved while records were written; returns these, by id, as they are now."""
        ids = [record.id for record, *_ in (*done, *in_part)]
        now = {each.id: each for each in self.desk.records(align_records.with_ids(ids))}
        day = end_dates.today(self.desk.clock.now(), self.desk.settings.time_zone)
        changes: dict[str, Change] = {}
        for write in (*done, *in_part):
            record, member, fields = write
            if record.id not in now:
                continue
            saved = align_outcomes.overtaken(record, fields, now[record.id], self.desk.settings)
            if saved:
                changes[member.id] = partial(
                    align_requests.taken_over, record=saved, settings=self.desk.settings, day=day
                )
            elif write in in_part:
                changes[member.id] = partial(
                    align_outcomes.with_statuses_left,
                    record=now[record.id],
                    reported=member,
                    settings=self.desk.settings,
                )
        self.desk.change(self.run, changes)
        return now

    def _forget_missing(self, members: Mapping[str, Member], there: Collection[str]) -> None:
        """Record that Align no longer has a record of members it had one of, so as not to ask each time."""
        self.desk.change(
            self.run,
            {
                name: align_outcomes.without_record
                for name, each in members.items()
                if name not in there and each.vault.align is not None
            },
        )
