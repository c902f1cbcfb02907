"""Managers told at the end of a run (N1): whose teams are recorded, and who is told of whom."""

from typing import Any

import pytest

from muster.imports.notifying_managers import MailSummary, ManagerNotifier
from muster.roster.recorded_teams import recorded_under
from muster.runs.clock import MARGIN_S
from tests.examples import NOW, settings
from tests.integration.imports.notifying_world import (
    DAY,
    HOUR,
    NEXT_RUN,
    RECORDED,
    RECORDING,
    RUN,
    UNRECORDED,
    Sent,
    World,
    rows,
    sent,
)

# ── Whose team is recorded ───────────────────────────────────────────────────────────────────────


def assert_reports_agree(world: World, *recorded: str) -> None:
    """Assert that the table lists exactly the recorded reports, and that they are these."""
    members = world.members()
    assert {name for name, member in members.items() if recorded_under(member)} == set(recorded)
    assert rows("REPORTS") == sorted(
        (f"ORG#acme#REPORTS#{recorded_under(members[name])}", members[name].id) for name in recorded
    )


def test_recorded_reports_are_listed_under_their_manager_whatever_happens_to_them(world: World) -> None:
    world.join("Ada", "Bob")
    assert_reports_agree(world, "Ada", "Bob")
    world.join("Ada", manager="Henry")
    assert_reports_agree(world, "Ada", "Bob")
    assert world.outbox.has_recorded_team("acme", world.members()["Henry"].id)
    world.join("Bob", to=UNRECORDED)
    assert_reports_agree(world, "Ada")
    assert not world.outbox.has_recorded_team("acme", world.members()["Grace"].id)
    world.join("Bob")
    world.join("Ada", IsActive="false")
    assert_reports_agree(world, "Bob")
    world.join("Ada", manager="Henry")
    assert_reports_agree(world, "Ada", "Bob")
    world.join("Ada", manager=None)
    assert_reports_agree(world, "Bob")


def test_a_report_that_gets_its_seat_makes_the_team_recorded(world: World) -> None:
    limited = settings(
        assignments=[RECORDING | {"seats": ["gong"]}],
        seats={"gong": {"limit": 1}},
        seat_required={"record_web_conferences": "gong"},
        managers={"notify": True},
    )
    world.join("Ada", "Bob", to=limited)
    assert_reports_agree(world, "Ada")
    world.join("Ada", to=limited, IsActive="false")
    assert_reports_agree(world, "Bob")


def test_reports_are_listed_also_while_nobody_is_told(world: World) -> None:
    world.join("Ada", to=settings(assignments=[RECORDING]))
    assert_reports_agree(world, "Ada")
    assert not world.newcomers()


# ── Who is told of whom ──────────────────────────────────────────────────────────────────────────


def test_a_manager_gets_one_mail_about_all_newcomers_of_the_run(world: World) -> None:
    world.join("Ada")
    world.join("Bob", to=UNRECORDED)
    assert world.notify() == MailSummary(sent=1)
    assert sent() == [Sent("Grace", "2 people have joined your team", ("Ada", "Bob"), 0)]
    assert not rows("NEWCOMERS") + rows("OUTBOX")
    assert world.notify(NEXT_RUN) == MailSummary()
    assert len(sent()) == 1


def test_each_manager_is_told_of_their_own(world: World) -> None:
    world.join("Ada")
    world.join("Bob", manager="Henry")
    assert world.notify() == MailSummary(sent=2)
    assert {(mail.to, mail.names) for mail in sent()} == {("Grace", ("Ada",)), ("Henry", ("Bob",))}


def test_managers_of_unrecorded_teams_are_not_told(world: World) -> None:
    world.join("Ada", to=UNRECORDED)
    assert world.notify() == MailSummary()
    assert not sent()
    assert not rows("NEWCOMERS") + rows("OUTBOX")


def test_a_team_is_recorded_by_those_who_were_there_before(world: World) -> None:
    world.join("Ada")
    world.notify()
    world.join("Bob", to=UNRECORDED)
    world.notify(NEXT_RUN)
    assert [mail.names for mail in sent()] == [("Ada",), ("Bob",)]


@pytest.mark.parametrize("fields", [{"IsActive": "false"}, {"Email": "grace@elsewhere"}])
def test_a_manager_who_cannot_be_written_to_is_not(world: World, fields: dict[str, Any]) -> None:
    world.join("Ada")
    world.join("Grace", manager=None, **fields)
    assert world.notify() == MailSummary()
    assert not sent()
    assert not rows("NEWCOMERS") + rows("OUTBOX")


def test_who_has_left_again_is_not_news(world: World) -> None:
    world.join("Ada", "Bob")
    world.join("Ada", IsActive="false")
    world.notify()
    assert [mail.names for mail in sent()] == [("Bob",)]
    assert not world.newcomers()


def test_who_has_left_again_waits_for_no_manager(world: World) -> None:
    world.join("Ada", manager="Nobody")
    world.join("Ada", manager="Nobody", IsActive="false")
    world.notify()
    assert not world.newcomers()


def test_who_has_no_manager_is_nobodys_news(world: World) -> None:
    world.join("Ada", manager=None)
    assert world.notify() == MailSummary()
    assert not world.newcomers()


def test_a_newcomer_waits_for_a_manager_who_is_not_there_yet(world: World) -> None:
    world.join("Ada", manager="Ewa")
    assert world.notify(at=NOW + 2 * DAY - HOUR) == MailSummary()
    assert world.newcomers() == {"Ada"}
    world.join("Ewa", manager=None, to=UNRECORDED)
    world.full_import("Ada", manager="Ewa")
    world.notify(NEXT_RUN, at=NOW + 3 * DAY)
    assert [(mail.to, mail.names) for mail in sent()] == [("Ewa", ("Ada",))]
    assert world.newcomers() == set()


def test_a_manager_who_does_not_come_is_not_waited_for_for_ever(world: World) -> None:
    world.join("Ada", manager="Ewa")
    world.notify(at=NOW + 2 * DAY + HOUR)
    assert not world.newcomers()


@pytest.mark.parametrize("has_mail", [True, False])
def test_where_nobody_is_told_newcomers_and_mails_are_forgotten(world: World, has_mail: bool) -> None:
    world.join("Ada")
    world.wire.plan = lambda call: "down" if call.service == "sesv2" else None
    world.notify()
    world.join("Bob")
    assert (world.newcomers(), len(rows("OUTBOX"))) == ({"Bob"}, 1)
    to = settings(assignments=[RECORDING], managers={"notify": not has_mail})
    mail = world.mail if has_mail else None
    assert (
        ManagerNotifier(world.outbox, mail, world.roster, NOW, lambda: 900).notify(to, NEXT_RUN)
        == MailSummary()
    )
    assert not rows("NEWCOMERS") + rows("OUTBOX")


def test_nothing_crosses_an_organization(world: World) -> None:
    world.join("Ada")
    other = settings(organization="other", assignments=[RECORDING], managers={"notify": True})
    assert world.notify(to=other) == MailSummary()
    assert world.newcomers() == {"Ada"}


# ── Large teams, and little time ─────────────────────────────────────────────────────────────────


def test_a_large_team_is_one_mail_that_names_fifty_and_counts_the_rest(world: World) -> None:
    world.rules.page_size = 100
    world.join_at_once(range(187), "enabled")
    world.wire.calls.clear()
    assert world.notify() == MailSummary(sent=1)
    assert transaction_sizes(world) == [91, 91, 8]
    [mail] = sent()
    assert mail.subject == "187 people have joined your team"
    assert (len(set(mail.names)), mail.more) == (50, 137)
    assert not rows("NEWCOMERS") + rows("OUTBOX")


def test_many_of_whom_nobody_is_told_are_forgotten_within_the_limit_of_a_transaction(world: World) -> None:
    world.rules.page_size = 100
    world.join_at_once(range(101), "disabled")
    world.wire.calls.clear()
    assert world.notify() == MailSummary()
    assert transaction_sizes(world) == [100, 1]
    assert not rows("NEWCOMERS")


def transaction_sizes(world: World) -> list[int]:
    return [
        len(call.parameters["TransactItems"])
        for call in world.wire.calls
        if call.operation == "TransactWriteItems"
    ]


def test_a_run_whose_time_is_nearly_up_leaves_it_to_the_next(world: World) -> None:
    world.join("Ada")
    assert world.notify(remaining=MARGIN_S - 1) == MailSummary()
    assert (world.newcomers(), sent()) == ({"Ada"}, [])
    assert world.notify(NEXT_RUN, remaining=MARGIN_S + 1) == MailSummary(sent=1)


def test_telling_takes_no_more_than_its_share_of_a_run(world: World) -> None:
    world.join("Ada")
    world.join("Bob", manager="Henry")
    left = iter([900.0, 890.0, 880.0, 870.0, 500.0])
    told = ManagerNotifier(world.outbox, world.mail, world.roster, NOW, lambda: next(left)).notify(
        RECORDED, RUN
    )
    assert (told.sent, told.waiting) == (1, 1)
