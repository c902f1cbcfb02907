"""How many calls an app gets: as many as there are changes, whatever the size of the roster (O2, P1)."""

from collections import Counter

import pytest

from muster.adapters.aws.roster_keys import to_member
from muster.provisioning import sending_accounts
from tests.integration.provisioning.apps import Apps
from tests.simulation.harness.strict_aws import rows_of

# Before anything is sent: whether the app shows users and groups.
CHECKS = Counter({"GET /Users": 1, "GET /Groups": 1})


@pytest.fixture(autouse=True)
def _smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending_accounts, "AT_ONCE", 10)


def begin(apps: Apps) -> list[str]:
    """Have eighteen people work in sales, and twelve in support; returns their CRM ids."""
    departments = ["Sales", "Support", "Sales", "Support", "Sales"]
    people = apps.company.salesforce.create_many(30, Department=departments)
    apps.imported()
    apps.calls()
    return people


def pushed(apps: Apps) -> Counter[str]:
    """Have the schedule push, and return the calls to the app, by method and endpoint."""
    said = apps.push(by="schedule")
    assert said["status"] == "succeeded", said
    return counted(apps)


def counted(apps: Apps) -> Counter[str]:
    """Return the calls to the app since this was asked last, by method and endpoint."""
    return Counter(f"{method} /{path.split('/')[3]}" for method, path in apps.calls())


def sizes(apps: Apps) -> dict[str, int]:
    """Return how many are in each group."""
    return {name: len(members) for name, members in apps.groups().items()}


def writes(person: str, before: int = 0) -> int:
    """Return how often a member was written, less so many times before."""
    (row,) = (
        row for row in rows_of("roster") if row["sk"]["S"].startswith("MEMBER#") and person in row["doc"]["S"]
    )
    return to_member(row).revision - before


def test_an_app_gets_as_many_calls_as_there_are_changes(apps: Apps) -> None:
    people = begin(apps)
    before = writes(people[0])
    # Where nobody knows yet whether the connection works, the schedule asks. The list, one page that shows
    # nobody, is read once, and nobody is asked for by name. Each group is looked for in two spellings, made,
    # and filled with up to ten at a time: ten of sales; eight, and two of support; ten of support.
    first = CHECKS + Counter({"GET /Users": 2, "POST /Users": 30, "GET /Groups": 4, "POST /Groups": 2})
    assert pushed(apps) == first + Counter({"PATCH /Groups": 4})
    assert sizes(apps) == {"Sales": 18, "Support": 12}
    # That it is to be made, that it is, and that it is in its group, with which all is done.
    assert writes(people[0], before) == 3
    assert pushed(apps) == {}
    apps.company.salesforce.update(people[0], Title="Director")
    apps.imported("incremental")
    before = writes(people[0])
    assert pushed(apps) == CHECKS + Counter({"PATCH /Users": 1})
    assert writes(people[0], before) == 1
    moved = apps.company.change("Support", 10, Department="Sales")
    apps.imported("incremental")
    assert pushed(apps) == CHECKS + Counter({"PATCH /Groups": 2})
    for person in moved[:5]:
        apps.company.salesforce.update(person, IsActive=False)
    apps.imported("incremental")
    # Who leaves is taken out of the group, closed, and looked at.
    closed = Counter({"PATCH /Groups": 1, "PATCH /Users": 5, "GET /Users": 5})
    assert pushed(apps) == CHECKS + closed
    assert pushed(apps) == {}
    assert sum(apps.truth().values()) == 25


def test_a_first_contact_that_takes_several_invocations_makes_nobody_twice(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(apps)
    # In the middle of the second ten.
    with monkeypatch.context() as patched:
        patched.setattr(
            apps.company.context,
            "get_remaining_time_in_millis",
            lambda: 900_000 if len(apps.wire.calls) < 25 else 0,
        )
        said = apps.push(by="schedule")
    assert said["status"] == "continue", said
    first = counted(apps)
    assert first == {
        "GET /Users": 3,
        "GET /Groups": 3,
        "POST /Groups": 1,
        "PATCH /Groups": 1,
        "POST /Users": 17,
    }
    said = apps.push(by=None, connections=None, run_id=said["run_id"])
    assert said["counts"] == {"made": 30}
    # The three of the ten who are not there yet are asked for, by their id and by name, before they are made.
    rest = {"GET /Users": 6, "POST /Users": 13, "GET /Groups": 2, "POST /Groups": 1, "PATCH /Groups": 3}
    assert counted(apps) == rest
    assert sizes(apps) == {"Sales": 18, "Support": 12}
    assert pushed(apps) == {}
