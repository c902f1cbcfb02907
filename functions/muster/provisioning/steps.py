"""An app as a push is to it: members' accounts are brought in line with the roster (O2, O3).

`pushes.steps` leads through it. Every step is recorded with the member before the next is sent, so it does
not matter where a push is interrupted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from muster.checks import Check
from muster.presentation.lines import counted
from muster.provisioning import account_items, account_plan, app_basis, app_state
from muster.provisioning.account_items import AccountItem
from muster.provisioning.account_plan import AppBasis
from muster.provisioning.gathering_accounts import AccountGathering
from muster.provisioning.ports import AppPorts
from muster.provisioning.sending_accounts import AccountSender
from muster.pushes.ports import Plan
from muster.roster.member import Member
from muster.runs.archive import AttemptParts
from muster.runs.clock import RunClock
from muster.runs.hooks import Progress
from muster.runs.reasons import Reason, Rule
from muster.runs.run import Run, at_of
from muster.settings import Settings
from muster.settings.target_connection import TargetConnection

_EVERYBODY = "everybody"


@dataclass(slots=True)
class AppTarget:
    """An app in one invocation of a push; `pushes.ports.Target` says what each method does."""

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection
    progress: Progress = field(default_factory=Progress, init=False)
    gathering: AccountGathering = field(init=False)
    sender: AccountSender = field(init=False)

    def __post_init__(self) -> None:
        """Build the parts."""
        given = (self.ports, self.clock, self.settings, self.connection)
        self.gathering = AccountGathering(*given)
        self.sender = AccountSender(*given, self.progress)

    @property
    def name(self) -> str:
        """The name of the connection, as people know it."""
        return self.connection.key

    def due(self, run: Run) -> Mapping[str, Member]:
        """Return who has changed, or everybody if the settings that decide about accounts have."""
        return self.gathering.due(run)

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> AppBasis:
        """Return who they are in the app, as far as that is not known yet."""
        basis = self.gathering.look(run, due, resumed=resumed)
        parts = AttemptParts(self.ports.archive, run)
        parts.put_decided_with(app_basis.keep(basis, self.settings, parts))
        return basis

    def plan(self, run: Run, shown: AppBasis) -> Plan[AccountItem]:
        """Decide."""
        items = account_plan.make_plan(shown, self.connection, self.settings, at_of(run))
        return Plan(
            items=items,
            counts=account_items.counts(items),
            plan_hash=account_items.plan_hash(items),
            read=len(shown.members),
            reasons=self._reasons(shown.state),
            summary={_EVERYBODY: shown.everybody},
            note=_strangers(shown),
        )

    def failed_checks(self) -> Sequence[Check]:
        """Return the failed ones of the checks that sending depends on (U6)."""
        return self.ports.preflight()

    def written(self, items: Sequence[AccountItem]) -> bytes:
        """Return items as a part of the plan's file."""
        return account_items.written(items)

    def read(self, part: bytes) -> Sequence[AccountItem]:
        """Return the items of a part of the plan's file."""
        return account_items.read(part)

    def begin(self, run: Run, items: Sequence[AccountItem], *, resumed: bool) -> None:
        """Take up what is known of the app's groups: of another app's, nothing is."""
        state = self.ports.states.state(run.organization, self.connection.key)
        if state.system != self.connection.leads_to:
            state = app_state.AppState(system=self.connection.leads_to)
            if items:
                self.ports.states.save(self.connection.key, state, self.clock.lease)
        self.sender.state = state

    def chunks(self, items: Sequence[AccountItem]) -> Iterator[Sequence[AccountItem]]:
        """Yield the items in order: who leaves is sent before who comes."""
        return self.sender.chunks(items)

    def arrived(self, run: Run, items: Sequence[AccountItem]) -> Sequence[AccountItem]:
        """Return the whole chunk: what is recorded of each account says what of it is left."""
        self.sender.doubt(items)
        return items

    def send(self, run: Run, items: Sequence[AccountItem]) -> None:
        """Bring the members of one chunk in line with the app."""
        self.sender.send(run, items)

    def all_sent(self, run: Run) -> None:
        """Nothing comes once all is sent."""

    def outcome(self, run: Run, items: Sequence[AccountItem], summary: Mapping[str, Any]) -> None:
        """Remember that everybody was judged by these settings, if that is so."""
        if not summary[_EVERYBODY]:
            return
        key = self.connection.key
        state = self.ports.states.state(run.organization, key)
        decided_with = app_state.digest(self.settings, self.connection)
        judged = replace(state, system=self.connection.leads_to, decided_with=decided_with)
        if judged != state:
            self.ports.states.save(key, judged, self.clock.lease)

    def _reasons(self, state: app_state.AppState) -> Sequence[Reason]:
        if state.system in (None, self.connection.leads_to):
            return ()
        another = (
            f"{self.connection.key} leads to another app ({self.connection.leads_to}) than so far"
            f" ({state.system}): everybody is looked for there anew, and the accounts in the former one"
            " stay as they are"
        )
        return [Rule(another)]


def _strangers(shown: AppBasis) -> str:
    if not shown.strangers:
        return ""
    active = counted(shown.strangers, "active user", "active users")
    return f" The app has {active} who are none of those looked for; they are left alone."
