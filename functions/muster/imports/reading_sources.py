"""The reads of an import in their order: the sources, and what the roster knows of them (I1, I4, A14).

Nothing is decided here but who is looked up. Without a roster, everything is known already, and the sources
are pages in the run archive: so a plan is made again (Q4).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from muster.crm.pages import CursorLost
from muster.errors import Incomplete
from muster.imports.deciding import Basis
from muster.imports.finding_again import find_again
from muster.imports.importing_vault_crm import VaultImporting, reads_everyone
from muster.imports.known_roster import KnownRoster
from muster.imports.looking_up import LookingUp
from muster.imports.selecting import select
from muster.roster.activity import grace_ends
from muster.runs import guard
from muster.runs.run import Run
from muster.settings import Settings
from muster.settings.digests import settings_digest
from muster.settings.mappings import salesforce_organization
from muster.sources.gathering_salesforce import Gathered, Gathering
from muster.sources.gathering_vault_crm import VaultGathering
from muster.sources.member_states import MemberState
from muster.sources.ports import Parts
from muster.times import timestamp

# Salesforce commits records some time after their time of change, and clocks differ.
OVERLAP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read, and where its pages are kept; `vault` is `None` where a run does not read it."""

    settings: Settings
    salesforce: Gathering
    vault: VaultGathering | None
    parts: Parts


def gather(
    sources: Sources, run: Run, now: datetime, known: KnownRoster, looking_up: LookingUp | None
) -> Basis:
    """Return all that a plan is made from; `now` is when gathering began, `looking_up` fills `known`.

    Raises `Incomplete` where a source cannot be trusted, and what reading raises.
    """
    settings = sources.settings
    is_full = run.mode == "full"
    if looking_up:
        whole_vault = sources.vault is not None and reads_everyone(run, known.state, settings)
        looking_up.look_where_to_look(everyone=is_full, whole_vault=whole_vault)
    moved = is_full and known.state.is_of_another_org(salesforce_organization(settings))
    gathered = _of_salesforce(sources, run, known, looking_up, moved=moved)
    states = known.states
    if moved:
        if looking_up:
            looking_up.look_up_former(gathered.managers)
        states = find_again(gathered, states, known.former, settings, now)
    selected = select(gathered, states, settings, now, f"run:{run.id}", lambda: sources.parts.parts("users"))
    if looking_up:
        by_names = sources.vault is not None and not reads_everyone(run, known.state, settings)
        looking_up.look_up(selected, by_names=by_names)
    vault = None
    if sources.vault is not None:
        importing = VaultImporting(settings, run, sources.vault, known)
        vault = importing.read(OVERLAP, looking_up)
    return Basis(selected, known, vault, moved)


def _of_salesforce(
    sources: Sources, run: Run, known: KnownRoster, looking_up: LookingUp | None, *, moved: bool
) -> Gathered:
    gathering, settings = sources.salesforce, sources.settings
    if run.mode == "members":
        return gathering.named(run.members)
    if looking_up:
        looking_up.look_who_is_due()
    if run.mode == "incremental":
        frozen = None if known.state.frozen is None else frozenset(known.state.frozen)
        gathered = gathering.changed(run.since or "", lambda: known.due, frozen)
        return replace(gathered, leaving=known.leaving)
    due, at = frozenset(known.due), timestamp(known.at)

    def is_due(each: MemberState) -> bool:
        over = bool(each.unmatched_since) and grace_ends(each.unmatched_since, settings) <= at
        return each.crm_id in due or over

    try:
        gathered = gathering.everyone(
            {} if moved else known.states,
            afresh=known.state.salesforce.decided_with != settings_digest(settings),
            inactive=moved,
            is_due=is_due,
        )
    except CursorLost:
        # The interrupted run's query cursor is gone; the next run reads from the start.
        raise Incomplete("Salesforce no longer knows where the reading was interrupted") from None
    # Another org may well have fewer users; the plan shows who of the members is not there.
    if not moved and guard.fell_too_far(known.state.salesforce.rows, gathered.total, settings.guard):
        raise Incomplete(
            f"Salesforce shows {gathered.total:,} users, and {known.state.salesforce.rows:,} the last time:"
            " fewer by more than the guard allows"
        )
    return replace(gathered, leaving=known.leaving)
