"""Reading Vault CRM's users with the real client: whole or not at all, and on after a crash (I1 to I4)."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pytest

from muster.crm.engage_features import ENGAGE
from muster.crm.pages import CursorLost, read_vault_page
from muster.crm.vault_fields import NEVER_MAPPED, request_field
from muster.errors import Incomplete, Misconfigured, MusterError, NotAllowed, Unavailable
from muster.settings import Settings
from muster.settings.digests import vault_deciding_settings
from muster.settings.mappings import vault_fields_to_read
from muster.sources.gathering_vault_crm import PARTS, VaultGathered, VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.vault_users import digester, user_of
from sandbox import vault_crm
from sandbox.vault_crm import RunningSandbox
from tests.doubles.sandbox_doors import calls, control
from tests.doubles.vault_host import Admin, client_of
from tests.examples import settings

QUERY = "/api/v26.1/query"
NUMBER = 25


class Archive:
    """The parts of one attempt, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, list[bytes]] = {}

    def put(self, name: str, number: int, body: bytes) -> None:
        parts = self.kept.setdefault(name, [])
        del parts[number - 1 :]
        assert len(parts) == number - 1, "a part was left out"
        parts.append(body)

    def parts(self, name: str) -> Iterator[bytes]:
        yield from list(self.kept.get(name, ()))


class OutOfTime(Exception):
    """What a checkpoint may raise."""


class Reading:
    """A vault, and gatherings that read it into one archive."""

    def __init__(self, vault: RunningSandbox, admin: Admin, people: Sequence[str]) -> None:
        self.vault = vault
        self.admin = admin
        self.people = people
        self.archive = Archive()
        self.settings = self.acme()
        self.pages = 0

    def acme(self, **sections: Any) -> Settings:
        """Return settings with this vault."""
        host = self.vault.url.removeprefix("http://")
        return settings(connections={"vault_crm": {"host": host}}, **sections)

    def gathering(self, *, resumed: bool = False, pages: int = 1_000) -> VaultGathering:
        """Return a gathering that has time for so many more pages."""
        self.pages = 0

        def checkpoint() -> None:
            self.pages += 1
            if self.pages == pages:
                raise OutOfTime

        return VaultGathering(self.settings, client_of(self.vault), self.archive, checkpoint, resumed)

    def states(self, gathered: VaultGathered) -> dict[str, MemberState]:
        """Return what the index shows once all of these are imported."""
        digest_of = digester(vault_fields_to_read(self.settings))
        return {
            vault_id: MemberState("", f"m{vault_id}", "", True, "", vault_id, digest_of(row))
            for vault_id, row in gathered.rows.items()
        }


@pytest.fixture(scope="module")
def vault() -> Iterator[RunningSandbox]:
    with vault_crm.running() as vault:
        yield vault


@pytest.fixture
def reading(vault: RunningSandbox) -> Iterator[Reading]:
    """Return a vault of 25 people, three pages of ten with Vault's own four."""
    control(vault.url, "POST", "reset")
    control(vault.url, "PUT", "burst", {"login_limit": 100_000})
    admin = Admin(vault)
    people = admin.create(NUMBER)
    control(vault.url, "PUT", "paging", {"max_rows": 10, "shrink": False})
    yield Reading(vault, admin, people)
    admin.close()


# ── Everyone ─────────────────────────────────────────────────────────────────────────────────────


def test_who_is_linked_to_nobody_is_kept_without_the_users_of_vault_itself(reading: Reading) -> None:
    gathered = reading.gathering().everyone({})
    assert set(reading.people) < set(gathered.rows)
    assert len(gathered.rows) == NUMBER + 1  # the integration user too
    assert (gathered.total, gathered.unseen) == (NUMBER + 4, ())
    assert gathered.newest
    assert len(reading.archive.kept[PARTS]) == reading.pages == 3
    assert not any(name.encode() in body for body in reading.archive.kept[PARTS] for name in NEVER_MAPPED)
    for row in gathered.rows.values():
        assert user_of(row, reading.settings, "run:1").id == row["id"]


@pytest.mark.parametrize("shrink", [False, True])
def test_of_an_unchanged_source_nothing_is_kept(reading: Reading, shrink: bool) -> None:
    states = reading.states(reading.gathering().everyone({}))
    control(reading.vault.url, "PUT", "paging", {"max_rows": 10, "shrink": shrink})
    gathered = reading.gathering().everyone(states)
    assert (gathered.rows, gathered.unseen, gathered.total) == ({}, (), NUMBER + 4)
    assert len(reading.gathering().everyone(states, afresh=True).rows) == NUMBER + 1


def test_who_has_changed_is_kept(reading: Reading) -> None:
    states = reading.states(reading.gathering().everyone({}))
    changed = reading.people[3]
    reading.admin.call(
        "PUT", "vobjects/user__sys", json=[{"id": changed, request_field(ENGAGE): "UK Field Force"}]
    )
    gathered = reading.gathering().everyone(states)
    assert set(gathered.rows) == {changed}
    user = user_of(gathered.rows[changed], reading.settings, "run:1")
    assert (user.active, user.seen[ENGAGE].request, user.requests[ENGAGE]) == (True, *["UK Field Force"] * 2)


def test_who_should_be_there_and_is_not_is_named(reading: Reading) -> None:
    states = reading.states(reading.gathering().everyone({}))
    gone = MemberState("", "m", "", True, "", "999999", "digest")
    gathered = reading.gathering().everyone({**states, gone.vault_id: gone})
    assert (gathered.unseen, gathered.rows) == (("999999",), {})


# ── What changed, and named ones ─────────────────────────────────────────────────────────────────


def test_who_changed_since_a_moment(reading: Reading) -> None:
    newest = reading.gathering().everyone({}).newest
    assert newest
    changed = reading.people[:12]
    reading.admin.call(
        "PUT", "vobjects/user__sys", json=[{"id": each, "alias__sys": "x"} for each in changed]
    )
    after = reading.gathering().everyone({}).newest
    assert after
    gathered = reading.gathering().changed(after)
    assert set(gathered.rows) <= set(changed)
    assert gathered.rows
    assert set(reading.gathering().changed(newest).rows) >= set(changed)
    assert reading.gathering().changed("2099-01-01T00:00:00.000Z") == VaultGathered()


def test_what_is_remembered_is_no_later_than_the_first_page(reading: Reading) -> None:
    """Whoever is on it may have changed while the others were read, which can be hours later (I13)."""
    with pytest.raises(OutOfTime):
        reading.gathering(pages=1).everyone({})
    [page] = reading.archive.kept[PARTS]
    answer, earlier = orjson.loads(page), "2020-01-01T00:00:00.000Z"
    for row in answer["data"]:
        row["modified_date__v"] = earlier
    reading.archive.kept[PARTS] = [orjson.dumps(answer)]
    gathered = reading.gathering(resumed=True).everyone({})
    assert (gathered.total, gathered.newest) == (NUMBER + 4, earlier)


def test_named_users(reading: Reading) -> None:
    names = [*reading.people[:15], "999999", *(f"88{number:04d}" for number in range(250))]
    before = calls(reading.vault.url, QUERY)
    gathered = reading.gathering().named(names)
    assert set(gathered.rows) == set(reading.people[:15])
    assert gathered.unseen == tuple(names[15:])
    assert sorted(reading.archive.kept) == [f"{PARTS}/1", f"{PARTS}/2"]
    # Two pages of the first two hundred, one of the rest.
    assert calls(reading.vault.url, QUERY) - before == 3


# ── Interrupted ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_an_interrupted_reading_goes_on_after_its_last_page(reading: Reading, pages: int) -> None:
    whole = reading.gathering().everyone({})
    reading.archive = Archive()
    with pytest.raises(OutOfTime):
        reading.gathering(pages=pages).everyone({})
    before = calls(reading.vault.url, QUERY)
    again = reading.gathering(resumed=True).everyone({})
    assert again == whole
    assert calls(reading.vault.url, QUERY) - before == 3 - pages
    # What is archived whole needs no vault any more (Q4).
    assert reading.gathering(resumed=True).everyone({}) == whole
    assert calls(reading.vault.url, QUERY) - before == 3 - pages


def test_a_reading_whose_place_is_lost_says_so(reading: Reading) -> None:
    with pytest.raises(OutOfTime):
        reading.gathering(pages=1).everyone({})
    [body] = reading.archive.kept[PARTS]
    page = orjson.loads(body)
    page["responseDetails"]["next_page"] = "/api/v26.1/query/0000?pagesize=10&pageoffset=10"
    reading.archive.kept[PARTS] = [orjson.dumps(page)]
    with pytest.raises(CursorLost):
        reading.gathering(resumed=True).everyone({})


def test_parts_that_an_earlier_reading_left_behind_do_not_count_twice(reading: Reading) -> None:
    with pytest.raises(OutOfTime):
        reading.gathering(pages=1).everyone({})
    reading.archive.kept[PARTS] *= 2
    with pytest.raises(Incomplete, match="twice"):
        reading.gathering(resumed=True).everyone({})


# ── A source that cannot be trusted ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        *(
            ({"fault": fault, "after": page}, Incomplete)
            for fault in ("short_page", "duplicate_rows", "early_done")
            for page in ((0, 1) if fault == "early_done" else (0, 1, 2))
        ),
        ({"fault": "no_rows"}, Incomplete),
        ({"fault": "no_rows", "after": 1}, Incomplete),
        *(({"fault": "omit_field", "field": name}, Incomplete) for name in ("id", "engage_group__v")),
        ({"fault": "omit_field", "field": "modified_date__v", "after": 2}, Incomplete),
        ({"fault": "foreign_next"}, Unavailable),
        *(
            ({"fault": fault, "after": 1, "count": 99}, Unavailable)
            for fault in ("html", "empty", "truncate")
        ),
        ({"fault": "failure", "error": "EXCEPTION", "count": 99}, Unavailable),
        ({"fault": "failure", "error": "INSUFFICIENT_ACCESS", "count": 99}, NotAllowed),
        ({"fault": "failure", "error": "INVALID_DATA", "count": 99}, Misconfigured),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else each.__name__,
)
def test_nothing_rests_on_a_source_that_cannot_be_trusted(
    reading: Reading, lie: dict[str, Any], error: type[MusterError]
) -> None:
    states = reading.states(reading.gathering().everyone({}))
    control(reading.vault.url, "POST", "faults", [{"path": QUERY, "count": 1, **lie}])
    with pytest.raises(error) as raised:
        reading.gathering().everyone(states)
    assert type(raised.value) is error or error is Unavailable
    assert "@acme.example" not in str(raised.value)
    # Once the vault is well, so is the reading.
    control(reading.vault.url, "POST", "faults", [])
    assert reading.gathering().everyone(states).rows == {}


def test_a_field_that_the_vault_does_not_know_is_for_an_admin_to_mend(reading: Reading) -> None:
    custom = {"custom": {"custom.Country": "contry_code__v"}}
    reading.settings = reading.acme(field_maps={"vault_crm": {"inbound": custom}})
    with pytest.raises(Misconfigured, match=r"field_maps\.vault_crm"):
        reading.gathering().everyone({})


def test_an_empty_vault_is_no_vault(reading: Reading) -> None:
    class Empty:
        def query(self, vql: str) -> Iterator[Any]:
            assert "user__sys" in vql
            details = {"size": 0, "total": 0, "pagesize": 1000, "pageoffset": 0}
            answer = {"responseStatus": "SUCCESS", "responseDetails": details, "data": []}
            yield read_vault_page(orjson.dumps(answer))

        def more(self, next_url: str) -> Iterator[Any]:
            raise AssertionError(next_url)

    gathering = VaultGathering(reading.settings, Empty(), Archive(), lambda: None)
    with pytest.raises(Incomplete, match="no users at all"):
        gathering.everyone({})
    assert gathering.changed("2026-01-01T00:00:00.000Z").rows == {}


# ── Settings that have everyone looked at anew ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sections", "anew"),
    [
        ({}, False),
        ({"guard": {"floor": 9}, "pending_edits": "overwrite"}, False),
        ({"field_maps": {"vault_crm": {"inbound": {"system": []}}}}, True),
        ({"assignments": [{"name": "Sales", "engage": {"group": "UK"}}]}, True),
    ],
)
def test_which_settings_have_everyone_looked_at_anew(
    reading: Reading, sections: dict[str, Any], anew: bool
) -> None:
    assert (
        vault_deciding_settings(reading.acme(**sections)) != vault_deciding_settings(reading.acme())
    ) is anew
