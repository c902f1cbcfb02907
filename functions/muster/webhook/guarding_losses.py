"""The guard at the webhook's door: what messages would take from too many members is held (W12).

Whoever is held is left exactly as they are, so the next import sees what the message was about, plans it,
and waits for approval. What is let through is recorded before it is written, once per member and hour: a
message that comes again, a worker that died and two workers at once never let through more than the limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from muster.errors import Problem, Unavailable
from muster.roster.decisions import Decision, Outcome
from muster.runs.reasons import Trip
from muster.settings import Settings
from muster.sources.user_changes import UserChange
from muster.webhook import losses
from muster.webhook.losses import Loss, Taken
from muster.webhook.ports import LossRecord

# Others may record losses at the same time; more often than this in a row, and the message comes again.
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Held:
    """A change that is held, the member that it is about, the code of the error log, and the problem."""

    change: UserChange
    member: str
    code: str
    problem: Problem


@dataclass(slots=True)
class LossGuard:
    """Judges what one message takes; `now` is aware. `held` are the changes held so far, by CRM id.

    A message that takes nothing costs no call.
    """

    settings: Settings
    record: LossRecord
    now: datetime
    held: dict[str, Held] = field(default_factory=dict)
    _passed: set[tuple[str, str]] = field(default_factory=set)
    _refused: dict[tuple[str, str], Trip] = field(default_factory=dict)

    def judge(self, decided: Sequence[tuple[UserChange, Decision]]) -> list[Decision]:
        """Return the decisions; instead of one that is held, one that writes nothing."""
        taken = [losses.taken_by(change, decision, self.now) for change, decision in decided]
        new = {
            each.loss.key: each.loss
            for each in taken
            if each and each.loss.key not in self._passed and each.loss.key not in self._refused
        }
        if new:
            self._decide(list(new.values()))
        return [
            self._judged(change, decision, each)
            for (change, decision), each in zip(decided, taken, strict=True)
        ]

    def _judged(self, change: UserChange, decision: Decision, taken: Taken | None) -> Decision:
        trip = self._refused.get(taken.loss.key) if taken else None
        if taken is None or trip is None:
            # Somebody else may have changed the member since it was held.
            self.held.pop(change.crm_id, None)
            return decision
        self.held[change.crm_id] = Held(
            change, taken.loss.member, taken.code, taken.problem(trip, self.settings)
        )
        return Decision(outcome=Outcome.HELD, before=decision.before)

    def _decide(self, new: Sequence[Loss]) -> None:
        """Let these losses pass, and record them, or refuse those that are not recorded yet."""
        organization = self.settings.organization
        for _ in range(_ATTEMPTS):
            recorded = self.record.losses(organization)
            lately = {loss.key: loss for loss in losses.of_the_last_hour(recorded.losses, self.now)}
            fresh = [loss for loss in new if loss.key not in lately]
            trip = losses.beyond(fresh, tuple(lately.values()), recorded.active, self.settings)
            # What was let through before, by this message or another worker, is about to be written now.
            passing = {loss.key: loss for loss in new if trip is None or loss.key in lately}
            kept = tuple({**lately, **passing}.values())
            if not passing or kept == recorded.losses or self.record.replace(organization, recorded, kept):
                self._passed |= passing.keys()
                if trip:
                    self._refused |= {loss.key: trip for loss in fresh}
                return
        raise Unavailable("the losses of messages were recorded by others all the time", retry_after=5)
