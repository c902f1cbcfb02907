"""A push undone: what was sent is asked back as requests, which the next push sends (Q2, G6)."""

from tests.integration.engage.licences import Licences


def test_a_group_that_was_given_is_asked_back_and_the_next_push_sends_it(licences: Licences) -> None:
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(ada, bob)
    pushed = licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")
    licences.calls()
    preview = licences.push(undo=pushed["run_id"], preview=True)
    assert preview["counts"] == {"updated": 2, "revoke": 2}, preview
    assert licences.status(ada) == ("UK", "success", "UK")
    said = licences.push(undo=pushed["run_id"])
    assert (said["status"], said["undoes"]) == ("succeeded", pushed["run_id"]), said
    # Nothing is sent by the undo itself.
    assert licences.calls() == []
    assert licences.status(ada) == (None, "retry_request", "UK")
    licences.push()
    assert {licences.status(each) for each in (ada, bob)} == {(None, "success", None)}


def test_a_group_that_was_taken_is_asked_for_again_unless_the_person_has_left(licences: Licences) -> None:
    ada, bob = licences.people(2)
    licences.imported()
    licences.ask(ada, bob)
    licences.push()
    licences.ask(ada, action="remove", group=None)
    licences.edit(bob, crm_user_status="inactive")
    pushed = licences.push()
    assert [licences.status(each)[2] for each in (ada, bob)] == [None, None]
    said = licences.push(undo=pushed["run_id"])
    assert licences.status(ada) == ("UK", "retry_request", None)
    assert licences.status(bob)[1:] == ("success", None), said
    (line,) = [each for each in said["summary"] if each.startswith("!")]
    assert "Engage request cannot be put back: the member" in line
    licences.push()
    assert licences.status(ada) == ("UK", "success", "UK")


def test_the_undo_of_a_push_is_undone_and_is_the_pushs_functions(licences: Licences) -> None:
    ada = licences.person()
    licences.imported()
    licences.ask(ada)
    pushed = licences.push()
    undone = licences.push(undo=pushed["run_id"])
    refused = licences.company.run(None, undo=undone["run_id"])
    assert refused["errors"][0]["message"] == "is an undo of a push"
    assert "ScheduledPushFunction" in refused["errors"][0]["remedy"]
    licences.push(undo=undone["run_id"])
    assert licences.status(ada) == ("UK", "success", "UK")
