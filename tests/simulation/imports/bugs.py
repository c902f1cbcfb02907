"""Bugs in imports to be caught, each by the hunt it is named with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from muster import admin_requests
from muster.adapters.aws import loss_table, roster_table, roster_writes, run_table
from muster.adapters.aws.snapshot_files import SnapshotFiles
from muster.errors import Incomplete
from muster.imports import known_roster, plan_items, selecting
from muster.imports.applying import PlanApplier
from muster.imports.gathering import PlanMaker
from muster.imports.looking_up import LookingUp
from muster.imports.notifying_managers import ManagerNotifier
from muster.imports.plan_items import Item
from muster.imports.seating import Seating
from muster.imports.steps import ImportJob
from muster.roster import eligibility, salesforce_lifecycle
from muster.roster.decisions import Decision, Outcome
from muster.roster.serving_seat_lines import SeatLineServer
from muster.roster.snapshots import Manifest
from muster.roster.writing_user_changes import UserChangeWriter
from muster.runs import guard
from muster.runs.run import Phase, Run, Status
from muster.runs.work import Work
from muster.settings.mappings import fields_to_read
from muster.sources import newest_changes, salesforce_users
from muster.sources.gathering_salesforce import Gathered, Gathering
from muster.sources.user_changes import UserChange
from muster.times import timestamp
from muster.webhook import applying_changes
from muster.webhook.guarding_losses import LossGuard
from muster.webhook.losses import Loss, Recorded
from tests.simulation.harness.bugs import Bugs
from tests.simulation.imports import hunts
from tests.simulation.imports.races import RACES, ZOMBIES
from tests.simulation.imports.scenarios import IMPORTS
from tests.simulation.imports.subject import Importing, ImportRace, ImportScenario
from tests.simulation.webhook.bugs import history_apart

_QUERY = "GET /services/data/v66.0/query"
_BATCH = "POST /services/data"
bugs: Bugs[ImportScenario, ImportRace] = Bugs(Importing.of, IMPORTS, [*RACES, *ZOMBIES])


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


@bugs.bug("totals are ignored", bugs.sweep("nothing has changed", "short", of=_QUERY, most=9))
def _totals_ignored(patch: pytest.MonkeyPatch) -> None:
    pages = Gathering._pages

    def trusting(*given: Any) -> Iterator[Any]:
        try:
            yield from pages(*given)
        except Incomplete:
            return

    patch.setattr(Gathering, "_pages", trusting)


@bugs.bug("who cannot be seen has left", hunts.somebody_is_hidden)
def _unseen_have_left(patch: pytest.MonkeyPatch) -> None:
    everyone = Gathering.everyone

    def strict(self: Gathering, *given: Any, **options: Any) -> Gathered:
        gathered = everyone(self, *given, **options)
        empty = dict.fromkeys(fields_to_read(self.settings))
        for crm_id in gathered.unseen:
            gathered.rows[crm_id] = {
                **empty,
                "Id": crm_id,
                "IsActive": False,
                "SystemModstamp": gathered.newest,
            }
        return gathered

    patch.setattr(Gathering, "everyone", strict)


@bugs.bug("short reads deactivate", bugs.sweep("nothing has changed", "short", of=_QUERY, most=1))
def _short_reads_deactivate(patch: pytest.MonkeyPatch) -> None:
    _totals_ignored(patch)
    _unseen_have_left(patch)


bugs.add(
    "loops of managers are not cut",
    hunts.a_loop,
    lambda patch: patch.setattr(Gathered, "in_loop", lambda *_: False),
)


@bugs.bug("the digest lacks the matches", bugs.whole("much has changed"))
def _digest_without_matches(patch: pytest.MonkeyPatch) -> None:
    digest = salesforce_users.digest

    def short(fields: str, matches: Iterable[str], manager: str | None, *, frozen: bool = False) -> str:
        return digest(fields, (), manager, frozen=frozen)

    patch.setattr(selecting, "digest", short)
    patch.setattr(salesforce_lifecycle, "digest", short)


@bugs.bug("messages are believed", hunts.a_forged_message)
def _message_believed(patch: pytest.MonkeyPatch) -> None:
    understand = applying_changes._understand
    patch.setattr(
        applying_changes,
        "_read_back",
        lambda message, settings, salesforce, _: understand(message, settings, salesforce),
    )


@bugs.bug("who waits is let in from memory", hunts.who_waits_has_left)
def _let_in_from_memory(patch: pytest.MonkeyPatch) -> None:
    decide = salesforce_lifecycle.decide
    remembered: dict[str, UserChange] = {}

    def remembering(change: UserChange, *known: Any) -> Decision:
        decision = decide(change, *known)
        if decision.outcome is Outcome.WAITING:
            remembered[change.crm_id] = change
        return decision

    def memory(*_: Any) -> Callable[[Sequence[str]], Sequence[UserChange]]:
        return lambda crm_ids: [remembered[crm_id] for crm_id in crm_ids]

    patch.setattr(salesforce_lifecycle, "decide", remembering)
    patch.setattr(applying_changes, "_reading_again", memory)
    patch.setattr(PlanMaker, "reading_again", memory)


@bugs.bug("resumed as if read now", hunts.resumed_after_a_change)
def _resumed_as_if_read_now(patch: pytest.MonkeyPatch) -> None:
    plan = ImportJob.plan

    def anew(self: ImportJob, run: Run, *, resumed: bool) -> Any:
        at = timestamp(self.clock.now())
        return plan(self, replace(run, gathered_at=at) if resumed else run, resumed=resumed)

    patch.setattr(ImportJob, "plan", anew)


bugs.add(
    "nobody looks who waits for a leaver",
    hunts.who_waits_for_a_leaver,
    lambda patch: patch.setattr(LookingUp, "_look_who_waits", lambda *_: None),
)

bugs.add(
    "nobody looks who is in line",
    hunts.a_raised_limit,
    lambda patch: patch.setattr(LookingUp, "_look_at_lines", lambda *_: None),
)


@bugs.bug("the seats are not in the archive", hunts.plans_come_out_again)
def _seats_not_archived(patch: pytest.MonkeyPatch) -> None:
    keep = known_roster.keep
    patch.setattr(known_roster, "keep", lambda *given: {**keep(*given), "pools": {}})


# ── Deciding ─────────────────────────────────────────────────────────────────────────────────────


@bugs.bug("the guard takes the largest limit", bugs.clean("an import is parked"))
def _guard_takes_the_largest(patch: pytest.MonkeyPatch) -> None:
    def most_allowed(_: str, active: int, limits: Any) -> int:
        most: int = max(limits.floor, limits.count, active * limits.percent // 100)
        return most

    patch.setattr(guard, "most_allowed", most_allowed)


@bugs.bug("the guard is not asked of a resumed run", bugs.pieces("an import is parked", 1))
def _guard_not_asked_of_a_resumed_run(patch: pytest.MonkeyPatch) -> None:
    plan = ImportJob.plan

    def lenient(self: ImportJob, run: Run, *, resumed: bool) -> Any:
        planned = plan(self, run, resumed=resumed)
        return replace(planned, reasons=()) if resumed else planned

    patch.setattr(ImportJob, "plan", lenient)


@bugs.bug("an approved plan is not made anew", hunts.who_left_returns)
def _approved_plan_not_made_anew(patch: pytest.MonkeyPatch) -> None:
    go_on = Work.go_on

    def hasty(self: Work[Any], run: Run, *, resumed: bool) -> Any:
        if run.approved is not None and run.phase is Phase.GATHER:
            run = replace(run, phase=Phase.APPLY, attempt=run.attempt - 1)
            self.ports.runs.save(run, self.clock.lease)
        return go_on(self, run, resumed=resumed)

    patch.setattr(Work, "go_on", hasty)


bugs.add(
    "an approval is for any plan",
    hunts.another_leaves,
    lambda patch: patch.setattr(plan_items, "plan_hash", lambda _: "0" * 64),
)


# ── The door ─────────────────────────────────────────────────────────────────────────────────────

bugs.add(
    "the door lets every loss through",
    bugs.clean("a data load comes by messages"),
    lambda patch: patch.setattr(LossGuard, "judge", lambda _, decided: [each for _, each in decided]),
)

bugs.add(
    "what the door let through is forgotten",
    bugs.clean("a data load comes by messages"),
    lambda patch: patch.setattr(loss_table.LossTable, "replace", lambda *_: True),
)


# At the 11th of 22 calls.
@bugs.bug("losses are recorded without condition", bugs.stalls("a data load and three workers", 1, (0,), 6))
def _losses_recorded_without_condition(patch: pytest.MonkeyPatch) -> None:
    def careless(self: Any, organization: str, was: Recorded, losses: Sequence[Loss]) -> bool:
        # As if it had been read a moment ago.
        now = self.losses(organization)
        return replace_losses(self, organization, replace(was, revision=now.revision), losses)

    replace_losses = loss_table.LossTable.replace
    patch.setattr(loss_table.LossTable, "replace", careless)


bugs.add(
    "a message outranks a later reading",
    bugs.clean("a message is refuted"),
    lambda patch: patch.setattr(newest_changes, "_refutes", lambda *_: False),
)

bugs.add(
    "nobody is told that a message was refuted",
    bugs.clean("a message is refuted"),
    lambda patch: patch.setattr(UserChangeWriter, "_tell", lambda *_: None),
)


@bugs.bug(
    "who was mended is told of afterwards",
    bugs.sweep("a message is refuted", "after", of="TransactWriteItems"),
)
def _told_afterwards(patch: pytest.MonkeyPatch) -> None:
    tell, done = UserChangeWriter._tell, UserChangeWriter._done

    def told(self: Any, decided: Any) -> None:
        tell(self, decided)
        done(self, decided)

    patch.setattr(UserChangeWriter, "_tell", lambda *_: None)
    patch.setattr(UserChangeWriter, "_done", told)


# ── Who belongs ──────────────────────────────────────────────────────────────────────────────────


@bugs.bug("the domain rule looks at the standard field", hunts.a_mapped_address)
def _domain_of_the_standard_field(patch: pytest.MonkeyPatch) -> None:
    would_have = eligibility.would_have

    def careless(fields: Any, settings: Any, member: Any = None) -> dict[str, str | None]:
        email = eligibility.provisioned_email(fields.get("Email"), settings.domains)
        return {**would_have(fields, settings, member), "email": email}

    patch.setattr(eligibility, "would_have", careless)


bugs.add(
    "who is served from a line is in no plan",
    hunts.a_raised_limit,
    lambda patch: patch.setattr(Seating, "items", lambda _: iter(())),
)


# ── Applying ─────────────────────────────────────────────────────────────────────────────────────


# At the 45th of 60 calls.
@bugs.bug("no fence", bugs.stalls("an import of what was taken back", 1, (0,), 30))
def _no_fence(patch: pytest.MonkeyPatch) -> None:
    write = roster_table.RosterTable.write

    def unfenced(
        self: Any, organization: str, decisions: Sequence[Decision], now: float, *_: Any
    ) -> list[Decision]:
        return write(self, organization, decisions, now)

    patch.setattr(roster_table.RosterTable, "write", unfenced)


bugs.add(
    "the lease is not looked at",
    bugs.race("two imports", 3),
    lambda patch: patch.setattr(
        run_table, "_IS_FREE", "attribute_not_exists(nobody) OR run = :run OR #until <= :now"
    ),
)


@bugs.bug(
    "the lease of the dead is kept", bugs.sweep("nothing has changed", "after", of="UpdateItem", most=1)
)
def _lease_of_the_dead_kept(patch: pytest.MonkeyPatch) -> None:
    kept = "attribute_not_exists(run) OR run = :run OR (#until <= :now AND attribute_exists(nobody))"
    patch.setattr(run_table, "_IS_FREE", kept)


@bugs.bug("seats without condition", bugs.race("three messages want one seat", 12))
def seats_without_condition(patch: pytest.MonkeyPatch) -> None:
    """Let seats be given out by what was read before: the control of the races."""
    pool_actions = roster_writes._pool_actions

    def careless(*given: Any) -> list[Any]:
        actions = pool_actions(*given)
        for action in actions:
            action["Update"].pop("ConditionExpression", None)
            action["Update"]["ExpressionAttributeValues"].pop(":most", None)
        return actions

    patch.setattr(roster_writes, "_pool_actions", careless)


bugs.add(
    "lines are not served",
    bugs.clean("much has changed"),
    lambda patch: patch.setattr(SeatLineServer, "serve_lines", lambda *_: None),
)


@bugs.bug(
    "progress before the work",
    bugs.sweep("a first import", "after", of="TransactWriteItems", most=4, resume=True),
)
def _progress_before_the_work(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: Work[Any], run: Run, some: Sequence[Item], applying: Any) -> Run:
        run = self._saved(replace(run, cursor=run.cursor + len(some)))
        applying.apply(some)
        return run

    patch.setattr(Work, "_one_chunk", hasty)


bugs.add(
    "no second pass",
    bugs.clean("a first import"),
    lambda patch: patch.setattr(PlanApplier, "second_pass", lambda *_: None),
)


@bugs.bug(
    "failed runs move the watermark", bugs.sweep("much has changed, incrementally", "mute", of=_BATCH, most=1)
)
def _failed_runs_move_the_watermark(patch: pytest.MonkeyPatch) -> None:
    finish = run_table.RunTable.finish

    def generous(self: Any, run: Run, lease: Any, state: Any) -> None:
        if run.status is Status.FAILED:
            state = self.state(run.organization)
            state = replace(state, salesforce=replace(state.salesforce, watermark=run.finished_at))
        finish(self, run, lease, state)

    patch.setattr(run_table.RunTable, "finish", generous)


@bugs.bug(
    "a mail is removed before it is sent", bugs.sweep("much has changed", "before", of="SendEmail", most=3)
)
def _mail_removed_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    send_one = ManagerNotifier._send_one

    def hasty(self: ManagerNotifier, settings: Any, mail: Any, manager: str, mails: Any) -> bool:
        for each in mails:
            self.outbox.remove(settings.organization, each)
        return send_one(self, settings, mail, manager, mails)

    patch.setattr(ManagerNotifier, "_send_one", hasty)


bugs.add(
    "history outside the transaction",
    bugs.sweep("some people are imported", "after", of="TransactWriteItems", most=3),
    history_apart,
)


@bugs.bug("workflows are answered as people are", hunts.answers_to_a_workflow)
def _workflows_are_answered_as_people_are(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admin_requests, "_for_a_workflow", dict)


@bugs.bug("the last page that was read sets the watermark", hunts.changed_behind_the_reading)
def _the_last_page_sets_the_watermark(patch: pytest.MonkeyPatch) -> None:
    rows = Gathering._rows

    def latest(self: Gathering, name: str, query: str, names: Any, gathered: Gathered) -> Iterator[Any]:
        for page, sums in rows(self, name, query, names, gathered):
            gathered.newest = max(gathered.newest or "", *(row["SystemModstamp"] for row in page))
            yield page, sums

    patch.setattr(Gathering, "_rows", latest)


@bugs.bug("who was there to begin with is announced", hunts.there_to_begin_with)
def _everyone_is_new(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ImportJob, "_new_since", lambda *_: 0)


@bugs.bug("a snapshot has its manifest first", hunts.a_snapshot_is_interrupted)
def _manifest_first(patch: pytest.MonkeyPatch) -> None:
    parts: list[tuple[Any, ...]] = []
    put_part, put_manifest = SnapshotFiles.put_part, SnapshotFiles.put_manifest

    def manifest_first(self: SnapshotFiles, manifest: Manifest) -> None:
        put_manifest(self, manifest)
        for part in parts:
            put_part(self, *part)
        parts.clear()

    patch.setattr(SnapshotFiles, "put_part", lambda _, *part: parts.append(part))
    patch.setattr(SnapshotFiles, "put_manifest", manifest_first)
