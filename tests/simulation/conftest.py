"""A world for each test, and the figures of the whole run, printed at its end."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf import cloudwatch

from muster.observability import logger
from tests.simulation.strict_aws import StrictAws
from tests.simulation.world import World, opened

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
    vars(_world.rules).update(vars(StrictAws()))


@pytest.fixture
def world(loud_world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world without logs and metrics: thousands of runs would spend a third of their time on them."""
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    monkeypatch.setattr(cloudwatch, "print", lambda _: None, raising=False)
    yield loud_world
    logger.setLevel(level)


@pytest.fixture
def figures() -> Counter[str]:
    """Return where to add up what is printed at the end of the run."""
    return _FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was simulated."""
    if _FIGURES:
        told = ", ".join(f"{count:,} {what}" for what, count in _FIGURES.items())
        terminalreporter.write_line(f"simulated: {told}")
