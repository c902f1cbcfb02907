"""The whole plan of an undo, of values alone, and again of what the archive has (I1, Q2, Q4, A9)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from muster.imports.known_users import KnownUsers, part_of
from muster.roster.member import Member
from muster.roster.seats import Pool
from muster.undo import touched, undo_basis
from muster.undo.deciding import decide
from muster.undo.reversal import Asked
from muster.undo.touched import Touched
from muster.undo.undo_basis import UndoBasis
from muster.undo.undo_plan import UndoPlan
from muster.undo.undone import undone
from tests.examples import ADA, settings
from tests.unit.undo.story import JANE, Story

PARTNERS = {"name": "Partners", "filter": "Title = 'Partner'", "update_mode": "manual"}
ASKED = Asked(JANE, "run:undo")
HELD = {"state": "held"}


@dataclass
class Kept:
    """Parts of an attempt, in memory."""

    bodies: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def put(self, name: str, number: int, body: bytes) -> None:
        self.bodies[name, number] = body

    def parts(self, name: str) -> Iterator[bytes]:
        return (body for (each, _), body in sorted(self.bodies.items()) if each == name)


def person(name: str, **attributes: Any) -> Member:
    return Member.from_document({"id": name, "organization": "acme", "active": True, **attributes}, 3)


def partner(became: dict[str, Any], bad: dict[str, Any], **sections: Any) -> Story:
    """Return Ada, of a manual assignment, who became something and then what a bad run made of her."""
    story = Story(settings(assignments=[PARTNERS], **sections))
    story.imported("first", "Partners")
    story.became("other", **became)
    story.became("bad", **bad)
    return story


def gathered(story: Story, **known: Any) -> UndoBasis:
    """Return what undoing the bad run is decided with."""
    change = story.read("undo", "Partners")
    of_ada = undone(story.ada.id, story.entries, "run:bad")
    people = [Touched(undone=of_ada, user=ADA, run=ASKED.run, change=change)]
    return UndoBasis(people=people, at=story.now, users=KnownUsers([part_of({ADA: story.known()})]), **known)


def kept_and_read(basis: UndoBasis, story: Story) -> UndoBasis:
    """Return what the archive has of it."""
    parts = Kept()
    parts.put(touched.PART, 1, touched.written(basis.people))
    for number, body in enumerate(basis.users.parts, 1):
        parts.put(undo_basis.USERS, number, body)
    document = json.loads(json.dumps(undo_basis.keep(basis, story.settings, parts)))
    return undo_basis.kept(document, touched.gathered(parts.parts(touched.PART)), parts)


def plan_of(story: Story, basis: UndoBasis) -> UndoPlan:
    plan = decide(basis, story.settings, ASKED)
    again = decide(kept_and_read(basis, story), story.settings, ASKED)
    assert (again.items, again.hash()) == (plan.items, plan.hash())
    return plan


@pytest.mark.parametrize(("limit", "served"), [(1, ["bob"]), (2, ["bob", "carol"]), (0, [])])
def test_who_is_first_in_line_is_planned_to_be_given_the_seat_that_is_put_back(
    limit: int, served: list[str]
) -> None:
    story = partner({}, {"seats": {"notes": HELD}}, seats={"notes": {"limit": limit}})
    waiting = {"state": "waiting", "rank": 1}
    line = {
        name: person(name, seats={"notes": {**waiting, "since": f"2026-11-2{day}T08:00:00.000Z"}})
        for day, name in enumerate(("bob", "carol", "dave"))
    }
    plan = plan_of(
        story, gathered(story, pools={"notes": Pool(1, 3)}, lines={"notes": [*line]}, in_line=line)
    )
    ada, *others = plan.items
    assert [(each.field, each.after) for each in ada.changes] == [("seats.notes.state", None)]
    assert [(each.member, each.outcome) for each in others] == [(name, "seated") for name in served]


@pytest.mark.parametrize(
    ("above_grace", "back"),
    [("", True), ("heidi", True), ("ada", False)],
    ids=["nobody is above", "somebody is above", "it would lead in a circle"],
)
def test_a_manager_comes_back_by_who_was_above_then(above_grace: str, back: bool) -> None:
    story = partner({"manager": "grace"}, {"manager": None}, ignore_organizational_structure=True)
    ids = {"ada": story.ada.id, "heidi": "heidi"}
    above = {"grace": person("grace", manager=ids.get(above_grace)), "heidi": person("heidi")}
    (item,) = plan_of(story, gathered(story, above={**above, story.ada.id: story.ada})).items
    assert [each.after for each in item.changes if each.field == "manager"] == (["grace"] if back else [])
    assert (item.outcome == "held_back") is not back
