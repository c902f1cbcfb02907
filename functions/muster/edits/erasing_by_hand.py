"""Members who have left, erased by hand: each is judged and erased by itself (T5)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.edits.answers import Done, answer
from muster.edits.changing_members import Members, each_by_itself
from muster.errors import Rejected
from muster.roster.erasing_members import MemberEraser
from muster.roster.member import Json
from muster.roster.ports import Roster, RosterViews
from muster.settings import Settings


@dataclass(frozen=True, slots=True)
class ErasingByHand:
    """Erases members of one organization; `now` is aware."""

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    run: str = field(default_factory=lambda: f"erase:{secrets.token_hex(6)}")

    def erase(self, references: Sequence[str], by: str, why: str) -> Json:
        """Erase these members and return the answer: `{status, message, run, results, errors}`.

        A reference is an id, e-mail address, username or CRM id; `by` and `why` stay in the history. A
        result's `note` says which apps still hold something of the person. Raises `Unavailable` where the
        table is down: whoever was erased before that stays erased.
        """
        members = Members(self.settings, self.roster, self.views, self.now)
        members.look_up(references)

        def erase(_: int, reference: str) -> Json:
            member = members.find(reference, "")
            eraser = MemberEraser(self.settings, self.roster, self.now, f"manual:{by}", self.run, why)
            eraser.erase([member.id])
            if problem := eraser.refused.get(member.id):
                raise Rejected(replace(problem, where=""))
            note = " ".join(eraser.kept.get(member.id, ()))
            changed = bool(eraser.erased)
            return {"member": member.id, "changed": changed} | ({"note": note} if note and changed else {})

        done, refused = each_by_itself(dict(enumerate(references)), erase)
        changed = frozenset(place for place, result in done.items() if result["changed"])
        return answer(
            "erase", Done(done, changed, refused), self.run, ("person was erased", "people were erased")
        )
