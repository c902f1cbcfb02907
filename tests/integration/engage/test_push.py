"""A push, from what an admin asks for to what Vault CRM has made of it (P1 to P5, G6 to G8)."""

from typing import Any

from tests.integration.engage.licences import UPDATES, Licences


def updates(calls: list[tuple[str, str]]) -> int:
    return calls.count(UPDATES)


def test_an_import_links_people_and_shows_their_groups(licences: Licences) -> None:
    ada, bob = licences.people(2)
    licences.vault.update(ada, engage_group_request__v="UK")
    licences.vault.settle()
    said = licences.imported()
    assert said["vault_crm"]["read"] >= 2
    assert licences.status(ada) == ("UK", "success", "UK")
    assert licences.status(bob) == (None, None, None)
    written = licences.company.items()
    assert licences.imported()["counts"] == {}
    assert licences.company.items() == written


def test_what_is_asked_for_is_sent_once_and_its_outcome_is_read(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    assert licences.status(ada) == ("UK", "retry_request", None)
    said = licences.push()
    assert said["status"] == "succeeded", said
    assert licences.status(ada) == ("UK", "success", "UK")
    assert licences.processed() == [(ada, "UK", "success__v")]
    licences.calls()
    assert licences.push()["counts"] == {}
    assert licences.calls() == []


def test_a_licence_that_is_freed_goes_to_who_waits_in_the_same_push(licences: Licences) -> None:
    people = licences.people(3)
    licences.imported()
    licences.ask(*people)
    assert licences.push()["status"] == "succeeded_with_errors"
    states = {person: licences.status(person)[1] for person in people}
    assert sorted(str(each) for each in states.values()) == ["no_licenses_remaining", "success", "success"]
    (waiting,) = [person for person, state in states.items() if state != "success"]
    leaver = next(person for person in people if person != waiting)
    crm_id = licences.member(leaver)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported("incremental")
    said = licences.push()
    assert said["counts"]["removed"] == 1, said
    assert licences.status(leaver) == (None, "success", None)
    assert licences.status(waiting) == ("UK", "success", "UK")
    assert licences.vault.used() == {"UK": 2}


def test_each_refusal_is_told_with_what_to_do(licences: Licences) -> None:
    wrong, missing = licences.people(2)
    licences.imported()
    licences.vault.group("Connect", 5, feature="engage_connect")
    licences.vault.control("PUT", f"engage/connect-users/{missing}", {"state": "missing"})
    licences.ask(wrong, group="Nowhere")
    licences.ask(missing, group="Connect", feature="engage_connect")
    said = licences.push()
    assert said["status"] == "succeeded_with_errors"
    assert licences.status(wrong)[1] == "invalid_group_name"
    assert licences.status(missing, "engage_connect")[1] == "user_not_in_connect"
    codes = {entry["code"]: entry["record"] for entry in licences.company.errors()}
    assert codes == {"invalid_group_name": wrong, "user_not_in_connect": missing}
    licences.ask(wrong)
    licences.vault.control("PUT", f"engage/connect-users/{missing}", {"state": "ok"})
    licences.ask(missing, action="retry", feature="engage_connect")
    assert licences.push()["status"] == "succeeded"
    assert licences.status(wrong) == ("UK", "success", "UK")
    assert licences.status(missing, "engage_connect") == ("Connect", "success", "Connect")


def test_who_is_set_inactive_leaves_both_groups_before_the_user_is_inactivated(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.vault.group("Connect", 5, feature="engage_connect")
    licences.ask(ada)
    licences.ask(ada, group="Connect", feature="engage_connect")
    licences.push()
    licences.edit(ada, crm_user_status="inactive")
    said = licences.push()
    assert said["counts"]["inactivated"] == 1, said
    row: dict[str, Any] = licences.vault.user(ada)
    assert row["status__v"] == ["inactive__v"]
    assert (row["engage_group__v"], row["engage_connect_group__v"]) == (None, None)
    licences.calls()
    assert licences.push()["counts"] == {}
    assert licences.calls() == []


def test_a_preview_sends_nothing(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    before = licences.company.items()
    said = licences.push(preview=True)
    assert said["counts"] == {"added": 1}
    assert [each["does"] for each in said["changes"]] == ["addition"]
    assert licences.company.items() == before
    assert licences.processed() == []


def test_five_hundred_go_into_one_write(licences: Licences) -> None:
    licences.vault.group("All", 600)
    people = licences.people(6)
    licences.imported()
    licences.ask(*people, group="All")
    licences.calls()
    licences.push()
    assert updates(licences.calls()) == 1


def test_a_push_is_shown_with_its_plan_and_what_can_be_done_about_it(licences: Licences) -> None:
    licences.company.put(guard={"floor": 0, "count": 0, "percent": 0, "operations": {"grant": {}}})
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    parked = licences.push()
    assert parked["status"] == "parked"
    assert licences.processed() == []
    shown = licences.company.ask("run", run_id=parked["run_id"])
    assert [(item["does"], item["user"]) for item in shown["items"]] == [("addition", ada)]
    assert {step["function"] for step in shown["to_do"]} == {"ScheduledPushFunction"}
    event = shown["to_do"][0]["event"]
    said = licences.push(**{name: event[name] for name in ("approve", "plan_hash")})
    assert said["counts"] == {"added": 1, "success": 1}
    assert licences.status(ada) == ("UK", "success", "UK")


def test_an_approval_holds_for_the_plan_that_was_shown(licences: Licences) -> None:
    licences.company.put(guard={"floor": 0, "count": 0, "percent": 0, "operations": {"grant": {}}})
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(ada)
    parked = licences.push()
    assert licences.push()["run_id"] == parked["run_id"], "the same plan waits once"
    licences.ask(bob)
    said = licences.push(approve=parked["run_id"])
    assert said["status"] == "rejected"
    assert licences.processed() == []


def test_many_leavers_wait_for_a_word(licences: Licences) -> None:
    licences.company.put(
        guard={"floor": 1, "count": 0, "percent": 0, "operations": {"deactivate": {"count": 9}}}
    )
    licences.vault.group("All", 9)
    people = licences.people(2)
    licences.imported()
    licences.ask(*people, group="All")
    licences.push()
    for person in people:
        licences.edit(person, crm_user_status="inactive")
    said = licences.push()
    assert (said["status"], said["counts"]) == ("parked", {"removed": 2, "inactivated": 2})
    assert licences.vault.used()["All"] == 2
    said = licences.push(reject=said["run_id"], by="jane")
    assert said["status"] == "succeeded"
    assert licences.vault.used()["All"] == 2


def test_who_asks_now_comes_after_who_waits(licences: Licences) -> None:
    licences.vault.group("UK", 1)
    ada, bob, carol = licences.people(3)
    licences.imported()
    licences.ask(ada)
    licences.push()
    licences.ask(bob)
    licences.push()
    assert licences.status(bob)[1] == "no_licenses_remaining"
    licences.ask(ada, action="remove")
    licences.ask(carol)
    licences.vault.control("PUT", "engage/settle", {"delay_s": 60})
    for _ in range(3):
        licences.push()
        licences.vault.clock.pass_s(60)
    licences.vault.control("PUT", "engage/settle", {"delay_s": 0})
    licences.push()
    assert [licences.status(each)[2] for each in (ada, bob, carol)] == [None, "UK", None]
    assert licences.status(carol)[1] == "no_licenses_remaining"
    outcomes = [(person, outcome) for person, group, outcome in licences.processed() if group][1:]
    assert outcomes.index((bob, "success__v")) < outcomes.index((carol, "no_licenses_remaining__v"))


def test_who_is_inactive_in_vault_crm_cannot_leave_connect_and_leaves_it_once_active(
    licences: Licences,
) -> None:
    licences.vault.group("Connect", 5, feature="engage_connect")
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada, group="Connect", feature="engage_connect")
    licences.push()
    licences.vault.update(ada, status__v="inactive__v")
    crm_id = licences.member(ada)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported()
    for _ in range(4):
        licences.push()
    # Once, and at the next push; after that it waits.
    assert len(licences.processed()) == 3
    assert [entry["code"] for entry in licences.company.errors()] == ["user_not_in_connect"]
    licences.vault.update(ada, status__v="active__v")
    licences.ask(ada, action="retry", feature="engage_connect")
    licences.push()
    assert licences.vault.used("engage_connect")["Connect"] == 0


def test_a_group_that_nobody_is_in_is_told_with_the_nearest(licences: Licences) -> None:
    licences.vault.group("UK Field Force", 5)
    ada, bob = licences.people(2)
    licences.imported()
    # Before any group has been seen nothing can be said of one.
    (first,) = licences.ask(ada, group="UK Feild Force")["results"]
    assert "Nobody in Vault CRM" not in first["note"]
    licences.ask(ada, group="UK Field Force")
    licences.push()
    licences.imported("incremental")
    (said,) = licences.ask(bob, group="UK Feild Force")["results"]
    assert said["note"].endswith(
        "Nobody in Vault CRM is in a group named 'UK Feild Force' yet. Did you mean 'UK Field Force'?"
    )
    (right,) = licences.ask(bob, group="UK Field Force")["results"]
    assert "Nobody" not in right["note"]
