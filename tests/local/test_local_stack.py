"""The local stack itself: what `make up` leaves behind, two side by side, and an end that leaves nothing."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.local_stack import processes
from sandbox.local_stack.building import ROOT
from sandbox.local_stack.launching import Behind
from sandbox.local_stack.stack import LocalStack, folder_of
from sandbox.local_stack.waiting import wait_until
from tests.local.conftest import PATIENCE_S, People, Roster, run


def assert_nothing_is_left_of(behind: Behind) -> None:
    """Check that the processes, those they started, and their folder are gone."""
    wait_until(lambda: not has_processes(behind), "the end of all processes", seconds=10)
    assert not Path(behind.scratch).exists()


def has_processes(behind: Behind) -> bool:
    """Tell whether a process of a stack is there, if only for the system to clear away."""
    for process in behind.processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            return True
    return False


def test_two_stacks_side_by_side_have_nothing_in_common_and_end_one_by_one(
    stack: LocalStack, people: People, roster: Roster, name: str
) -> None:
    ada = people.new()
    assert roster.once_settled(ada.username)

    up = run("sandbox.local_stack", "up", name=name)
    assert up.returncode == 0, up.stdout + up.stderr
    second = LocalStack.read(folder_of(name))
    assert set(second.facts) == {
        "endpoint_url",
        "region",
        "table",
        "archive_bucket",
        "functions",
        "state_machines",
        "sandbox",
        "credentials",
        "organizations",
    }
    assert set(second.facts["credentials"]["salesforce"]) == {"client_id", "client_secret"}
    assert second.webhook_url.startswith(f"{second.facts['endpoint_url']}/_aws/execute-api/")
    assert "/v2/features/agent-auto-provision/organizations/acme/integrations/salesforce/webhook?token=" in (
        second.webhook_url
    )
    assert {second.facts["endpoint_url"], second.salesforce}.isdisjoint(
        {stack.facts["endpoint_url"], stack.salesforce}
    )
    assert Roster(second).people(ada.username) == []

    again = run("sandbox.local_stack", "up", name=name)
    assert (again.returncode, again.stdout[:16]) == (0, "It is up already")
    assert LocalStack.read(folder_of(name)).facts == second.facts
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


def test_changed_sources_are_deployed_to_the_stack_that_is_up(stack: LocalStack, name: str) -> None:
    folder = folder_of(name)
    folder.mkdir(parents=True)
    (folder / "stack.json").write_text(json.dumps(stack.facts))
    behind = Behind.read(stack.folder)
    assert behind
    # The same stack under another name, built from something older.
    replace(behind, sources="older").write(folder)
    try:
        up = run("sandbox.local_stack", "up", name=name)
        brought_up_to_date = LocalStack.read(folder)
        behind_it = Behind.read(folder)
    finally:
        shutil.rmtree(folder)  # before anything takes it for a stack to end
    assert up.returncode == 0, up.stdout + up.stderr
    assert "Deploying Muster to it …" in up.stdout.splitlines()
    assert brought_up_to_date.facts == stack.facts
    assert behind_it
    assert behind_it.processes == behind.processes
    assert behind_it.sources != "older"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_broken_off_leaves_nothing_running(name: str, ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.local_stack", "up"],
        cwd=ROOT,
        env=os.environ | {"STACK": name},
        stdout=subprocess.DEVNULL,
    ) as starting:
        behind = wait_until(lambda: both_started(name), "both processes", seconds=PATIENCE_S)
        starting.send_signal(ending)
        assert starting.wait(timeout=PATIENCE_S) == 128 + ending
    assert_nothing_is_left_of(behind)
    assert Behind.read(folder_of(name)) is None


def both_started(name: str) -> Behind | None:
    """Return what is behind a stack once it has its two processes."""
    with contextlib.suppress(json.JSONDecodeError):  # it may be just being written
        behind = Behind.read(folder_of(name))
        return behind if behind and len(behind.processes) == 2 else None
    return None


def test_a_start_that_fails_says_which_step_and_what_to_do(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        up = run("sandbox.local_stack", "up", name=name, MUSTER_PORT=str(taken.getsockname()[1]))
    assert up.returncode == 1
    assert "Starting the AWS emulator did not work: it ended at once" in up.stdout
    assert "is already in use" in up.stdout
    assert "run the same command again" in up.stdout
    assert Behind.read(folder_of(name)) is None


@pytest.mark.parametrize("name_of_a_stack", ["../etc", "a/b", "a b", "ä"])
def test_a_stack_has_a_plain_name(name_of_a_stack: str) -> None:
    with pytest.raises(ValueError, match="use letters, digits and dashes"):
        folder_of(name_of_a_stack)


def test_a_process_that_got_an_old_id_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        stale = processes.Process("emulator", other.pid, "some other time")
        assert not processes.is_running(stale)
        processes.end(stale)
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize(
    ("allowed", "instead"),
    [("dynamodb:Query", "dynamodb:Scan"), ("ORG#*", "WEBHOOK#*")],
    ids=["other actions", "other keys"],
)
def test_a_function_may_do_only_what_its_role_allows(
    stack: LocalStack, roster: Roster, allowed: str, instead: str
) -> None:
    iam, role = stack.client("iam"), stack.resource("RosterQueryFunctionRole")
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    assert allowed in document
    other = document.replace(allowed, instead)
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=other)
    try:
        with pytest.raises(RuntimeError, match="AccessDenied"):
            roster.people("nobody@acme.example")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    assert roster.people("nobody@acme.example") == []
