"""`make demo`: it shows the feature, and would not say that it works if it did not."""

import io

import pytest
from rich.console import Console

from sandbox import demo
from sandbox.local_stack.launching import Behind
from sandbox.local_stack.stack import LocalStack, folder_of
from tests.local.conftest import run


def test_the_demo_shows_every_step_and_leaves_nothing_running(name: str) -> None:
    shown = run("sandbox.demo", name=name)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1].startswith("Auto-provisioning works: 5 of 5 steps, in ")
    assert Behind.read(folder_of(name)) is None


def test_a_step_that_does_not_show_what_it_should_is_said_to_have_failed(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PATIENCE_S", 1)
    output = io.StringIO()
    walk = demo.Walk(stack, Console(file=output, width=110))
    walk.step("nothing", lambda: None, "a miracle", lambda members: False)
    walk.step("nothing", lambda: None, "a list", lambda members: isinstance(members, list))
    assert walk.failed == [1]
    assert "does not show it: a miracle" in output.getvalue()
