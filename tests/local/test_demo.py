"""`make demo`: it shows what Muster does, and would not say that it works if it did not."""

import io
import json
import re
import signal
from typing import Any

import pytest
from rich.console import Console
from ruamel.yaml import YAML

from muster import __version__
from sandbox.demo import __main__ as demo
from sandbox.demo.walk import Walk, WalkEnded
from sandbox.local_stack import launching
from sandbox.local_stack.launching import Behind
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import LocalStack, folder_of
from tests.local.conftest import People, Roster, assert_nothing_is_left_of, run


def test_the_demo_shows_every_step_on_a_second_stack_which_has_nothing_in_common_with_the_first(
    stack: LocalStack, people: People, roster: Roster, name: str
) -> None:
    ada = people.new()
    assert roster.once_settled(ada.username)

    shown = run("sandbox.demo", name=name, KEEP="1")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.startswith("Muster from end to end, in 7 chapters: one to two minutes")
    walked, _, by_hand = shown.stdout.partition("It stays up. Try it by hand:")
    assert shown.stdout.splitlines()[-1].startswith(f"Muster {__version__} works: 64 of 64 steps, in ")
    pasted = re.findall(r"Scheduled(?:Import|Push)Function with ({.+})", shown.stdout)
    assert pasted
    assert all(json.loads(event)["by"] for event in pasted), "an event that is shown must be accepted (I5)"
    assert max(map(len, walked.splitlines())) <= 110
    for title, part in {
        "Connecting": "2 of 40 checks failed: login (salesforce), language (vault_crm).",
        "Auto-provisioning": "Augusta Lovelace",
        "Assignments": "1 person has joined your team",
        "Staying safe": "deactivate: 148 of 148 active members in all",
        "Licences": "│ No Licenses Remaining │",
        "Lost licences": "│ kim.lee@agency.example │ UK Key Accounts │",
        "Apps are told": "│ closed  │",
    }.items():
        assert f"\n{title}: " in walked
        assert part in walked

    second = LocalStack.read(folder_of(name))
    assert second.salesforce in by_hand
    filled = run("sandbox.local_stack", "people", name=name)
    assert filled.returncode == 0, filled.stdout + filled.stderr
    assert f"MUSTER_STACK={name} .venv/bin/muster push scim.app\n" in filled.stdout
    settings = second.invoke("OrganizationSettingsFunction", action="get")["settings"]
    assert YAML(typ="safe").load(second.folder / "acme.yaml") == settings, "what is there already stays"
    assert len(settings["assignments"]) == 3
    assert {second.facts["endpoint_url"], second.salesforce, second.vault_crm}.isdisjoint(
        {stack.facts["endpoint_url"], stack.salesforce, stack.vault_crm}
    )
    assert Roster(second).people(ada.username) == []
    assert [each["name"] for each in SalesforceAdmin(second).outbound_messages()] == ["Muster_acme"]
    assert run("sandbox.local_stack", "status", name=name).returncode == 0

    behind = Behind.read(folder_of(name))
    assert behind
    assert behind.is_running()
    down = run("sandbox.local_stack", "down", name=name)
    assert (down.returncode, down.stdout) == (0, "The local stack is down.\n")
    assert_nothing_is_left_of(behind)
    assert not (folder_of(name) / "stack.json").exists()
    assert run("sandbox.local_stack", "down", name=name).stdout == "No local stack was up.\n"
    assert run("sandbox.local_stack", "status", name=name).returncode == 3
    assert roster.people(ada.username), "the first stack has lost something"


@pytest.mark.parametrize(("failed", "code"), [([], 0), ([1], 1)])
def test_unless_it_is_to_be_kept_the_demo_ends_its_stack_and_says_whether_all_went_well(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, failed: list[int], code: int
) -> None:
    """The stack of the tests stands in for one that takes half a minute to start and must not end here."""
    done: list[str] = []

    def take(walk: Walk) -> None:
        walk.failed += failed
        done.append("taken")

    def start(*_: Any, webhook: bool) -> LocalStack:
        assert not webhook, "the demo sets it up itself"
        return stack

    monkeypatch.setenv("STACK", "of-nobody")
    monkeypatch.delenv("KEEP", raising=False)
    monkeypatch.setattr(demo, "take", take)
    monkeypatch.setattr(launching, "start", start)
    monkeypatch.setattr(launching, "stop", lambda folder: done.append(f"ended {folder.name}"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert demo.main() == code
    assert done == ["ended of-nobody", "taken", "ended of-nobody"]


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
