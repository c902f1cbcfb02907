"""Members who have left, erased: each whole, with its history, or not at all (T5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from muster.errors import Problem
from muster.lease import Lease
from muster.roster import erasure
from muster.roster.decisions import HISTORY_ERASED_AT_ONCE, Decision, Known, Outcome, Wanted
from muster.roster.member import Member
from muster.roster.ports import Roster
from muster.roster.retrying_writes import write_until_it_holds
from muster.settings import Settings

_OVERTAKEN = Problem("member", "is being changed by others all the time", "Send it again.")


@dataclass(slots=True)
class MemberEraser:
    """Erases members of one organization; a run's writes are fenced with its lease.

    `origin`, `run` and `why` are what the history keeps of it; `now` is aware. `erased` counts whom it has
    erased, `refused` holds the others by id, each with why. `kept` has, by member, what apps still hold of
    the erased, and `left_open`, by app, the members whose account is open there and closed by no push.
    """

    settings: Settings
    roster: Roster
    now: datetime
    origin: str
    run: str
    why: str
    lease: Lease | None = None
    erased: int = 0
    refused: dict[str, Problem] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    left_open: dict[str, set[str]] = field(default_factory=dict)

    def erase(self, members: Collection[str]) -> None:
        """Erase these members (ids), at most a hundred; those that are erased already are left alone.

        Raises `Unavailable`, and `Stale` once another run has taken over; whom it has erased stays erased.
        """
        held, overtaken = write_until_it_holds(members, self._decide, self._write)
        self.erased += sum(decision.outcome is Outcome.ERASED for decision in held.values())
        self.refused |= dict.fromkeys(overtaken, _OVERTAKEN)

    def _decide(self, members: Sequence[str]) -> Mapping[str, Decision]:
        found = self.roster.members(self.settings.organization, members)
        decided = {}
        for known in self._with_links(found.values()):
            member = known.member
            if member is None or erasure.is_erased(member):
                continue
            if problem := erasure.refusal(member, self.settings):
                self.refused[member.id] = problem
                for app in erasure.left_open(member, self.settings):
                    self.left_open.setdefault(app, set()).add(member.id)
                continue
            self.kept[member.id] = erasure.kept_by_apps(member)
            # What does not fit into the transaction; of most members there is nothing so old.
            if member.version > HISTORY_ERASED_AT_ONCE:
                older = member.version - HISTORY_ERASED_AT_ONCE
                self.roster.forget_history(self.settings.organization, member.id, older)
            holders = self.roster.holders(self.settings.organization, erasure.keys_ever(member))
            decided[member.id] = erasure.erase(known, holders, self.now, self.origin, self.run, self.why)
        return decided

    def _with_links(self, members: Collection[Member]) -> list[Known]:
        crm_ids = {member.id: member.crm.get("salesforce", {}).get("id") for member in members}
        links = self.roster.gather(
            self.settings.organization, {crm_id: Wanted() for crm_id in crm_ids.values() if crm_id}
        )
        return [
            Known(member=member, link=links[crm_id].link if (crm_id := crm_ids[member.id]) else None)
            for member in members
        ]

    def _write(self, decisions: Sequence[Decision]) -> list[Decision]:
        return self.roster.write(self.settings.organization, decisions, self.now.timestamp(), self.lease)
