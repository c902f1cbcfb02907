"""The Align part of a push or an import: read what admins ask for first, show what came of it last (G9).

Neither depends on Align: if it cannot be reached, or its integration user is not as it has to be (U6), the
error log says so, the rest goes on, and the next run brings Align up to date. Values written to Align are
absolute: if an answer is lost, nothing happens twice, and the next run looks again.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from muster.checks import Check
from muster.crm import engage_features
from muster.crm.vault_records import RECORDS_A_CALL
from muster.engage import align_entries, align_outcomes, align_records, align_requests
from muster.engage.align_records import AlignRecord
from muster.engage.ports import Vault
from muster.engage.reading_align import AlignRoster, Found
from muster.engage.writing_align import AlignWriter
from muster.error_log import LogEntry
from muster.errors import MusterError
from muster.roster import end_dates
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.writing_members import Change
from muster.runs.clock import RunClock
from muster.runs.import_state import ImportState
from muster.runs.ports import Runs
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import align_settings_digest
from muster.settings.mappings import pushed_features
from muster.times import timestamp

# Vault commits records some time after their time of change, and clocks differ.
OVERLAP = timedelta(minutes=10)
NOBODY: Mapping[str, str | None] = {}


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
    # Other fields are read than by the import before: what they show may be from before they were left out.
    _reads_others: bool = field(default=False, init=False)
    # Members (ids) whose records do not show yet what they have, and these records.
    _to_fill: dict[str, str] = field(default_factory=dict, init=False)
    _desk: AlignRoster | None = field(init=False)

    def __post_init__(self) -> None:
        """Give access to Align, where it is connected and a feature is pushed."""
        self._desk = None
        if self.align is not None and pushed_features(self.settings):
            self._desk = AlignRoster(self.settings, self.align, self.roster, self.clock, self.preflight)

    # ── First: what admins ask for ───────────────────────────────────────────────────────────────

    def take_requests(
        self, run: Run, linked: Mapping[str, str | None] = NOBODY
    ) -> tuple[Mapping[str, Change], int]:
        """Take over what admins ask for; returns the changes by member (id) and the number of new errors.

        The changes are recorded and the errors logged, except in a preview. A record that stays as it is was
        told before, and is no error of this run. `linked` are those who have only now been linked to their
        users: by Vault CRM id, the e-mail address or username there; their records are read however old.
        """
        if self._desk is None:
            return {}, 0
        state = self.runs.state(run.organization)
        try:
            records = self._desk.records(self._wanted(run, state, linked))
            changes, entries = self._decided(self._desk.matched(records), linked)
            if changes:
                self._desk.check_user()
        except MusterError as error:
            self._down = True
            changes, entries = {}, [align_entries.not_reached(error, self._now(), run.id)]
        else:
            self.read = len(records)
            self.newest = max((each.modified for each in records), default=None)
        if run.preview:
            return changes, 0
        # Log first: a request that is recorded as taken over is not looked at again.
        new = self.roster.park(run.organization, entries, self.clock.now().timestamp())
        self._desk.change(run, changes)
        return changes, new

    def state_after(self, state: ImportState) -> ImportState:
        """Return what imports remember, with what was read of Align."""
        if self.read is None:
            return state
        align = state.align.read_to(self.newest)
        return replace(state, align=replace(align, decided_with=align_settings_digest(self.settings)))

    def _wanted(self, run: Run, state: ImportState, linked: Mapping[str, str | None]) -> Iterator[str | None]:
        """Yield the conditions for the records to read; `None`: all of them."""
        self._reads_others = state.align.decided_with != align_settings_digest(self.settings)
        self.whole = run.mode == "full" or self._reads_others or state.align.watermark is None
        if self.whole:
            yield None
            return
        since = datetime.fromisoformat(state.align.watermark or "") - OVERLAP
        yield align_records.changed_since(timestamp(since), self.settings)
        names = dict.fromkeys(each for name in linked.values() if name for each in (name, name.lower()))
        yield from align_records.with_names(names, self.settings)

    def _decided(self, found: Found, linked: Collection[str]) -> tuple[dict[str, Change], list[LogEntry]]:
        """Return the changes and error entries of the records; each must match exactly one member."""
        day = end_dates.today(self.clock.now(), self.settings.time_zone)
        matched = Counter(members[0].id for _, members in found if len(members) == 1)
        changes: dict[str, Change] = {}
        entries = []
        for record, members in found:
            records = max((matched[member.id] for member in members), default=1)
            if len(members) != 1 or records > 1:
                if record.retrying:
                    problem = align_records.match_problem(records, len(members), self.settings)
                    entries.append(align_entries.about(record, align_entries.MEMBER_UNKNOWN, problem))
                continue
            (member,) = members
            if self._is_to_be_updated(member, record):
                self._to_fill[member.id] = record.id
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
        return changes, entries

    def _is_to_be_updated(self, member: Member, record: AlignRecord) -> bool:
        """Whether the record may have to be written, though the member has not changed since (G9, G12)."""
        if align_outcomes.is_to_be_filled(member, record):
            return True
        is_linked = engage_features.CONNECTION in member.crm
        return (
            self._reads_others
            and is_linked
            and bool(align_outcomes.differences(member, record, self.settings))
        )

    # ── Last: what came of it ────────────────────────────────────────────────────────────────────

    def report(self, run: Run, touched: Iterable[str]) -> Sequence[LogEntry]:
        """Update Align for these members (ids), for those never filled in, and for all who are due.

        Returns the new errors, which are logged.
        """
        if self._desk is None or self._down:
            return ()
        entries: list[LogEntry] = []
        writer = AlignWriter(self._desk, run, self._to_fill)
        try:
            for some in batched(self._to_report(run, touched), RECORDS_A_CALL, strict=False):
                entries += writer.update({each.id: each for each in some})
                self.clock.check()
        except MusterError as error:
            self._down = True
            entries.append(align_entries.not_reached(error, self._now(), run.id))
        self.written = writer.written
        # A record that Align refuses stays as it is, and is told once.
        now = self.clock.now().timestamp()
        return [each for each in entries if self.roster.park(run.organization, [each], now)]

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

    def _now(self) -> str:
        return timestamp(self.clock.now())
