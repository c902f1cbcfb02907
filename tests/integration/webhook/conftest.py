"""The webhook's handler, with organizations that may call it, and what it writes to its log."""

from collections.abc import Iterator
from io import StringIO
from types import SimpleNamespace

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.integration.webhook.webhook_in_process import Output, Webhook, webhook_on


@pytest.fixture
def webhook(aws: SimpleNamespace, context: LambdaContext) -> Iterator[Webhook]:
    with webhook_on(aws, context) as webhook:
        yield webhook


@pytest.fixture
def output(log: StringIO, capsys: pytest.CaptureFixture[str]) -> Output:
    return Output(log, capsys)
