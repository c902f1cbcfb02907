"""Bugs in pushes to be caught, each by the hunt it is named with."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest

from muster.adapters.aws import login_journal
from muster.adapters.aws.login_journal import LoginJournal, Refusal, SecretVersion, Turn
from muster.adapters.vault import client, writes
from muster.adapters.vault.answers import Answer
from muster.crm import engage_features
from muster.crm.vault_records import Outcome, Written
from muster.engage import (
    group_writes,
    item_outcomes,
    licence_lines,
    push_plan,
    sending_items,
    sending_records,
)
from muster.engage.licence_lines import Removals
from muster.engage.ports import Vault
from muster.engage.push_items import PushItem, Step
from muster.engage.reading_outcomes import OutcomeReader
from muster.engage.sending_items import ItemSender
from muster.errors import Rejected
from muster.roster import vault_links, vault_tries
from muster.roster.licence_places import Line
from muster.roster.member import Member
from muster.roster.vault_state import Tries
from muster.runs import closing
from muster.runs.run import Run
from tests.simulation.harness.bugs import Bugs, Hunt
from tests.simulation.harness.faults import Call, nothing
from tests.simulation.harness.subject import ENDED_WELL, Said, demand
from tests.simulation.harness.vault_wire import WRITE
from tests.simulation.harness.world import Violation, World
from tests.simulation.pushes import results
from tests.simulation.pushes.company import PushCompany
from tests.simulation.pushes.logins import deaths_at_logins, seeds_of_logins, stalls_of_logins
from tests.simulation.pushes.races import RACES, REFUSED_ONCE, ZOMBIES, three
from tests.simulation.pushes.scenarios import PUSHES, UPDATES, well
from tests.simulation.pushes.soaking import leaver_in_trouble
from tests.simulation.pushes.subject import Pushing, PushRace, PushScenario

bugs: Bugs[PushScenario, PushRace] = Bugs(Pushing.of, PUSHES, [*RACES, *ZOMBIES])

# ── Hunts ────────────────────────────────────────────────────────────────────────────────────────


def broken_write(kind: str) -> Hunt:
    """Hunt in a retry, whose write to Vault CRM is broken."""

    def hunt(world: World) -> None:
        pushing = PushCompany(world)
        three(pushing)
        well(pushing.ask("assign", "ada", group="Italy"))
        well(pushing.push())
        pushing.vault.group("Italy", 1)
        well(pushing.ask("retry", "ada"))
        broken: list[int] = []

        def plan(call: Call) -> str | None:
            if broken or not call.operation.startswith(WRITE):
                return None
            broken.append(call.number)
            return kind

        world.wire.plan = plan
        pushing.push()
        world.wire.plan = nothing
        _ends(pushing, "Italy", "ada")
        demand(results.asked_twice(pushing))

    return hunt


def wishes_for_something_else(world: World, *faults: Said) -> None:
    """While what somebody wishes for is sent they come to wish for something else, and get that."""
    pushing = PushCompany(world)
    three(pushing)
    well(pushing.ask("assign", "ada", group="UK"))
    pushing.vault.control("POST", "faults", faults)
    _while_it_writes(world, lambda: well(pushing.ask("assign", "ada", group="US")))
    well(pushing.push())
    pushing.vault.control("POST", "faults", [])
    _ends(pushing, "US", "ada")


def is_refused_what_was_wished_for(world: World) -> None:
    """The same, and what was wished for first is refused."""
    wishes_for_something_else(world, REFUSED_ONCE)


def written_past_the_triggers(world: World) -> None:
    """What somebody has written with triggers off meanwhile is still to be asked of the Engage server."""
    pushing = PushCompany(world)
    three(pushing)
    well(pushing.ask("assign", "ada", group="US"))

    pushing.vault.log_in()
    _while_it_writes(
        world,
        lambda: pushing.vault.write(
            "PUT",
            [{"id": pushing.vault_ids["ada"], "engage_group_request__v": "US"}],
            headers={"X-VaultAPI-NoTriggers": "true"},
        ),
    )
    well(pushing.push())
    _ends(pushing, "US", "ada")


def one_is_refused(world: World) -> None:
    """Who is refused by Vault CRM is shown as failed, and nobody else is; a retry lets them in too."""
    pushing = PushCompany(world)
    three(pushing)
    well(pushing.ask("assign", "ada", "bob", group="US"))
    pushing.vault.control("POST", "faults", [REFUSED_ONCE])
    well(pushing.push())
    pushing.vault.control("POST", "faults", [])
    shown = {
        pushing.name_of(member.crm["salesforce"]["id"]): member.engage.status
        for member in pushing.roster().members.values()
    }
    if shown != {"ada": engage_features.REQUEST_FAILED, "bob": engage_features.SUCCESS, "carol": None}:
        raise Violation(f"ada was refused, and the roster says {shown}")
    well(pushing.ask("retry", "ada"))
    _ends(pushing, "US", "ada bob")


def one_spoils_the_call(world: World) -> None:
    """Vault CRM refuses the whole call for one of them: the others are let in by the same push."""
    pushing = PushCompany(world)
    three(pushing)
    well(pushing.ask("assign", "ada", "bob", "carol", group="US"))
    refused = {"path": UPDATES, "fault": "refuse_call", "record": pushing.vault_ids["bob"], "count": 99}
    pushing.vault.control("POST", "faults", [refused])
    well(pushing.push())
    pushing.vault.control("POST", "faults", [])
    if pushing.in_groups()["engage US"] != ["ada", "carol"]:
        raise Violation("one is refused, and the others are not let in")
    well(pushing.run_import())
    well(pushing.ask("retry", "bob"))
    _ends(pushing, "US", "ada bob carol")


def permission_goes(world: World) -> None:
    """What the integration user may not do any more is sent once it may again, and nobody is left out."""
    pushing = PushCompany(world)
    three(pushing)
    well(pushing.ask("assign", "ada", "bob", group="US"))

    def change(**permissions: Any) -> None:
        pushing.vault.control("PUT", "permissions", permissions)

    _while_it_writes(world, lambda: change(fields={"user__sys": {"engage_group_request__v": False}}))
    try:
        if any(pushing.push()["status"] in ENDED_WELL for _ in range(3)):
            raise Violation("it may write nothing, and the push ends well")
    finally:
        change(fields={})
    _ends(pushing, "US", "ada bob")


def _while_it_writes(world: World, act: Callable[[], object]) -> None:
    """Do something just before the next call that writes to Vault CRM."""

    def on_call(call: Call) -> None:
        if call.operation.startswith(WRITE):
            world.wire.on_call = None
            act()

    world.wire.on_call = on_call


def _ends(pushing: PushCompany, group: str, who: str) -> None:
    pushing.quiet()
    demand(results.untrue(pushing))
    inside = " ".join(pushing.in_groups()[f"engage {group}"])
    if inside != who:
        raise Violation(f"in {group} is {inside or 'nobody'}, and should be {who}")


def in_trouble(trouble: str) -> Hunt:
    """Hunt with somebody who leaves, and such a trouble for half an hour."""
    return of_troubles.setdefault(
        trouble, lambda world: leaver_in_trouble(Pushing.of(world), trouble, stage=1, rounds=2)
    )


# Trouble → the hunt with it.
of_troubles: dict[str, Hunt] = {}

# ── Bugs ─────────────────────────────────────────────────────────────────────────────────────────

bugs.add(
    "sent again without a look",
    broken_write("lost"),
    lambda patch: patch.setattr(ItemSender, "_not_arrived", lambda _, __, items: list(items)),
)


@bugs.bug("NO_DATA_CHANGES taken as sent", written_past_the_triggers)
def _warning_taken_as_sent(patch: pytest.MonkeyPatch) -> None:
    answered = ItemSender._answered

    def trusting(self: ItemSender, run: Run, results: Sequence[tuple[PushItem, Written]]) -> None:
        found = {Outcome.NO_CHANGES: Outcome.WRITTEN}
        answered(
            self,
            run,
            [(item, replace(each, outcome=found.get(each.outcome, each.outcome))) for item, each in results],
        )

    patch.setattr(ItemSender, "_answered", trusting)


@bugs.bug("results matched by id only", one_is_refused)
def _matched_by_id_only(patch: pytest.MonkeyPatch) -> None:
    def by_id(answer: Answer, ids: Sequence[str]) -> list[Written]:
        # A refused record comes without an id.
        shown = {writes._id_of(row): row for row in answer.content["data"]}
        return [
            writes._written(answer, shown[each], each) if each in shown else Written(each, Outcome.WRITTEN)
            for each in ids
        ]

    patch.setattr(client, "read_written", by_id)


@bugs.bug("ids of results not looked at", one_is_refused)
def _positions_trusted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(writes, "_id_of", lambda _: None)
    written = writes._written

    def careless(answer: Answer, row: Any, sent: str) -> Written:
        done = row["responseStatus"] == "SUCCESS"
        return Written(sent, Outcome.WRITTEN) if done else written(answer, row, sent)

    def successes_first(answer: Answer, ids: Sequence[str]) -> list[Written]:
        rows = sorted(answer.content["data"], key=lambda row: row["responseStatus"] != "SUCCESS")
        return [careless(answer, row, sent) for row, sent in zip(rows, ids, strict=True)]

    patch.setattr(client, "read_written", successes_first)


@bugs.bug("inactivated before the removal is settled", bugs.clean("much is pushed"))
def _inactivated_at_once(patch: pytest.MonkeyPatch) -> None:
    waits = OutcomeReader.wait_for

    def hasty(self: OutcomeReader, run: Run, items: Sequence[PushItem]) -> Removals:
        if any(item.step is Step.ADDITION for item in items):
            return waits(self, run, items)
        freed: Counter[Line] = Counter(
            (feature, seen.group) for item in items for feature, seen in item.seen.items() if seen.group
        )
        return Removals(self.settings, freed, frozenset())

    patch.setattr(OutcomeReader, "wait_for", hasty)
    order = tuple(Step)
    patch.setattr(push_plan, "STEPS", (*order[:2], Step.INACTIVATION, *order[2:4]))


@bugs.bug("the last in line is first", bugs.clean("much is pushed"))
def _last_in_line_first(patch: pytest.MonkeyPatch) -> None:
    # In the module's own name, for `next_in_line` puts the lines in their order itself.
    patch.setattr(licence_lines, "sorted", partial(sorted, reverse=True), raising=False)


bugs.add(
    "a newer wish is overlooked",
    wishes_for_something_else,
    lambda patch: patch.setattr(item_outcomes, "_is_wished", lambda *_: True),
)


@bugs.bug("the refusal of an older wish", is_refused_what_was_wished_for)
def _refusal_of_an_older_wish(patch: pytest.MonkeyPatch) -> None:
    def failed(member: Member, item: PushItem, day: date, at: str) -> Member:
        assert day
        assert at
        for feature in item.writes:
            mine = replace(member.feature(feature), status=engage_features.REQUEST_FAILED)
            member = member.with_feature(feature, mine)
        return member

    patch.setattr(item_outcomes, "with_failure", failed)


bugs.add(
    "a dead push is buried",
    broken_write("after"),
    lambda patch: patch.setattr(closing, "is_half_done", lambda _: False),
)
bugs.add(
    "a call that was refused is given up",
    one_spoils_the_call,
    lambda patch: patch.setattr(sending_records, "MOST_CALLS", 0),
)


@bugs.bug("all are taken for refused that were in one call", one_spoils_the_call)
def _all_taken_for_refused(patch: pytest.MonkeyPatch) -> None:
    def in_one_call(
        vault: Vault, name: str, records: Sequence[Mapping[str, Any]], _: object
    ) -> Iterator[list[Written]]:
        try:
            yield vault.update(name, records)
        except Rejected as error:
            yield [Written(each["id"], Outcome.REFUSED, error.problems[0]) for each in records]

    patch.setattr(sending_items, "sent_in_calls", in_one_call)


bugs.add(
    "records are blamed for a permission that has gone",
    permission_goes,
    lambda patch: patch.setattr(ItemSender, "_stop_if_blocked", lambda _: None),
)
bugs.add(
    "what is sent is not written down",
    bugs.clean("much is pushed"),
    lambda patch: patch.setattr(ItemSender, "were_sent", lambda *_: None),
)
bugs.add(
    "a removal that failed is not tried again",
    in_trouble("Engage fails"),
    lambda patch: patch.setattr(Tries, "next", lambda *_, **__: "9999"),
)


@bugs.bug("a removal that Engage forgot is waited for", in_trouble("Engage forgets"))
def _forgotten_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    in_time = Tries.next
    patch.setattr(Tries, "next", lambda tries, *, under_way=False: "9999" if under_way else in_time(tries))


bugs.add(
    "inactivated while the removal is under way",
    in_trouble("Engage is slow"),
    lambda patch: patch.setattr(push_plan, "_may_be_inactivated", lambda *_: True),
)
bugs.add(
    "inactivated after the removal has failed",
    in_trouble("Connect says update_fails"),
    lambda patch: patch.setattr(group_writes, "is_in_group", lambda _: False),
)


@bugs.bug("a removal that fails is told at each try", in_trouble("Engage fails"))
def _told_at_each_try(patch: pytest.MonkeyPatch) -> None:
    def failed(_: Member, after: Member, what: str) -> bool:
        tries = vault_tries.of(after, what)
        return tries is not None and tries.failed is not None

    patch.setattr(vault_tries, "has_news", failed)


bugs.add(
    "a link is never looked at again",
    bugs.clean("an import finds users handed on"),
    lambda patch: patch.setattr(vault_links, "owner", lambda *_: None),
)


@bugs.bug("logins are not made in turn", seeds_of_logins)
def _all_at_once(patch: pytest.MonkeyPatch) -> None:
    def unasked(self: LoginJournal, of: SecretVersion, *, again: bool = False) -> Turn | Refusal:
        return (not again and self.refusal(of)) or Turn(of, "anybody's")

    patch.setattr(LoginJournal, "take_turn", unasked)


bugs.add(
    "a turn is taken whatever is there",
    stalls_of_logins,
    lambda patch: patch.setattr(login_journal, "_if", lambda *_, **__: {}),
)
bugs.add(
    "a refusal is forgotten",
    seeds_of_logins,
    lambda patch: patch.setattr(LoginJournal, "refuse", lambda self, turn, _: self.give_back(turn)),
)
bugs.add(
    "the turn of a dead process never ends",
    deaths_at_logins,
    lambda patch: patch.setattr(login_journal, "TURN_S", 1_000_000),
)
