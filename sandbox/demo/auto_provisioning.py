"""Chapter 2: one user, followed from creation to deactivation by Salesforce's outbound messages.

The steps are those by which the product's own documentation tests the feature, and one more.
"""

import time
from collections.abc import Callable

from muster.presentation import members
from sandbox.demo.walk import Members, Walk
from sandbox.drawing import drawn
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.waiting import wait_until

ADA = {
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Email": "ada@acme.example",
    "Username": "ada@acme.example",
}


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step."""
    call_center = salesforce.query("SELECT Id, Name FROM CallCenter ORDER BY Name LIMIT 1")[0]
    users: list[str] = []

    def listed(**attributes: str) -> Callable[[Members], bool]:
        return lambda members: (
            len(members) == 1 and all(members[0][name] == value for name, value in attributes.items())
        )

    walk.step(
        "Salesforce: a new user, Ada Lovelace, not yet active",
        lambda: users.append(salesforce.create_user(**ADA, IsActive=False)),
        "she is not listed",
        lambda members: not members,
    )
    walk.step(
        f"Salesforce: she is set active and added to a call center ({call_center['Name']})",
        lambda: salesforce.change_user(users[0], IsActive=True, CallCenterId=call_center["Id"]),
        "she is listed, with the same name",
        listed(name="Ada Lovelace"),
    )
    walk.step(
        "Salesforce: her first name is changed to Augusta",
        lambda: salesforce.change_user(users[0], FirstName="Augusta"),
        "the name has changed too",
        listed(name="Augusta Lovelace"),
    )
    walk.step(
        "Salesforce: her title is changed twice, and both changes arrive in one message",
        lambda: _twice_in_one_message(salesforce, users[0], "Title", "Countess", "Analyst"),
        "the most recent change counts",
        listed(name="Augusta Lovelace", title="Analyst"),
    )
    walk.step(
        "Salesforce: she is deactivated",
        lambda: salesforce.change_user(users[0], IsActive=False),
        "she is no longer listed",
        lambda members: not members,
    )
    _show_what_remains(walk)


def _twice_in_one_message(salesforce: SalesforceAdmin, user: str, name: str, older: str, newer: str) -> None:
    """Change a field twice while the sender holds its messages; then it sends both, in no order."""
    salesforce.delivery(hold=True, snapshot=True, reorder=True)
    salesforce.change_user(user, **{name: older})
    # Salesforce stamps a record to the second; within one second nobody could tell which change came last.
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second, "the next second", seconds=2)
    salesforce.change_user(user, **{name: newer})
    salesforce.delivery(hold=False, snapshot=False, reorder=False)


def _show_what_remains(walk: Walk) -> None:
    """Show the member who left, and the whole history."""
    walk.console.print("\n[bold]Nothing is forgotten. Ada among the inactive members:[/bold]")
    everyone = [each for each in walk.members(active="any") if each["username"] == ADA["Username"]]
    walk.console.print(drawn(members.roster(everyone)))
    for member in everyone:
        answer = walk.query("member", member=member["id"])
        walk.console.print(f"Why {member['name']} is not active: {answer['message']}")
        answer = walk.query("history", member=member["id"])
        walk.console.print(f"[bold]What happened to {member['name']}, newest first:[/bold]")
        walk.console.print(drawn(members.history_table(answer)))
