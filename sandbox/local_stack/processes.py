"""Starts, recognises and ends processes that outlive the program that started them."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.local_stack.waiting import wait_until


@dataclass(frozen=True)
class Process:
    """A process by name and id; ids are used again one day, so its time of birth goes with it."""

    name: str
    pid: int
    born: str


def start(
    name: str, command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]
) -> Process:
    """Start `command` in `folder` and in a group of its own, which a Ctrl-C here does not reach."""
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603 - the project's own commands
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Nobody waits for it through this object, which would otherwise warn that the process still runs.
    popen.returncode = 0
    return Process(name, popen.pid, _born(popen.pid) or "")


def is_running(process: Process) -> bool:
    """Tell whether this very process, not one that got its id later, runs."""
    return bool(process.born) and _born(process.pid) == process.born


def end(process: Process) -> None:
    """End the process and what it started, gently at first; fine if it has ended already."""
    for signal_number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        if not is_running(process):
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not is_running(process), f"the end of {process.name}", seconds=patience)


def _born(pid: int) -> str | None:
    """Return the system's own record of when a process began, None once it has ended."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that ended stays in the process table until its parent asks
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may hold anything: the state, then numbers; the 20th is the time of birth.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else fields[19]
    # Where there is no /proc (macOS).
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return shown.stdout.strip() or None
