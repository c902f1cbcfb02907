"""Starts a local stack step by step, brings a running one up to date, and ends one."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import botocore.exceptions
import requests

from sandbox.local_stack import processes, user_pool
from sandbox.local_stack.building import ROOT, built, digest
from sandbox.local_stack.deploying import CREDENTIALS, REGION, Deployed, deploy
from sandbox.local_stack.enrolling import enrol, install_webhook
from sandbox.local_stack.processes import Process
from sandbox.local_stack.stack import APP, ORGANIZATION, LocalStack
from sandbox.local_stack.user_pool import Pool
from sandbox.local_stack.waiting import wait_until

type Say = Callable[[str], None]

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
ENOUGH_MEMORY = 4 * 2**30
# What runs behind a stack, with how Python is told to run it.
PROGRAMS = {
    "emulator": ("-m", "sandbox.local_stack.emulator"),
    "salesforce": ("-m", "sandbox.salesforce", "--port", "0"),
    "vault_crm": ("-m", "sandbox.vault_crm", "--port", "0"),
    "scim": ("-m", "sandbox.scim", "--port", "0", "--title", "Acme's app"),
}


class StepFailed(Exception):
    """A step of starting did not work; the text says which, why, and what to do."""

    def __init__(self, step: str, error: Exception, log: Path) -> None:
        """Describe the failure with the end of the step's log."""
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        shown = "\n".join(f"    {line}" for line in lines)
        super().__init__(
            f"{step} did not work: {error}\n{shown}\nThe whole log: {log}\n"
            "Correct what it names, then run the same command again."
        )


@dataclass(frozen=True)
class Behind:
    """What stands behind a stack and is its own business: kept in processes.json, needed to end it."""

    scratch: str
    processes: tuple[Process, ...] = ()
    sources: str = ""  # the digest of what was deployed, empty before the first time

    @classmethod
    def read(cls, folder: Path) -> "Behind | None":
        """Return what was started in `folder`, None if nothing was."""
        try:
            kept = json.loads((folder / "processes.json").read_text())
        except FileNotFoundError:
            return None
        return cls(kept["scratch"], tuple(Process(**each) for each in kept["processes"]), kept["sources"])

    def write(self, folder: Path) -> None:
        """Keep it in `folder`."""
        (folder / "processes.json").write_text(json.dumps(asdict(self), indent=2) + "\n")

    def is_running(self) -> bool:
        """Tell whether every program of a stack was started, and still runs."""
        started = {process.name for process in self.processes}
        return started == PROGRAMS.keys() and all(map(processes.is_running, self.processes))


def start(folder: Path, say: Say, *, port: int | None = None, webhook: bool = True) -> LocalStack:
    """Start a stack in `folder`, or bring the one that runs there up to date; `say` is told each step.

    Without `webhook`, a stack that is started has nothing set up in its Salesforce. Raises StepFailed.
    Whatever ends a start early, nothing is left running; what ran before, still does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    behind = Behind.read(folder)
    if behind and behind.is_running() and (folder / "stack.json").exists():
        return _up_to_date(folder, behind, say)
    stop(folder)
    try:
        return _started(folder, say, port or _free_port(), webhook=webhook)
    except BaseException:
        stop(folder)
        raise


def stop(folder: Path) -> bool:
    """End what was started in `folder` and tell whether there was anything."""
    behind = Behind.read(folder)
    (folder / "stack.json").unlink(missing_ok=True)
    if behind is None:
        return False
    for process in behind.processes:
        processes.end(process)
    shutil.rmtree(behind.scratch, ignore_errors=True)
    (folder / "processes.json").unlink()
    return True


@contextmanager
def running(say: Say = lambda _: None) -> Iterator[LocalStack]:
    """Start a stack in a folder of its own while the block runs; for tests."""
    with tempfile.TemporaryDirectory(prefix="muster-") as name:
        folder = Path(name)
        try:
            yield start(folder, say)
        finally:
            stop(folder)


def _started(folder: Path, say: Say, port: int, *, webhook: bool) -> LocalStack:
    endpoint_url = f"http://127.0.0.1:{port}"
    behind = Behind(scratch=_scratch())
    behind.write(folder)
    for name, arguments in PROGRAMS.items():
        is_emulator = name == "emulator"
        process = processes.start(
            name,
            [sys.executable, *arguments],
            folder=ROOT,
            log=folder / f"{name}.log",
            environment=_emulator_environment(folder, behind, port) if is_emulator else _environment(),
        )
        behind = replace(behind, processes=(*behind.processes, process))
        behind.write(folder)
    deployed, pool, behind = _deployed(folder, endpoint_url, behind, say)
    salesforce = _said(folder, "salesforce", "Salesforce", say)
    vault_crm = _said(folder, "vault_crm", "Vault CRM", say)
    scim = _said(folder, "scim", "app with SCIM", say)
    stack = LocalStack(folder, _facts(endpoint_url, deployed, pool, salesforce, vault_crm, scim))
    with _step("Setting up the organization acme", folder / "emulator.log", say):
        webhook_url = enrol(stack, salesforce["organization_id"])
    if webhook:
        with _step("Installing its webhook in Salesforce", folder / "emulator.log", say):
            install_webhook(stack)
    stack = replace(
        stack, facts={**stack.facts, "organizations": {ORGANIZATION: {"webhook_url": webhook_url}}}
    )
    stack.write()
    return stack


def _up_to_date(folder: Path, behind: Behind, say: Say) -> LocalStack:
    stack = LocalStack.read(folder)
    if digest() == behind.sources:
        say("It is up already.")
        return stack
    say("It is up already; the sources have changed since.")
    deployed, pool, _ = _deployed(folder, stack.facts["endpoint_url"], behind, say)
    stack = replace(stack, facts={**stack.facts, **asdict(deployed), "user_pool": asdict(pool)})
    stack.write()
    return stack


def _deployed(folder: Path, endpoint_url: str, behind: Behind, say: Say) -> tuple[Deployed, Pool, Behind]:
    for name in ("build.log", "deploy.log"):
        (folder / name).unlink(missing_ok=True)
    with _step("Building Muster", folder / "build.log", say), built(folder / "build.log") as sources:
        if not behind.sources:
            with _step("Starting the AWS emulator", folder / "emulator.log", say):
                wait_until(lambda: _answers(endpoint_url, behind), "its answer", seconds=60)
        with _step("Deploying Muster to it", folder / "deploy.log", say):
            # It is Acme's own, and there before Muster, which is told whose sessions it may end.
            pool = user_pool.ensure(endpoint_url)
            deployed = deploy(endpoint_url, folder / "deploy.log", UserPoolArns=pool.arn)
    behind = replace(behind, sources=sources)
    behind.write(folder)
    return deployed, pool, behind


@contextmanager
def _step(name: str, log: Path, say: Say) -> Iterator[None]:
    say(f"{name} …")
    try:
        yield
    except (
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.ClientError,
        OSError,  # TimeoutError and requests' errors among them
        RuntimeError,
        subprocess.CalledProcessError,
    ) as error:
        raise StepFailed(name, error, log) from error


def _answers(endpoint_url: str, behind: Behind) -> bool:
    if not behind.is_running():
        raise RuntimeError("it ended at once")
    try:
        return requests.get(f"{endpoint_url}/_ministack/health", timeout=5).ok
    except requests.RequestException:
        return False


def _said(folder: Path, name: str, called: str, say: Say) -> dict[str, Any]:
    """Return what a sandbox says of itself once it listens."""
    log = folder / f"{name}.log"
    with _step(f"Starting the sandbox {called}", log, say):
        return wait_until(lambda: _first_line(log), "its address", seconds=60)


def _first_line(log: Path) -> dict[str, Any] | None:
    """Return the line of JSON with which the sandbox tells that it listens, None before it is whole."""
    lines = [line for line in log.read_text().splitlines(keepends=True) if line.startswith("{")]
    return json.loads(lines[0]) if lines and lines[0].endswith("\n") else None


def _facts(
    endpoint_url: str,
    deployed: Deployed,
    pool: Pool,
    salesforce: dict[str, Any],
    vault_crm: dict[str, Any],
    scim: dict[str, Any],
) -> dict[str, Any]:
    return {
        "endpoint_url": endpoint_url,
        "region": REGION,
        **asdict(deployed),
        "user_pool": asdict(pool),
        "sandbox": {"salesforce": salesforce["url"], "vault_crm": vault_crm["url"], "scim": scim["url"]},
        "credentials": {
            "salesforce": {name: salesforce[name] for name in ("client_id", "client_secret")},
            "vault_crm": {name: vault_crm[name] for name in ("username", "password")},
            f"scim/{APP}": {"token": scim["token"]},
        },
        "organizations": {},
    }


def _environment() -> dict[str, str]:
    """Return a small environment: what the developer has exported must not reach functions and sandboxes."""
    return {name: value for name in ("PATH", "HOME", "LANG") if (value := os.environ.get(name))}


def _emulator_environment(folder: Path, behind: Behind, port: int) -> dict[str, str]:
    nowhere = str(folder / "nothing-here")
    return (
        _environment()
        | CREDENTIALS
        | {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            # A state machine that waits five minutes, or between tries, does so for a third of a second.
            "SFN_WAIT_SCALE": "0.001",
            "LOG_LEVEL": "WARNING",
            # Function code is unpacked here for each process that runs it.
            "TMPDIR": behind.scratch,
            "S3_DATA_DIR": str(Path(behind.scratch) / "s3"),
            # Services that open further ports; and no use of Docker or of the developer's AWS files.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": f"unix://{nowhere}",
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def _scratch() -> str:
    # Each process of a function unpacks thousands of small files; on a disk that has just deleted as many,
    # this can take seconds.
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ENOUGH_MEMORY
    return tempfile.mkdtemp(prefix="muster-", dir=SHARED_MEMORY if roomy else None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
