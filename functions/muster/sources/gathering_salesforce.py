"""What an import reads from Salesforce, page by page into the run archive: users and filters (I1 to I4).

    everyone    every user, and one query per filter; of unchanged users only the digests are kept
    changed     the users changed since a moment
    named       the users with these ids

Users are read before filters, so that if a user changes in between, what is taken away is decided by the
newer reading. A source that is not complete raises `Incomplete`, and nothing is decided on it. A gathering
that was interrupted reads its archived pages again and continues after the last.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from operator import itemgetter

import orjson

from muster.crm import soql
from muster.crm.pages import Page, read_salesforce_page
from muster.errors import Incomplete, Misconfigured, Rejected
from muster.settings import Settings
from muster.settings.assignment_order import filtered
from muster.settings.mappings import fields_to_read
from muster.sources import reading_by_id
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts, Salesforce
from muster.sources.salesforce_users import Row, digester
from muster.sources.samples import Sample

USERS_A_QUERY = 100
# Up to so many changed users are matched by id; for more, one query per filter takes fewer calls.
MOST_BY_ID = 500

type Ids = dict[str, None]


@dataclass(slots=True)
class Gathered:
    """What was read.

    `rows` holds the users to decide about, `sums` the digests of their rows, `matches` the assignments with a
    filter that match a user, `loops` the loops of managers (`None`: not everyone was read). `unseen` are CRM
    ids that should have been there, `frozen` those of users who are frozen (`None`: not known), `leaving`
    those of members whom an end date or status closes. `newest` is the newest SystemModstamp of the first
    page, as Salesforce writes it: what changed later, by Salesforce's own clock, may have been missed.

    Where everyone was read, `managers` maps each user to its manager, and `digests` each unchanged member to
    the digest of its fields. Of the users who are no active members, `deactivated` counts those inactive in
    Salesforce about whom there is nothing to decide, `idle` has the rows of the others who are unchanged, and
    `outside` is for those who are new and do not belong in the roster, by reason. Where
    this is another Salesforce org than before, `heirs` maps a user to the id that the person had there, and
    `gone` are the ids there of active members who are not here.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    matches: Mapping[str, frozenset[str]] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    loops: tuple[tuple[str, ...], ...] | None = None
    unseen: tuple[str, ...] = ()
    frozen: frozenset[str] | None = None
    leaving: frozenset[str] = frozenset()
    total: int = 0
    newest: str | None = None
    managers: Mapping[str, str | None] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    deactivated: Sample = field(default_factory=Sample)
    idle: dict[str, Row] = field(default_factory=dict)
    outside: dict[str, Sample] = field(default_factory=dict)
    heirs: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def keep(self, row: Row, of_fields: str) -> None:
        """Keep the row of a user to decide about, with the digest of its fields."""
        self.rows[row["Id"]] = row
        self.sums[row["Id"]] = of_fields

    def keep_all(self, rows: Sequence[Row], sums: Sequence[str]) -> None:
        """Keep the rows of users to decide about, with their digests."""
        for row, of_fields in zip(rows, sums, strict=True):
            self.keep(row, of_fields)

    def in_loop(self, crm_id: str) -> bool | None:
        """Return whether a user is in a loop of managers, `None` where that is not known."""
        return None if self.loops is None else any(crm_id in loop for loop in self.loops)

    def is_frozen(self, crm_id: str) -> bool | None:
        """Return whether a user is frozen in Salesforce, `None` where that is not known (A17)."""
        return None if self.frozen is None else crm_id in self.frozen


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads for one attempt of one run; `checkpoint` is called after each page and may raise to stop."""

    settings: Settings
    salesforce: Salesforce
    archive: Parts
    checkpoint: Callable[[], None]
    resumed: bool = False

    def everyone(
        self,
        states: Mapping[str, MemberState],
        *,
        afresh: bool,
        is_due: Callable[[MemberState], bool],
        inactive: bool = False,
    ) -> Gathered:
        """Read every user, and keep the rows of those who are new, changed or due.

        `states` is what the roster's index shows, by CRM id. `afresh`: the settings have changed, so everyone
        has to be evaluated again. `inactive`: rows of users who are in no state are kept even of inactive
        ones. Of the others, managers and digests are kept: by them `imports.selecting` finds those who still
        have to be decided about.
        """
        names = fields_to_read(self.settings)
        gathered = Gathered()
        managers: dict[str, str | None] = {}
        digests: dict[str, str] = {}
        for rows, sums in self._rows("users", soql.select(names), names, gathered):
            managers.update((row["Id"], row.get("ManagerId")) for row in rows)
            for row, of_fields in zip(rows, sums, strict=True):
                crm_id = row["Id"]
                state = states.get(crm_id)
                if state is None:
                    if inactive or row["IsActive"] is True:
                        gathered.keep(row, of_fields)
                    else:
                        gathered.deactivated.add(row)
                elif afresh or not state.digest.startswith(of_fields) or is_due(state):
                    gathered.keep(row, of_fields)
                else:
                    digests[crm_id] = of_fields
                    if not state.active:
                        _leave_out(gathered, row)
        if not managers:
            raise Incomplete("Salesforce shows no users at all")
        gathered.frozen = self._frozen()
        matching = self._matching()
        gathered.matches = _by_user(matching, managers)
        gathered.unseen = tuple(
            crm_id for crm_id, state in states.items() if state.active and crm_id not in managers
        )
        gathered.managers, gathered.digests = managers, digests
        return gathered

    def changed(
        self, moment: str, due: Callable[[], Iterable[str]] = tuple, frozen: frozenset[str] | None = None
    ) -> Gathered:
        """Read the users changed since a moment (ISO 8601 in UTC, ending in Z), and by id those that are due.

        So are those who are frozen since, or no longer; `frozen` are those who were, where known. Of `due`
        only what it says first counts: what is read later, after an interruption, belongs to that.
        """
        names = fields_to_read(self.settings)
        gathered = Gathered()
        condition = soql.since("SystemModstamp", moment)
        for rows, sums in self._rows("users", soql.select(names, condition), names, gathered):
            gathered.keep_all(rows, sums)
        changed, newest = dict(gathered.rows), gathered.newest
        gathered.frozen = self._frozen()
        moved = frozen ^ gathered.frozen if frozen is not None and gathered.frozen is not None else ()
        further = [crm_id for crm_id in self._noted("due", lambda: {*due(), *moved}) if crm_id not in changed]
        self._read_by_id("due_users", further, gathered)
        # Others may have changed before those were read, and are not read yet.
        gathered.newest = newest
        if not self._matches_few(changed):
            narrowed = _by_user(self._matching(condition), changed)
            gathered.matches = {**narrowed, **self._matches_by_id(further)}
        else:
            gathered.matches = self._matches_by_id(gathered.rows)
        return gathered

    def named(self, crm_ids: Sequence[str]) -> Gathered:
        """Read the users with these ids."""
        gathered = Gathered()
        self._read_by_id("users", crm_ids, gathered)
        gathered.unseen = tuple(crm_id for crm_id in crm_ids if crm_id not in gathered.rows)
        gathered.frozen = self._frozen()
        gathered.matches = self._matches_by_id(gathered.rows)
        return gathered

    def _frozen(self) -> frozenset[str] | None:
        """Return the users who are frozen; `None` where the integration user may not see that (A17)."""
        try:
            pages = [*self._pages_or_refusal("frozen", soql.frozen())]
        except Rejected:
            return None
        return frozenset(row["UserId"] for page in pages for row in page.records)

    def _read_by_id(self, name: str, crm_ids: Iterable[str], gathered: Gathered) -> None:
        names = fields_to_read(self.settings)
        for number, some in enumerate(batched(crm_ids, USERS_A_QUERY, strict=False), 1):
            query = soql.select(names, soql.one_of("Id", some))
            for rows, sums in self._rows(f"{name}/{number}", query, names, gathered):
                gathered.keep_all(rows, sums)

    def _matches_few(self, changed: Mapping[str, Row]) -> bool:
        """Whether so few have changed that they are matched by id; a reading goes on as it began."""
        if self.resumed and filtered(self.settings):
            if next(self.archive.parts("filters/1"), None) is not None:
                return False
            if next(self.archive.parts("matches"), None) is not None:
                return True
        return len(changed) <= MOST_BY_ID

    def _noted(self, name: str, ids: Callable[[], Iterable[str]]) -> list[str]:
        """Return ids as they were when first asked for in this attempt."""
        noted = next(self.archive.parts(name), None) if self.resumed else None
        if noted is None:
            noted = orjson.dumps(sorted(ids()))
            self.archive.put(name, 1, noted)
        return list(orjson.loads(noted))

    # ── Pages ────────────────────────────────────────────────────────────────────────────────────

    def _rows(
        self, name: str, query: str, names: Sequence[str], gathered: Gathered
    ) -> Iterator[tuple[Sequence[Row], list[str]]]:
        """Yield the rows of a query on users, each whole and once, and their digests: page by page."""
        digest_of = digester(names)
        stamped = itemgetter("Id", "SystemModstamp")
        seen: set[str] = set()
        for number, page in enumerate(self._pages(name, query), 1):
            rows = page.records
            try:
                found = [stamped(row) for row in rows]
                sums = [digest_of(row) for row in rows]
            except KeyError as error:
                raise Incomplete(f"Salesforce left {error.args[0]} out of a user") from None
            ids = {crm_id for crm_id, _ in found}
            if len(ids) < len(rows) or not seen.isdisjoint(ids):
                raise Incomplete("Salesforce showed a user twice")
            seen |= ids
            if number == 1:
                # The next pages may be read hours later, and users of this one change meanwhile (I13).
                gathered.newest = max((stamp or "" for _, stamp in found), default="") or None
            yield rows, sums
        gathered.total += len(seen)

    def _pages(self, name: str, query: str) -> Iterator[Page]:
        """Yield the pages of a query, each archived before it is used; raises `Incomplete`."""
        try:
            yield from self._pages_or_refusal(name, query)
        except Rejected as error:
            raise Misconfigured(
                f"Salesforce refuses a query made of the settings: {error.problems[0].message};"
                " check the fields, the filters and what the integration user may read"
            ) from error

    def _pages_or_refusal(self, name: str, query: str) -> Iterator[Page]:
        """Yield them likewise; raises `Rejected` if Salesforce refuses the query."""
        number = read = 0
        last: Page | None = None
        for body in self.archive.parts(name) if self.resumed else ():
            last = read_salesforce_page(body)
            number, read = number + 1, read + len(last.records)
            yield last
        for page in self._further(last, query):
            last = page
            number, read = number + 1, read + len(page.records)
            self.archive.put(name, number, page.body)
            yield page
            self.checkpoint()
        if last is None or last.next is not None or read != last.total:
            total = last.total if last else 0
            raise Incomplete(f"Salesforce announced {total:,} rows of {name} and showed {read:,}")

    def _further(self, last: Page | None, query: str) -> Iterator[Page]:
        if last and last.next is None:
            return
        yield from self.salesforce.more(last.next) if last and last.next else self.salesforce.query(query)

    # ── Filters ──────────────────────────────────────────────────────────────────────────────────

    def _matching(self, *further: str) -> list[tuple[str, Ids]]:
        """Return, per assignment with a filter, the ids of the users who match it and further conditions."""
        found = []
        for number, (name, condition) in enumerate(filtered(self.settings).items(), 1):
            ids: Ids = {}
            for page in self._pages(f"filters/{number}", soql.matching(condition, *further)):
                for row in page.records:
                    if not isinstance(row.get("Id"), str) or row["Id"] in ids:
                        raise Incomplete("Salesforce showed a user of a filter twice or without an Id")
                    ids[row["Id"]] = None
            found.append((name, ids))
        return found

    def _matches_by_id(self, crm_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        crm_ids = list(crm_ids)
        if not crm_ids or not filtered(self.settings):
            return {}
        kept = next(self.archive.parts("matches"), None) if self.resumed else None
        if kept is None:
            found = reading_by_id.matches_of(crm_ids, self.settings, self.salesforce)
            kept = orjson.dumps({crm_id: sorted(names) for crm_id, names in found.items()})
            self.archive.put("matches", 1, kept)
            self.checkpoint()
        return {crm_id: frozenset(names) for crm_id, names in orjson.loads(kept).items()}


def _leave_out(gathered: Gathered, row: Row) -> None:
    if row["IsActive"] is True:
        gathered.idle[row["Id"]] = row
    else:
        gathered.deactivated.add(row)


def _by_user(matching: list[tuple[str, Ids]], users: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, per user, the assignments whose filter matches; users who match none are left out."""
    sets: dict[tuple[frozenset[str], str], frozenset[str]] = {}
    found: dict[str, frozenset[str]] = {}
    known = users if isinstance(users, Mapping) else frozenset(users)
    none = frozenset[str]()
    for name, ids in matching:
        for crm_id in ids:
            if crm_id in known:
                so_far = found.get(crm_id, none)
                found[crm_id] = sets.setdefault((so_far, name), so_far | {name})
    return found
