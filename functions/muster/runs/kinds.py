"""The kinds of runs, and all in which they differ for what runs have in common (I1, I5). Pure.

What a run of one kind gathers, decides and applies is its `Job`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from muster.runs.run import Kind, Run

_IMPORTS = "ScheduledImportFunction"
# Stands in events to paste for whoever pastes them.
YOU = "<you>"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKind:
    """One kind of run.

    `one` is what a run is called in a sentence ("an import"), `next` the noun of what begins anew after it.
    `function` resumes and approves its runs, `rejecting_function` is where admins reject them, and
    `begun_with` holds the keys of an event that begins one by hand.
    `system` is whose failures its runs tell, under the error code `failed`. `source` is what they read, its
    pages in the archive are called `pages`, and `last_phase` says what a run does once its plan is applied.
    `approval` says what approving does. With `applies` off a run is a preview whatever becomes of it: what
    waits is not its plan. A run with `settings_let_pass` needs no approval if its plan was approved with the
    settings that led to it. With `needs_features` there are runs only where a feature is managed. One that is
    `resumed_when_half_done` must never be closed before its end: what it sent last has to be read back (P5).
    """

    name: Kind
    one: str
    next: str
    function: str
    rejecting_function: str
    begun_with: Mapping[str, object] = field(default_factory=dict)
    system: str
    failed: str
    source: str
    pages: str
    last_phase: str
    approval: str = "Approve it: it is applied if its plan is still the same."
    applies: bool = True
    settings_let_pass: bool = False
    needs_features: bool = False
    resumed_when_half_done: bool = False

    def approval_event(self, run: Run, by: str = YOU) -> dict[str, str | None]:
        """Return the event that approves a run, to be sent to `function`."""
        if self.applies:
            return {
                "organization": run.organization,
                "approve": run.id,
                "plan_hash": run.plan_hash,
                "by": by,
            }
        return {"organization": run.organization, "action": "approve", "run_id": run.id, "by": by}

    def elsewhere(self, run: Run) -> str:
        """Return where to send what was asked of another function about a run."""
        if self.applies:
            return f"Send the same to {self.function}."
        return f"{self.function} saves it: {json.dumps(self.approval_event(run))}."


IMPORT = RunKind(
    name="import",
    one="an import",
    next="import",
    function=_IMPORTS,
    rejecting_function=_IMPORTS,
    begun_with={"mode": "incremental"},
    system="salesforce",
    failed="import_failed",
    source="Salesforce",
    pages="users",
    last_phase="Everything is applied; managers are notified of new members.",
    settings_let_pass=True,
)
SETTINGS = RunKind(
    name="settings",
    one="a change of settings",
    next="import",
    function="OrganizationSettingsFunction",
    rejecting_function=_IMPORTS,
    system="salesforce",
    failed="import_failed",
    source="Salesforce",
    pages="users",
    last_phase=IMPORT.last_phase,
    approval="Approve it: its settings are saved if they still lead to the same.",
    applies=False,
)
PUSH = RunKind(
    name="push",
    one="a push",
    next="push",
    function="ScheduledPushFunction",
    rejecting_function="ScheduledPushFunction",
    system="vault_crm",
    failed="push_failed",
    source="Vault CRM",
    pages="vault_users",
    last_phase="Everything is sent; it reads what Vault CRM makes of it.",
    needs_features=True,
    resumed_when_half_done=True,
)
UNDO = RunKind(
    name="undo",
    one="an undo",
    next="undo",
    function=_IMPORTS,
    rejecting_function=_IMPORTS,
    system="roster",
    failed="undo_failed",
    source="the history and Salesforce",
    pages="gathered",
    last_phase="Everything is put back.",
)
# A push's function has no Salesforce.
UNDO_OF_A_PUSH = replace(
    UNDO,
    one="an undo of a push",
    function=PUSH.function,
    rejecting_function=PUSH.function,
    source="the history",
)
# Those that schedules begin.
SCHEDULED = (IMPORT, PUSH)
KINDS: Mapping[Kind, RunKind] = {each.name: each for each in (IMPORT, SETTINGS, PUSH, UNDO)}


def kind_of(run: Run) -> RunKind:
    """Return the kind of a run."""
    if run.app:
        return push_to(run.app)
    return UNDO_OF_A_PUSH if run.undoes_kind == PUSH.name else KINDS[run.kind]


@cache
def push_to(app: str) -> RunKind:
    """Return the kind of a push to an app, by the name of its connection (`scim.gong`)."""
    return replace(
        PUSH,
        one=f"a push to {app}",
        system=app,
        source=app,
        pages="found",
        last_phase="Everything is sent.",
        begun_with={"connections": [app]},
        needs_features=False,
        resumed_when_half_done=False,
    )
