"""Who is looked up beside the users themselves: nobody where nothing can become free (A9, A14)."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import pytest

from muster.imports.known_roster import KnownRoster
from muster.imports.looking_up import LookingUp
from muster.roster.decisions import Known, Wanted
from muster.roster.links import Link, match_keys_of
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.reasons import NAMESAKE_ACTIVE
from muster.roster.seats import HELD_SEAT, Pool
from muster.runs.import_state import ImportState
from tests.examples import NOW
from tests.unit.imports.plans import ACME, crm_id, gathered, linked, member, row, selected

ADA = member("ada", seats={"gong": HELD_SEAT})


class Asked:
    """A roster that knows Ada, and says what it was asked for."""

    def __init__(self, waiting: int) -> None:
        self.asked: list[Any] = []
        self.pool = Pool(used=2, waiting=waiting)

    def gather(self, _: str, wanted: Mapping[str, Wanted]) -> dict[str, Known]:
        return {user: linked(ADA) if user == crm_id("ada") else Known(matches={}) for user in wanted}

    def members(self, _: str, members: Iterable[str]) -> dict[str, Member]:
        if members := list(members):
            self.asked.append(("members", members))
        return {}

    def pools(self, *_: object) -> dict[str, Pool]:
        return {"gong": self.pool}

    def line(self, _: str, seat: str, limit: int) -> list[str]:
        self.asked.append(("line", seat, limit))
        return ["first", "second"][:limit]

    def waiting(self, _: str, keys: Iterable[str]) -> list[Link]:
        self.asked.append(("waiting", *sorted(keys)))
        return [Link(crm_id=crm_id("dora"), reason=NAMESAKE_ACTIVE, match_keys=tuple(keys))]


class Kept:
    """Parts that were kept."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, name: str, number: int, _: bytes) -> None:
        self.names.append(f"{name}/{number}")

    def parts(self, _: str) -> Any:
        return iter(())


@pytest.mark.parametrize(
    ("fields", "in_line", "asked", "read"),
    [
        ({"Title": "Lead"}, 5, [], []),
        ({"IsActive": False}, 0, [("waiting", *sorted(match_keys_of(ADA)))], [crm_id("dora")]),
        (
            {"IsActive": False},
            5,
            [("waiting", *sorted(match_keys_of(ADA))), ("line", "gong", 1), ("members", ["first"])],
            [crm_id("dora")],
        ),
        ({"Email": "new@acme.example"}, 5, [("waiting", "email#ada@acme.example")], [crm_id("dora")]),
    ],
)
def test_what_the_roster_is_asked(
    fields: dict[str, Any], in_line: int, asked: list[Any], read: list[str]
) -> None:
    roster, parts, again = Asked(in_line), Kept(), list[str]()
    known = KnownRoster(at=NOW, state=ImportState())

    def read_again(crm_ids: Iterable[str]) -> list[Any]:
        again.extend(crm_ids)
        return []

    looking_up = LookingUp(ACME, cast(Roster, roster), read_again, parts, NOW, known)
    looking_up.look_up(selected(gathered(row("ada", **fields), row("bob"))), by_names=False)
    assert (roster.asked, again) == (asked, read)
    assert parts.names == ["known/1", *(["known_waiting/1"] if read and known.waiting else [])]
    assert [each.member for each in known.users.of([(crm_id("ada"), Wanted())])] == [ADA]


def test_by_what_names_a_user_of_vault_crm_may_be_found() -> None:
    known = KnownRoster(at=NOW, state=ImportState())
    looking_up = LookingUp(ACME, cast(Roster, Asked(0)), lambda _: [], Kept(), NOW, known)
    rows = row("ada", Email="new@acme.example"), row("bob"), row("eve", IsActive=False)
    looking_up.look_up(selected(gathered(*rows)), by_names=True)
    names = {key.partition("#")[2] for key in known.unlinked}
    assert names == {"ada@acme.example", "new@acme.example", "bob@acme.example"}
