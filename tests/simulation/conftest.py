"""A world for each test, and the figures of the whole run, printed at its end."""

import io
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from muster.observability import logger
from tests.simulation.apps.subject import Provisioning
from tests.simulation.harness import shares
from tests.simulation.harness.canaries import Told
from tests.simulation.harness.opening import opened
from tests.simulation.harness.strict_aws import StrictAws
from tests.simulation.harness.world import World
from tests.simulation.imports.subject import Importing
from tests.simulation.pushes.subject import Pushing
from tests.simulation.webhook.subject import Receiving
from tests.simulation.webhook_setup.subject import Setup

_FIGURES: Counter[str] = Counter()


# The world that is open, and how to close it.
_OPEN: list[tuple[World, ExitStack]] = []


@pytest.fixture(scope="module")
def _world(template: dict[str, Any]) -> World:
    # Starting moto and botocore takes as long as a dozen runs; and what is prepared for one module's tests is
    # known to the next one's. So a world stays open as long as tests live in it.
    if not _OPEN:
        stack = ExitStack()
        _OPEN.append((stack.enter_context(opened(template)), stack))
    return _OPEN[0][0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the world before the next test that does not live in it."""
    if _OPEN and "_world" not in getattr(nextitem, "fixturenames", ()):
        _OPEN.pop()[1].close()


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
def receiving(world: World) -> Receiving:
    """Return the webhook and its worker."""
    return Receiving.of(world)


@pytest.fixture
def company(world: World) -> Importing:
    """Return Acme, before it has begun."""
    return Importing.of(world)


@pytest.fixture
def pushing(world: World) -> Pushing:
    """Return Acme with a Vault CRM, before it has begun."""
    return Pushing.of(world)


@pytest.fixture
def provisioning(world: World) -> Provisioning:
    """Return Acme with an app, before it has begun."""
    return Provisioning.of(world)


@pytest.fixture
def setup(world: World) -> Setup:
    """Return an organization that can be set up, before it has begun."""
    return Setup.of(world)


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


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker of a parallel run has simulated to who prints it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = dict(_FIGURES)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what a worker of a parallel run has simulated."""
    _FIGURES.update(getattr(node, "workeroutput", {}).get("figures", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how much was simulated, and of what share."""
    if config.option.markexpr == "long":
        terminalreporter.write_line(f"simulated: {shares.named()}")
    if _FIGURES:
        simulated = ", ".join(f"{count:,} {what}" for what, count in _FIGURES.items())
        terminalreporter.write_line(f"simulated: {simulated}")
