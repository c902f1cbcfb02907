"""What an import does, led by `runs.work`: gather, decide, apply, notify managers (I1, I4 to I9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from muster.engage.syncing_align import AlignSync
from muster.imports import frozen_users, plan_items
from muster.imports.applying import PlanApplier
from muster.imports.gathering import PlanMaker
from muster.imports.plan_items import Item
from muster.imports.ports import Ports
from muster.imports.recording_holders import HolderRecorder
from muster.imports.remembered import is_the_first, state_after
from muster.presentation.lines import counted
from muster.roster.decisions import Decision, Outcome
from muster.runs.answer import PlanShown
from muster.runs.clock import RunClock
from muster.runs.hooks import Ending, Planned, Progress
from muster.runs.parking import SHOWN
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.mappings import vault_crm_connection
from muster.sources.vault_users import VaultUser

_OF_VAULT_CRM = ("read", "unlinked", "ambiguous", "licences_of_nobody", "base_licences_left")


@dataclass(slots=True)
class ImportJob:
    """One invocation's part of an import, with the settings it decides by.

    `untried` is their version, if what they name could not be tried when they were saved.
    """

    ports: Ports
    clock: RunClock
    settings: Settings
    untried: int | None = None
    has_summary: bool = field(default=True, init=False)
    progress: Progress = field(default_factory=Progress, init=False)
    align_sync: AlignSync = field(init=False)
    # Decisions made in this invocation, by CRM id.
    _ready: Mapping[str, Decision] = field(default_factory=dict, init=False)
    # How many users of Vault CRM have a group and are linked to nobody, if that was counted.
    _of_nobody: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Build the Align part, which does nothing where Align is not connected."""
        ports = self.ports
        self.align_sync = AlignSync(
            self.settings, ports.align, ports.roster, ports.runs, self.clock, ports.align_preflight
        )

    @property
    def _maker(self) -> PlanMaker:
        return PlanMaker(self.ports, self.clock, self.settings, self.untried)

    def plan(self, run: Run, *, resumed: bool) -> Planned[Item]:
        """Gather and decide."""
        plan, planned = self._maker.planned(run, resumed=resumed)
        self._ready = plan.decisions
        return planned

    def written(self, items: Sequence[Item]) -> bytes:
        """Return items as a part of the plan's file."""
        return plan_items.written(items)

    def read(self, part: bytes) -> Sequence[Item]:
        """Return the items of a part of the plan's file."""
        return plan_items.read(part)

    def applying(self, run: Run, items: Sequence[Item], *, resumed: bool) -> PlanApplier:
        """Return what applies the plan; an item that was applied before changes nothing."""
        return PlanApplier(
            self.settings,
            self.ports.roster,
            self.clock,
            run,
            items,
            self._maker.reading_again(run),
            self.progress,
            self._ready,
        )

    def after(self, run: Run, items: Sequence[Item], summary: Mapping[str, Any]) -> None:
        """Bring Align up to date, notify managers, and record who has a group and is linked to nobody."""
        if run.mode != "members":
            self._sync_align(run, items)
        self.ports.notify(self.settings, run.id, self._new_since(run))
        now, lease = self.clock.now().timestamp(), self.clock.lease
        recorder = HolderRecorder(self.settings, self.ports.holders, self.ports.roster, lease, now)
        self._of_nobody, told = recorder.record(run, summary.get("vault_crm"))
        self.progress.errors += told

    def ending(self, run: Run, items: Sequence[Item], summary: Mapping[str, Any]) -> Ending:
        """Return how the import ends, and what the next ones remember of it."""
        state, entries = None, []
        if run.mode != "members":
            before = self.ports.runs.state(run.organization)
            state = state_after(before, run, summary, self.settings, self.clock.now())
            state = self.align_sync.state_after(state)
            members, known = summary.get("frozen_members", ()), before.frozen or ()
            entries = frozen_users.told(members, known, run.id, run.started_at)
        shown = PlanShown(
            changes=plan_items.first_shown(items, SHOWN),
            tally=summary.get("tally", {}),
            seats=summary["seats"],
            left_out=summary.get("left_out"),
        )
        return Ending(
            shown=shown,
            named=True,
            state=state,
            errors=summary["noticed"],
            entries=entries,
            first=f"{counted(summary['read'], 'user')} read. ",
            last="".join(f" Left out: {why}" for why in self.ports.left_alone),
            details=self._details(summary, shown),
        )

    def _sync_align(self, run: Run, items: Sequence[Item]) -> None:
        """Take over what is asked for in Align, and show there what members have (G9).

        It is not in the plan: what is asked for there takes effect with the next push, whose guard sees it.
        """
        linked = {
            each.user: getattr(each.change, vault_crm_connection(self.settings).match)
            for each in items
            if each.outcome == Outcome.LINKED and isinstance(each.change, VaultUser)
        }
        _, refused = self.align_sync.take_requests(run, linked)
        self.progress.errors += refused
        self.progress.entries += self.align_sync.report(run, ())

    def _new_since(self, run: Run) -> float | None:
        """Return from when on who comes is new (epoch seconds); `None`: nobody is yet (I13)."""
        state = self.ports.runs.state(run.organization)
        if is_the_first(state, self.settings):
            return None
        return datetime.fromisoformat(state.new_since).timestamp() if state.new_since else 0

    def _details(self, summary: Mapping[str, Any], shown: PlanShown) -> dict[str, Any]:
        details: dict[str, Any] = {"read": summary["read"], "changes": shown.changes, "tally": shown.tally}
        if frozen := summary.get("frozen_members"):
            details["frozen"] = frozen_users.shown(frozen)
        vault = summary.get("vault_crm") or {}
        if self._of_nobody is not None:
            vault = {**vault, "licences_of_nobody": self._of_nobody}
        if vault:
            known = {name: vault.get(name) for name in _OF_VAULT_CRM}
            details["vault_crm"] = {name: value for name, value in known.items() if value is not None}
        if self.align_sync.read is not None:
            details["align"] = {"read": self.align_sync.read, "written": self.align_sync.written}
        return details
