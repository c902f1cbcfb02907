"""Who is looked up beside whom a run changed: so much of a line as may be served; managers (A9, A10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from muster.roster.decisions import Known, Wanted
from muster.roster.history import FieldChange
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.seats import Pool
from muster.undo.looking_up import UndoLookingUp
from muster.undo.touched import Touched
from muster.undo.undone import Undone
from tests.examples import ADA, NOW, settings
from tests.unit.undo.test_deciding import HELD, Kept, person

WAITS = {"state": "waiting", "rank": 1, "since": "2026-11-20T08:00:00.000Z"}
ABOVE = {"grace": person("grace", manager="heidi"), "heidi": person("heidi", manager="grace")}


@dataclass
class Asked:
    """A roster that knows Ada and who is above her, and says what it was asked for."""

    ada: Member
    waiting: int
    asked: list[Any] = field(default_factory=list)

    def gather(self, _: str, wanted: Mapping[str, Wanted]) -> dict[str, Known]:
        return {user: Known(member=self.ada) for user in wanted}

    def members(self, _: str, members: Iterable[str]) -> dict[str, Member]:
        self.asked += (members := list(members))
        return {name: ABOVE[name] for name in members if name in ABOVE}

    def pools(self, *_: object) -> dict[str, Pool]:
        return {"gong": Pool(used=1, waiting=self.waiting)}

    def line(self, _: str, seat: str, limit: int) -> list[str]:
        self.asked.append(limit)
        ada = ["ada"] if self.ada.seats[seat].state == "waiting" else []
        return [*ada, "bob", "carol", "dave"][:limit]


@pytest.mark.parametrize(
    ("limit", "place", "waiting", "chosen", "asked"),
    [
        (1, HELD, 0, False, []),
        (1, WAITS, 3, False, []),
        (1, HELD, 3, False, [1, "bob"]),
        (2, WAITS, 3, False, [2, "bob"]),
        (3, HELD, 9, False, [3, "bob", "carol", "dave"]),
        (1, HELD, 0, True, ["grace", "heidi"]),
    ],
    ids=["nobody waits", "none is free", "one given up", "one free, and ada may leave", "both", "managers"],
)
def test_no_more_is_read_than_may_be_needed(
    limit: int, place: dict[str, Any], waiting: int, chosen: bool, asked: list[Any]
) -> None:
    acme = settings(seats={"gong": {"limit": limit}}, ignore_organizational_structure=chosen)
    roster = Asked(person("ada", seats={"gong": place}), waiting)
    undone = Undone(member="ada", changes=(FieldChange("manager", "grace", None),))
    looking_up = UndoLookingUp(acme, cast(Roster, roster), Kept())
    basis = looking_up.look_up([Touched(undone=undone, user=ADA, run="run:undo")], NOW)
    assert roster.asked == asked
    assert set(basis.above) == (set(ABOVE) if chosen else set())
