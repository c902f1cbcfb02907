"""Starts, ends or shows the local stack: `python -m sandbox.local_stack up | down | status`."""

import os
import signal
import sys

from sandbox.local_stack import launching
from sandbox.local_stack.launching import Behind, StepFailed
from sandbox.local_stack.stack import LocalStack, folder_of

USAGE = "Say up, down or status; the variables STACK and MUSTER_PORT name another stack and the AWS port."


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
            behind = Behind.read(folder)
            if not (behind and behind.is_running() and (folder / "stack.json").exists()):
                print("The local stack is down." if behind is None else "The local stack broke: run make up.")
                return 3
            show(LocalStack.read(folder))
        case _:
            print(USAGE)
            return 2
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
    print(f"  Webhook     {stack.webhook_url}")
    print(f"{ending(stack)} ends it.")


def ending(stack: LocalStack) -> str:
    """Return the command that ends a stack."""
    return "make down" if stack.folder == folder_of("") else f"make down STACK={stack.folder.name}"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Stopped; what was being started has been ended.")
        sys.exit(130)
