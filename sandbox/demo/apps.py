"""Chapter 7: an app and a user pool that are told: accounts made, adopted and closed, and a session ended."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from muster.presentation.tables import Table, table
from sandbox.demo.connecting import ADMIN
from sandbox.demo.walk import Answer, Members, Walk
from sandbox.drawing import drawn
from sandbox.local_stack import filling
from sandbox.local_stack.app_admin import AppAdmin
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import APP, ORGANIZATION, POOL
from sandbox.local_stack.user_pool import People, Session

SEAT = "forecast"
IN_APP, IN_POOL = f"scim.{APP}", f"cognito.{POOL}"


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    app, people, holders = AppAdmin(walk.stack), People(walk.stack), _holders(walk)
    elder, leaver, *_ = holders
    people.add(member["email"] for member in holders)
    _connect(walk, app, elder)
    _preview(walk, app, holders, elder)
    _push(walk, app, holders, elder)
    _adopt(walk, app, holders, elder)
    session = _sign_in(walk, people, holders, leaver)
    _let_one_leave(walk, salesforce, app, people, leaver, session)
    _push_nothing(walk, app)


def _holders(walk: Walk) -> Members:
    """Return who holds the seat that lets into the app."""
    return [member for member in walk.members() if member["seats"].get(SEAT, {}).get("state") == "held"]


# ── Connecting, and the first push ───────────────────────────────────────────────────────────────────


def _connect(walk: Walk, app: AppAdmin, elder: Answer) -> None:
    settings = walk.stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
    app.create_user(elder["email"], *elder["name"].split(" ", 1))

    def save() -> Answer:
        connections = filling.connections(walk.stack, who={"seat": SEAT})
        walk.console.print(f"   In the settings: connections: {json.dumps(connections)}", markup=False)
        settings["connections"] |= connections
        why = "Accounts in the app are made and closed by Muster"
        return walk.stack.invoke(
            "OrganizationSettingsFunction", action="put", settings=settings, by=ADMIN, why=why
        )

    walk.ask(
        f"There is an app with SCIM, for who holds a seat {SEAT}, and a user pool where they sign in. So far"
        f" somebody makes each account by hand; {elder['name']} has one. An admin of Muster connects both",
        save,
        "it is saved; the app was not called",
        lambda said: said["status"] == "succeeded" and said["saved"] and not app.calls(),
    )
    said = walk.ask(
        "The admin runs preflight",
        lambda: walk.stack.invoke("PreflightFunction", connections=[IN_APP, IN_POOL]),
        "the token is right, and both do what is presumed of them",
        lambda said: said["status"] == "succeeded" and said["counts"]["passed"] > 0,
    )
    walk.console.print(f"   {said['message']}", markup=False)


def _preview(walk: Walk, app: AppAdmin, holders: Members, elder: Answer) -> None:
    said = walk.ask(
        "The admin previews the first push",
        lambda: _pushed(walk, IN_APP, preview=True),
        f"it would make {len(holders) - 1} accounts, and has found {elder['name']}'s; nothing is changed",
        lambda said: (
            said["status"] == "succeeded"
            and said["counts"] == {"made": len(holders) - 1, "to_adopt": 1}
            and list(app.users()) == [elder["email"]]
        ),
    )
    _say(walk, said)


def _push(walk: Walk, app: AppAdmin, holders: Members, elder: Answer) -> None:
    others = {member["email"] for member in holders if member is not elder}
    said = walk.ask(
        "The admin pushes",
        lambda: _pushed(walk, IN_APP),
        f"{len(others)} people are in the app, in the group of their assignment; {elder['name']}'s account,"
        " which was there before, waits for a word",
        lambda said: (
            said["status"].startswith("succeeded")
            and app.users().keys() == others | {elder["email"]}
            and all(map(app.is_active, others))
            and app.groups() == _groups(holders, others)
        ),
    )
    _say(walk, said)
    walk.console.print(f"What the app's own page shows, {walk.stack.app}:", markup=False)
    walk.console.print(drawn(_app_table(app)))


def _adopt(walk: Walk, app: AppAdmin, holders: Members, elder: Answer) -> None:
    def adopt() -> Answer:
        event = {"accounts": {IN_APP: "adopt"}, "members": [elder["email"]], "by": ADMIN}
        shown = json.dumps({"organization": ORGANIZATION, **event})
        walk.console.print(f"   MemberSettingsFunction with {shown}", markup=False)
        said = walk.stack.invoke("MemberSettingsFunction", **event)
        return said if said["status"] != "succeeded" else _pushed(walk, IN_APP)

    walk.ask(
        f"The admin says that the account is {elder['name']}'s own, and pushes again",
        adopt,
        "it is kept from now on like the others: the same account, now in the group",
        lambda said: (
            said["status"].startswith("succeeded")
            and app.groups() == _groups(holders, {member["email"] for member in holders})
            and len(app.users()) == len(holders)
        ),
    )


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────


def _sign_in(walk: Walk, people: People, holders: Members, leaver: Answer) -> Session:
    session = people.sign_in(leaver["email"])
    walk.ask(
        f"{leaver['name']} signs in. The first push to the user pool runs",
        lambda: _pushed(walk, IN_POOL),
        "the users there are the members', by their addresses; none is touched, and the session goes on",
        lambda said: (
            said["status"] == "succeeded"
            and session.is_renewed()
            and all(people.is_enabled(member["email"]) for member in holders)
        ),
    )
    return session


def _let_one_leave(
    walk: Walk, salesforce: SalesforceAdmin, app: AppAdmin, people: People, leaver: Answer, session: Session
) -> None:
    following = walk.query("seats")["seats"][SEAT]["line"][0]
    successor = walk.query("member", member=following["member"])["member"]["email"]

    def leave() -> bool:
        salesforce.change_user(leaver["crm"]["salesforce"]["id"], IsActive=False)
        walk.until(
            lambda: not (app.is_active(leaver["email"]) or session.is_renewed()),
            "the end of account and session",
        )
        return people.is_enabled(leaver["email"])

    walk.ask(
        f"Salesforce: {leaver['name']} is deactivated",
        leave,
        "the account is closed and the session has ended, within seconds and without a push; who signs in"
        " is refused",
        lambda is_enabled: not is_enabled,
    )
    walk.ask(
        "The next push runs, as the schedule would start it",
        lambda: _next_push(walk),
        f"{following['name']}, who was first in line for the seat, is in the app, and {leaver['name']} in no"
        " group any more",
        lambda statuses: (
            statuses == ["succeeded"]
            and app.is_active(successor)
            and leaver["email"] not in set().union(*app.groups().values())
        ),
    )
    walk.console.print(drawn(_app_table(app)))


def _push_nothing(walk: Walk, app: AppAdmin) -> None:
    before = app.calls()
    walk.ask(
        "The push after that runs",
        lambda: _next_push(walk),
        "there was nothing left to do: the app was not called",
        lambda statuses: statuses == ["succeeded"] and app.calls() == before,
    )


# ── What the steps are made of ───────────────────────────────────────────────────────────────────────


def _pushed(walk: Walk, connection: str, **event: Any) -> Answer:
    asked = {"connections": [connection], **event, "by": ADMIN}
    shown = json.dumps({"organization": ORGANIZATION, **asked})
    walk.console.print(f"   ScheduledPushFunction with {shown}", markup=False)
    return walk.stack.invoke("ScheduledPushFunction", **asked)


def _next_push(walk: Walk) -> list[str]:
    """Push to every connection, one after the other; return how that ended for each organization."""
    outcomes = walk.stack.run_state_machine("ScheduledPush")["organizations"]
    return [outcome["status"] for outcome in outcomes]


def _groups(members: Members, emails: set[str]) -> Mapping[str, set[str]]:
    """Return the groups that there are to be: one for each assignment of these."""
    names = {member["assignment"] for member in members if member["email"] in emails}
    return {
        name: {each["email"] for each in members if each["assignment"] == name and each["email"] in emails}
        for name in names
    }


def _say(walk: Walk, answer: Answer) -> None:
    for line in (answer["message"], *answer.get("summary", ())):
        walk.console.print(f"   {line}", markup=False)


def _app_table(app: AppAdmin) -> Table:
    """Return who is in the app, as its page shows them."""
    groups = app.groups()

    def own(user_name: str) -> str:
        return ", ".join(name for name, members in groups.items() if user_name in members)

    users: Iterable[tuple[str, Answer]] = sorted(app.users().items())
    rows = [
        [user["displayName"], name, own(name), "active" if user["active"] else "closed"]
        for name, user in users
    ]
    return table("Name", "User name", "Groups", "Account", rows=rows)
