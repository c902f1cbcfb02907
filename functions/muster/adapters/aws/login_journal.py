"""The journal of logins to vaults and tokens of SCIM targets: never again what was refused (U5).

Five wrong passwords in a row lock a Vault account, and any number of processes may have the same one. So
before a login is sent its turn is taken in the table; a token needs none. A refusal stays there for every
process to read. An item is about one version of one connection's secret. It holds no part of the secret, nor
a hash of one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from muster.adapters.aws.aws_errors import translated
from muster.errors import LoginUnderWay
from muster.times import timestamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# Longer than a login can take. Whoever dies in between keeps others waiting no longer than this.
TURN_S = 240
# How often, and how many times, to look whether another process is done.
LOOK_EVERY_S = 0.5
LOOKS = 40
_DAY_S = 24 * 60 * 60
_SYSTEM = "the roster table"


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """What an item is about: a connection of an organization, and a version of its secret."""

    organization: str
    connection: str
    version: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The vault's error code for a password, and when it came (ISO 8601)."""

    code: str
    at: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send one login."""

    of: SecretVersion
    id: str


class LoginJournal:
    """Turns and refusals; raises `Unavailable` or `Misconfigured` where the table fails."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use the table of that name; `clock` returns epoch seconds."""
        self._client = client
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def refusal(self, of: SecretVersion) -> Refusal | None:
        """Return the refusal of a password; one strongly consistent read."""
        return _refusal(self._item(of))

    def take_turn(self, of: SecretVersion, *, again: bool = False) -> Turn | Refusal:
        """Return the turn to log in, or why there is none: the password was refused.

        Waits while another process logs in, and raises `LoginUnderWay` if that takes too long. `again`: a
        refused password gets one more turn, for an admin has asked for it.
        """
        turn = Turn(of, secrets.token_hex(8))
        for _ in range(LOOKS):
            item = self._item(of)
            refused = _refusal(item)
            if refused and not again:
                return refused
            if item and not refused and float(item["until"]["N"]) > self._clock():
                self._sleep(LOOK_EVERY_S)
            elif self._take(turn, item):
                return turn
        raise LoginUnderWay(
            f"another process is logging in to {of.connection} with the same secret", retry_after=TURN_S
        )

    def give_back(self, turn: Turn) -> None:
        """End a turn whose login was not refused; does nothing if it was over already."""
        with translated(_SYSTEM), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(
                TableName=self._table, Key=_key(turn.of), **_if("turn = :turn", turn=turn.id)
            )

    def refuse(self, turn: Turn, code: str) -> Refusal:
        """Record that the login of a turn was refused, unless somebody else has had a turn since."""
        refusal = Refusal(code, timestamp(datetime.fromtimestamp(self._clock(), UTC), to="seconds"))
        item = {**_key(turn.of), "turn": {"S": turn.id}, "refused": {"S": code}, "at": {"S": refusal.at}}
        # It stays for as long as the secret may have this version: it never expires.
        self._put(item, _if("attribute_not_exists(pk) OR turn = :turn", turn=turn.id))
        return refusal

    def _take(self, turn: Turn, found: dict[str, Any] | None) -> bool:
        """Take a turn if the item is still what was found; `False`: it is not, so look again."""
        until = self._clock() + TURN_S
        item = {
            **_key(turn.of),
            "turn": {"S": turn.id},
            "until": {"N": str(until)},
            "expires_at": {"N": str(int(until) + _DAY_S)},
        }
        unchanged = _if("attribute_not_exists(pk)")
        if found:
            refused = "attribute_exists" if "refused" in found else "attribute_not_exists"
            unchanged = _if(f"turn = :turn AND {refused}(refused)", turn=found["turn"]["S"])
        if self._put(item, unchanged):
            return True
        # The answer to our first try may have been lost, and the retry then met our own write.
        stored = self._item(turn.of)
        return stored is not None and stored["turn"]["S"] == turn.id and "refused" not in stored

    def _put(self, item: dict[str, Any], condition: dict[str, Any]) -> bool:
        with translated(_SYSTEM):
            try:
                self._client.put_item(TableName=self._table, Item=item, **condition)
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _item(self, of: SecretVersion) -> dict[str, Any] | None:
        with translated(_SYSTEM):
            return self._client.get_item(TableName=self._table, Key=_key(of), ConsistentRead=True).get("Item")


def _refusal(item: dict[str, Any] | None) -> Refusal | None:
    return Refusal(item["refused"]["S"], item["at"]["S"]) if item and "refused" in item else None


def _if(condition: str, **values: str) -> dict[str, Any]:
    """Return the parameters of a condition; DynamoDB takes no empty map of values."""
    given = {"ExpressionAttributeValues": {f":{name}": {"S": text} for name, text in values.items()}}
    return {"ConditionExpression": condition, **(given if values else {})}


def _key(of: SecretVersion) -> dict[str, Any]:
    # A partition of its own: roles that log in, and do no more, may write nothing else of the table.
    return {"pk": {"S": f"LOGIN#{of.organization}"}, "sk": {"S": f"{of.connection}#{of.version}"}}
