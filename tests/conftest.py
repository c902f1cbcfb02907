"""What every kind of test shares: the template as data, and AWS services made from it in moto."""

import functools
import gc
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.loaders import JSONFileLoader
from moto.core import models as moto_models
from moto.core import responses as moto_responses
from moto.core.custom_responses_mock import CallbackResponse
from moto.core.utils import method_names_from_class
from moto.dynamodb.models.table import Table
from werkzeug.routing import Rule

from muster import admin_requests
from muster.presentation import answers
from tests.doubles.aws import Aws, forget_clients, in_moto, table_properties
from tests.doubles.lent_clients import lent_clients
from tests.doubles.scim_bodies import judged
from tests.examples import lambda_context
from tests.integration import template_reading
from tests.simulation.harness import strict_aws
from tests.simulation.harness.quick_calls import quick_calls

ROOT = Path(__file__).parent.parent
# What takes longest comes first, and what takes milliseconds last: then no worker waits long for another.
LONGEST_FIRST = ("local", "simulation", "integration", "unit")


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Take one worker more than there are processors: who has `tests/local` waits more than it works."""
    return (yield) + 1


# Before xdist looks at the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker of a parallel run: what they begin with is built once, not by each.

    All of `tests/local` share one stack.
    """
    paths = {item: item.path.relative_to(ROOT / "tests") for item in items}
    items.sort(key=lambda item: LONGEST_FIRST.index(paths[item].parts[0]))
    for item, path in paths.items():
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("local" if path.parts[0] == "local" else str(path)))


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at the tests and modules themselves: they stay to the end."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws() -> Iterator[None]:
    """Read botocore's descriptions of services once, not for each client: moto begins every test without."""
    read_once = functools.cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    with patch.object(JSONFileLoader, "load_file", lambda _, path: read_once(path)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _builders_of_urls() -> Iterator[None]:
    """Compile a path's URL builder once: werkzeug compiles two for each path of each sandbox opened."""
    compile_builder = Rule._compile_builder
    built: dict[tuple[str, bool], Callable[..., tuple[str, str]]] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        assert not rule.defaults, "with defaults, the path alone does not tell a builder"
        key = rule.rule, append_unknown
        if key not in built:
            built[key] = compile_builder(rule, append_unknown)
        return built[key]

    with patch.object(Rule, "_compile_builder", compile_once):
        yield


@pytest.fixture(scope="session", autouse=True)
def _addresses_of_aws() -> Iterator[None]:
    """Have what answers at each address of AWS made once: moto makes 1,300 of them whenever it starts.

    And what a service can do it looks up at each call.
    """
    with (
        patch.object(moto_models, "CallbackResponse", functools.cache(CallbackResponse)),
        patch.object(moto_responses, "method_names_from_class", functools.cache(method_names_from_class)),
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _whole_answers() -> Iterator[None]:
    """Have functions answer in detail, for most tests ask what was done and not how it is shown."""

    def whole(answer: answers.Answer, layout: answers.Layout, **how: bool) -> dict[str, Any]:
        return answers.laid_out(answer, layout, **{**how, "detail": True})

    with patch.object(admin_requests, "laid_out", whole):
        yield


@pytest.fixture(scope="session", autouse=True)
def _bodies_of_scim() -> Iterator[None]:
    """Let no client send a SCIM target what is malformed, whatever the target makes of it."""
    with judged():
        yield


@pytest.fixture
def on_a_screen() -> Iterator[None]:
    """Have functions answer as they are asked: without `detail` on one screen."""
    with patch.object(admin_requests, "laid_out", answers.laid_out):
        yield


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """Return template.yaml as it is deployed, tables of alarms included."""
    return template_reading.source()


@pytest.fixture(scope="session")
def template(source: dict[str, Any]) -> dict[str, Any]:
    """Return template.yaml with each row of a table as the alarm that it becomes."""
    return template_reading.expanded(source)


@pytest.fixture(scope="session")
def _making() -> Aws:
    """Clients that make what the template makes; no test sees them."""
    return Aws()


@pytest.fixture(scope="session")
def _tables() -> list[Table]:
    """Hold the roster table as it was made, for each test to begin with a copy."""
    return []


@pytest.fixture
def aws(
    template: dict[str, Any], _making: Aws, _tables: list[Table], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Aws]:
    """Start moto with the template's own table, queue and bucket; yields the clients and their names."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROSTER_TABLE_NAME": Aws.table,
        "RUN_ARCHIVE_BUCKET_NAME": Aws.bucket,
        "WEBHOOK_BASE_URL": "https://api.example.com/v2",
        # Their Salesforce and vaults are sandboxes at 127.0.0.1.
        "ON_LOCAL_STACK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with (
        in_moto(),
        quick_calls(),
        lent_clients(),
        # moto copies the whole table for each action of a transaction, and copies it deeply.
        patch.object(Table, "__deepcopy__", strict_aws.copy_of_table, create=True),
    ):
        if _tables:
            strict_aws.put_back(_tables[0])
        else:
            _making.dynamodb.create_table(TableName=Aws.table, **table_properties(template))
            _tables.append(strict_aws.copy_of(Aws.table))
        _making.s3.create_bucket(Bucket=Aws.bucket)
        queue_url = _making.sqs.create_queue(QueueName="changes")["QueueUrl"]
        # One stands for all of them where nobody looks at what is given up.
        names = ("CHANGE_QUEUE_URL", "CHANGE_DEAD_LETTER_QUEUE_URL", "SCHEDULE_DEAD_LETTER_QUEUE_URL")
        for name in (*names, "MEMBER_EVENTS_FAILURE_QUEUE_URL"):
            monkeypatch.setenv(name, queue_url)
        forget_clients()
        yield Aws(queue_url=queue_url)
    forget_clients()


@pytest.fixture
def context() -> LambdaContext:
    """Return the Lambda context a function is invoked with."""
    return lambda_context()
