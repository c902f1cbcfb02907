"""What pushes to an app came to: the roster, and who is in the app, as what and in which groups.

To be compared with another run, and with one another: at rest the app has who is active by the roster.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from muster.provisioning import account_errors
from muster.roster import accounts as of_accounts
from muster.roster.accounts import Account
from muster.roster.member import Member
from tests.simulation.apps.company import APP, AppCompany
from tests.simulation.harness.subject import Said
from tests.simulation.imports import results as import_results
from tests.simulation.imports.results import ImportResult

# What the error log says of calls that failed once; what is left of it, the roster says.
_PASSING = account_errors.CODES - {account_errors.CONFLICTING, account_errors.TO_ADOPT}
# What waits for a person.
_LEFT_ALONE = ("to_adopt", "conflict", "ignored")
_SHOWN = ("userName", "name", "displayName", "emails", "title", "active")


@dataclass(frozen=True, slots=True)
class AppResult:
    """Where a company and its app stand; everyone by first name."""

    roster: ImportResult = field(default_factory=ImportResult)
    app: dict[str, Said] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def differences(self, other: "AppResult") -> Iterator[str]:
        """Yield in what another run came to something else."""
        yield from self.roster.differences(other.roster)
        for name in ("app", "groups"):
            mine, its = getattr(self, name), getattr(other, name)
            for key in sorted({*mine, *its}):
                if mine.get(key) != its.get(key):
                    yield f"{name}, {key}: {mine.get(key)} became {its.get(key)}"


def result(apps: AppCompany) -> AppResult:
    """Return where the company and its app stand; ids are luck, and whether leavers ever had accounts."""
    roster = import_results.result(apps)
    members = {
        name: {
            **shown,
            "accounts": {
                app: each["state"] for app, each in shown.get("accounts", {}).items() if shown["active"]
            },
        }
        for name, shown in roster.members.items()
    }
    users = {
        apps.name_in_app(user): {name: user.get(name) for name in _SHOWN}
        for user in apps.users_of_app()
        if user.get("active") is not False
    }
    return AppResult(
        replace(roster, members=members, errors=roster.errors - _PASSING), users, apps.in_groups()
    )


# ── What must be so ──────────────────────────────────────────────────────────────────────────────


def broken(apps: AppCompany) -> Iterator[str]:
    """Yield what must not be so at any moment."""
    yield from import_results.broken(apps)
    roster = apps.roster()
    linked = {
        (*account, member.id)
        for member in roster.members.values()
        for account in of_accounts.linked(member.accounts)
    }
    if linked != {(*account, member) for account, member in roster.accounts.items()}:
        yield f"accounts belong to {roster.accounts}, and members have {sorted(linked)}"
    for user, as_it_was in apps.strangers.items():
        adopted = any(account == user for _, account, _ in linked)
        if not adopted and apps.stranger_now(user) != as_it_was:
            yield f"a stranger was {as_it_was}, and is {apps.stranger_now(user)}"


def untrue(apps: AppCompany) -> Iterator[str]:
    """Yield where the app at rest has others than the roster says, or the roster knows it otherwise."""
    yield from import_results.untrue(apps)
    users = {user["id"]: user for user in apps.users_of_app()}
    known: set[str] = set()
    for member in apps.roster().members.values():
        account = member.accounts.get(APP, Account())
        own = {user for user, each in users.items() if each.get("externalId") == member.id}
        own |= {account.id} & users.keys() if account.is_linked else set()
        known |= own
        yield from _untrue(apps, member, account, [users[each] for each in sorted(own)])
    for user in users.keys() - known - apps.strangers.keys():
        yield f"{apps.name_in_app(users[user])} is nobody's, and was not there before"
    names = Counter(each["displayName"] for each in apps.groups_of_app())
    if several := [name for name, count in names.items() if count > 1]:
        yield f"there are several groups {several}"


def _untrue(apps: AppCompany, member: Member, account: Account, own: list[Said]) -> Iterator[str]:
    name = apps.name_of(member.crm["salesforce"]["id"])
    if member.changed_for or of_accounts.due(member.accounts, member.changed_for):
        yield f"a push still has to look at {name}"
    if len(own) > 1:
        yield f"{name} has {len(own)} accounts"
        return
    is_in = member.active and _is_in_scope(apps, member) and account.state not in _LEFT_ALONE
    is_let_in = bool(own) and own[0].get("active") is not False
    if is_in != is_let_in:
        yield f"{name} is {'' if is_let_in else 'not '}let in by the app"
    if not own:
        if account.is_linked and account.access != "deleted":
            yield f"{name} has {account}, and there is none"
        return
    if (account.id, account.state) != (own[0]["id"], "active" if is_in else "inactive"):
        yield f"{name} has {account.shown()}, and there is {own[0]['id']}"
    groups = apps.groups_of(own[0]["id"])
    if groups != ([member.assignment] if is_in else []):
        yield f"{name} is in the groups {groups}, and should be in {member.assignment}"
    if is_in:
        shown = own[0]["userName"], own[0].get("title"), own[0]["name"]["givenName"]
        if shown != (member.email, member.title, member.first_name):
            yield f"{name} is shown as {shown}"


def _is_in_scope(apps: AppCompany, member: Member) -> bool:
    who = apps.document["connections"]["scim"]["app"]["who"]
    return who == "everyone" or member.assignment in who["assignments"]
