"""A client that is lent from test to test is as good as new, and no two in a test are one."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.doubles.lent_clients import lent_clients

QUICK = Config(retries={"mode": "standard", "total_max_attempts": 2})


def nothing(client: Any, patch: pytest.MonkeyPatch) -> None:
    client.list_tables()
    assert client.exceptions.ResourceNotFoundException


def listen(client: Any, patch: pytest.MonkeyPatch) -> None:
    client.meta.events.register("before-call", lambda **_: None)


def change(client: Any, patch: pytest.MonkeyPatch) -> None:
    client.list_tables = list


def listen_to_all(client: Any, patch: pytest.MonkeyPatch) -> None:
    events = boto3._get_default_session().events
    events.register("before-call", heard := lambda **_: None)
    events.unregister("before-call", heard)


def try_again(client: Any, patch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> Any:
        return 500, {}, "{}"

    with patch.context() as there:
        there.setattr("moto.core.botocore_stubber.BotocoreStubber.process_request", busy)
        there.setattr("time.sleep", lambda _: None)
        with pytest.raises(ClientError, match="reached max retries"):
            client.list_tables()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("use", "again"),
    [(nothing, True), (listen, False), (change, False), (listen_to_all, False), (try_again, False)],
)
def test_a_client_is_lent_again_where_it_is_as_new(
    use: Callable[[Any, pytest.MonkeyPatch], None], again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lent_clients():
        first, second = (boto3.client("dynamodb", config=QUICK) for _ in range(2))
        assert first is not second
        use(first, monkeypatch)
    with lent_clients():
        others = [boto3.client("dynamodb", config=QUICK) for _ in range(2)]
    assert (first in others) is again
    with lent_clients():
        assert boto3.client("dynamodb") not in (first, second)
