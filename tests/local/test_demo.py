"""`make demo`: it shows what Muster does, and would not say that it works if it did not."""

import io

import pytest
from rich.console import Console

from sandbox.demo.walk import Walk, WalkEnded
from sandbox.local_stack.launching import Behind
from sandbox.local_stack.stack import LocalStack, folder_of
from tests.local.conftest import run

CHAPTERS = {
    "Connecting": "2 of 38 checks failed: login (salesforce), language (vault_crm).",
    "Auto-provisioning": "Augusta Lovelace",
    "Assignments": "9 people have joined your team",
    "Staying safe": "deactivate: 147 of 147 active members in all",
    "Licences": "│ No Licenses Remaining │",
}


def test_the_demo_shows_every_step_and_leaves_nothing_running(name: str) -> None:
    shown = run("sandbox.demo", name=name)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.splitlines()[-1].startswith("Muster works: 40 of 40 steps, in ")
    assert max(map(len, shown.stdout.splitlines())) <= 110
    for title, part in CHAPTERS.items():
        assert f"\n{title}: " in shown.stdout
        assert part in shown.stdout
    assert Behind.read(folder_of(name)) is None


@pytest.fixture
def walk(stack: LocalStack) -> Walk:
    return Walk(stack, Console(file=io.StringIO(), width=110), patience_s=1)


def shown_by(walk: Walk) -> str:
    assert isinstance(walk.console.file, io.StringIO)
    return walk.console.file.getvalue()


def test_a_step_that_does_not_show_what_it_should_is_said_to_have_failed(walk: Walk) -> None:
    walk.step("nothing", lambda: None, "a miracle", lambda members: False)
    walk.step("nothing", lambda: None, "a list", lambda members: isinstance(members, list))
    assert walk.failed == [1]
    assert [result[0] for result in walk.results] == [1, 2]
    assert "does not show it: a miracle" in shown_by(walk)


def test_a_question_that_is_not_answered_as_it_should_be_ends_the_walk(walk: Walk) -> None:
    with pytest.raises(WalkEnded):
        walk.ask("a question", lambda: walk.query("explain"), "an answer", lambda answer: answer["in"])
    assert walk.failed == [1]
    assert "does not show it: an answer" in shown_by(walk)
    assert "member is missing" in shown_by(walk), "Muster's own words"
    with pytest.raises(WalkEnded):
        walk.ask("another", lambda: walk.query("list")["nothing"], "a list", lambda members: True)
    assert walk.failed == [1, 2]
    assert "KeyError: 'nothing'" in shown_by(walk)
