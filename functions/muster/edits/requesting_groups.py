"""Engage groups requested by hand: each request is judged and written by itself (G6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from muster.edits import group_requests
from muster.edits.changing_members import Members, answer, each_by_itself
from muster.edits.group_requests import GroupRequest
from muster.roster.decisions import Decision
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.settings import Settings


@dataclass(slots=True)
class RequestingGroups:
    """Carries out group requests for one organization; `now` is aware, `run` is for the history."""

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    run: str

    def request(self, requests: Sequence[object], by: str) -> Json:
        """Carry out these requests in order and return the answer: `{status, message, run, results, errors}`.

        Each is a `group_requests.GroupRequest` as it was sent. Raises `Unavailable` where the table is
        down: requests carried out before that stay so.
        """
        members = Members(self.settings, self.roster, self.views, self.now)
        readable, unreadable = each_by_itself(
            dict(enumerate(requests)), lambda _, each: group_requests.read(each)
        )
        members.look_up(each.member for each in readable.values())
        done, refused = each_by_itself(readable, lambda _, each: self._carry_out(each, by, members))
        results = [
            self._result(place, readable[place].feature, members[member], changed=changed)
            for place, (member, changed) in done.items()
        ]
        return answer(
            "requests", results, sum(changed for _, changed in done.values()), unreadable | refused, self.run
        )

    def _carry_out(self, request: GroupRequest, by: str, members: Members) -> tuple[str, bool]:
        """Carry out one request; returns the member's id, and whether anything has changed."""

        def decide() -> tuple[Decision, str]:
            member = members.find(request.member)
            decision = group_requests.decide(member, request, by, self.settings, self.now, self.run)
            return decision, member.id

        decision, member = members.change(decide)
        return member, decision.history is not None

    def _result(self, place: int, feature: str, member: Member, *, changed: bool) -> Json:
        """Return the result of a request, with the member as it is after all of them."""
        mine = getattr(member, feature)
        note = group_requests.note(member, feature, self.settings, self.now)
        return {
            "where": f"requests[{place}]",
            "member": member.id,
            "name": member.name,
            "feature": feature,
            "request": mine["request"],
            "status": mine["status"],
            "note": note if changed else f"That is so already. {note}",
        }
