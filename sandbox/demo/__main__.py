"""Runs the demo on a local stack of its own: `python -m sandbox.demo`.

The variables STACK and KEEP name another stack, and leave it running afterwards.
"""

import os
import signal
import sys
import time

from rich.console import Console

from muster.presentation.tables import table
from sandbox.demo import (
    apps,
    auto_provisioning,
    by_hand,
    connecting,
    importing,
    licences,
    lost_licences,
    staying_safe,
)
from sandbox.demo.walk import WIDTH, Walk, WalkEnded
from sandbox.drawing import drawn
from sandbox.local_stack import launching
from sandbox.local_stack.launching import StepFailed
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import folder_of

CHAPTERS = {
    "Connecting: what is wrong is told before it matters": connecting.take,
    "Auto-provisioning: one user, followed as Salesforce changes": auto_provisioning.take,
    "Assignments: who of a whole company gets what": importing.take,
    "Staying safe: people leave, and people make mistakes": staying_safe.take,
    "Licences: groups of Vault CRM's Engage, given out and taken back": licences.take,
    "Lost licences: one that could not be taken back, and one that nobody has": lost_licences.take,
    "Apps are told: accounts made, adopted and closed, and a session that ends": apps.take,
}
TAKES = "one to two minutes, some twenty seconds of them until the first step"


def main() -> int:
    """Run the demo; return 0 if every step showed what it should."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    folder, began, kept = folder_of(os.environ.get("STACK") or "demo"), time.monotonic(), False
    launching.stop(folder)
    console.print(f"Muster from end to end, in {len(CHAPTERS)} chapters: {TAKES}.")
    try:
        stack = launching.start(folder, lambda step: console.print(step), webhook=False)
        walk = Walk(stack, console)
        take(walk)
        version = "" if walk.failed else walk.query("list", limit=1)["muster_version"]
        console.print("\n[bold]In short:[/bold]")
        headings = ("", "Done", "Seen in Muster", "After")
        console.print(drawn(table(*headings, rows=walk.results)))
        if os.environ.get("KEEP"):
            by_hand.show(walk.stack, console)
            kept = True
    except StepFailed as failure:
        print(failure)  # as plain lines, which rich would break
        return 1
    finally:
        if not kept:
            launching.stop(folder)
    seconds = time.monotonic() - began
    if walk.failed:
        wrong = ", ".join(map(str, walk.failed))
        console.print(f"\n[red]Muster does NOT work: see step {wrong}. The logs: {folder}[/red]")
        return 1
    steps = len(walk.results)
    console.print(
        f"\n[green]Muster {version} works: {steps} of {steps} steps, in {seconds:.0f} seconds.[/green]"
    )
    return 0


def take(walk: Walk) -> None:
    """Take the steps of every chapter, until one goes so wrong that the others would make no sense."""
    salesforce = SalesforceAdmin(walk.stack)
    for title, take_chapter in CHAPTERS.items():
        walk.chapter(title)
        try:
            take_chapter(walk, salesforce)
        except WalkEnded:
            return


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped; what was started has been ended.")
        sys.exit(130)
