"""The note of the last digest: one of several invocations sends it, whatever answers are lost."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from muster.adapters.aws.digest_note import DigestNote
from muster.errors import Unavailable
from muster.reporting.last_digest import AT_WORK, DAY
from tests.doubles.aws import Aws
from tests.simulation.harness.faults import Call, Fault, Wire, these
from tests.simulation.harness.strict_aws import StrictAws

TODAY = datetime(2026, 11, 30, 7, tzinfo=UTC)
YESTERDAY = TODAY - DAY


@pytest.fixture
def unlucky(rules: StrictAws) -> tuple[BaseClient, Wire]:
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 2}))
    return client, Wire(client)


@pytest.fixture
def wire(unlucky: tuple[BaseClient, Wire]) -> Wire:
    return unlucky[1]


@pytest.fixture
def mine(aws: Aws, unlucky: tuple[Any, Wire]) -> DigestNote:
    """Return the note of an invocation to which all happens that goes wrong."""
    return DigestNote(unlucky[0], aws.table)


@pytest.fixture
def other(aws: Aws, rules: StrictAws) -> DigestNote:
    return DigestNote(aws.dynamodb, aws.table)


def test_a_digest_is_sent_once(mine: DigestNote, other: DigestNote) -> None:
    assert mine.take(TODAY, TODAY) == YESTERDAY
    with pytest.raises(Unavailable):
        other.take(TODAY, TODAY)
    mine.sent()
    assert other.take(TODAY, TODAY) is None
    assert other.take(TODAY + DAY, TODAY + DAY) == TODAY


def test_who_could_not_send_it_lets_the_next_try_at_once(mine: DigestNote, other: DigestNote) -> None:
    mine.take(TODAY, TODAY)
    mine.not_sent()
    assert other.take(TODAY, TODAY) == YESTERDAY


def test_who_died_is_followed_and_takes_nothing_back(mine: DigestNote, other: DigestNote) -> None:
    mine.take(TODAY, TODAY)
    later = TODAY + AT_WORK
    assert other.take(TODAY, later) == YESTERDAY
    # It was only slow: what it notes now is about nothing of the other's.
    mine.not_sent()
    mine.sent()
    with pytest.raises(Unavailable):
        mine.take(TODAY, later)
    other.sent()
    assert mine.take(TODAY, later) is None


def test_what_was_never_sent_is_told_the_next_day(mine: DigestNote, other: DigestNote) -> None:
    mine.take(TODAY, TODAY)
    mine.not_sent()
    assert other.take(TODAY + DAY, TODAY + DAY) == YESTERDAY


def test_of_two_that_read_the_same_one_takes_it(mine: DigestNote, other: DigestNote, wire: Wire) -> None:
    def meanwhile(call: Call) -> None:
        if call.operation == "PutItem":
            other.take(TODAY, TODAY)

    wire.on_call = meanwhile
    with pytest.raises(Unavailable, match="another invocation"):
        mine.take(TODAY, TODAY)


@pytest.mark.parametrize("noted", [False, True])
def test_a_lost_answer_is_no_other_invocation(
    mine: DigestNote, other: DigestNote, wire: Wire, noted: bool
) -> None:
    if noted:
        other.take(YESTERDAY, YESTERDAY)
        other.sent()
    wire.plan = these(Fault(2, "lost"))
    assert mine.take(TODAY, TODAY) == YESTERDAY
    assert [call.operation for call in wire.calls] == ["GetItem", "PutItem", "GetItem"]
