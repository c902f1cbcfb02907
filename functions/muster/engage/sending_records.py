"""Sends records to a vault so that one that it does not take holds up no other (P3).

A vault refuses a record in its own row of the answer, or the whole call on account of one. Such a call has
saved nothing. It is halved until the records at fault are found, which are refused, and all others are
saved.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from muster.crm.vault_records import Outcome, Written
from muster.engage.ports import Vault
from muster.errors import NotAllowed, Problem, Rejected

# After so many calls nothing is halved any more. One record among five hundred is found by nineteen.
MOST_CALLS = 100

type Record = Mapping[str, Any]


def sent_in_calls(
    vault: Vault, object_name: str, records: Sequence[Record], refused: Callable[[], object]
) -> Iterator[list[Written]]:
    """Send up to 500 records and yield the outcomes call by call, in the order of the records.

    Each call is sent when the caller asks for the next outcomes, so that it can record those before.
    `refused` is called before a call that was refused is halved, and may raise to stop. Records of which no
    outcome is yielded were not saved, and are to be sent another time: their call was refused when the most
    calls had been made. Raises what `Vault.update` does about one call.
    """
    parts = [records] if records else []
    calls = 0
    while parts:
        part = parts.pop()
        calls += 1
        try:
            yield vault.update(object_name, part)
        except (Rejected, NotAllowed) as error:
            if len(part) == 1:
                yield [_refused(part[0], error)]
            elif calls < MOST_CALLS:
                refused()
                half = len(part) // 2
                parts += [part[half:], part[:half]]


def _refused(record: Record, error: Rejected | NotAllowed) -> Written:
    if isinstance(error, NotAllowed):
        return Written(record["id"], Outcome.REFUSED, error.problem, forbidden=True)
    problem = error.problems[0]
    return Written(record["id"], Outcome.REFUSED, Problem("record", problem.message, problem.remedy))
