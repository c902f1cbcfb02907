"""Chapter 4: who leaves loses access within seconds, and a broken filter costs nobody theirs."""

from typing import Any

from sandbox import tables
from sandbox.demo.acme import narrowed
from sandbox.demo.connecting import ADMIN
from sandbox.demo.walk import Answer, Walk
from sandbox.local_stack.salesforce_admin import SalesforceAdmin

NAMES_SHOWN = 8


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    _let_one_leave(walk, salesforce)
    _break_the_filters(walk)


def _let_one_leave(walk: Walk, salesforce: SalesforceAdmin) -> None:
    leaver = next(
        member for member in walk.members() if _holds(member, "gong") and _holds(member, "forecast")
    )
    first = {seat: each["line"][0]["member"] for seat, each in walk.query("seats")["seats"].items()}
    people = [leaver["id"], *first.values()]

    def seen() -> list[Answer]:
        return [walk.query("member", member=person)["member"] for person in people]

    def leave() -> list[Answer]:
        salesforce.change_user(leaver["crm"]["salesforce"]["id"], IsActive=False)
        walk.until(
            lambda: not seen()[0]["active"] and all(map(_holds, seen()[1:], first)),
            "the seats of who left with who was first in line",
        )
        return seen()

    before = seen()
    after = walk.ask(
        f"Salesforce: {leaver['name']}, who holds both seats, is deactivated",
        leave,
        "the member is deactivated, and who was first in line has the seat",
        lambda after: not after[0]["seats"],
    )
    walk.console.print(tables.moved(before, after))


def _break_the_filters(walk: Walk) -> None:
    current = walk.stack.invoke("OrganizationSettingsFunction", action="get")
    before = _as_they_are(walk)
    parked = walk.ask(
        "An admin wants Britain only, and adds Country = 'UK' to every filter; Salesforce calls it GB",
        lambda: walk.stack.invoke(
            "OrganizationSettingsFunction",
            action="put",
            settings=narrowed(current["settings"], "Country = 'UK'"),
            by=ADMIN,
            why="Britain only",
        ),
        "everyone would be deactivated, so nothing is saved: it waits for a second word",
        lambda said: said["status"] == "parked" and said["counts"]["deactivated"] == len(before),
    )
    for limit in parked["guard"]:
        walk.console.print(f"   guard: {limit}", markup=False)
    walk.console.print(f"Who would go (the first {NAMES_SHOWN} of {parked['counts']['deactivated']}):")
    walk.console.print(tables.changes(parked["changes"][:NAMES_SHOWN]))
    walk.ask(
        "The admin sees the names and rejects it",
        lambda: walk.stack.invoke("ScheduledImportFunction", reject=parked["run_id"], by=ADMIN),
        f"version {current['version']} of the settings stays in force",
        lambda said: said["status"] == "succeeded" and _version(walk) == current["version"],
    )
    walk.ask(
        "The next daily import runs",
        lambda: walk.stack.run_state_machine("ScheduledImport", mode="full")["organizations"],
        f"all {len(before)} have what they had: not one member was written",
        lambda outcomes: outcomes[0]["status"] == "succeeded" and _as_they_are(walk) == before,
    )


def _holds(member: Answer, seat: str) -> bool:
    return bool(member["seats"].get(seat, {}).get("state") == "held")


def _as_they_are(walk: Walk) -> dict[str, Any]:
    return {member["id"]: member for member in walk.members()}


def _version(walk: Walk) -> int:
    version: int = walk.stack.invoke("OrganizationSettingsFunction", action="get")["version"]
    return version
