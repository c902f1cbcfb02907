"""Chapter 4: who leaves loses access within seconds; a data load or a broken filter costs nobody theirs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from muster.presentation import members, plans
from sandbox import company
from sandbox.demo import subscribing
from sandbox.demo.acme import SUPPORT, narrowed
from sandbox.demo.connecting import ADMIN
from sandbox.demo.subscribing import Subscriber
from sandbox.demo.walk import Answer, Walk
from sandbox.drawing import drawn
from sandbox.local_stack.salesforce_admin import SalesforceAdmin

NAMES_SHOWN = 8


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    _let_one_leave(walk, salesforce)
    _load_another_department(walk, salesforce)
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

    before, app = seen(), Subscriber(walk.stack)
    after = walk.ask(
        f"Salesforce: {leaver['name']}, who holds both seats, is deactivated",
        leave,
        "the member is deactivated, and who was first in line has the seat",
        lambda after: not after[0]["seats"],
    )
    walk.console.print(drawn(members.moved(before, after)))
    told = walk.ask(
        "An app listens to the member events, by a rule with a queue",
        lambda: app.events_until("MemberDeactivated", "SeatRevoked", "SeatGranted"),
        "it is told who has left, and whose seat is whose now, without a name or an address",
        lambda events: not any(leaver[each] in str(events) for each in ("name", "email", "username")),
    )
    walk.console.print(drawn(subscribing.events_table(told)))


def _load_another_department(walk: Walk, salesforce: SalesforceAdmin) -> None:
    agents = [member for member in walk.members() if member["assignment"] == SUPPORT["name"]]
    lead = agents[0]["id"]
    walk.ask(
        f"An admin makes {agents[0]['name']} a manager in the workspace EMEA, by hand",
        lambda: walk.stack.invoke(
            "MemberSettingsFunction",
            changes=[{"member": lead, "workspaces": {"EMEA": "Manager"}}],
            by=ADMIN,
            **{"as": "admin"},
        ),
        "it is so, and imports leave it alone: the assignment's update mode is manual",
        lambda said: said["status"] == "succeeded" and _profile(walk, lead) == "Manager",
    )
    before, managers = _as_they_are(walk), _managers(walk)

    def load(department: str) -> None:
        records = [{"Id": agent["crm"]["salesforce"]["id"], "Department": department} for agent in agents]
        company.save(walk.stack, salesforce, records)

    def load_and_look() -> list[Answer]:
        load("Customer Care")
        walk.until(lambda: bool(_held(walk)), "word that the guard holds them")
        return _held(walk)

    held = walk.ask(
        f"Salesforce: a data load renames the department of {len(agents)} people; no filter has the new name",
        load_and_look,
        "the guard holds them at the webhook's door: nobody has lost anything, and the error log names them",
        lambda held: bool(held) and _as_they_are(walk) == before,
    )
    walk.console.print(f"   {held[-1]['message']}.", markup=False)
    run = _approve_by_mistake(walk, len(agents))
    _undo(walk, run, agents, lambda: _load_back(walk, load, before), before, managers)


def _approve_by_mistake(walk: Walk, people: int) -> str:
    """Have the next import, which would put out so many, approved; return its run id."""
    walk.ask(
        "The next import, a quarter of an hour later",
        lambda: walk.stack.run_state_machine("ScheduledImport", mode="incremental")["organizations"],
        "it plans what was held, and waits for a word",
        lambda outcomes: [each["status"] for each in outcomes] == ["parked"],
    )
    [parked] = walk.query("runs", limit=1)["runs"]
    walk.ask(
        "An admin takes it for a real reorganization, and approves",
        lambda: walk.stack.invoke("ScheduledImportFunction", approve=parked["id"], by=ADMIN),
        f"the {people} are out",
        lambda said: said["status"] == "succeeded" and said["counts"]["deactivated"] == people,
    )
    told = walk.ask(
        "Another admin asks what that import did, and who let it",
        lambda: walk.query("changes", run_id=parked["id"]),
        "who left, and who approved it",
        lambda said: (
            said["counts"]["left"] == people
            and any(line.endswith(f"was approved by {ADMIN}") for line in said["summary"])
        ),
    )
    _say(walk, told)
    return str(parked["id"])


def _undo(
    walk: Walk,
    run: str,
    agents: Sequence[Answer],
    load_back: Callable[[], Mapping[str, Answer]],
    before: Mapping[str, Answer],
    managers: Mapping[str, str | None],
) -> None:
    """Undo the run that put these out; `before` and `managers` are what was before it, by member."""
    preview = walk.ask(
        "It was none. The admin asks what an undo of that import would put back",
        lambda: _undone(walk, run, preview=True),
        "nobody yet: Salesforce still says what it said, and the next import would do it again",
        # Those too whose manager has left with them.
        lambda said: said["counts"].keys() == {"held_back"} and said["counts"]["held_back"] >= len(agents),
    )
    _say(walk, preview)
    walk.ask(
        "So first the cause: Salesforce takes the data load back",
        load_back,
        "all are in again, within seconds and by themselves, with the same ids",
        lambda members: members.keys() == before.keys(),
    )
    walk.ask(
        "The next daily import runs",
        lambda: walk.stack.run_state_machine("ScheduledImport", mode="full")["organizations"],
        "whose manager had left with them has the manager again",
        lambda outcomes: outcomes[0]["status"] == "succeeded" and _managers(walk) == managers,
    )
    lead = agents[0]["id"]
    undone = walk.ask(
        "Then the admin undoes the import",
        lambda: _undone(walk, run),
        "what nobody but it had taken is back as well: the profile that was set by hand",
        lambda said: said["status"] == "succeeded" and _profile(walk, lead) == "Manager",
    )
    _say(walk, undone)
    replayed = walk.ask(
        "An auditor has the plan of that import made again, from what it had read and known",
        lambda: walk.query("replay", run_id=run),
        "it is the same, to the hash: what was approved is what was planned",
        lambda said: said["same"],
    )
    _say(walk, replayed)


def _undone(walk: Walk, run: str, *, preview: bool = False) -> Answer:
    return walk.stack.invoke("ScheduledImportFunction", undo=run, preview=preview, by=ADMIN)


def _say(walk: Walk, answer: Answer) -> None:
    for line in (answer["message"], *answer.get("summary", ())):
        walk.console.print(f"   {line}", markup=False)


def _profile(walk: Walk, member: str) -> str | None:
    profile: str | None = walk.query("member", member=member)["member"]["workspaces"].get("EMEA")
    return profile


def _load_back(walk: Walk, load: Callable[[str], None], before: Mapping[str, Answer]) -> dict[str, Answer]:
    load("Support")
    walk.until(lambda: _as_they_are(walk).keys() == before.keys(), "everybody in the roster again")
    return _as_they_are(walk)


def _held(walk: Walk) -> list[Answer]:
    return [each for each in walk.query("errors", limit=100)["log"] if each["code"].startswith("held_")]


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
    walk.console.print(drawn(plans.changes_table(parked["changes"][:NAMES_SHOWN])))
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


def _managers(walk: Walk) -> dict[str, str | None]:
    return {member["id"]: member["manager"] for member in walk.members()}


def _version(walk: Walk) -> int:
    version: int = walk.stack.invoke("OrganizationSettingsFunction", action="get")["version"]
    return version
