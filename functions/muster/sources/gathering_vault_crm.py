"""What an import reads from Vault CRM: its users, page by page into the run archive (I1 to I4, G4).

    everyone    every user; of unchanged users only the digests are compared
    changed     the users changed since a moment
    named       the users with these ids
    going_by    the users with these usernames or e-mail addresses

A source that is not complete raises `Incomplete`, and nothing is decided on it. A gathering that was
interrupted reads its archived pages again and continues after the last.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from operator import itemgetter

from muster.crm import vault_fields, vql
from muster.crm.engage_features import FEATURES
from muster.crm.pages import Page, Tally, read_vault_page
from muster.crm.vault_fields import OBJECT
from muster.errors import Incomplete, Misconfigured, Rejected
from muster.settings import Settings
from muster.settings.mappings import vault_fields_to_read
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts, Vault
from muster.sources.salesforce_users import Row
from muster.sources.vault_users import CHANGED, digester, is_system_owned

# The run archive keeps the pages under this name, beside those of a Salesforce import.
PARTS = "vault_users"
# Names are alternatives of a condition each: VQL has no list of them that looks past the case.
NAMES_A_QUERY = 50


@dataclass(slots=True)
class VaultGathered:
    """What was read.

    `rows` holds the users to decide about, by Vault id, without those that belong to Vault itself. `unseen`
    are Vault ids that should have been there and were not; nothing is done about them. `newest` is the newest
    modified_date__v of the first page, as Vault writes it: not of those that are read later (I13). `groups`
    are the names of the groups that anybody read is in, by feature.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    total: int = 0
    newest: str | None = None
    groups: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VaultGathering:
    """Reads for one attempt of one run; `checkpoint` is called after each page and may raise to stop.

    Raises `Incomplete`, `Misconfigured` where the vault refuses a query made of the settings, `CursorLost`
    where it no longer knows the place of an interrupted reading, and what the vault raises.
    """

    settings: Settings
    vault: Vault
    archive: Parts
    checkpoint: Callable[[], None]
    resumed: bool = False

    def everyone(self, states: Mapping[str, MemberState], *, afresh: bool = False) -> VaultGathered:
        """Read every user, and keep the rows of those who are new, changed or linked to no member.

        `states` is what the roster's index shows, by Vault id. `afresh`: the settings have changed, so
        everyone has to be decided about again (`decided_with`).
        """
        gathered = VaultGathered()
        unseen = dict.fromkeys(states)
        for rows, sums in self._rows(
            PARTS, vql.select(vault_fields_to_read(self.settings), OBJECT), gathered
        ):
            for row, digest in zip(rows, sums, strict=True):
                vault_id = row["id"]
                state = states.get(vault_id)
                if state is not None:
                    del unseen[vault_id]
                    if afresh or state.vault_digest != digest:
                        gathered.rows[vault_id] = row
                elif not is_system_owned(row):
                    gathered.rows[vault_id] = row
        if not gathered.total:
            raise Incomplete("Vault CRM shows no users at all")
        gathered.unseen = tuple(unseen)
        return gathered

    def changed(self, moment: str) -> VaultGathered:
        """Read the users changed since a moment (ISO 8601 in UTC, ending in Z)."""
        gathered = VaultGathered()
        self._keep(PARTS, vql.since(CHANGED, moment), gathered)
        return gathered

    def named(self, vault_ids: Sequence[str], parts: str = PARTS) -> VaultGathered:
        """Read the users with these ids; `parts` is the name under which the archive keeps the pages."""
        gathered = VaultGathered()
        for number, some in enumerate(vql.lists(vault_ids), 1):
            self._keep(f"{parts}/{number}", vql.one_of("id", some), gathered)
        gathered.unseen = tuple(vault_id for vault_id in vault_ids if vault_id not in gathered.rows)
        return gathered

    def going_by(self, field: str, names: Sequence[str], parts: str) -> VaultGathered:
        """Read the users whose username or e-mail address, as `field` says, is one of these, in any case.

        `parts` is the name under which the archive keeps the pages.
        """
        gathered = VaultGathered()
        for number, some in enumerate(batched(names, NAMES_A_QUERY, strict=False), 1):
            named = vql.either(*(vql.equal(vql.in_any_case(field), name) for name in some))
            self._keep(f"{parts}/{number}", named, gathered)
        return gathered

    def _keep(self, name: str, condition: str, gathered: VaultGathered) -> None:
        """Read the users that meet a condition, and keep all their rows."""
        for rows, _ in self._rows(
            name, vql.select(vault_fields_to_read(self.settings), OBJECT, condition), gathered
        ):
            gathered.rows |= {row["id"]: row for row in rows if not is_system_owned(row)}

    def _rows(
        self, name: str, query: str, gathered: VaultGathered
    ) -> Iterator[tuple[Sequence[Row], list[str]]]:
        """Yield the rows of a query on users, each whole and once, and their digests: page by page."""
        digest_of = digester(vault_fields_to_read(self.settings))
        stamped = itemgetter("id", CHANGED)
        for number, page in enumerate(self._pages(name, query), 1):
            rows = page.records
            try:
                found = [stamped(row) for row in rows]
                sums = [digest_of(row) for row in rows]
            except KeyError as error:
                raise Incomplete(f"Vault CRM left {error.args[0]} out of a user") from None
            if number == 1:
                gathered.newest = max((stamp or "" for _, stamp in found), default="") or None
            gathered.total += len(rows)
            for feature in FEATURES:
                if held := {each for row in rows if (each := row.get(vault_fields.group_field(feature)))}:
                    gathered.groups.setdefault(feature, set()).update(held)
            yield rows, sums

    def _pages(self, name: str, query: str) -> Iterator[Page]:
        """Yield the pages of a query, each archived before it is used; raises `Incomplete`."""
        tally = Tally()
        number = 0
        last: Page | None = None
        for body in self.archive.parts(name) if self.resumed else ():
            last = read_vault_page(body)
            number += 1
            tally.add(last)
            yield last
        for page in self._further(last, query):
            number += 1
            tally.add(page)
            self.archive.put(name, number, page.body)
            yield page
            self.checkpoint()
        tally.close()

    def _further(self, last: Page | None, query: str) -> Iterator[Page]:
        if last and last.next is None:
            return
        try:
            yield from self.vault.more(last.next) if last and last.next else self.vault.query(query)
        except Rejected as error:
            raise Misconfigured(
                f"Vault CRM refuses a query made of the settings: {error.problems[0].message};"
                " check field_maps.vault_crm and what the integration user may read"
            ) from error
