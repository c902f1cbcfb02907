"""The journal of logins: whoever comes, one login at a time, and a refusal stays (U5)."""

from collections.abc import Callable
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

from muster.adapters.aws import login_journal
from muster.adapters.aws.login_journal import LoginJournal, Refusal, SecretVersion, Turn
from muster.errors import LoginUnderWay, Unavailable
from tests.doubles.aws import Aws
from tests.integration.run_examples import items
from tests.simulation.harness.faults import Call, Fault, Wire, these
from tests.simulation.harness.strict_aws import StrictAws

CODE = "USERNAME_OR_PASSWORD_INCORRECT"
MINE = SecretVersion("acme", "vault_crm", "version-1")
# Saturday noon, and what is stored of it.
NOON, NOON_TEXT = 1_763_726_400.0, "2025-11-21T12:00:00Z"


class Processes(SimpleNamespace):
    """Journals of two processes on one table, and their clock; `wire` is the first one's."""

    now = NOON
    meanwhile: Callable[[], object]

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and others do what they have to do."""
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def processes(aws: Aws, rules: StrictAws) -> Processes:
    """Return two processes; all that goes wrong happens to the first."""
    found = Processes(meanwhile=lambda: None)
    unlucky = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 2}))
    found.wire = Wire(unlucky)
    found.first, found.second = (
        LoginJournal(client, aws.table, clock=found.clock, sleep=found.sleep)
        for client in (unlucky, aws.dynamodb)
    )
    return found


def taken(journal: LoginJournal, of: SecretVersion = MINE, *, again: bool = False) -> Turn:
    turn = journal.take_turn(of, again=again)
    assert isinstance(turn, Turn), turn
    return turn


def test_turns_are_taken_one_after_the_other(processes: Processes) -> None:
    turn = taken(processes.first)
    looks = []

    def meanwhile() -> None:
        looks.append(processes.now)
        if len(looks) == 3:
            processes.first.give_back(turn)

    processes.meanwhile = meanwhile
    assert taken(processes.second).of == MINE
    assert len(looks) == 3


def test_who_waits_too_long_is_told_so(processes: Processes) -> None:
    taken(processes.first)
    with pytest.raises(LoginUnderWay, match="logging in to vault_crm") as error:
        processes.second.take_turn(MINE)
    assert error.value.retry_after == login_journal.TURN_S
    assert processes.now == NOON + login_journal.LOOKS * login_journal.LOOK_EVERY_S


def test_who_died_keeps_others_waiting_for_a_while_only(processes: Processes) -> None:
    taken(processes.first)
    processes.now += login_journal.TURN_S - 2 * login_journal.LOOKS * login_journal.LOOK_EVERY_S
    with pytest.raises(LoginUnderWay):
        processes.second.take_turn(MINE)
    processes.now = NOON + login_journal.TURN_S
    taken(processes.second)


def test_a_refusal_is_everybodys_and_says_when(processes: Processes) -> None:
    assert processes.first.refuse(taken(processes.first), CODE) == Refusal(CODE, NOON_TEXT)
    processes.now += 400 * 24 * 3600
    assert processes.second.take_turn(MINE) == processes.second.refusal(MINE) == Refusal(CODE, NOON_TEXT)


@pytest.mark.parametrize(
    "other",
    [
        SecretVersion("acme", "vault_crm", "version-2"),
        SecretVersion("acme", "align", "version-1"),
        SecretVersion("globex", "vault_crm", "version-1"),
    ],
)
def test_a_refusal_says_nothing_of_other_versions_connections_and_organizations(
    processes: Processes, other: SecretVersion
) -> None:
    processes.first.refuse(taken(processes.first), CODE)
    assert processes.first.refusal(other) is None
    taken(processes.second, other)


def test_an_admin_gets_one_more_turn(processes: Processes) -> None:
    processes.first.refuse(taken(processes.first), CODE)
    turn = taken(processes.second, again=True)
    processes.now += 1
    with pytest.raises(LoginUnderWay):
        processes.first.take_turn(MINE, again=True)
    processes.second.give_back(turn)
    assert processes.first.refusal(MINE) is None
    taken(processes.first)


def test_what_is_kept_is_version_time_and_code_and_only_a_refusal_for_ever(
    processes: Processes,
) -> None:
    turn = taken(processes.first)
    (item,) = items("vault_crm#version-1")
    assert int(item["expires_at"]["N"]) > NOON + login_journal.TURN_S
    processes.first.refuse(turn, CODE)
    assert items("vault_crm#version-1") == [
        {
            "pk": {"S": "LOGIN#acme"},
            "sk": {"S": "vault_crm#version-1"},
            "turn": {"S": turn.id},
            "refused": {"S": CODE},
            "at": {"S": NOON_TEXT},
        }
    ]
    processes.first.give_back(taken(processes.first, again=True))
    assert not items("vault_crm#version-1")


def test_whose_turn_has_run_out_does_not_speak_for_who_has_it_now(processes: Processes) -> None:
    late = taken(processes.first)
    processes.now += login_journal.TURN_S
    turn = taken(processes.second)
    processes.first.give_back(late)
    processes.first.refuse(late, CODE)
    with pytest.raises(LoginUnderWay):
        processes.first.take_turn(MINE)
    processes.second.refuse(turn, CODE)
    processes.first.give_back(late)
    assert processes.first.refusal(MINE)


def test_two_that_find_it_free_do_not_both_get_it(processes: Processes) -> None:
    others: list[Turn] = []

    def on_call(call: Call) -> None:
        if call.operation == "PutItem" and not others:
            others.append(taken(processes.second))

    processes.wire.on_call = on_call
    with pytest.raises(LoginUnderWay):
        processes.first.take_turn(MINE)
    assert others


@pytest.mark.parametrize("what", ["take", "refuse", "give back"])
def test_an_answer_of_the_table_that_is_lost_changes_nothing(processes: Processes, what: str) -> None:
    journal = processes.first
    calls = {"take": 2, "refuse": 3, "give back": 3}
    processes.wire.plan = these(Fault(calls[what], "lost"))
    turn = taken(journal)
    if what == "refuse":
        journal.refuse(turn, CODE)
        assert processes.second.refusal(MINE)
    else:
        journal.give_back(turn)
        taken(processes.second)


def test_a_table_that_is_down_lets_nobody_log_in(processes: Processes) -> None:
    processes.wire.plan = these(Fault(1, "down"))
    with pytest.raises(Unavailable, match="the roster table"):
        processes.first.take_turn(MINE)
