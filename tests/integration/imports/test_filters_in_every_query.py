"""A filter in each query in which it is sent: for everyone, by id, since a moment (A1, I2, W6).

The sandbox takes a sub-select only where Salesforce does.
"""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from muster.sources import gathering_salesforce
from tests.integration.company import Company

GONG = "Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong')"
NOT_FROZEN = "Id NOT IN (SELECT UserId FROM UserLogin WHERE IsFrozen = true)"
IN_EMEA = "Id IN (SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'EMEA')"


def give(company: Company, *crm_ids: str) -> None:
    """Give these users, and nobody else, the permission set Gong and a place in the group EMEA."""
    for path in ("permission-sets/Gong", "groups/EMEA"):
        company.salesforce.call("PUT", f"/sandbox/{path}", {"ids": list(crm_ids)})


@pytest.mark.parametrize(
    "condition",
    [
        f"Department = 'Sales' AND {GONG}",
        f"(Department = 'Sales' AND ({GONG}))",
        f"{IN_EMEA}\n AND (Department = 'Sales' OR Title = 'x AND (y OR z)')",
        f"{GONG} AND Department = 'Sales' AND {NOT_FROZEN}",
        f"(NOT Department = 'Support') AND {GONG}",
        GONG,
        "Department = 'Sales' OR Department = 'Marketing'",
        "NOT (Department = 'Support')",
    ],
)
def test_a_filter_says_the_same_however_users_are_read(
    company: Company, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    org = company.salesforce
    first, second, third, fourth = org.create_many(4, Department=["Sales"])
    other = org.create(Department="Support")
    give(company, first, second, third, fourth)
    org.update(fourth, Department="Support")
    give(company, first, second, third)
    said = company.put(assignments=[{"name": "Filtered", "filter": condition}])
    assert said["saved"]
    assert company.run()["status"] == "succeeded"
    assert company.active() == {first, second, third}
    # By id, for a message, for named people, and where few have changed.
    org.update(first, Department="Support")
    give(company, second, third)
    assert company.hear({"Id": first}) == 0
    assert company.active() == {second, third}
    org.update(first, Department="Sales")
    give(company, first, second, third)
    assert company.run(None, members=[first])["status"] == "succeeded"
    assert company.active() == {first, second, third}
    org.update(second, Department="Support")
    give(company, first, third)
    assert company.run("incremental")["status"] == "succeeded"
    assert company.active() == {first, third}
    # Since a moment, where many have.
    monkeypatch.setattr(gathering_salesforce, "MOST_BY_ID", 0)
    org.update(second, Department="Sales")
    give(company, first, second, third)
    assert company.run("incremental")["status"] == "succeeded"
    assert company.active() == {first, second, third}
    assert other not in company.roster()


def test_what_moves_no_stamp_of_the_user_is_seen_by_the_next_full_import(
    company: Company, now: SimpleNamespace
) -> None:
    org, newest = company.salesforce, now.time
    org.call("POST", "/sandbox/custom-fields", {"name": "Score__c", "type": "Number", "formula": True})
    # Longer ago than an incremental import looks back from the newest change.
    now.time = newest - timedelta(hours=1)
    ada, bob, cleo = org.create_many(3, Department=["Sales"])
    now.time = newest
    org.create(Department="Support")
    give(company, ada)
    said = company.put(
        assignments=[
            {"name": "With Gong", "filter": f"{GONG} AND {NOT_FROZEN}"},
            {"name": "Scored", "filter": "Score__c > 5"},
        ]
    )
    warned = {each["where"]: each["message"] for each in said["warnings"]}
    assert "PermissionSetAssignment" in warned["assignments[0].filter"]
    assert "UserLogin" in warned["assignments[0].filter"]
    assert "of Scored looks at" in warned["assignments[1].filter"]
    assert "Score__c (a change of what this formula is made of)" in warned["assignments[1].filter"]
    company.run()
    assert company.active() == {ada}
    org.call("POST", "/sandbox/users/freeze", {"ids": [ada]})
    give(company, ada, bob)
    org.call("PUT", "/sandbox/formulas/Score__c", {"ids": [cleo], "value": 7})
    assert company.run("incremental")["status"] == "succeeded"
    # Who is newly frozen is read by id, and leaves; of the others nothing is seen.
    assert company.active() == set()
    assert company.run()["status"] == "succeeded"
    assert company.active() == {bob, cleo}
