"""Starts, fills, shows, ends the stack: `python -m sandbox.local_stack up | people | status | down`."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from sandbox.local_stack import filling, launching
from sandbox.local_stack.launching import Behind, StepFailed
from sandbox.local_stack.stack import APP, LocalStack, folder_of

USAGE = (
    "Say up, people, status or down; the variables STACK and MUSTER_PORT name another stack and the AWS port."
)


def main(arguments: list[str]) -> int:
    """Do what the one argument says; return the exit code."""
    # Ended from outside, it cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        folder = folder_of(os.environ.get("STACK", ""))
        port = int(os.environ.get("MUSTER_PORT") or 0)
    except ValueError as error:
        print(error)
        return 2
    match arguments:
        case ["up"]:
            try:
                show(launching.start(folder, say, port=port))
            except StepFailed as failure:
                print(failure)
                return 1
        case ["down"]:
            print("The local stack is down." if launching.stop(folder) else "No local stack was up.")
        case ["status"]:
            return on_running(folder, show)
        case ["people"]:
            return on_running(folder, fill)
        case _:
            print(USAGE)
            return 2
    return 0


def on_running(folder: Path, act: Callable[[LocalStack], object]) -> int:
    """Do something with the stack that runs in `folder`; return the exit code, 3 if none does."""
    behind = Behind.read(folder)
    if not (behind and behind.is_running() and (folder / "stack.json").exists()):
        print("The local stack is down." if behind is None else "The local stack broke: run make up.")
        return 3
    try:
        act(LocalStack.read(folder))
    except (RuntimeError, requests.RequestException) as error:
        print(error)
        return 1
    return 0


def say(step: str) -> None:
    """Tell of a step at once, also where output is collected."""
    print(step, flush=True)


def show(stack: LocalStack) -> None:
    """Print where the stack is and how to end it."""
    print(f"The local stack is up: {stack.folder / 'stack.json'}")
    print(f"  AWS         {stack.facts['endpoint_url']}")
    print(f"  Salesforce  {stack.salesforce}")
    print(f"  Vault CRM   {stack.vault_crm}")
    print(f"  An app      {stack.app} (SCIM; a page of who is in it)")
    print(f"  Webhook     {stack.webhook_url}")
    print(f"{command(stack, 'people')} brings people, who can be pushed to the app.")
    print(f"{command(stack, 'down')} ends it.")


def fill(stack: LocalStack) -> None:
    """Bring people, and print what is left to do until they are in the app."""
    say("Making people in Salesforce, and connecting the app …")
    settings = filling.fill(stack)
    print(f"People are in Salesforce, and the settings that are in force in {settings}.")
    print("To see them in the app, import and push them:")
    named = "" if stack.folder == folder_of("") else f" MUSTER_STACK={stack.folder.name}"
    for words in ("import --full", f"push scim.{APP} --preview", f"push scim.{APP}"):
        print(f"  MUSTER_LOCAL=1{named} .venv/bin/muster {words}")
    print(f"and look at {stack.app}")


def command(stack: LocalStack, target: str) -> str:
    """Return the command that does something with a stack."""
    return f"make {target}" if stack.folder == folder_of("") else f"make {target} STACK={stack.folder.name}"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Stopped; what was being started has been ended.")
        sys.exit(130)
