"""A world for each test, and the figures of the whole run, printed at its end."""

import io
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from muster.observability import logger
from tests.simulation.canaries import Told
from tests.simulation.company import Company
from tests.simulation.opening import opened
from tests.simulation.strict_aws import StrictAws
from tests.simulation.world import World

_FIGURES: Counter[str] = Counter()


@pytest.fixture(scope="module")
def _world(template: dict[str, Any]) -> Iterator[World]:
    # Starting moto and botocore takes as long as a dozen runs.
    with opened(template) as world:
        yield world


@pytest.fixture
def loud_world(_world: World) -> Iterator[World]:
    """Yield a world in which the functions log and print metrics."""
    yield _world
    archive = _world.rules.archive
    vars(_world.rules).update(vars(StrictAws()))
    _world.rules.archive = archive


@pytest.fixture
def world(loud_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world without logs and metrics: thousands of runs would spend a third of their time on them."""
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    # Of functions that run at once in one process, one would print the metrics of all.
    monkeypatch.setattr(
        AmazonCloudWatchEMFProvider, "flush_metrics", lambda metrics, *_, **__: metrics.clear_metrics()
    )
    yield loud_world
    logger.setLevel(level)


@pytest.fixture
def company(world: World) -> Company:
    """Yield Acme in a world of its own, before it has begun."""
    return Company(world)


@pytest.fixture
def figures() -> Counter[str]:
    """Return where to add up what is printed at the end of the run."""
    return _FIGURES


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[Told]:
    """Yield everything the functions say from now on."""
    caplog.set_level(logging.DEBUG, logger="muster")
    logs = io.StringIO()
    before = logger.registered_handler.setStream(logs)  # type: ignore[attr-defined]  # a StreamHandler, as configured
    level = logger.log_level
    logger.setLevel(logging.DEBUG)
    yield Told(logs, capsys, caplog)
    logger.setLevel(level)
    if before is not None:
        logger.registered_handler.setStream(before)  # type: ignore[attr-defined]  # likewise


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was simulated."""
    if _FIGURES:
        told = ", ".join(f"{count:,} {what}" for what, count in _FIGURES.items())
        terminalreporter.write_line(f"simulated: {told}")
