"""moto made as strict as AWS where it is too kind, and quick enough for thousands of runs.

- A transaction repeated with its `ClientRequestToken` answers as it did the first time and writes
  nothing again; with another content it is refused. AWS remembers a token for ten minutes:
  `remembers = False` is the world after that.
- `BatchGetItem` may leave keys unprocessed; `Query` and `Scan` answer in pages of `page_size` items.
- A transaction is limited to 100 distinct items (moto checks) and 4 MB (checked here).

It sits where moto takes the request off botocore's wire, below the client under test and its retries.
"""

import copy
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest
from botocore.signers import RequestSigner
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from tests.simulation.harness import quick_moto
from tests.simulation.harness.quick_archive import QuickArchive
from tests.simulation.harness.quick_moto import Answer, Json, dynamodb

type Row = dict[str, Any]
type Moto = Callable[[Json], Answer | None]

_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "SendMessage", "GetSecretValue"})
MOST_TRANSACTION_BYTES = 4 * 1024 * 1024


class StrictAws:
    """The rules moto lacks; one stands over the whole of moto while `strict()` is open."""

    def __init__(self) -> None:
        self.remembers = True
        self.page_size = 1
        # Decides which keys a BatchGetItem leaves out; without it all are processed.
        self.leaves_out: random.Random | None = None
        # Whether the calls made most go straight to moto's backends (`quick_moto`).
        self.quick = True
        # S3, where it is not moto's.
        self.archive: QuickArchive | None = None
        # How often the table may have changed.
        self.writes = 0
        self._answered: dict[str, tuple[Any, Answer]] = {}

    def forget_tokens(self) -> None:
        """Let every idempotency token expire."""
        self._answered.clear()

    def process(self, stubber: BotocoreStubber, request: AWSPreparedRequest) -> Answer | None:
        """Answer a request in moto's place, or change it on its way there and back."""
        target = request.headers.get("X-Amz-Target", b"")
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        if not operation:
            archived = self.archive.answer(request) if self.archive and self.quick else None
            return cast(Answer | None, archived or _process_request(stubber, request))
        self.writes += operation not in _READS
        body: Json = json.loads(request.body)  # type: ignore[arg-type]  # what names its target sends text

        def moto(body: Json) -> Answer | None:
            answer: Answer | None = quick_moto.answer(operation, body) if self.quick else None
            if answer is None:
                request.body = json.dumps(body)
                answer = cast(Answer | None, _process_request(stubber, request))
            return answer

        match operation:
            case "TransactWriteItems":
                return self._transact(body, moto)
            case "BatchGetItem" if self.leaves_out:
                return _read_some(body, moto, self.leaves_out)
            case "Query" | "Scan":
                return moto({**body, "Limit": min(self.page_size, body.get("Limit", self.page_size))})
        return moto(body)

    def _transact(self, body: Json, moto: Moto) -> Answer | None:
        token, content = body["ClientRequestToken"], body["TransactItems"]
        if len(json.dumps(content, ensure_ascii=False).encode()) > MOST_TRANSACTION_BYTES:
            return _refusal("ValidationException", "the transaction is over 4 MB")
        if self.remembers and token in self._answered:
            before, answer = self._answered[token]
            return (
                answer if before == content else _refusal("IdempotentParameterMismatchException", "changed")
            )
        given = moto(body)
        if given and given[0] == 200:
            self._answered[token] = (content, given)
        return given


def _read_some(body: Json, moto: Moto, chance: random.Random) -> Answer | None:
    [(table, wanted)] = body["RequestItems"].items()
    keys = chance.sample(wanted["Keys"], k=len(wanted["Keys"]))
    cut = chance.randint(1, len(keys))
    answer = moto({"RequestItems": {table: {**wanted, "Keys": keys[:cut]}}})
    if answer is None or answer[0] != 200 or cut == len(keys):
        return answer
    left_out = {table: {**wanted, "Keys": keys[cut:]}}
    return answer[0], {}, json.dumps({**json.loads(answer[2]), "UnprocessedKeys": left_out})


@contextmanager
def strict() -> Iterator[StrictAws]:
    """Put the rules over moto, which must be started; yields them."""
    rules = StrictAws()
    sign = RequestSigner.sign

    def process(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Answer | None:
        return rules.process(stubber, request)

    def signed(signer: RequestSigner, *given: Any, **options: Any) -> None:
        # The quick archive looks at no signature; a link is one.
        is_looked_at = rules.archive is None or not rules.quick
        if is_looked_at or "presign-url" in (*given, *options.values()):
            sign(signer, *given, **options)

    with (
        patch.object(RequestSigner, "sign", signed),
        patch.object(BotocoreStubber, "process_request", process),
        patch.object(Table, "__deepcopy__", copy_of_table, create=True),
    ):
        yield rules


# ── Looking in from behind ───────────────────────────────────────────────────────────────────────


def copy_of(name: str) -> Table:
    """Return a table as it is now, to put back later."""
    return copy.deepcopy(dynamodb().tables[name])


def put_back(table: Table) -> None:
    """Make a table what it was when it was copied; the copy can be put back again."""
    dynamodb().tables[table.name] = copy.deepcopy(table)


def rows_of(name: str) -> list[Row]:
    """Return every item of a table, in no particular order."""
    groups = dynamodb().tables[name].items.values()
    return [item.to_json()["Attributes"] for group in groups for item in group.values()]


def _refusal(code: str, message: str) -> Answer:
    return 400, {}, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})


# Read here, before it is patched: what moto itself does.
_process_request = BotocoreStubber.process_request


def copy_of_table(table: Table, _: dict[int, Any]) -> Table:
    """Return a copy of what may change of a table, for moto copies it once per action of a transaction."""
    if quick_moto.backup is not None:
        return quick_moto.backup
    twin = copy.copy(table)
    twin.items = defaultdict(dict, table.items)
    for hash_key in table.items if quick_moto.touched is None else quick_moto.touched & table.items.keys():
        group = table.items[hash_key]
        twin.items[hash_key] = {range_key: _copy_of_item(item) for range_key, item in group.items()}
    if quick_moto.touched is not None:
        quick_moto.backup = twin
    return twin


def _copy_of_item(item: Item) -> Item:
    """Copy an item; only sets are changed in place, every other value is replaced as a whole."""
    twin: Any = Item.__new__(Item)
    twin.hash_key, twin.range_key = item.hash_key, item.range_key
    twin.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in item.attrs.items():
        own = DynamoType({value.type: list(value.value)}) if value.is_set() else value
        dict.__setitem__(twin.attrs, name, own)
    return cast(Item, twin)
