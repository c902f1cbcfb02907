"""Chapter 6: Engage licences that would be lost: a removal that fails, and a licence that nobody has."""

from sandbox import tables
from sandbox.demo.licences import BRITISH, ENGAGE, KEY_ACCOUNTS, as_they_are, has_user, is_used_by, run_push
from sandbox.demo.walk import Answer, Walk
from sandbox.local_stack.salesforce_admin import SalesforceAdmin
from sandbox.local_stack.vault_admin import VaultAdmin

# Of an agency: no user of Salesforce, so no member.
STRANGER = {
    "username__sys": "kim.lee@agency.example",
    "email__sys": "kim.lee@agency.example",
    "first_name__sys": "Kim",
    "last_name__sys": "Lee",
    "engage_group_request__v": KEY_ACCOUNTS,
}


def take(walk: Walk, salesforce: SalesforceAdmin) -> None:
    """Take every step; raises `WalkEnded`."""
    vault = VaultAdmin(walk.stack)
    _let_a_removal_fail(walk, salesforce, vault)
    _clear(walk, vault, _find_a_licence_of_nobody(walk, vault))


def _let_a_removal_fail(walk: Walk, salesforce: SalesforceAdmin, vault: VaultAdmin) -> None:
    leaver = next(member for member in walk.members() if member[ENGAGE]["group"] == BRITISH)
    walk.console.print(f"\nSalesforce: {leaver['name']}, who is in the group {BRITISH}, is deactivated.")
    salesforce.change_user(leaver["crm"]["salesforce"]["id"], IsActive=False)
    walk.until(lambda: not as_they_are(walk, [leaver])[0]["active"], "the member's deactivation")
    vault.fail_next_request()
    after = run_push(
        walk,
        f"The next push runs, and the Engage server fails to take {leaver['name']} out of the group",
        "it is told, and nobody has to do anything",
        [leaver],
        lambda after: (
            (after[0][ENGAGE]["status"], after[0][ENGAGE]["group"]) == ("request_failed", BRITISH)
            and is_used_by(vault, BRITISH, leaver)
        ),
    )
    _show(walk, leaver, after[0])
    after = run_push(
        walk,
        "The push after that runs",
        f"{leaver['name']} is in no group any more, and the licence is free: what failed was tried again",
        [leaver],
        lambda after: not after[0][ENGAGE]["group"] and not is_used_by(vault, BRITISH, leaver),
    )
    _show(walk, leaver, after[0])


def _show(walk: Walk, leaver: Answer, after: Answer) -> None:
    """Show somebody's licences, and what the error log said last."""
    walk.console.print(tables.licences([after]))
    names = {leaver["crm"]["vault_crm"]["id"]: leaver["name"]}
    walk.console.print(tables.errors(walk.query("errors", limit=1)["log"], names))


def _find_a_licence_of_nobody(walk: Walk, vault: VaultAdmin) -> Answer:
    """Return the user of Vault CRM, as it is listed."""

    def find() -> Answer:
        [user] = vault.create_users([STRANGER])
        walk.until(lambda: has_user(vault, KEY_ACCOUNTS, user), "the Engage server's outcome")
        return _import_and_list(walk)

    said = walk.ask(
        f"Vault CRM: {STRANGER['username__sys']}, who is nobody in Salesforce, is in a group."
        " The next import runs, and an admin asks who has a licence",
        find,
        "there is one that belongs to nobody, and what to do about it",
        lambda said: [user["username"] for user in said["nobody"]] == [STRANGER["username__sys"]],
    )
    walk.console.print(tables.licence_use(said["groups"]))
    walk.console.print(tables.licences_of_nobody(said["nobody"]))
    found: Answer = said["nobody"][0]
    return found


def _clear(walk: Walk, vault: VaultAdmin, found: Answer) -> None:
    def clear() -> Answer:
        vault.change_user(found["user"], engage_group_request__v=None)
        walk.until(lambda: not has_user(vault, KEY_ACCOUNTS, found["user"]), "the Engage server's outcome")
        return _import_and_list(walk)

    said = walk.ask(
        "An admin of Vault CRM does that. The next import runs",
        clear,
        "every licence has a name again",
        lambda said: said["nobody"] == [] and not any(group["nobody"] for group in said["groups"]),
    )
    walk.console.print(tables.licence_use(said["groups"]))


def _import_and_list(walk: Walk) -> Answer:
    walk.console.print('   ScheduledImport with {"mode": "incremental"}')
    walk.stack.run_state_machine("ScheduledImport", mode="incremental")
    walk.console.print('   RosterQueryFunction with {"action": "licences"}')
    return walk.query("licences")
