"""What has become of an entry of the error log, as a table: entry, what happened since, state."""

from dataclasses import replace
from typing import Any

import pytest

from muster.insight import error_states
from muster.insight.error_states import Since
from muster.provisioning import account_errors, step_outcomes
from muster.roster.accounts import Account
from muster.roster.engage_state import Engage
from muster.roster.member import Member
from muster.roster.vault_state import Tries
from muster.runs.run import Run, Status
from tests.examples import settings
from tests.members import vault_state

AT = "2026-11-20T08:00:00.000Z"
LATER = "2026-11-20T09:00:00.000Z"
LATEST = "2026-11-20T10:00:00.000Z"


def entry(code: str, system: str = "salesforce", **values: Any) -> dict[str, Any]:
    return {"at": AT, "system": system, "record": "7", "notification": "r0", "code": code, **values}


def run(mode: Any, name: str = "r1", at: str = LATER, status: Status = Status.SUCCEEDED, **more: Any) -> Run:
    kind = "push" if mode == "push" else "import"
    given = {"id": name, "organization": "acme", "mode": mode, "kind": kind, "started_at": at, **more}
    return Run(**given, status=status)


def member(status: str | None = None, **vault: Any) -> Member:
    engage = Engage("UK", status, None)
    crm: dict[str, dict[str, str | None]] = {"vault_crm": {"id": "7"}}
    return Member(id="m", organization="acme", engage=engage, crm=crm, vault=vault_state(**vault))


TRIED = {"engage": {"since": AT, "last": AT}}


@pytest.mark.parametrize(
    ("told", "runs", "state", "by"),
    [
        (entry("import_failed"), [], "open", None),
        (entry("import_failed"), [run("incremental")], "solved", "r1"),
        (entry("import_failed"), [run("incremental", status=Status.FAILED)], "open", None),
        (entry("import_failed"), [run("incremental", at="2026-11-20T07:00:00.000Z")], "open", None),
        (entry("import_failed"), [run("full", preview=True, status=Status.PREVIEWED)], "open", None),
        (entry("import_failed"), [run("push"), run("members")], "open", None),
        # The first that succeeded has solved it.
        (entry("import_failed"), [run("full", "r2", LATEST), run("incremental")], "solved", "r1"),
        (entry("push_failed"), [run("push")], "solved", "r1"),
        (entry("push_failed"), [run("full")], "open", None),
        # Each app has pushes of its own, and Vault CRM as well.
        (entry("push_failed", "vault_crm"), [run("push", app="scim.app")], "open", None),
        (
            entry("push_failed", "scim.app"),
            [run("push"), run("push", app="scim.b")],
            "open",
            None,
        ),
        (entry("push_failed", "scim.app"), [run("push", app="scim.app")], "solved", "r1"),
        (entry("connection_maintenance", "scim.app"), [run("full")], "open", None),
        (entry("of_a_later_version", "scim.app"), [run("full")], "open", None),
        (entry("of_a_later_version", "scim.app"), [run("push", app="scim.app")], "solved", "r1"),
        (entry("held_seats"), [run("incremental")], "solved", "r1"),
        # Whoever is not understood is read again by an import of everyone, and by no other.
        (entry("source_address"), [run("incremental")], "open", None),
        (entry("source_address"), [run("full")], "solved", "r1"),
        (entry("not_written"), [run("full")], "solved", "r1"),
        # A change of settings imports nobody.
        (entry("import_failed"), [run("full", kind="settings")], "open", None),
        (entry("mail_given_up"), [run("full")], "given_up", None),
        (entry("removal_succeeded", "vault_crm"), [], "told", None),
        (entry("of_a_later_version"), [], "open", None),
    ],
)
def test_runs_solve_what_they_make_up_for(
    told: dict[str, Any], runs: list[Run], state: str, by: str | None
) -> None:
    (found,) = error_states.listed([told], Since(runs))
    assert (found.state, found.by) == (state, by)


@pytest.mark.parametrize(
    ("code", "whose", "state"),
    [
        ("request_failed", member("request_failed"), "open"),
        ("request_failed", member("success"), "solved"),
        ("invalid_group_name", member("request_sent"), "solved"),
        ("no_licenses_remaining", member("no_licenses_remaining"), "open"),
        ("request_under_way", member("request_sent"), "open"),
        ("request_under_way", member("success"), "solved"),
        ("unknown_status", member("odd__v"), "open"),
        ("unknown_status", member(None), "solved"),
        ("removal_overdue", member(None, tries=TRIED), "open"),
        ("removal_overdue", member(None), "solved"),
        ("not_written", member("success", tries=TRIED), "open"),
        ("not_written", member("success"), "solved"),
        ("request_failed", None, "solved"),
    ],
)
@pytest.mark.parametrize("named", [{"member": "m"}, {}])
def test_a_request_is_open_while_the_member_shows_it(
    code: str, whose: Member | None, state: str, named: dict[str, str]
) -> None:
    told = entry(code, "vault_crm", **named)
    since = Since([run("push"), run("full")], {"m": whose, "7": whose} if whose else {})
    (found,) = error_states.listed([told], since)
    assert found.state == state


@pytest.mark.parametrize(("waiting", "state"), [({"7"}, "open"), (set(), "solved")])
def test_who_waits_is_open_while_waiting(waiting: set[str], state: str) -> None:
    since = Since([run("full")], waiting=frozenset(waiting))
    (found,) = error_states.listed([entry("waits_for_namesake")], since)
    assert found.state == state


@pytest.mark.parametrize("code", ["licence_of_nobody", "vault_user_left_in_group"])
@pytest.mark.parametrize(("nobodys", "state"), [({"7"}, "open"), (set(), "solved")])
def test_a_licence_of_nobody_is_open_until_an_import_finds_it_no_more(
    code: str, nobodys: set[str], state: str
) -> None:
    """It is told once, so that an import does not tell it again says nothing."""
    since = Since([run("full")], nobodys=frozenset(nobodys))
    (found,) = error_states.listed([entry(code, "vault_crm")], since)
    assert found.state == state


@pytest.mark.parametrize(("vault", "state"), [({"unfit": True}, "open"), ({}, "solved")])
def test_a_link_in_doubt_is_open_while_it_is_in_doubt(vault: dict[str, Any], state: str) -> None:
    since = Since([run("full")], {"7": member("success", **vault)})
    (found,) = error_states.listed([entry("vault_user_renamed", "vault_crm")], since)
    assert found.state == state


@pytest.mark.parametrize(("pushed_at", "state"), [(LATEST, "open"), ("2026-11-21T08:00:01.000Z", "solved")])
def test_what_is_told_once_a_day_is_made_up_for_by_a_push_of_another_day(pushed_at: str, state: str) -> None:
    since = Since([run("push", at=pushed_at)])
    (found,) = error_states.listed([entry("field_not_writable", "vault_crm", record="title__sys")], since)
    assert found.state == state


def test_an_entry_that_is_told_again_is_open_once_and_says_since_when() -> None:
    again = entry("source_address", at=LATER, notification="r1")
    newest, older = error_states.listed([again, entry("source_address")], Since([run("full")]))
    assert (newest.state, newest.times, newest.first_at) == ("open", 2, AT)
    assert older.state == "repeated"


def test_a_quarantine_is_open_until_the_connection_has_recovered() -> None:
    begun = entry("connection_quarantined", "vault_crm", record=None, notification="vault_crm")
    over = {**begun, "code": "connection_recovered", "at": LATER}
    other = {**over, "system": "salesforce"}
    assert [each.state for each in error_states.listed([other, begun], Since([]))] == ["told", "open"]
    assert [each.state for each in error_states.listed([over, begun], Since([]))] == ["told", "solved"]


FAILED = Tries(since=AT, last=AT)
OWN = Account(standing="linked", id="7", active=True)
APP = settings(connections={"scim": {"app": {"host": "app.example", "who": "everyone"}}})


@pytest.mark.parametrize(
    ("code", "account", "state"),
    [
        ("account_conflict", Account(standing="conflict", why="two"), "open"),
        ("account_conflict", OWN, "solved"),
        ("account_to_adopt", Account(standing="matched", id="7"), "open"),
        ("account_to_adopt", Account(standing="ignored", id="7"), "solved"),
        ("account_no_licence", Account(full_since=AT, tries=FAILED), "open"),
        ("account_no_licence", replace(OWN, tries=FAILED, why="refused"), "solved"),
        ("account_refused", replace(OWN, tries=FAILED, why="refused"), "open"),
        ("account_refused", replace(OWN, tries=FAILED, why=step_outcomes.NO_EFFECT), "solved"),
        ("account_no_effect", replace(OWN, tries=FAILED, why=step_outcomes.NO_EFFECT), "open"),
        ("account_no_effect", OWN, "solved"),
    ],
)
def test_what_waits_in_an_app_is_shown_by_the_members_account(
    code: str, account: Account, state: str
) -> None:
    whose = Member(id="m", organization="acme", active=True, accounts={"scim.app": account})
    told = entry(code, "scim.app", member="m")
    for pushed in ([], [run("push", app="scim.app")]):
        (found,) = error_states.listed([told], Since(pushed, {"m": whose}, settings=APP))
        assert found.state == state
    # Told once more under the id that the account has got since, it is the same.
    again = {**told, "record": "8", "at": LATER}
    newest, older = error_states.listed([again, told], Since([], {"m": whose}, settings=APP))
    assert (newest.state, older.state) == (state, "repeated")
    # Of an app that is not in the settings any more nothing is left to do.
    (found,) = error_states.listed([told], Since([], {"m": whose}, settings=settings()))
    assert found.state == "solved"


# What no member's account shows, and nothing makes up for.
TOLD_OF_APPS = {"app_group_not_renamed", "app_users_of_nobody"}


@pytest.mark.parametrize("code", sorted(account_errors.CODES))
def test_whatever_is_told_of_an_app_is_open_or_told_until_something_shows_that_it_is_over(code: str) -> None:
    failing = Account(full_since=AT if code == "account_no_licence" else None, tries=FAILED)
    if code == "account_no_effect":
        failing = replace(failing, why=step_outcomes.NO_EFFECT)
    standings: dict[str, Any] = {"account_conflict": "conflict", "account_to_adopt": "matched"}
    failing = replace(failing, standing=standings.get(code, ""))
    whose = Member(id="m", organization="acme", active=True, accounts={"scim.app": failing})
    refused = frozenset({("scim.app", "7")})
    since = Since([run("push", app="scim.app")], {"m": whose}, refused_groups=refused, settings=APP)
    (found,) = error_states.listed([entry(code, "scim.app", member="m")], since)
    assert found.state == ("told" if code in TOLD_OF_APPS else "open")


@pytest.mark.parametrize(
    ("attributes", "state"),
    [({}, "open"), ({"email": "ada@acme.example"}, "solved"), ({"active": False}, "solved")],
)
def test_what_a_member_lacks_for_an_app_is_shown_by_its_attributes(
    attributes: dict[str, Any], state: str
) -> None:
    whose = replace(Member(id="m", organization="acme", active=True), **attributes)
    told = entry("account_lacks_attributes", "scim.app", member="m")
    (found,) = error_states.listed([told], Since([], {"m": whose}, settings=APP))
    assert found.state == state


@pytest.mark.parametrize(
    ("refused", "state"),
    [({("scim.app", "7")}, "open"), ({("scim.other", "7")}, "solved"), (set(), "solved"), (None, "open")],
)
def test_a_group_is_refused_as_long_as_somebody_cannot_be_put_into_it(
    refused: set[tuple[str, str]] | None, state: str
) -> None:
    since = Since(
        [run("push", app="scim.app")],
        refused_groups=None if refused is None else frozenset(refused),
        settings=APP,
    )
    (found,) = error_states.listed([entry("app_group_refused", "scim.app")], since)
    assert found.state == state
