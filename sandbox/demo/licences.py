"""Chapter 5: Engage licences of Vault CRM, asked for, waited for, and taken back from who leaves."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox import company, tables
from sandbox.company import DOMAIN, Person
from sandbox.demo.connecting import ADMIN
from sandbox.demo.importing import DIVISIONS
from sandbox.demo.walk import Answer, Members, Walk
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.stack import ORGANIZATION
from sandbox.local_stack.vault_admin import VaultAdmin

BRITISH, GERMAN, KEY_ACCOUNTS = "UK Field Force", "DE Field Force", "UK Key Accounts"
ONLINE = "Field Force Online"
ENGAGE, CONNECT = "engage", "engage_connect"
# What one person is to be asked for is not spelled as on the Engage server.
MISSPELLED = KEY_ACCOUNTS.removesuffix("s")
# So many of the first German team have been in their group for long.
GERMANS_IN_GROUPS = 3


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    vault = VaultAdmin(walk.stack)
    british, in_groups = _load(walk, vault)
    _manage(walk)
    _import(walk, vault, in_groups)
    asked = [walk.query("member", member=person.username)["member"] for person in british]
    _ask_for_groups(walk, vault, asked)
    _push(walk, vault, asked)
    _mend(walk, vault, asked)
    left, waiting = _let_one_leave(walk, salesforce, asked)
    _push_the_leaving(walk, vault, left, waiting)
    _push_nothing(walk, vault)


# ── What is there ────────────────────────────────────────────────────────────────────────────────────


def _load(walk: Walk, vault: VaultAdmin) -> tuple[Sequence[Person], Sequence[str]]:
    """Make users and groups in Vault CRM; return five who are in none, and the usernames of those in one."""
    sales = [
        person
        for person in company.people(DIVISIONS)
        if person.department == "Sales" and person.domain == DOMAIN and person.is_active and person.first_name
    ]
    members = {member["username"] for member in walk.members()}  # one has left in the chapter before
    british, germans = (
        [person for person in sales if person.country == country and person.username in members]
        for country in ("GB", "DE")
    )
    groups = dict.fromkeys((person.username for person in germans[:GERMANS_IN_GROUPS]), GERMAN)
    groups[british[0].username] = BRITISH

    def load() -> list[Answer]:
        vault.put_group(BRITISH, 4)
        vault.put_group(GERMAN, 20)
        vault.put_group(KEY_ACCOUNTS, 2)
        vault.put_group(ONLINE, None, feature=CONNECT)
        vault.create_users(_user(person, groups.get(person.username)) for person in sales)
        walk.until(lambda: len(vault.requests()) == len(groups), "the Engage server's outcomes")
        return [member for member in walk.members() if any(member[ENGAGE].values())]

    walk.ask(
        f"Vault CRM: {len(sales)} people of Sales are there too, {len(groups)} of them in groups of Engage",
        load,
        "nothing of it is known, since nothing has been imported from Vault CRM",
        lambda known: not known,
    )
    _show_groups(walk, vault)
    return british[1:6], list(groups)


def _user(person: Person, group: str | None) -> dict[str, Any]:
    return {
        "username__sys": person.username,
        "email__sys": person.username,
        "first_name__sys": person.first_name,
        "last_name__sys": person.last_name,
        "country_code__v": person.country,
    } | ({"engage_group_request__v": group} if group else {})


def _manage(walk: Walk) -> None:
    settings = walk.stack.invoke("OrganizationSettingsFunction", action="get")["settings"]
    settings["connections"]["vault_crm"]["manage_features"] = [ENGAGE, CONNECT]

    def save() -> Answer:
        managed = "connections: {vault_crm: {manage_features: [engage, engage_connect]}}"
        walk.console.print(f"   In the settings: {managed}", markup=False)
        why = "Engage licences are given out and taken back by Muster"
        return walk.stack.invoke(
            "OrganizationSettingsFunction", action="put", settings=settings, by=ADMIN, why=why
        )

    walk.ask(
        "An admin of Muster has it manage Engage and Engage Connect",
        save,
        "it is saved; from now on groups can be asked for, and are pushed",
        lambda said: said["status"] == "succeeded" and said["saved"],
    )


def _import(walk: Walk, vault: VaultAdmin, in_groups: Sequence[str]) -> None:
    before = vault.requests()
    users = {user["email__sys"]: user for user in vault.query("SELECT id, email__sys FROM user__sys")}

    def imported() -> tuple[str, Members]:
        walk.console.print('   ScheduledImport with {"mode": "full"}')
        outcomes = walk.stack.run_state_machine("ScheduledImport", mode="full")["organizations"]
        return outcomes[0]["status"], [member for member in walk.members() if member["email"] in users]

    _, linked = walk.ask(
        "The daily import runs",
        imported,
        "each member who is in Vault CRM is linked to the user there, and shows the user's group and status;"
        " Vault CRM was asked for nothing",
        lambda found: (
            found[0] == "succeeded"
            and all(each["crm"]["vault_crm"]["id"] == users[each["email"]]["id"] for each in found[1])
            and sorted(each["username"] for each in found[1] if _is_in_a_group(each)) == sorted(in_groups)
            and vault.requests() == before
        ),
    )
    walk.console.print(
        f"{len(linked)} are linked. Nobody is added for the other {len(users) - len(linked)} users:"
        " members come from Salesforce only. Who is in a group:"
    )
    walk.console.print(tables.licences(linked))


def _is_in_a_group(member: Answer) -> bool:
    return bool(member[ENGAGE]["group"] and member[ENGAGE]["status"] == "success")


# ── Asking, pushing, mending ─────────────────────────────────────────────────────────────────────────


def _ask_for_groups(walk: Walk, vault: VaultAdmin, asked: Members) -> None:
    wanted = [*((member, ENGAGE, BRITISH) for member in asked[:4]), (asked[4], ENGAGE, MISSPELLED)]
    wanted += [(member, CONNECT, ONLINE) for member in asked[:2]]
    # Nobody has told Muster; Vault CRM will.
    vault.set_up_in_connect(asked[1]["crm"]["vault_crm"]["id"], done=False)
    _assign(
        walk,
        vault,
        f"An admin asks for groups for {len(asked)} people, misspells one, and does not know that"
        f" {asked[1]['name']} is not set up for Engage Connect",
        [_asked(member, "assign", feature, group=group) for member, feature, group in wanted],
    )


def _push(walk: Walk, vault: VaultAdmin, asked: Members) -> None:
    expected = {
        ENGAGE: {"success": 3, "no_licenses_remaining": 1, "invalid_group_name": 1},
        CONNECT: {"success": 1, "user_not_in_connect": 1, None: 3},
    }
    after = run_push(
        walk,
        "The next push runs, as the schedule would start it",
        "it has asked Vault CRM for each, waited for the outcome, and shows it",
        asked,
        lambda after: (
            {feature: Counter(member[feature]["status"] for member in after) for feature in expected}
            == expected
        ),
    )
    walk.console.print(tables.licences(after))
    _show_groups(walk, vault)
    names = {member["crm"]["vault_crm"]["id"]: member["name"] for member in asked}
    log = walk.ask(
        "An admin looks into the error log",
        lambda: [entry for entry in walk.query("errors")["log"] if entry["system"] == "vault_crm"],
        "it names who did not get what was asked for, and says what to do",
        lambda log: len(log) == 3 and all(entry["record"] in names for entry in log),
    )
    walk.console.print(tables.errors(log, names))


def _mend(walk: Walk, vault: VaultAdmin, asked: Members) -> None:
    misspelled, missing = asked[4], asked[1]
    walk.console.print(f"\nVault CRM: {missing['name']} is set up for Engage Connect.")
    vault.set_up_in_connect(missing["crm"]["vault_crm"]["id"])
    _assign(
        walk,
        vault,
        f"An admin corrects the group's name for {misspelled['name']} and has {missing['name']} sent again",
        [
            _asked(misspelled, "assign", ENGAGE, group=KEY_ACCOUNTS),
            _asked(missing, "retry", CONNECT),
        ],
    )
    after = run_push(
        walk,
        "The next push runs",
        "both are in their groups; who waits for a licence still waits",
        asked,
        lambda after: (
            after[4][ENGAGE] == _in(KEY_ACCOUNTS)
            and after[1][CONNECT] == _in(ONLINE)
            and Counter(member[ENGAGE]["status"] for member in after)
            == {"success": 4, "no_licenses_remaining": 1}
        ),
    )
    walk.console.print(tables.licences(after))


# ── Leaving ──────────────────────────────────────────────────────────────────────────────────────────


def _let_one_leave(walk: Walk, salesforce: SalesforceAdmin, asked: Members) -> tuple[Answer, Answer]:
    """Return who has left, still in the groups, and who waits for a licence."""
    people = as_they_are(walk, asked)
    leaver = next(each for each in people if each[ENGAGE]["group"] == BRITISH and each[CONNECT]["group"])
    waiting = next(each for each in people if each[ENGAGE]["status"] == "no_licenses_remaining")

    def leave() -> Answer:
        salesforce.change_user(leaver["crm"]["salesforce"]["id"], IsActive=False)
        walk.until(lambda: not as_they_are(walk, [leaver])[0]["active"], "the member's deactivation")
        return as_they_are(walk, [leaver])[0]

    left = walk.ask(
        f"Salesforce: {leaver['name']}, who is in groups of both features, is deactivated",
        leave,
        "the member is deactivated and asks for no group any more, which is still to be sent",
        lambda left: all(
            left[feature] == {**leaver[feature], "request": None, "status": "retry_request"}
            for feature in (ENGAGE, CONNECT)
        ),
    )
    return left, waiting


def _push_the_leaving(walk: Walk, vault: VaultAdmin, left: Answer, waiting: Answer) -> None:
    def preview() -> Answer:
        event = {"preview": True, "by": ADMIN}
        walk.console.print(f"   ScheduledPushFunction with {json.dumps(event)}", markup=False)
        return walk.stack.invoke("ScheduledPushFunction", **event)

    previewed = walk.ask(
        "An admin previews the next push",
        preview,
        "it would take one person out of the groups, and give the licence to who waits for it",
        lambda said: (
            [(each["member"], each["does"], each["if_freed"]) for each in said["changes"]]
            == [(left["id"], "removal", None), (waiting["id"], "addition", ENGAGE)]
        ),
    )
    walk.console.print(tables.sendings(previewed["changes"]))
    after = run_push(
        walk,
        "The next push runs",
        f"{left['name']} is in no group any more, and {waiting['name']}, who waited, has the licence;"
        " nobody had to ask",
        [left, waiting],
        lambda after: (
            not (after[0][ENGAGE]["group"] or after[0][CONNECT]["group"])
            and after[1][ENGAGE] == _in(BRITISH)
            and is_used_by(vault, BRITISH, waiting)
            and not is_used_by(vault, BRITISH, left)
        ),
    )
    walk.console.print("Before:")
    walk.console.print(tables.licences([left, waiting]))
    walk.console.print("After:")
    walk.console.print(tables.licences(after))
    _show_groups(walk, vault)


def _push_nothing(walk: Walk, vault: VaultAdmin) -> None:
    before = walk.members(active="any"), vault.requests()
    walk.ask(
        "The push after that runs",
        lambda: walk.stack.run_state_machine("ScheduledPush")["organizations"],
        "there was nothing left to do: Vault CRM was asked for nothing, and not one member was written",
        lambda outcomes: (
            [outcome["status"] for outcome in outcomes] == ["succeeded"]
            and (walk.members(active="any"), vault.requests()) == before
        ),
    )


# ── What the steps are made of ───────────────────────────────────────────────────────────────────────


def _asked(member: Answer, action: str, feature: str, **group: str) -> Answer:
    return {"member": member["email"], "action": action, "feature": feature, **group}


def _assign(walk: Walk, vault: VaultAdmin, done: str, requests: Sequence[Answer]) -> None:
    """Have requests for groups taken up, which sends nothing yet, and show them."""
    before = vault.requests()

    def assign() -> Answer:
        walk.console.print("   GroupAssignmentFunction, with these requests:")
        for request in requests[:2]:
            walk.console.print(f" {json.dumps(request)}", markup=False)
        if further := len(requests) - 2:
            walk.console.print(f" … and {further} more like these")
        return walk.stack.invoke("GroupAssignmentFunction", by=ADMIN, requests=requests)

    said = walk.ask(
        done,
        assign,
        "it has taken all of that up, and sends nothing before the next push",
        lambda said: (
            said["status"] == "succeeded"
            and {result["status"] for result in said["results"]} == {"retry_request"}
            and len(said["results"]) == len(requests)
            and vault.requests() == before
        ),
    )
    names = {member["id"]: member["name"] for member in walk.members()}
    walk.console.print(tables.group_requests(said["results"], names))


def run_push(
    walk: Walk, done: str, expected: str, people: Members, holds: Callable[[Members], bool]
) -> Members:
    """Run the state machine of pushes; return these people as they are afterwards."""

    def push() -> tuple[str, Members]:
        by_hand = json.dumps({"organization": ORGANIZATION, "by": ADMIN})
        walk.console.print(f"   ScheduledPush; by hand, ScheduledPushFunction with {by_hand}", markup=False)
        outcomes = walk.stack.run_state_machine("ScheduledPush")["organizations"]
        return outcomes[0]["status"], as_they_are(walk, people)

    _, after = walk.ask(
        done, push, expected, lambda found: found[0].startswith("succeeded") and holds(found[1])
    )
    [run] = walk.query("runs", limit=1)["runs"]
    walk.console.print(f"   The run says: {run['message']}", markup=False)
    return after


def as_they_are(walk: Walk, people: Iterable[Answer]) -> Members:
    """Return these members as they are now."""
    return [walk.query("member", member=member["id"])["member"] for member in people]


def _in(group: str) -> Answer:
    return {"request": group, "status": "success", "group": group}


def is_used_by(vault: VaultAdmin, group: str, member: Answer) -> bool:
    """Tell whether the Engage server has the member in a group of Engage."""
    return has_user(vault, group, member["crm"]["vault_crm"]["id"])


def has_user(vault: VaultAdmin, group: str, user: str) -> bool:
    """Tell whether the Engage server has a user of Vault CRM (id) in a group of Engage."""
    [found] = [each for each in vault.groups() if each["name"] == group]
    return user in found["members"]


def _show_groups(walk: Walk, vault: VaultAdmin) -> None:
    users = vault.query("SELECT id, name__v FROM user__sys")
    names = {user["id"]: user["name__v"] for user in users}
    found = [(feature, group) for feature in (ENGAGE, CONNECT) for group in vault.groups(feature)]
    walk.console.print("The groups, as the Engage server has them:")
    walk.console.print(tables.groups(found, names))
