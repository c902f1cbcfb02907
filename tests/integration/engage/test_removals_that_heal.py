"""Whatever goes wrong when a leaver's licence is taken back, in the end it is free; told once (G7, P3)."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from tests.integration.engage.licences import UPDATES, Licences

WRITE = {"path": UPDATES[1], "method": "PUT"}
FAILS = {**WRITE, "fault": "engage_fails", "count": 999}
REFUSED = {**WRITE, "fault": "fail_rows", "rows": 9, "error": "INVALID_DATA", "count": 999}

type Later = Callable[..., None]


@pytest.fixture
def later(licences: Licences, pass_time: Callable[[timedelta], None]) -> Later:
    """Return what lets time go by, for Muster and the vault."""

    def move(**by: float) -> None:
        passed = timedelta(**by)
        pass_time(passed)
        licences.vault.clock.pass_s(passed.total_seconds())
        licences.vault.log_in()

    return move


@pytest.fixture
def ada(licences: Licences) -> str:
    """Return somebody with a licence of the UK."""
    (person,) = licences.people(1)
    licences.imported()
    licences.ask(person)
    licences.push()
    assert licences.vault.used()["UK"] == 1
    return person


@pytest.fixture
def eve(licences: Licences) -> str:
    """Return somebody in Engage Connect."""
    licences.vault.group("Connect", 5, feature="engage_connect")
    (person,) = licences.people(1)
    licences.imported()
    licences.ask(person, group="Connect", feature="engage_connect")
    licences.push()
    assert licences.vault.used("engage_connect")["Connect"] == 1
    return person


def leaves(licences: Licences, person: str) -> None:
    crm_id = licences.member(person)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported("incremental")
    assert not licences.member(person)["active"]


def codes(licences: Licences) -> list[str]:
    """Return what is in the error log, the oldest first."""
    return [entry["code"] for entry in licences.company.errors()][::-1]


def removals(licences: Licences) -> int:
    return sum(group is None for _, group, _ in licences.processed())


def is_active(licences: Licences, person: str) -> bool:
    return bool(licences.vault.user(person)["status__v"] == ["active__v"])


# ── A removal that fails ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["push", "import"])
def test_a_removal_that_failed_is_tried_again_whoever_saw_it_first(
    licences: Licences, ada: str, later: Later, first: str
) -> None:
    if first == "import":
        licences.vault.control("PUT", "engage/settle", {"delay_s": 120})
    licences.faults({**FAILS, "count": 1})
    leaves(licences, ada)
    licences.push(by="schedule")
    later(minutes=8)
    licences.imported("incremental")
    assert licences.status(ada) == (None, "request_failed", "UK")
    later(minutes=7)
    licences.push(by="schedule")
    later(minutes=15)
    licences.push(by="schedule")
    assert licences.status(ada) == (None, "success", None)
    assert licences.vault.used()["UK"] == 0


def test_a_failed_status_from_before_muster_is_no_end(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.vault.update(ada, engage_group_request__v="UK")
    licences.vault.settle()
    licences.faults({**FAILS, "count": 1})
    licences.vault.update(ada, engage_group_request__v=None)
    licences.vault.settle()
    licences.faults()
    assert licences.vault.user(ada)["engage_group_provisioning_status__v"] == ["request_failed__v"]
    licences.imported()
    assert licences.status(ada) == (None, "request_failed", "UK")
    licences.push()
    assert licences.vault.used()["UK"] == 1, "who has not left is left alone"
    leaves(licences, ada)
    licences.push(by="schedule")
    assert licences.vault.used()["UK"] == 0


def test_it_is_tried_slower_and_slower_and_told_three_times(
    licences: Licences, ada: str, later: Later
) -> None:
    licences.faults(FAILS)
    leaves(licences, ada)
    tries = []
    for _ in range(40):
        licences.push(by="schedule")
        tries.append(removals(licences))
        later(minutes=15)
    # At once, at the next push, after six hours; the day after is not over yet.
    assert tries == [1, *[2] * 24, *[3] * 15]
    assert codes(licences) == ["request_failed"]
    for _ in range(9):
        later(days=1)
        licences.push(by="schedule")
        licences.push(by="schedule")
    assert removals(licences) == 12
    assert codes(licences) == ["request_failed", "removal_overdue"]
    licences.faults()
    later(days=1)
    said = licences.push(by="schedule")
    assert said["status"] == "succeeded", said
    assert codes(licences) == ["request_failed", "removal_overdue", "removal_succeeded"]
    assert licences.vault.used()["UK"] == 0
    licences.calls()
    assert licences.push()["counts"] == {}
    assert licences.calls() == []


def test_what_fails_alike_in_both_features_is_told_of_both(licences: Licences, eve: str) -> None:
    licences.ask(eve)
    licences.push()
    licences.faults({**FAILS, "count": 1})
    leaves(licences, eve)
    licences.push(by="schedule")
    (entry,) = licences.company.errors()
    assert entry["code"] == "request_failed"
    assert "Engage removal was refused" in entry["message"]
    assert "Engage Connect removal was refused" in entry["message"]
    licences.push(by="schedule")
    assert codes(licences) == ["request_failed", "removal_succeeded"]


def test_what_is_not_due_yet_costs_no_call(licences: Licences, ada: str, later: Later) -> None:
    licences.faults(FAILS)
    leaves(licences, ada)
    for _ in range(2):
        licences.push(by="schedule")
        later(minutes=15)
    licences.calls()
    assert licences.push(by="schedule")["counts"] == {}
    assert licences.calls() == []


def test_a_removal_that_engage_forgot_is_asked_for_again(licences: Licences, ada: str, later: Later) -> None:
    licences.vault.control("PUT", "engage/settle", {"delay_s": 10**9})
    leaves(licences, ada)
    licences.push(by="schedule")
    for _ in range(3):
        later(minutes=15)
        licences.push(by="schedule")
    assert licences.calls().count(UPDATES) == 2, "what is slow is not asked for once more"
    with licences.vault.vault.store.transaction() as database:
        database.execute("DELETE FROM engage_request WHERE outcome IS NULL")
    licences.vault.control("PUT", "engage/settle", {"delay_s": 0})
    later(hours=6)
    licences.push(by="schedule")
    assert licences.vault.used()["UK"] == 0


def test_a_removal_by_hand_heals_as_well(licences: Licences, ada: str, later: Later) -> None:
    licences.faults({**FAILS, "count": 2})
    licences.ask(ada, action="remove")
    for _ in range(2):
        licences.push(by="schedule")
        licences.imported("incremental")
    later(hours=6)
    licences.push(by="schedule")
    assert licences.status(ada) == (None, "success", None)
    assert licences.vault.used()["UK"] == 0


def test_who_is_wanted_in_the_group_again_is_not_taken_out(
    licences: Licences, ada: str, later: Later
) -> None:
    licences.faults({**FAILS, "count": 1})
    licences.ask(ada, action="remove")
    licences.push()
    licences.ask(ada)
    for _ in range(3):
        licences.push(by="schedule")
        later(hours=6)
    assert licences.status(ada) == ("UK", "success", "UK")
    assert removals(licences) == 1


# ── A removal that is refused, or brings nothing ─────────────────────────────────────────────────────


def test_a_refused_removal_is_told_once_and_tried_slowly(licences: Licences, ada: str, later: Later) -> None:
    licences.faults(REFUSED)
    leaves(licences, ada)
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    licences.calls()
    before = len(licences.company.history(crm_id))
    for _ in range(24):
        licences.push(by="schedule")
        later(minutes=15)
    assert licences.calls().count(UPDATES) == 2
    assert codes(licences) == ["not_written"]
    assert "tried again by itself" in licences.company.errors()[0]["remedy"]
    assert len(licences.company.history(crm_id)) == before + 1
    assert licences.status(ada) == (None, "request_failed", "UK")
    licences.faults()
    later(hours=6)
    licences.push(by="schedule")
    assert licences.vault.used()["UK"] == 0
    assert codes(licences) == ["not_written", "removal_succeeded"]


def takes_null_for_no_change(licences: Licences, also_blanks: bool = False) -> None:
    """Let the vault leave a field alone that is given no value, and if so wished an empty text as well."""

    def careless(request: requests.PreparedRequest) -> None:
        if request.method != "PUT":
            return
        ignored = (None, "") if also_blanks else (None,)
        records = json.loads(request.body or "[]")
        kept = [{name: value for name, value in record.items() if value not in ignored} for record in records]
        request.body = json.dumps(kept)
        request.headers["Content-Length"] = str(len(request.body))

    licences.wire.before = careless


def test_a_removal_that_changed_nothing_is_told_and_tried_with_an_empty_text(
    licences: Licences, ada: str
) -> None:
    takes_null_for_no_change(licences)
    leaves(licences, ada)
    said = licences.push(by="schedule")
    assert said["status"] == "succeeded_with_errors"
    assert licences.vault.used()["UK"] == 0
    assert licences.status(ada) == (None, "success", None)
    assert sorted(codes(licences)) == ["removal_not_taken", "removal_succeeded"]


def test_an_empty_text_is_tried_once(licences: Licences, ada: str, later: Later) -> None:
    takes_null_for_no_change(licences, also_blanks=True)
    leaves(licences, ada)
    licences.calls()
    for _ in range(12):
        licences.push(by="schedule")
        later(hours=1)
    # The first try with both, the second and third with the one.
    assert licences.calls().count(UPDATES) == 4
    assert codes(licences) == ["removal_not_taken"]
    licences.wire.before = lambda request: None
    later(days=1)
    licences.push(by="schedule")
    assert licences.vault.used()["UK"] == 0


@pytest.mark.parametrize("assigned", [False, True], ids=["by hand", "by an assignment"])
def test_a_refused_request_stands_whatever_is_imported_and_is_tried_slowly(
    licences: Licences, later: Later, assigned: bool
) -> None:
    (ada,) = licences.people(1)
    licences.faults(REFUSED)
    if assigned:
        licences.company.put(assignments=[{"name": "Sales", "engage": {"group": "UK"}}])
    licences.imported()
    if not assigned:
        licences.ask(ada)
    licences.calls()
    for mode in ("incremental", "full") * 6:
        licences.push(by="schedule")
        later(minutes=8)
        licences.imported(mode)
        later(minutes=7)
    assert licences.status(ada) == ("UK", "request_failed", None)
    assert licences.calls().count(UPDATES) == 2
    assert codes(licences) == ["not_written"]
    licences.faults()
    later(hours=6)
    licences.push(by="schedule")
    assert licences.status(ada) == ("UK", "success", "UK")
    assert licences.vault.used()["UK"] == 1


# ── Not inactivated while in a group ─────────────────────────────────────────────────────────────────


def test_who_is_still_in_a_group_is_not_inactivated_however_slow_connect_is(
    licences: Licences, eve: str, later: Later
) -> None:
    licences.vault.control("PUT", "engage/settle", {"delay_s": 20 * 60})
    licences.edit(eve, crm_user_status="inactive")
    for _ in range(5):
        licences.push(by="schedule")
        later(minutes=8)
        licences.imported("incremental")
        later(minutes=7)
    assert licences.vault.used("engage_connect")["Connect"] == 0
    assert not is_active(licences, eve)


def test_a_refused_removal_does_not_go_on_to_inactivate_and_its_remedy_helps(
    licences: Licences, eve: str, later: Later
) -> None:
    licences.vault.control("PUT", f"engage/connect-users/{eve}", {"state": "update_fails"})
    licences.edit(eve, crm_user_status="inactive")
    for _ in range(3):
        licences.push(by="schedule")
        later(minutes=15)
    assert is_active(licences, eve)
    (entry,) = licences.company.errors()
    assert "ask for a retry" in entry["remedy"]
    licences.calls()
    assert licences.push(by="schedule")["counts"] == {}
    assert licences.calls() == [], "whether to inactivate is looked at when the removal is tried again"
    licences.vault.control("PUT", f"engage/connect-users/{eve}", {"state": "ok"})
    said = licences.ask(eve, action="retry", feature="engage_connect")
    assert said["status"] == "succeeded", said["errors"]
    licences.push()
    assert licences.vault.used("engage_connect")["Connect"] == 0
    assert not is_active(licences, eve)


def test_by_itself_it_comes_to_the_same(licences: Licences, eve: str, later: Later) -> None:
    licences.vault.control("PUT", f"engage/connect-users/{eve}", {"state": "update_fails"})
    licences.edit(eve, crm_user_status="inactive")
    for _ in range(2):
        licences.push(by="schedule")
    licences.vault.control("PUT", f"engage/connect-users/{eve}", {"state": "ok"})
    later(hours=6)
    licences.push(by="schedule")
    assert licences.vault.used("engage_connect")["Connect"] == 0
    assert not is_active(licences, eve)


def test_a_refused_inactivation_is_told_once_and_tried_slowly(
    licences: Licences, ada: str, later: Later
) -> None:
    licences.ask(ada, action="remove")
    licences.push()
    licences.edit(ada, crm_user_status="inactive")
    licences.faults(REFUSED)
    licences.calls()
    for _ in range(12):
        licences.push(by="schedule")
        later(minutes=15)
    assert licences.calls().count(UPDATES) == 2
    assert codes(licences) == ["not_written"]
    licences.faults()
    later(hours=6)
    licences.push(by="schedule")
    assert not is_active(licences, ada)


def test_who_is_inactivated_in_a_group_that_is_not_managed_is_told(licences: Licences, eve: str) -> None:
    connections = licences.company.document["connections"]
    vault_crm = {**connections["vault_crm"], "manage_features": ["engage"]}
    licences.company.put(connections={**connections, "vault_crm": vault_crm})
    licences.edit(eve, crm_user_status="inactive")
    for _ in range(2):
        licences.push(by="schedule")
    assert not is_active(licences, eve)
    assert codes(licences) == ["inactivated_in_group"]


# ── Who has left, and who is inactive in Vault CRM ───────────────────────────────────────────────────


def test_a_leavers_vault_user_stays_inactive(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.edit(ada, crm_user_status="active")
    licences.push()
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.vault.update(ada, status__v="inactive__v")
    licences.imported("incremental")
    licences.calls()
    assert licences.push(by="schedule")["counts"] == {}
    assert not is_active(licences, ada)
    assert licences.calls() == [], "nothing is due"


def test_who_is_inactivated_in_vault_crm_gives_the_licence_back_and_gets_it_again(
    licences: Licences, ada: str, later: Later
) -> None:
    licences.vault.update(ada, status__v="inactive__v")
    licences.imported("incremental")
    licences.push(by="schedule")
    assert licences.vault.used()["UK"] == 0
    later(minutes=30)
    licences.imported("incremental")
    assert licences.status(ada) == ("UK", "success", None), "the request stands"
    licences.calls()
    assert licences.push(by="schedule")["counts"] == {}
    assert licences.calls() == []
    licences.vault.update(ada, status__v="active__v")
    licences.imported("incremental")
    licences.push(by="schedule")
    assert licences.status(ada) == ("UK", "success", "UK")


def test_nobody_who_is_inactive_in_vault_crm_is_asked_a_group(licences: Licences) -> None:
    licences.company.put(assignments=[{"name": "Sales", "engage": {"group": "UK"}}])
    ada = licences.person(status__v="inactive__v")
    licences.imported()
    licences.push()
    licences.ask(ada, action="retry")
    licences.push()
    assert licences.processed() == []
    licences.vault.update(ada, status__v="active__v")
    licences.imported("incremental")
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


def test_who_could_not_be_activated_is_asked_no_group(licences: Licences, later: Later) -> None:
    licences.vault.group("Connect", 5, feature="engage_connect")
    (ada,) = licences.people(1)
    licences.imported()
    licences.edit(ada, crm_user_status="inactive")
    licences.push()
    licences.edit(ada, crm_user_status="active")
    licences.imported("incremental")
    licences.ask(ada, group="Connect", feature="engage_connect")
    licences.faults(REFUSED)
    licences.calls()
    for _ in range(8):
        licences.push(by="schedule")
        later(minutes=15)
    assert licences.processed() == []
    assert licences.calls().count(UPDATES) == 2
    assert codes(licences) == ["not_written"]
    assert licences.status(ada, "engage_connect") == ("Connect", "retry_request", None)
    licences.faults()
    later(hours=6)
    licences.push(by="schedule")
    assert licences.status(ada, "engage_connect") == ("Connect", "success", "Connect")
