"""No variable makes a function log its event: that holds people's data, and the webhook's token (T2)."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

CANARY = "c4n4ry-1n-4n-3v3nt"
FUNCTIONS = sorted(path.stem for path in (ROOT / "functions").glob("*.py"))
# Each function's own lines come after its name.
CALLED_WITH_A_CANARY = f"""
import contextlib
import importlib
from tests.examples import lambda_context

for module in {FUNCTIONS}:
    print(f"\\n== {{module}}", flush=True)
    handler = importlib.import_module(module).handler
    event = {{"organization": "acme", "note": "{CANARY}", "Records": [], "body": "{CANARY}"}}
    with contextlib.suppress(Exception):
        handler(event, lambda_context())
"""


def logged_by(program: str) -> str:
    """Return what a program prints where Powertools is told to log events."""
    # Read when a handler is decorated, so that needs a process of its own.
    variables = os.environ | {
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    run = subprocess.run(  # noqa: S603 - this file's own programs
        [sys.executable, "-c", program],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return run.stdout


@pytest.fixture(scope="module")
def logged() -> dict[str, str]:
    """Return what each function has printed."""
    _, *parts = logged_by(CALLED_WITH_A_CANARY).split("\n== ")
    return {module: lines for module, _, lines in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize("module", FUNCTIONS)
def test_a_function_does_not_log_its_event(module: str, logged: dict[str, str]) -> None:
    assert CANARY not in logged[module]


def test_the_variable_would_have_a_handler_log_it() -> None:
    careless = (
        "from muster.observability import logger\n"
        "from tests.examples import lambda_context\n"
        f"logger.inject_lambda_context(lambda event, context: None)({{'note': '{CANARY}'}}, lambda_context())"
    )
    assert CANARY in logged_by(careless)
