"""Chapter 3: three assignments over a company of a few hundred people, from preview to explanation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.panel import Panel
from rich.text import Text

from muster.presentation import explanations, plans, seats, settings_differences
from muster.presentation.members import counts, grants
from muster.presentation.tables import Table, table
from sandbox import company
from sandbox.company import CONTRACTORS_DOMAIN, Person
from sandbox.demo.acme import SECTIONS
from sandbox.demo.connecting import ADMIN
from sandbox.demo.walk import WIDTH, Answer, Members, Walk
from sandbox.drawing import drawn
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import Mail
from sandbox.local_stack.waiting import wait_until

DIVISIONS = 4


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    everyone = company.people(DIVISIONS)
    _load(walk, salesforce, everyone)
    settings = {**walk.stack.invoke("OrganizationSettingsFunction", action="get")["settings"], **SECTIONS}
    preview = _preview(walk, settings)
    walk.ask(
        "An admin of Muster saves these settings",
        lambda: walk.stack.invoke(
            "OrganizationSettingsFunction",
            action="put",
            settings=settings,
            by=ADMIN,
            why="Three assignments for Europe",
        ),
        "they are saved; still nobody has been changed",
        lambda said: said["status"] == "succeeded" and said["saved"] and not walk.members(),
    )
    walk.ask(
        "The flow in Salesforce is refreshed, for the filters ask for more fields than it watches",
        lambda: walk.stack.invoke("WebhookSetupFunction", action="refresh", by=ADMIN),
        "it watches those as well; the outbound message is as it was",
        lambda said: said["status"] == "succeeded" and said["changed"] == ["flow"],
    )
    members = _import(walk, preview)
    _show_who_was_left_out(walk, everyone, members)
    _show_seats(walk, members)
    _show_a_mail(walk, salesforce, members)
    _explain(walk)
    _let_messages_arrive(walk, salesforce)


def _load(walk: Walk, salesforce: SalesforceAdmin, everyone: Sequence[Person]) -> None:
    # As if they had been there before the outbound message was set up: only an import can find them.
    salesforce.delivery(hold=True)
    walk.ask(
        f"Salesforce: {len(everyone)} people are there, of whom no message has told",
        lambda: company.load(walk.stack, everyone),
        "it knows none of them",
        lambda ids: len(ids) == len(everyone) and not walk.members(),
    )
    walk.console.print(drawn(_people(everyone)))


def _people(everyone: Iterable[Person]) -> Table:
    """Return a company's people by department."""
    departments: dict[str, list[Person]] = defaultdict(list)
    for person in everyone:
        departments[person.department].append(person)
    rows = [
        [
            name,
            len(some),
            counts(person.country for person in some),
            counts(person.title for person in some),
        ]
        for name, some in departments.items()
    ]
    return table("Department", "People", "Countries", "Titles", rows=rows)


def _preview(walk: Walk, settings: Answer) -> Answer:
    preview = walk.ask(
        "An admin of Muster previews settings with three assignments",
        lambda: walk.stack.invoke(
            "OrganizationSettingsFunction", action="preview", settings=settings, by=ADMIN
        ),
        "it shows whom they would bring in and how far the seats go, and changes nothing",
        lambda said: said["status"] == "succeeded" and said["counts"]["created"] and not walk.members(),
    )
    walk.console.print(drawn(settings_differences.assignments(settings["assignments"])))
    walk.console.print(preview["message"], markup=False)
    walk.console.print(drawn(seats.use_table(preview["seats"])))
    walk.console.print("The first of the changes:")
    walk.console.print(drawn(plans.changes_table(preview["changes"][:5])))
    return preview


# ── The import ───────────────────────────────────────────────────────────────────────────────────────


def _import(walk: Walk, preview: Answer) -> Members:
    planned = {item["user"]: item["assignment"] for item in walk.plan(preview["run_id"])}
    walk.ask(
        "The daily import runs, as the schedule would start it",
        lambda: _with_progress(walk),
        "it has done what the preview said, person by person",
        lambda outcomes: (
            [each["status"] for each in outcomes] == ["succeeded"]
            and planned == {each["crm"]["salesforce"]["id"]: each["assignment"] for each in walk.members()}
        ),
    )
    members = walk.members()
    walk.console.print("[bold]Who got what, and why:[/bold]")
    walk.console.print(drawn(grants(SECTIONS["assignments"], members)))
    return members


def _with_progress(walk: Walk) -> list[Answer]:
    """Run the state machine; meanwhile print how far Muster says the run is."""
    walk.stack.client("stepfunctions")  # made here, since two threads must not make clients at once
    before = {run["id"] for run in walk.query("runs")["runs"]}
    told: list[str] = []
    with ThreadPoolExecutor(1) as other:
        execution = other.submit(walk.stack.run_state_machine, "ScheduledImport", mode="full")

        def tell() -> bool:
            [latest] = walk.query("runs", limit=1)["runs"]
            if latest["id"] not in before:
                message = walk.query("run", run_id=latest["id"], limit=1)["message"]
                if message not in told:
                    told.append(message)
                    walk.console.print(f"   … {message}", markup=False)
            return execution.done()

        wait_until(tell, "the end of the import", seconds=walk.patience_s)
    outcomes: list[Answer] = execution.result()["organizations"]
    return outcomes


# ── Who was left out, who waits, and why ─────────────────────────────────────────────────────────────


def _show_who_was_left_out(walk: Walk, everyone: Sequence[Person], members: Members) -> None:
    inside = {member["username"] for member in members}
    outside = [person for person in everyone if person.username not in inside]
    # One of each kind: what is true of the others is the same.
    kinds = {(person.title, person.country, person.is_active): person for person in outside}
    explained = walk.ask(
        f"An admin asks about {len(kinds)} of the {len(outside)} who were left out",
        lambda: [(person, walk.query("explain", member=person.username)) for person in kinds.values()],
        "each has a reason",
        lambda answers: all(not answer["in"] and answer["reason"] for _, answer in answers),
    )
    walk.console.print(drawn(_left_out(explained)))


def _left_out(explained: Iterable[tuple[Person, Answer]]) -> Table:
    """Return people who are not in the roster, with Muster's reasons."""
    rows = [
        [
            " ".join(filter(None, (person.first_name, person.last_name))),
            person.title,
            person.department,
            person.country,
            answer["why"],
        ]
        for person, answer in explained
    ]
    return table("Name", "Title", "Department", "Country", "Why not in the roster", rows=rows)


def _show_seats(walk: Walk, members: Members) -> None:
    holders = Counter(
        seat for member in members for seat, place in member["seats"].items() if place["state"] == "held"
    )
    said = walk.ask(
        "An admin asks for the seats",
        lambda: walk.query("seats"),
        "none was given out twice, and who got none waits in line",
        lambda said: all(
            seat["held"] == holders[name] == seat["limit"] and len(seat["line"]) == seat["waiting"] > 0
            for name, seat in said["seats"].items()
        ),
    )
    walk.console.print(drawn(seats.seats_table(said)))


def _show_a_mail(walk: Walk, salesforce: SalesforceAdmin, members: Members) -> None:
    by_id = {member["id"]: member for member in members}
    [manager, *_] = sorted(
        by_id[member["manager"]]["email"]
        for member in members
        if member["data_capture"]["record_web_conferences"]["effective"] == "enabled" and member["manager"]
    )
    [boss] = [member for member in members if member["email"] == manager]
    address = f"nina.newcomer@{CONTRACTORS_DOMAIN}"

    def join() -> list[Mail]:
        salesforce.create_user(
            FirstName="Nina",
            LastName="Newcomer",
            Email=address,
            Username=address,
            Title="Consultant, see https://evil.example/login",
            ManagerId=boss["crm"]["salesforce"]["id"],
        )
        walk.stack.run_state_machine("ScheduledImport", mode="incremental")
        return walk.stack.mails()

    [mail] = walk.ask(
        "Someone joins a team that is recorded, with a link for a title; the next import comes",
        join,
        "one manager has a mail, with no link in it; nobody was told of those who were there to begin with",
        lambda mails: [mail.recipients for mail in mails] == [(manager,)],
    )
    headings = f"To: {manager}\nSubject: {mail.subject}\n\n"
    walk.console.print(Panel(Text(headings + mail.text.rstrip()), width=WIDTH))


def _explain(walk: Walk) -> None:
    waiting = walk.query("seats")["seats"]["gong"]["line"][-1]
    explained = walk.ask(
        f"An admin asks why the web conferences of {waiting['name']} are not recorded",
        lambda: walk.query("explain", member=waiting["member"]),
        "it names the seat that is missing, and the place in line",
        lambda answer: (
            answer["seats"]["gong"]["place"] == waiting["place"]
            and "gong" in answer["data_capture"]["record_web_conferences"]["why"]
        ),
    )
    walk.console.print(drawn(explanations.explanation_table(explained)))


def _let_messages_arrive(walk: Walk, salesforce: SalesforceAdmin) -> None:
    def versions() -> dict[str, int]:
        return {member["id"]: member["version"] for member in walk.members()}

    def release() -> dict[str, int]:
        salesforce.delivery(hold=False)
        walk.until(lambda: True, "all messages delivered and applied")
        return versions()

    before = versions()
    walk.ask(
        "Salesforce: the messages about all these people arrive after all, late",
        release,
        "it has looked at each of them, and found nothing to change",
        lambda after: after == before,
    )
