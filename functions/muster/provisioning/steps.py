"""An app as a push is to it: members' accounts are brought in line with the roster (O2, O3).

`pushes.steps` leads through it. Every step is recorded with the member before the next is sent, so it does
not matter where a push is interrupted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from muster.checks import Check
from muster.error_log import LogEntry
from muster.presentation.lines import counted
from muster.provisioning import account_errors, account_items, account_plan, app_basis, app_state
from muster.provisioning.account_items import AccountItem
from muster.provisioning.account_plan import AppBasis
from muster.provisioning.comparing_accounts import Comparing
from muster.provisioning.gathering_accounts import AccountGathering
from muster.provisioning.group_renames import group_renames
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
from muster.times import timestamp

# So many users who are nobody's are named in a sentence.
_FEW = 10
_EVERYBODY, _GROUPS = "everybody", "groups"


@dataclass(slots=True)
class AppTarget:
    """An app in one invocation of a push; `pushes.ports.Target` says what each method does."""

    ports: AppPorts
    clock: RunClock
    settings: Settings
    connection: TargetConnection
    progress: Progress = field(default_factory=Progress, init=False)
    gathering: AccountGathering = field(init=False)
    comparing: Comparing = field(init=False)
    sender: AccountSender = field(init=False)

    def __post_init__(self) -> None:
        """Build the parts."""
        given = (self.ports, self.clock, self.settings, self.connection)
        self.gathering = AccountGathering(*given)
        self.comparing = Comparing(*given, self.gathering)
        self.sender = AccountSender(*given, self.progress)

    @property
    def name(self) -> str:
        """The name of the connection, as people know it."""
        return self.connection.key

    def due(self, run: Run) -> Mapping[str, Member]:
        """Return who has changed, or everybody if the settings that decide about accounts have.

        An app is compared for everybody.
        """
        if run.compares:
            return self.comparing.begin(run)
        return self.gathering.due(run)

    def look(self, run: Run, due: Mapping[str, Member], *, resumed: bool) -> AppBasis:
        """Return who they are in the app, as far as that is not known yet."""
        looking = self.comparing if run.compares else self.gathering
        basis = looking.look(run, due, resumed=resumed)
        parts = AttemptParts(self.ports.archive, run)
        parts.put_decided_with(app_basis.keep(basis, self.settings, parts))
        return basis

    def plan(self, run: Run, shown: AppBasis) -> Plan[AccountItem]:
        """Decide."""
        items = account_plan.make_plan(shown, self.connection, self.settings, at_of(run))
        sends = items and not run.compares
        renames = group_renames(shown.state, self.connection, self.settings) if sends else []
        return Plan(
            items=items,
            counts=account_items.counts(items) | ({"groups_renamed": len(renames)} if renames else {}),
            plan_hash=account_items.plan_hash(items),
            read=len(shown.members) if shown.compared is None else shown.compared,
            reasons=[*self._reasons(shown.state), *self._drifted(shown, items)],
            standing=self._orphans(run, shown),
            summary={
                _EVERYBODY: shown.everybody,
                _GROUPS: sorted(app_state.here(shown.state, self.connection).groups.values()),
            },
            note=_strangers(shown) + "".join(f" {each.in_words()}" for each in renames),
            details={
                "group_renames": [asdict(each) for each in renames],
                "orphans": [{"id": id_, "user_name": name} for id_, name in shown.orphans],
            },
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
        """Take up what is known of the app's groups, and give them their new names before anything else."""
        stored = self.ports.states.state(run.organization, self.connection.key)
        state = app_state.here(stored, self.connection)
        if items and state != stored:
            self.ports.states.save(self.connection.key, state, self.clock.lease)
        self.sender.state = state
        if items and not run.cursor and not run.compares:
            self.sender.rename_groups(run)

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
        if not set(summary[_GROUPS]) <= set(state.groups.values()):
            # A group was gone: who was judged before that was seen, is judged again by the next push.
            return
        decided_with = app_state.digest(self.settings, self.connection)
        # The first comparison is a while after everybody was pushed.
        compared_at = state.compared_at or timestamp(at_of(run))
        judged = replace(
            state, system=self.connection.leads_to, decided_with=decided_with, compared_at=compared_at
        )
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

    def _drifted(self, shown: AppBasis, items: Sequence[AccountItem]) -> Sequence[Reason]:
        """Return that a person has to decide whether what others did in the app is to be taken back."""
        if shown.compared is None or not items:
            return ()
        people = counted(len(items), "person", "people")
        return [
            Rule(f"{self.connection.key} is not as it was left for {people}: approve it to bring that back")
        ]

    def _orphans(self, run: Run, shown: AppBasis) -> Sequence[LogEntry]:
        """Return that the app has users who are nobody's, unless that was told of the same."""
        told = app_state.digest_of(shown.orphans, shown.strangers or 0)
        if shown.compared is None or not shown.orphans or shown.state.orphans == told:
            return ()
        at = timestamp(self.clock.now())
        ids = [id_ for id_, _ in shown.orphans]
        return [account_errors.orphans(self.connection.key, shown.strangers or 0, ids, at, run.id)]


def _strangers(shown: AppBasis) -> str:
    if shown.compared is not None:
        return _of_comparison(shown)
    if not shown.strangers:
        return ""
    active = counted(shown.strangers, "active user", "active users")
    return f" The app has {active} who are none of those looked for; they are left alone."


def _of_comparison(shown: AppBasis) -> str:
    accounts = counted(shown.compared or 0, "account was", "accounts were")
    said = f" {accounts} compared."
    if shown.strangers:
        users = counted(shown.strangers, "active user", "active users")
        names = ", ".join(name or id_ for id_, name in shown.orphans[:_FEW])
        more = ", …" if shown.strangers > _FEW else ""
        said += f" The app has {users} who are nobody's, and left alone: {names}{more}."
    return said
