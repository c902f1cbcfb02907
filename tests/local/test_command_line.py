"""The command line before the deployed local stack, as a person at a terminal runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.local_stack.building import ROOT
from sandbox.local_stack.stack import LocalStack
from tests.local.conftest import PATIENCE_S, People, Roster

type Muster = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def muster(stack: LocalStack) -> Muster:
    """Return the command line, which finds the stack where `make up` has left word of it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MUSTER_"))}
    named = {"MUSTER_LOCAL": "1", "MUSTER_STACK": stack.folder.name, "MUSTER_ORGANIZATION": "acme"}
    environment = own | named | {"PYTHONPATH": str(ROOT / "functions")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "muster_cli", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE_S,
            check=False,
        )

    return run


def test_a_person_is_imported_followed_and_explained(muster: Muster, people: People, roster: Roster) -> None:
    person = people.new()

    preview = muster("import", "--members", person.username, "--preview")
    imported = muster("import", "--members", person.username, "--by", "jane@acme.example")
    explained = muster("explain", person.username, "--json", "--detail")
    listed = muster("list", "--filter", f"username={person.username}")
    history = muster("history", person.username)

    assert preview.returncode == imported.returncode == 0, preview.stderr + imported.stderr
    assert "has begun" in imported.stderr
    answer: dict[str, Any] = json.loads(explained.stdout)
    assert (explained.returncode, answer["status"], answer["in"]) == (0, "succeeded", True)
    assert person.username in listed.stdout
    assert history.returncode == 0
    [member] = roster.people(person.username)
    assert member["active"]


def test_settings_are_kept_as_a_file_and_planned(muster: Muster, people: People, tmp_path: Path) -> None:
    people.new()
    file = tmp_path / "acme.yaml"

    got = muster("settings", "get", "--output", str(file))
    valid = muster("validate", str(file))
    planned = muster("plan", str(file))
    file.write_text(file.read_text() + "\nseatz: {}\n")
    refused = muster("plan", str(file))

    assert got.returncode == valid.returncode == 0, got.stderr + valid.stderr
    assert "they change 0 places" in valid.stdout
    assert planned.returncode in (0, 2), planned.stderr  # whoever has just come is not imported yet
    assert refused.returncode == 1
    assert "seatz: is not a known key" in refused.stderr


def test_a_stack_that_is_not_up_is_told_in_words(muster: Muster) -> None:
    result = muster("runs", "--stack", "nobody-has-this")

    assert result.returncode == 1
    assert "There is no local stack" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_chain_from_salesforce_is_whole(muster: Muster) -> None:
    result = muster("webhook", "status")

    assert result.returncode == 0, result.stderr
