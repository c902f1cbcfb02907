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

USERS_A_QUERY = 100
# Up to so many changed users are matched by id; for more, one query per filter takes fewer calls.
MOST_BY_ID = 500

type Ids = dict[str, None]


@dataclass(slots=True)
class Gathered:
    """What was read.

    `rows` holds the users to decide about, `matches` the assignments with a filter that match a user,
    `loops` the loops of managers (`None`: not everyone was read). `unseen` are CRM ids that should have been
    there. `newest` is the newest SystemModstamp of the first page, as Salesforce writes it: what changed
    later, by Salesforce's own clock, may have been missed. Where everyone was read, `managers` maps each user
    to its manager, and `digests` each unchanged member to the digest of its fields.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    matches: Mapping[str, frozenset[str]] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    loops: tuple[tuple[str, ...], ...] | None = None
    unseen: tuple[str, ...] = ()
    total: int = 0
    newest: str | None = None
    managers: Mapping[str, str | None] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def in_loop(self, crm_id: str) -> bool | None:
        """Return whether a user is in a loop of managers, `None` where that is not known."""
        return None if self.loops is None else any(crm_id in loop for loop in self.loops)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads for one attempt of one run; `checkpoint` is called after each page and may raise to stop."""

    settings: Settings
    salesforce: Salesforce
    archive: Parts
    checkpoint: Callable[[], None]
    resumed: bool = False

    def everyone(
        self, states: Mapping[str, MemberState], *, afresh: bool, is_due: Callable[[MemberState], bool]
    ) -> Gathered:
        """Read every user, and keep the rows of those who are new, changed or due.

        `states` is what the roster's index shows, by CRM id. `afresh`: the settings have changed, so everyone
        has to be evaluated again. Of the others, managers and digests are kept: by them `imports.selecting`
        finds those who still have to be decided about.
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
                    if row["IsActive"] is True:
                        gathered.rows[crm_id] = row
                elif afresh or not state.digest.startswith(of_fields) or is_due(state):
                    gathered.rows[crm_id] = row
                else:
                    digests[crm_id] = of_fields
        if not managers:
            raise Incomplete("Salesforce shows no users at all")
        matching = self._matching(soql.select)
        gathered.matches = _by_user(matching, managers)
        gathered.unseen = tuple(
            crm_id for crm_id, state in states.items() if state.active and crm_id not in managers
        )
        gathered.managers, gathered.digests = managers, digests
        return gathered

    def changed(self, moment: str) -> Gathered:
        """Read the users changed since a moment (ISO 8601 in UTC, ending in Z)."""
        names = fields_to_read(self.settings)
        gathered = Gathered()
        condition = soql.since("SystemModstamp", moment)
        for rows, _ in self._rows("users", soql.select(names, condition), names, gathered):
            gathered.rows |= {row["Id"]: row for row in rows}
        if len(gathered.rows) > MOST_BY_ID:
            narrowed = self._matching(lambda fields, *all_of: soql.select(fields, condition, *all_of))
            gathered.matches = _by_user(narrowed, gathered.rows)
        else:
            gathered.matches = self._matches_by_id(gathered.rows)
        return gathered

    def named(self, crm_ids: Sequence[str]) -> Gathered:
        """Read the users with these ids."""
        names = fields_to_read(self.settings)
        gathered = Gathered()
        for number, some in enumerate(batched(crm_ids, USERS_A_QUERY, strict=False), 1):
            query = soql.select(names, soql.one_of("Id", some))
            for rows, _ in self._rows(f"users/{number}", query, names, gathered):
                gathered.rows |= {row["Id"]: row for row in rows}
        gathered.unseen = tuple(crm_id for crm_id in crm_ids if crm_id not in gathered.rows)
        gathered.matches = self._matches_by_id(gathered.rows)
        return gathered

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
        try:
            yield from self.salesforce.more(last.next) if last and last.next else self.salesforce.query(query)
        except Rejected as error:
            raise Misconfigured(
                f"Salesforce refuses a query made of the settings: {error.problems[0].message};"
                " check the fields, the filters and what the integration user may read"
            ) from error

    # ── Filters ──────────────────────────────────────────────────────────────────────────────────

    def _matching(self, select: Callable[..., str]) -> list[tuple[str, Ids]]:
        """Return, per assignment with a filter, the ids of the users who match it."""
        found = []
        for number, (name, condition) in enumerate(filtered(self.settings).items(), 1):
            ids: Ids = {}
            for page in self._pages(f"filters/{number}", select(["Id"], soql.matching(condition))):
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
