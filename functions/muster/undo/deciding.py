"""The whole plan of an undo: of whom the run changed, and what the roster knew of them (I1, Q2, Q4). Pure.

It asks nothing of anybody, not even the time: so the same plan is made from the run archive again.
"""

from muster.imports.seating import Seating
from muster.settings import Settings
from muster.undo.reversal import Asked
from muster.undo.undo_basis import UndoBasis
from muster.undo.undo_plan import UndoPlan, make_plan


def decide(basis: UndoBasis, settings: Settings, asked: Asked) -> UndoPlan:
    """Return each member's reversal, and who is served from the lines once they are applied (A9)."""
    known = basis.known(settings)
    plan = make_plan(basis, known, settings, asked)
    stored = {each.member.id: each.member for each in known.values() if each.member}
    seating = Seating(
        settings, basis.lines, {**stored, **basis.in_line}, plan.changed, plan.pools, basis.at, asked.run
    )
    plan.items += seating.items()
    return plan
