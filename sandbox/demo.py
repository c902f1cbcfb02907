"""Shows auto-provisioning from end to end: each change is made in Salesforce, each answer is Muster's.

`make demo` runs it on a local stack of its own and ends that; with KEEP=1 it stays up, to be tried by hand.
The steps are those by which the product's own documentation tests the feature, and two more.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from sandbox import tables
from sandbox.local_stack import launching
from sandbox.local_stack.launching import StepFailed
from sandbox.local_stack.salesforce_admin import API, SalesforceAdmin
from sandbox.local_stack.stack import ORGANIZATION, LocalStack, folder_of
from sandbox.local_stack.waiting import wait_until

type Members = list[dict[str, Any]]

PATIENCE_S = 60
ADA = {
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Email": "ada@acme.example",
    "Username": "ada@acme.example",
}


@dataclass
class Walk:
    """A walk through the steps, and how each went."""

    stack: LocalStack
    console: Console
    results: list[tuple[int, str, str, str]] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def step(
        self, done: str, act: Callable[[], None], expected: str, holds: Callable[[Members], bool]
    ) -> None:
        """Do something in Salesforce, wait until the roster shows what is expected, show the roster."""
        number = len(self.results) + 1
        self.console.print(f"\n[bold]{number}. Salesforce: {done}[/bold]")
        began = time.monotonic()
        act()
        try:
            wait_until(lambda: self._shows(holds), expected, seconds=PATIENCE_S)
            seen = f"{time.monotonic() - began:.1f} s"
            self.console.print(f"   Muster, {seen} later: {expected}.")
        except TimeoutError:
            self.failed.append(number)
            seen = "never"
            self.console.print(f"   [red]Muster, {PATIENCE_S} s later, does not show it: {expected}.[/red]")
        self.console.print(tables.roster(self.members(active=True)))
        self.results.append((number, done, expected, seen))

    def members(self, *, active: bool | str) -> Members:
        """Return who is in the roster, as Muster's own function lists them."""
        answer = self.stack.invoke("RosterQueryFunction", action="list", filter={"active": active})
        members: Members = answer["members"]
        return members

    def _shows(self, holds: Callable[[Members], bool]) -> bool:
        return self.stack.is_settled() and holds(self.members(active=True))


def walk(stack: LocalStack, console: Console) -> Walk:
    """Take every step."""
    salesforce, steps = SalesforceAdmin(stack), Walk(stack, console)
    call_center = salesforce.query("SELECT Id, Name FROM CallCenter ORDER BY Name LIMIT 1")[0]
    users: list[str] = []

    def listed(**attributes: str) -> Callable[[Members], bool]:
        return lambda members: (
            len(members) == 1 and all(members[0][name] == value for name, value in attributes.items())
        )

    steps.step(
        "a new user, Ada Lovelace, not yet active",
        lambda: users.append(salesforce.create_user(**ADA, IsActive=False)),
        "she is not listed",
        lambda members: not members,
    )
    steps.step(
        f"she is set active and added to a call center ({call_center['Name']})",
        lambda: salesforce.change_user(users[0], IsActive=True, CallCenterId=call_center["Id"]),
        "she is listed, with the same name",
        listed(name="Ada Lovelace"),
    )
    steps.step(
        "her first name is changed to Augusta",
        lambda: salesforce.change_user(users[0], FirstName="Augusta"),
        "the name has changed too",
        listed(name="Augusta Lovelace"),
    )
    steps.step(
        "her title is changed twice, and both changes arrive in one message",
        lambda: _twice_in_one_message(salesforce, users[0], "Title", "Countess", "Analyst"),
        "the most recent change counts",
        listed(name="Augusta Lovelace", title="Analyst"),
    )
    steps.step(
        "she is deactivated",
        lambda: salesforce.change_user(users[0], IsActive=False),
        "she is no longer listed",
        lambda members: not members,
    )
    return steps


def _twice_in_one_message(salesforce: SalesforceAdmin, user: str, name: str, older: str, newer: str) -> None:
    """Change a field twice while the sender holds its messages; then it sends both, in no order."""
    salesforce.delivery(hold=True, snapshot=True, reorder=True)
    salesforce.change_user(user, **{name: older})
    # Salesforce stamps a record to the second; within one second nobody could tell which change came last.
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, "the next second", seconds=2)
    salesforce.change_user(user, **{name: newer})
    salesforce.delivery(hold=False, snapshot=False, reorder=False)


def show_what_remains(steps: Walk) -> None:
    """Show the member who left, and the whole history."""
    steps.console.print("\n[bold]Nothing is forgotten. The roster with the inactive members:[/bold]")
    everyone = steps.members(active="any")
    steps.console.print(tables.roster(everyone))
    for member in everyone:
        answer = steps.stack.invoke("RosterQueryFunction", action="member", member=member["id"])
        steps.console.print(f"Why {member['name']} is not active: {answer['message']}")
        answer = steps.stack.invoke("RosterQueryFunction", action="history", member=member["id"])
        steps.console.print(f"[bold]What happened to {member['name']}, newest first:[/bold]")
        steps.console.print(tables.history(answer["history"]))


def show_what_to_try(stack: LocalStack, console: Console) -> None:
    """Print commands with the stack's own values."""
    token = SalesforceAdmin(stack).token
    user = SalesforceAdmin(stack).query("SELECT Id FROM User WHERE Username = 'ada@acme.example'")[0]["Id"]
    invoke = f"{stack.facts['endpoint_url']}/2015-03-31/functions/{{}}/invocations"
    aws = "curl -s --aws-sigv4 aws:amz:us-east-1:lambda --user test:test"
    change = '{"IsActive": true, "Title": "Countess"}'
    ask = f'{{"organization": "{ORGANIZATION}", "action": "list"}}'
    console.print("\n[bold]It stays up. Try it by hand:[/bold]")
    for what, command in (
        (
            "Change the user in Salesforce",
            f"curl -s -X PATCH -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'"
            f" -d '{change}' {stack.salesforce}{API}/sobjects/User/{user}",
        ),
        (
            "Ask Muster who is in the roster",
            f"{aws} -d '{ask}' {invoke.format(stack.facts['functions']['RosterQueryFunction'])}",
        ),
        (
            "Send a forged message",
            f"curl -s -i -d '<x/>' '{stack.webhook_url.partition('?')[0]}?token=guess'",
        ),
        ("End it", f"make down STACK={stack.folder.name}"),
    ):
        # As plain text, in one line, so that it can be copied.
        console.print(f"{what}:")
        print(f"  {command}")


def main() -> int:
    """Run the demo; return 0 if every step showed what it should."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Where output is collected, rich would take the lines to be 80 wide.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    folder, began, kept = folder_of(os.environ.get("STACK") or "demo"), time.monotonic(), False
    launching.stop(folder)
    try:
        stack = launching.start(folder, lambda step: console.print(step))
        steps = walk(stack, console)
        show_what_remains(steps)
        console.print("\n[bold]In short:[/bold]")
        headings = ("", "Done in Salesforce", "Seen in Muster", "After")
        console.print(tables.table(*headings, rows=steps.results))
        if os.environ.get("KEEP"):
            show_what_to_try(stack, console)
            kept = True
    except StepFailed as failure:
        print(failure)  # as plain lines, which rich would break
        return 1
    finally:
        if not kept:
            launching.stop(folder)
    good = len(steps.results) - len(steps.failed)
    seconds = time.monotonic() - began
    if steps.failed:
        wrong = ", ".join(map(str, steps.failed))
        console.print(f"\n[red]Auto-provisioning does NOT work: see step {wrong}. The logs: {folder}[/red]")
        return 1
    console.print(
        f"\n[green]Auto-provisioning works: {good} of {good} steps, in {seconds:.0f} seconds.[/green]"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped; what was started has been ended.")
        sys.exit(130)
