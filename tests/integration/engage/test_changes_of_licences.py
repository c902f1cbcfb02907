"""What the journal tells of Engage licences: who gained or lost a group, waits, or was refused."""

from datetime import UTC, datetime

from muster.times import timestamp
from tests.integration.engage.licences import Licences


def test_who_gained_lost_waits_and_was_refused_is_told_by_name(licences: Licences) -> None:
    people = licences.people(4)
    licences.imported()
    asked = timestamp(datetime.now(UTC))
    licences.ask(*people[:3])
    licences.ask(people[3], group="Nowhere")
    first = licences.company.ask("changes", since=asked)
    names = [licences.member(person)["name"] for person in people]
    by = " (by jane@acme.example)"
    assert set(first["summary"][:4]) == {
        *(f"~ {name} asked for group UK{by}" for name in names[:3]),
        f"~ {names[3]} asked for group Nowhere{by}",
    }
    licences.push()
    said = licences.company.ask("changes", since=asked)
    states = [licences.status(person)[1] for person in people[:3]]
    waiting = names[states.index("no_licenses_remaining")]
    nowhere = "Engage request names a group that the Engage server does not have (invalid_group_name)"
    assert said["summary"][:3] == [
        f"! {names[3]}: {nowhere}",
        f"! {waiting}: Engage request found no licence; the member waits in line (no_licenses_remaining)",
        f"! {names[3]} refused: group Nowhere, invalid group name{by}",
    ]
    assert f"~ {waiting} waits for group UK{by}" in said["summary"]
    gained = [name for name, state in zip(names, states, strict=False) if state == "success"]
    assert {f"+ {name} gained group UK{by}" for name in gained} < set(said["summary"])

    left = timestamp(datetime.now(UTC))
    leaver = people[states.index("success")]
    crm_id = licences.member(leaver)["crm"]["salesforce"]["id"]
    licences.company.salesforce.update(crm_id, IsActive=False)
    licences.imported("incremental")
    licences.push()
    said = licences.company.ask("changes", since=left)
    assert said["summary"][:2] == [
        f"- {licences.member(leaver)['name']} left: deactivated in Salesforce; lost group UK",
        f"+ {waiting} gained group UK",
    ]
    assert said["summary"][2] == "Came by pushes (2 people), imports (1 person)"
