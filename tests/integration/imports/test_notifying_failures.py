"""Managers told although mails fail and processes die: nobody is lost, nobody is in two mails (N1, T3)."""

import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from muster.adapters.aws import mail_outbox
from muster.imports.notifying_managers import MailSummary
from tests.examples import NOW
from tests.integration.imports.notifying_world import (
    DAY,
    HOUR,
    NEXT_RUN,
    RUN,
    UNRECORDED,
    World,
    errors,
    forget_sent,
    rows,
    sent,
)
from tests.simulation.harness.faults import DEATHS, Call, Crash, Fault, Plan, these
from tests.simulation.harness.strict_aws import copy_of, put_back, rows_of

# ── Mails that fail ──────────────────────────────────────────────────────────────────────────────


def ses_is(kind: str) -> Plan:
    """Break every call to SES in one way."""
    return lambda call: kind if call.service == "sesv2" else None


def test_while_ses_is_down_the_roster_is_the_same_and_the_mail_goes_out_next_time(world: World) -> None:
    world.join("Ada")
    world.join("Bob", manager="Henry")
    before = copy_of("roster")
    world.notify()
    told = [row for row in rows_of("roster") if "#OUTBOX" not in row["pk"]["S"]]
    assert len(sent()) == 2
    put_back(before)
    world.wire.plan = ses_is("down")
    world.wire.calls.clear()
    answer = world.notify()
    assert (answer.sent, answer.waiting, answer.failures.total()) == (0, 2, 1)
    assert [row for row in rows_of("roster") if "#OUTBOX" not in row["pk"]["S"]] == told
    # Who is down is not asked again for each mail.
    assert Counter(call.service for call in world.wire.calls)["sesv2"] == 1
    world.wire.plan = these()
    assert world.notify(NEXT_RUN) == MailSummary(sent=2)
    assert not rows("OUTBOX")


def test_what_waits_from_earlier_runs_goes_out_as_one_mail(world: World) -> None:
    world.wire.plan = ses_is("busy")
    world.join("Ada")
    world.notify()
    world.join("Bob")
    world.notify(NEXT_RUN)
    assert [key[1].partition("#")[0] for key in rows("OUTBOX")] == [RUN, NEXT_RUN]
    world.wire.plan = these()
    assert world.notify("20261120T084600-00000003") == MailSummary(sent=1)
    assert [mail.names for mail in sent()] == [("Ada", "Bob")]
    assert not rows("OUTBOX")


def test_one_mail_for_many_runs_names_fifty_as_well(world: World) -> None:
    world.rules.page_size = 100
    world.wire.plan = ses_is("down")
    world.join_at_once(range(60), "enabled")
    world.notify()
    world.join_at_once(range(60, 75), "enabled")
    world.notify(NEXT_RUN)
    world.wire.plan = these()
    assert world.notify("20261120T084600-00000003") == MailSummary(sent=1)
    [mail] = sent()
    assert mail.subject == "75 people have joined your team"
    assert (len(mail.names), mail.more) == (50, 25)


def test_a_mail_that_is_refused_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.join("Ada")
    world.join("Bob", manager="Henry")
    refused: list[str] = []

    def refuse_one(params: dict[str, Any], **_: object) -> Any:
        [to] = json.loads(params["body"])["Destination"]["ToAddresses"]
        if refused in ([], [to]):
            refused[:] = [to]
            return SimpleNamespace(status_code=400), {"Error": {"Code": "MessageRejected", "Message": to}}
        return None

    ses = world.mail._client
    ses.meta.events.register("before-call", refuse_one)
    told = world.notify()
    assert (told.sent, told.waiting, told.given_up) == (1, 1, 0)
    assert list(told.failures) == ["mail: was refused by SES with MessageRejected"]
    told = world.notify(NEXT_RUN, at=NOW + 3 * DAY - HOUR)
    assert (told.sent, told.waiting, told.given_up) == (0, 1, 0)
    assert not errors()
    told = world.notify("20261123T091600-00000003", at=NOW + 3 * DAY + HOUR)
    assert (told.sent, told.waiting, told.given_up) == (0, 0, 1)
    [entry] = errors()
    manager = world.members()[refused[0].partition("@")[0].title()]
    assert (entry["system"], entry["record"], entry["code"]) == ("mail", manager.id, "mail_given_up")
    assert "MessageRejected" in entry["message"]
    assert "@" not in json.dumps(entry)
    assert not rows("OUTBOX")


def test_all_that_is_too_old_is_given_up_each_with_an_entry(world: World) -> None:
    world.join("Ada")
    world.join("Bob", manager="Henry")
    world.wire.plan = ses_is("down")
    world.notify()
    assert world.notify(NEXT_RUN, at=NOW + 4 * DAY).given_up == 2
    assert {entry["record"] for entry in errors()} == {
        world.members()[name].id for name in ("Grace", "Henry")
    }
    assert not rows("OUTBOX")


def test_a_mail_says_how_things_are_when_it_is_sent(world: World) -> None:
    world.join("Ada", "Bob")
    world.wire.plan = ses_is("down")
    world.notify()
    world.join("Ada", IsActive="false")
    world.wire.plan = these()
    assert world.notify(NEXT_RUN) == MailSummary(sent=1)
    assert [mail.names for mail in sent()] == [("Bob",)]


def test_a_mail_about_nobody_who_is_still_there_is_not_sent(world: World) -> None:
    world.join("Ada")
    world.wire.plan = ses_is("down")
    world.notify()
    world.join("Ada", IsActive="false")
    world.wire.plan = these()
    assert world.notify(NEXT_RUN) == MailSummary()
    assert not sent()
    assert not rows("OUTBOX")


def test_who_is_added_while_a_mail_is_sent_is_not_deleted_with_it(world: World) -> None:
    world.join("Ada")
    world.wire.plan = ses_is("down")
    world.notify()
    [mail] = world.outbox.mails("acme")
    world.join("Bob")
    world.notify()
    world.outbox.remove("acme", mail)
    world.wire.plan = these()
    world.notify(NEXT_RUN)
    assert [mail.names for mail in sent()] == [("Ada", "Bob")]


def test_two_who_tell_at_once_tell_of_nobody_twice(world: World) -> None:
    world.join("Ada")
    ada, grace = (world.members()[name].id for name in ("Ada", "Grace"))
    world.outbox.put("acme", RUN, grace, [ada], 1.0)
    world.outbox.put("acme", NEXT_RUN, grace, [ada], 2.0)
    [mail] = world.outbox.mails("acme")
    assert (mail.run, mail.newcomers, mail.named, mail.since) == (RUN, 1, (ada,), 1.0)


def test_to_a_mail_that_was_sent_meanwhile_nobody_is_added(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_outbox, "_MOVED_AT_ONCE", 2)
    world.join("Ada", "Bob", "Cleo")
    grace = world.members()["Grace"].id
    moves = iter(("first", "second"))

    def send_before_the_second(call: Call) -> None:
        if call.operation == "TransactWriteItems" and next(moves) == "second":
            [mail] = world.outbox.mails("acme")
            world.outbox.remove("acme", mail)

    world.wire.on_call = send_before_the_second
    world.outbox.put("acme", RUN, grace, list(world.outbox.newcomers("acme")), 1.0)
    assert not rows("OUTBOX")
    assert len(world.newcomers()) == 1


# ── A crash at every call ────────────────────────────────────────────────────────────────────────

TEAM = ("Ada", "Bob", "Cleo")


@pytest.fixture
def busy_world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with a team that takes two transactions, someone for nobody, and someone who waits."""
    monkeypatch.setattr(mail_outbox, "_MOVED_AT_ONCE", 2)
    world.join(*TEAM)
    world.join("Dora", manager="Henry", to=UNRECORDED)
    world.join("Ewa", manager="Nobody", to=UNRECORDED)
    return world


def assert_nobody_is_lost_or_twice(world: World) -> None:
    """Assert that each of the team is a newcomer or in a mail, or has been told of, and not two of them."""
    names = {member.id: name for name, member in world.members().items()}
    mailed = Counter(names[newcomer] for mail in world.outbox.mails("acme") for newcomer in mail.named)
    assert max(mailed.values(), default=1) == 1
    assert not mailed.keys() & world.newcomers()
    # The mail names whom the first transaction has moved and counts the others.
    counted = sum(mail.newcomers for mail in world.outbox.mails("acme"))
    told = {len(mail.names) + mail.more for mail in sent()}
    assert counted + len(world.newcomers() & set(TEAM)) in {3, *(3 - number for number in told)}


def notified(world: World, run: str) -> None:
    try:
        world.notify(run)
    except Crash:
        pass
    finally:
        world.wire.plan = these()


@pytest.mark.parametrize(
    ("kind", "run_after", "remembers"),
    [
        *((kind, run, True) for kind in DEATHS for run in (RUN, NEXT_RUN)),
        *(("lost", NEXT_RUN, remembers) for remembers in (True, False)),
        *((kind, NEXT_RUN, True) for kind in ("mute", "down", "busy")),
    ],
)
def test_whatever_call_fails_everybody_is_told_of_once(
    busy_world: World, kind: str, run_after: str, remembers: bool
) -> None:
    world = busy_world
    start = copy_of("roster")
    world.wire.calls.clear()
    world.notify()
    calls = list(world.wire.calls)
    [mail] = sent()
    assert (len(mail.names), mail.more) == (2, 1)
    world.rules.remembers = remembers
    for call in calls:
        put_back(start)
        forget_sent()
        world.wire.calls.clear()
        world.wire.plan = these(Fault(call.number, kind))
        notified(world, RUN)
        assert_nobody_is_lost_or_twice(world)
        notified(world, run_after)
        notified(world, run_after)
        assert world.newcomers() == {"Ewa"}, call
        assert not rows("OUTBOX"), call
        # SES has no way to see that it sent a mail before: then, and only then, there are two alike.
        twice = call.service == "sesv2" or call.operation == "DeleteItem"
        assert len(sent()) == len(set(sent())) or twice, call
        assert Counter(mail.to for mail in set(sent())) <= Counter(Grace=2)
        assert sum(len(mail.names) + mail.more for mail in set(sent())) == 3, call
