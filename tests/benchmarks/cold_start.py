"""A fresh process that imports the webhook, against one that has the least a function on AWS needs."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.paired import Ratio

ROUNDS = 15
_ROOT = Path(__file__).parents[2]
_WEBHOOK = "import outbound_user_webhook"
_ONE_CLIENT = (
    "import boto3; boto3.client('dynamodb'); from aws_lambda_powertools import Logger; Logger(service='x')"
)
_TWO_CLIENTS = _ONE_CLIENT.replace(
    "boto3.client('dynamodb')", "boto3.client('dynamodb'); boto3.client('sqs')"
)


def imports() -> Iterator[Ratio]:
    """Measure processor time of whole processes; both sides with valid bytecode, made beforehand."""
    with tempfile.TemporaryDirectory() as bytecode:
        plain = _environment(bytecode)
        on_lambda = plain | {"AWS_LAMBDA_FUNCTION_NAME": "webhook"}
        for _ in range(2):
            for code, environment in ((_WEBHOOK, on_lambda), (_WEBHOOK, plain), (_TWO_CLIENTS, plain)):
                _run(code, environment)
        cases = {
            "webhook as on Lambda, 2 clients / boto3 + 1 client + Logger": (
                _WEBHOOK,
                on_lambda,
                _ONE_CLIENT,
                1.15,
            ),
            "webhook as on Lambda, 2 clients / boto3 + 2 clients + Logger": (
                _WEBHOOK,
                on_lambda,
                _TWO_CLIENTS,
                None,
            ),
            "webhook's import alone, no client / boto3 + 1 client + Logger": (
                _WEBHOOK,
                plain,
                _ONE_CLIENT,
                None,
            ),
        }
        ratios: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, (code, environment, other, _target) in cases.items():
                ratios[name].append(_run(code, environment) / _run(other, plain))
        for name, (*_, target) in cases.items():
            yield Ratio(f"start: {name}", ratios[name], target, "fresh processes, valid bytecode")


def _environment(bytecode: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT / "functions"),
        "PYTHONPYCACHEPREFIX": bytecode,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "ROSTER_TABLE_NAME": "roster",
        "ON_LOCAL_STACK": "true",
        "CHANGE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/changes",
    }


def _run(code: str, environment: dict[str, str]) -> float:
    """Return the processor seconds of a process that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # noqa: S603 - our own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
