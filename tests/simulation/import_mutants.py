"""Bugs in imports to be caught, as in `mutants`: each is put in for a test, and one hunt is to find it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from muster.adapters.aws import roster_table, roster_writes, run_table
from muster.errors import Incomplete
from muster.imports import plan_items
from muster.imports.applying import Applying
from muster.imports.notifying_managers import ManagerNotifier
from muster.imports.plan_items import Item
from muster.imports.steps import Steps
from muster.roster import salesforce_lifecycle
from muster.roster.decisions import Decision
from muster.roster.serving_seat_lines import SeatLineServer
from muster.runs import guard
from muster.runs.run import Phase, Run, Status
from muster.settings.mappings import fields_to_read
from muster.sources import gathering_salesforce, salesforce_users
from muster.sources.gathering_salesforce import Gathered, Gathering
from muster.times import timestamp
from muster.webhook import applying_changes
from tests.simulation import import_hunts as hunts
from tests.simulation.import_hunts import clean, pieces, race, sweep, zombie
from tests.simulation.mutants import Mutant, history_apart

_QUERY = "GET /services/data/v66.0/query"
_BATCH = "POST /services/data"


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


def _totals_ignored(patch: pytest.MonkeyPatch) -> None:
    pages = Gathering._pages

    def trusting(*given: Any) -> Iterator[Any]:
        try:
            yield from pages(*given)
        except Incomplete:
            return

    patch.setattr(Gathering, "_pages", trusting)


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


def _short_reads_deactivate(patch: pytest.MonkeyPatch) -> None:
    _totals_ignored(patch)
    _unseen_have_left(patch)


def _loops_uncut(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gathered, "in_loop", lambda *_: False)


def _digest_without_matches(patch: pytest.MonkeyPatch) -> None:
    digest = salesforce_users.digest

    def short(fields: str, matches: Iterable[str], manager: str | None) -> str:
        return digest(fields, (), manager)

    patch.setattr(gathering_salesforce, "digest", short)
    patch.setattr(salesforce_lifecycle, "digest", short)


def _message_believed(patch: pytest.MonkeyPatch) -> None:
    understand = applying_changes._understand
    patch.setattr(
        applying_changes,
        "_read_back",
        lambda message, settings, salesforce, _: understand(message, settings, salesforce),
    )


def _resumed_as_if_read_now(patch: pytest.MonkeyPatch) -> None:
    go_on = Steps.gather_and_go_on

    def anew(self: Steps, run: Run, *, resumed: bool) -> Any:
        at = timestamp(self.clock.now())
        return go_on(self, replace(run, gathered_at=at) if resumed else run, resumed=resumed)

    patch.setattr(Steps, "gather_and_go_on", anew)


# ── Deciding ─────────────────────────────────────────────────────────────────────────────────────


def _guard_takes_the_largest(patch: pytest.MonkeyPatch) -> None:
    def most_allowed(_: str, active: int, limits: Any) -> int:
        most: int = max(limits.floor, limits.count, active * limits.percent // 100)
        return most

    patch.setattr(guard, "most_allowed", most_allowed)


def _guard_not_asked_of_a_resumed_run(patch: pytest.MonkeyPatch) -> None:
    planned = Steps._planned

    def lenient(self: Steps, run: Run, *, resumed: bool) -> Any:
        plan, trips, run = planned(self, run, resumed=resumed)
        return plan, [] if resumed else trips, run

    patch.setattr(Steps, "_planned", lenient)


def _approved_plan_not_made_anew(patch: pytest.MonkeyPatch) -> None:
    go_on = Steps.gather_and_go_on

    def hasty(self: Steps, run: Run, *, resumed: bool) -> Any:
        if run.approved is None:
            return go_on(self, run, resumed=resumed)
        run = replace(run, phase=Phase.APPLY, attempt=run.attempt - 1)
        self.ports.runs.save(run, self.clock.lease)
        return self.apply(run)

    patch.setattr(Steps, "gather_and_go_on", hasty)


def _approved_whatever_it_is(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan_items, "plan_hash", lambda _: "0" * 64)


# ── Applying ─────────────────────────────────────────────────────────────────────────────────────


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    write = roster_table.RosterTable.write

    def unfenced(
        self: Any, organization: str, decisions: Sequence[Decision], now: float, *_: Any
    ) -> list[Decision]:
        return write(self, organization, decisions, now)

    patch.setattr(roster_table.RosterTable, "write", unfenced)


def _lease_taken_from_whoever_has_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_table, "_IS_FREE", "attribute_not_exists(nobody) OR run = :run OR #until <= :now")


def _lease_of_the_dead_kept(patch: pytest.MonkeyPatch) -> None:
    kept = "attribute_not_exists(run) OR run = :run OR (#until <= :now AND attribute_exists(nobody))"
    patch.setattr(run_table, "_IS_FREE", kept)


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


def _lines_not_served(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SeatLineServer, "serve_lines", lambda *_: None)


def _progress_before_the_work(patch: pytest.MonkeyPatch) -> None:
    apply = Applying.apply

    def hasty(self: Applying, items: Iterable[Item], cursor: int, progress: Callable[[int], None]) -> None:
        items = list(items)
        progress(len(items))
        apply(self, items, cursor, lambda _: None)

    patch.setattr(Applying, "apply", hasty)


def _no_second_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Applying, "second_pass", lambda *_: None)


def _failed_runs_move_the_watermark(patch: pytest.MonkeyPatch) -> None:
    finish = run_table.RunTable.finish

    def generous(self: Any, run: Run, lease: Any, state: Any) -> None:
        if run.status is Status.FAILED:
            state = replace(self.state(run.organization), watermark=run.finished_at)
        finish(self, run, lease, state)

    patch.setattr(run_table.RunTable, "finish", generous)


def _mail_removed_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    send_one = ManagerNotifier._send_one

    def hasty(self: ManagerNotifier, settings: Any, mail: Any, manager: str, mails: Any) -> bool:
        for each in mails:
            self.outbox.remove(settings.organization, each)
        return send_one(self, settings, mail, manager, mails)

    patch.setattr(ManagerNotifier, "_send_one", hasty)


IMPORT_MUTANTS = [
    Mutant("totals are ignored", _totals_ignored, sweep("nothing has changed", "short", _QUERY, 9)),
    Mutant("who cannot be seen has left", _unseen_have_left, hunts.somebody_is_hidden),
    Mutant(
        "short reads deactivate", _short_reads_deactivate, sweep("nothing has changed", "short", _QUERY, 1)
    ),
    Mutant("loops of managers are not cut", _loops_uncut, hunts.a_loop),
    Mutant("the digest lacks the matches", _digest_without_matches, clean("much has changed")),
    Mutant("messages are believed", _message_believed, clean("messages bring the same")),
    Mutant("resumed as if read now", _resumed_as_if_read_now, hunts.resumed_after_a_change),
    Mutant("the guard takes the largest limit", _guard_takes_the_largest, clean("an import is parked")),
    Mutant(
        "the guard is not asked of a resumed run",
        _guard_not_asked_of_a_resumed_run,
        pieces("an import is parked"),
    ),
    Mutant("an approved plan is not made anew", _approved_plan_not_made_anew, hunts.who_left_returns),
    Mutant("an approval is for any plan", _approved_whatever_it_is, hunts.another_leaves),
    Mutant("no fence", _no_fence, zombie("an import of what was taken back", 8)),
    Mutant("the lease is not looked at", _lease_taken_from_whoever_has_it, race("two imports", 3)),
    Mutant(
        "the lease of the dead is kept",
        _lease_of_the_dead_kept,
        sweep("nothing has changed", "after", "UpdateItem", 1),
    ),
    Mutant("seats without condition", seats_without_condition, race("three messages want one seat", 12)),
    Mutant("lines are not served", _lines_not_served, clean("much has changed")),
    Mutant(
        "history outside the transaction",
        history_apart,
        sweep("some people are imported", "after", "TransactWriteItems"),
    ),
    Mutant(
        "progress before the work",
        _progress_before_the_work,
        sweep("a first import", "after", "TransactWriteItems", 4, resume=True),
    ),
    Mutant("no second pass", _no_second_pass, clean("a first import")),
    Mutant(
        "failed runs move the watermark",
        _failed_runs_move_the_watermark,
        sweep("much has changed, incrementally", "mute", _BATCH, 1),
    ),
    Mutant(
        "a mail is removed before it is sent",
        _mail_removed_before_it_is_sent,
        sweep("a first import", "before", "SendEmail"),
    ),
]
