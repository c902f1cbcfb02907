"""A push's plan is made again from what its archive holds, and from nothing else (Q4)."""

import orjson

from tests.integration.engage.licences import Licences


def test_who_asked_and_who_waits_are_planned_the_same_again(licences: Licences) -> None:
    people = licences.people(3)
    licences.imported()
    licences.ask(*people)
    licences.push()
    licences.calls()
    first = licences.company.latest()
    # What has been done about them since does not count, and Vault CRM is not asked.
    said = licences.company.ask("replay", run_id=first.id, detail=True)
    assert (said["same"], said["items"]) == (True, 3), said
    assert said["hash"]["planned"] == first.plan_hash
    assert licences.calls() == []


def test_the_first_difference_of_a_push_is_named(licences: Licences) -> None:
    (ada,) = licences.people(1)
    licences.imported()
    licences.ask(ada)
    licences.push()
    run_id = licences.company.latest().id
    archive = licences.company.rules.archive
    assert archive
    key = f"acme/{run_id}/1/plan/00001.json"
    plan = archive.objects[key]
    item = orjson.loads(plan)
    item["writes"]["engage"]["request"] = "France"
    archive.objects[key] = orjson.dumps(item) + b"\n"
    said = licences.company.ask("replay", run_id=run_id)
    assert not said["same"]
    assert said["message"].endswith(f"it differs first about user {ada}.")
    assert any("France" in line for line in said["summary"])
    archive.objects[key] = plan
