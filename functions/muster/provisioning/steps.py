"""What a push to an app does: gather who has changed, decide, bring their accounts in line (O2, O3).

`runs.work` leads through it. Every step is recorded with the member before the next is sent, so it does not
matter where a push is interrupted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from muster.checks import Check
from muster.presentation.lines import counted
from muster.provisioning import account_items, account_plan, app_basis, app_state
from muster.provisioning.account_items import AccountItem
from muster.provisioning.account_plan import AppBasis
from muster.provisioning.gathering_accounts import AccountGathering
from muster.provisioning.group_renames import group_renames
from muster.provisioning.ports import AppPorts
from muster.provisioning.sending_accounts import AccountSender
from muster.runs import guard
from muster.runs.answer import PlanShown
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.parking import SHOWN
from muster.runs.reasons import Reason, Rule
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection

_EVERYBODY, _GROUPS = "everybody", "groups"


@dataclass(slots=True)
class AppJob:
    """One invocation's part of a push to an app, with the settings it decides by."""

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection
    has_summary: bool = field(default=True, init=False)
    progress: Progress = field(default_factory=Progress, init=False)

    def plan(self, run: Run, *, resumed: bool) -> Planned[AccountItem]:
        """Gather who has changed and decide; it is blocked if a check fails that sending depends on (U6)."""
        state = self.ports.states.state(run.organization, self.connection.key)
        gathering = AccountGathering(self.ports, self.clock, self.settings, self.connection)
        basis = gathering.gathered(run, state, resumed=resumed)
        parts = AttemptParts(self.ports.archive, run)
        parts.put_decided_with(app_basis.keep(basis, self.settings, parts))
        items = account_plan.make_plan(basis, self.connection, self.settings, at_of(run))
        shown = [item for item in items if item.does]
        failed = self.ports.preflight() if any(item.is_sent for item in items) else ()
        reasons = self._reasons(run, state, items)
        renames = group_renames(state, self.connection, self.settings) if items else []
        return Planned(
            items=items,
            counts=account_items.counts(items) | ({"groups_renamed": len(renames)} if renames else {}),
            plan_hash=account_items.plan_hash(items),
            shown=PlanShown(changes=[item.shown() for item in shown[:SHOWN]]),
            reasons=reasons,
            blocked=f"the push is {self._blocked_by(failed)}" if failed else None,
            summary={
                "read": len(basis.members),
                _EVERYBODY: basis.everybody,
                _GROUPS: sorted(app_state.here(state, self.connection).groups.values()),
            },
            note=self._note(failed, reasons, basis) + "".join(f" {each.in_words()}" for each in renames),
            details={
                "blocked_by": [asdict(check) for check in failed],
                "group_renames": [asdict(each) for each in renames],
            },
        )

    def written(self, items: Sequence[AccountItem]) -> bytes:
        """Return items as a part of the plan's file."""
        return account_items.written(items)

    def read(self, part: bytes) -> Sequence[AccountItem]:
        """Return the items of a part of the plan's file."""
        return account_items.read(part)

    def applying(self, run: Run, items: Sequence[AccountItem], *, resumed: bool) -> AccountSender:
        """Return what sends the plan."""
        stored = self.ports.states.state(run.organization, self.connection.key)
        state = app_state.here(stored, self.connection)
        if items and state != stored:
            self.ports.states.save(self.connection.key, state, self.clock.lease)
        return AccountSender(
            self.ports, self.clock, self.settings, self.connection, self.progress, run, state, resumed
        )

    def after(self, run: Run, items: Sequence[AccountItem], summary: Mapping[str, Any]) -> None:
        """Remember that everybody was judged by these settings, if that is so."""
        if not summary[_EVERYBODY]:
            return
        key = self.connection.key
        state = self.ports.states.state(run.organization, key)
        if not set(summary[_GROUPS]) <= set(state.groups.values()):
            # A group was gone: who was judged before that was seen, is judged again by the next push.
            return
        decided_with = app_state.digest(self.settings, self.connection)
        judged = replace(state, system=self.connection.leads_to, decided_with=decided_with)
        if judged != state:
            self.ports.states.save(key, judged, self.clock.lease)

    def ending(self, run: Run, items: Sequence[AccountItem], summary: Mapping[str, Any]) -> Ending:
        """Return how the push ends: all that is to be said of it is counted."""
        return Ending()

    def _reasons(self, run: Run, state: app_state.AppState, items: Sequence[AccountItem]) -> Sequence[Reason]:
        trips = guard.tripped(items, self.ports.runs.state(run.organization).active, self.settings)
        if state.system in (None, self.connection.leads_to):
            return trips
        another = (
            f"{self.connection.key} leads to another app ({self.connection.leads_to}) than so far"
            f" ({state.system}): everybody is looked for there anew, and the accounts in the former one"
            " stay as they are"
        )
        return [*trips, Rule(another)]

    def _blocked_by(self, failed: Sequence[Check]) -> str:
        said = "; ".join(f"{each.check}: {each.found} ({each.remedy.removesuffix('.')})" for each in failed)
        return f"blocked before the first write by failed checks of {self.connection.key}: {said}"

    def _note(self, failed: Sequence[Check], reasons: Sequence[Reason], basis: AppBasis) -> str:
        if failed:
            return f" It would be {self._blocked_by(failed)}."
        said = "" if reasons else " Nothing blocks it: it is safe to push now."
        if basis.strangers:
            active = counted(basis.strangers, "active user", "active users")
            said += f" The app has {active} who are none of those looked for; they are left alone."
        return said
