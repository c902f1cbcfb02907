"""Every order in which a set of messages can arrive, duplicates included, without walking each alone.

Two orders that have brought the same messages and left the same table go on alike. So the orders are
walked together: a state is what has still to come and the table so far, with the number of orders
that lead there. Seven messages have 5,040 orders and a few hundred states.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from moto.dynamodb.models.table import Table

from muster import bootstrap
from muster.settings import Settings
from muster.webhook.applying_changes import apply_message
from muster.webhook.messages import QueuedChange, QueuedMessage
from muster.webhook.ports import Ports
from tests.simulation.harness import invariants, messages
from tests.simulation.harness.invariants import Result
from tests.simulation.harness.strict_aws import copy_of, put_back
from tests.simulation.harness.world import ACME, Violation, World

type Users = Sequence[dict[str, str]]

NOW = datetime(2024, 5, 6, 9, tzinfo=UTC)
SETTINGS = Settings.model_validate_json(json.dumps(ACME))


def message_of(users: Users) -> QueuedMessage:
    """Return the queue message of an outbound message about these users."""
    changes = tuple(QueuedChange(about.id, about.fields) for about in map(messages.about, users))
    return QueuedMessage("acme", "salesforce", NOW, changes)


def deliver(users: Users) -> None:
    """Have one message followed, at the same moment as any other."""
    apply_message(message_of(users), SETTINGS, Ports(bootstrap.roster_table(), bootstrap.loss_table()), NOW)


def every_order(world: World, sent: Sequence[Users]) -> tuple[int, list[Result]]:
    """Return how many orders there are, and the distinct results they come to; raises `Violation`."""
    world.reset()
    names = [json.dumps(users) for users in sent]
    # Key: how often each message is still to come, and the table.
    states: dict[tuple[frozenset[tuple[str, int]], str], tuple[Table, int]] = {
        (frozenset(Counter(names).items()), ""): (copy_of("roster"), 1)
    }
    for _ in sent:
        following: dict[tuple[frozenset[tuple[str, int]], str], tuple[Table, int]] = {}
        for (left, _state), (table, orders) in states.items():
            for name, times in left:
                put_back(table)
                deliver(json.loads(name))
                rows = sorted(json.dumps(row, sort_keys=True) for row in world.rows())
                key = (frozenset((Counter(dict(left)) - Counter([name])).items()), "\n".join(rows))
                after, already = following.get(key, (None, 0))
                following[key] = (after or copy_of("roster"), already + orders * times)
        states = following
    results: list[Result] = []
    for table, _orders in states.values():
        put_back(table)
        rosters = invariants.read(world.rows())
        for problem in invariants.broken(rosters["acme"]):
            raise Violation(problem)
        results.append(invariants.result(rosters))
    return sum(orders for _, orders in states.values()), results
