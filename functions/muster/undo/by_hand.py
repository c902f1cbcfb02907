"""Puts back what is edited by hand, by the very rules of edits: who may, and what comes of it (A5, A11).

What a rule refuses is held back with the rule's own reason. A value that is put back was set by whoever asks
for the undo, so that runs keep it; a manager's override stays that manager's (A10). Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from muster.edits import group_requests, member_edits
from muster.edits.group_requests import GroupRequest
from muster.edits.member_edits import MOST_LEVELS, Editor, Others
from muster.errors import Problem, Rejected
from muster.roster import seats
from muster.roster.history import values_of
from muster.roster.member import Json, Member
from muster.roster.seats import Pools
from muster.settings import Settings
from muster.undo import held_back
from muster.undo.topics import CAPTURE, MANAGER, SEATS, WORKSPACES, Topic

# Returns a member (id) with that one's manager, and so on up to the top.
type Above = Callable[[str], Sequence[Member]]


def above_in(members: Mapping[str, Member]) -> Above:
    """Return who is above whom among these members, as far up as an edit looks."""

    def above(member: str) -> list[Member]:
        chain: list[Member] = []
        at: str | None = member
        while at and len(chain) <= MOST_LEVELS and (found := members.get(at)) and found not in chain:
            chain.append(found)
            at = found.manager
        return chain

    return above


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What edits are judged by: who asks for the undo, in which run (`run:<id>`), when, with which seats."""

    by: str
    run: str
    now: datetime
    settings: Settings
    pools: Pools
    above: Above


@dataclass(slots=True)
class Edited:
    """A member as edits have made it so far, and what could not be put back."""

    member: Member
    hand: Hand
    held: list[Problem]
    unchanged: tuple[Member, ...] = ()

    def values(self, topics: Iterable[Topic], was: Json) -> None:
        """Put back plain values: a status, an end date, a manager."""
        for topic in topics:
            value = was.get(topic.name)
            above = self.hand.above(value) if topic.kind == MANAGER and value else ()
            self._edit([topic], {topic.name: value}, above=above)

    def seats(self, topics: Sequence[Topic], was: Json) -> None:
        """Put back who should have which seats; what is not free is waited for (A9)."""
        gone = [each for each in topics if each.value(was) and each.key not in self.hand.settings.seats]
        if gone:
            self.held.append(held_back.no_such_seat(gone))
        here = [each for each in topics if each not in gone]
        if not here:
            return
        wanted = dict.fromkeys(self.member.seats)
        for topic in here:
            if topic.value(was):
                wanted[topic.key] = None
            else:
                wanted.pop(topic.key, None)
        self._edit(here, {SEATS: [each for each in wanted if each in self.hand.settings.seats]})

    def workspaces(self, topics: Sequence[Topic], was: Json) -> None:
        """Put back the profile in each of these workspaces."""
        if topics:
            self._edit(topics, {WORKSPACES: {topic.key: was.get(topic.name) for topic in topics}})

    def capture(self, topics: Sequence[Topic], was: Json) -> None:
        """Put back settings of data capture, each in the name of whoever had set it.

        An override where there was none is taken away, which restores what the assignment gives.
        """
        now = values_of(self.member)
        by_editor: dict[str | None, dict[Topic, str | None]] = {}
        for topic in topics:
            (_, former), (_, override) = topic.value(was), topic.value(now)
            taken_away = former is None and override is not None
            kind, _, who = (override if taken_away else former or "").partition(":")
            manages = self.hand.settings.managers.may_toggle_capture and kind == "manager"
            value = None if taken_away else was.get(topic.fields[0])
            by_editor.setdefault(who if manages else None, {})[topic] = value
        for manager, wanted in by_editor.items():
            edit = {CAPTURE: {topic.key: value for topic, value in wanted.items()}}
            self._edit([*wanted], edit, Editor(self.hand.by, manager))

    def request(self, topic: Topic, group: str | None) -> None:
        """Ask for the group that the member had requested, or for none (G6)."""
        hand = self.hand
        try:
            decision = group_requests.decide(
                self.member,
                GroupRequest.model_validate(
                    {
                        "member": self.member.id,
                        "action": "assign" if group else "remove",
                        "feature": topic.key,
                        "group": group,
                    }
                ),
                hand.by,
                hand.settings,
                hand.now,
                hand.run,
            )
        except Rejected as error:
            self._refused([topic], error)
        else:
            self.member = decision.after or self.member

    def _edit(
        self,
        topics: Sequence[Topic],
        wanted: Mapping[str, object],
        editor: Editor | None = None,
        above: Sequence[Member] = (),
    ) -> None:
        hand = self.hand
        try:
            edit = member_edits.read({"member": self.member.id, **wanted})
            decision, _ = member_edits.decide(
                self.member,
                edit,
                editor or Editor(hand.by),
                Others(above),
                hand.settings,
                hand.pools,
                hand.now,
                hand.run,
            )
        except Rejected as error:
            self._refused(topics, error)
            return
        after = decision.after or self.member
        pools = seats.moved(hand.pools, seats.moves(self.member.seats, after.seats))
        self.hand = replace(hand, pools=pools)
        self.member = after
        self.unchanged += decision.unchanged

    def _refused(self, topics: Sequence[Topic], error: Rejected) -> None:
        self.held.append(held_back.refused(topics, error.problems[0]))
