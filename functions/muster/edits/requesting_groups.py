"""Engage groups requested by hand: each request is judged and written by itself (G6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from muster.crm.engage_features import Feature
from muster.edits import csv_lines, group_requests
from muster.edits.answers import Done, answer
from muster.edits.carrying_out_lines import Part, Work, carry_out_lines
from muster.edits.changing_members import Members, each_by_itself
from muster.edits.group_requests import GroupRequest
from muster.roster.decisions import Decision
from muster.roster.member import Json, Member
from muster.roster.ports import Roster, RosterViews
from muster.settings import Settings


@dataclass(slots=True)
class RequestingGroups:
    """Carries out group requests for one organization; `now` is aware, `run` is for the history.

    With `preview` nothing is written, and the answer is what it would be. `groups` are those that users of
    Vault CRM were seen in, by feature.
    """

    settings: Settings
    roster: Roster
    views: RosterViews
    now: datetime
    run: str
    preview: bool = False
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _members: Members = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nobody looked up."""
        self._members = Members(self.settings, self.roster, self.views, self.now, self.preview)

    def request(self, requests: Sequence[object], by: str) -> Json:
        """Carry out these requests in order and return the answer: `{status, message, run, results, errors}`.

        Each is a `group_requests.GroupRequest` as it was sent. Raises `Unavailable` where the table is
        down: requests carried out before that stay so.
        """
        readable, unreadable = each_by_itself(
            dict(enumerate(requests)), lambda _, each: group_requests.read(each)
        )
        self._members.look_up(each.member for each in readable.values())
        done = self._request(readable, by)
        done = replace(done, refused={**unreadable, **done.refused})
        return answer("requests", done, self.run, preview=self.preview)

    def request_lines(self, text: str, by: str, part: Part) -> Json:
        """Carry out the requests of a CSV file and return the answer; raises as `request` does."""
        lines = csv_lines.read(text, group_requests.COLUMNS)
        work = Work(
            group_requests.read,
            lambda each: [each.member],
            lambda each: each.feature,
            lambda requests: self._request(requests, by),
        )
        return carry_out_lines(lines, work, self._members, self.run, part)

    def _request(self, requests: Mapping[int, GroupRequest], by: str) -> Done:
        """Carry out these requests, of members who were looked up."""
        done, refused = each_by_itself(requests, lambda _, each: self._carry_out(each, by))
        results = {
            place: self._result(requests[place].feature, self._members[member], changed=changed)
            for place, (member, changed) in done.items()
        }
        return Done(results, frozenset(place for place, (_, changed) in done.items() if changed), refused)

    def _carry_out(self, request: GroupRequest, by: str) -> tuple[str, bool]:
        """Carry out one request; returns the member's id, and whether anything has changed."""

        def decide() -> tuple[Decision, str]:
            member = self._members.find(request.member)
            decision = group_requests.decide(member, request, by, self.settings, self.now, self.run)
            return decision, member.id

        decision, member = self._members.change(decide)
        return member, decision.history is not None

    def _result(self, feature: Feature, member: Member, *, changed: bool) -> Json:
        """Return the result of a request, with the member as it is after all of them."""
        mine = member.feature(feature)
        seen = self.groups.get(feature, ())
        note = group_requests.note(member, feature, self.settings, self.now, seen)
        return {
            "member": member.id,
            "name": member.name,
            "feature": feature,
            "request": mine.request,
            "status": mine.status,
            "note": note if changed else f"That is so already. {note}",
        }
