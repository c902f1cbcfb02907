import pytest

from tests.doubles.clocks import Clock
from tests.doubles.salesforce_over_http import Organization, error_of

FROZEN = "SELECT UserId FROM UserLogin WHERE IsFrozen = true"
WITH_GONG = "SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'Gong'"
IN_EMEA = "SELECT UserOrGroupId FROM GroupMember WHERE Group.Name = 'EMEA reps'"


def test_a_user_is_frozen_and_let_in_again(org: Organization, clock: Clock) -> None:
    ada, bob = org.create(LastName="Ada"), org.create(LastName="Bob")
    before = org.user(ada)
    logins = org.query("SELECT Id, UserId, IsFrozen, IsPasswordLocked FROM UserLogin")["records"]
    assert {each["UserId"]: each["IsFrozen"] for each in logins} == {ada: False, bob: False}
    clock.set("2026-11-21T12:05:00+00:00")
    assert org.control("POST", "users/freeze", {"ids": [ada]}) == {"changed": 1, "frozen": True}
    assert org.found(f"Id IN ({FROZEN})") == ["Ada"]
    assert org.found(f"Id NOT IN ({FROZEN})") == ["Bob"]
    # No field of the user itself says so, and no stamp moves.
    assert org.user(ada) == before
    org.control("POST", "users/freeze", {"ids": [ada], "frozen": False})
    assert org.found(f"Id IN ({FROZEN})") == []


def test_who_may_not_manage_users_sees_no_user_login(org: Organization) -> None:
    org.create()
    org.control("PUT", "organization", {"manage_users": False})
    answer = org.call("GET", "/query", params={"q": FROZEN})
    assert error_of(answer) == (400, "INVALID_TYPE")
    org.control("PUT", "organization", {"manage_users": True})
    assert org.query(FROZEN)["records"] == []


@pytest.mark.parametrize(
    ("path", "sub_select"),
    [("permission-sets/Gong", WITH_GONG), ("groups/EMEA reps", IN_EMEA)],
)
def test_exactly_these_users_have_it(org: Organization, path: str, sub_select: str) -> None:
    ada, bob = org.create(LastName="Ada"), org.create(LastName="Bob")
    before = org.user(ada)
    org.control("PUT", path, {"ids": [ada]})
    assert org.found(f"Id IN ({sub_select})") == ["Ada"]
    assert org.found(f"Id NOT IN ({sub_select})") == ["Bob"]
    assert org.user(ada) == before
    org.control("PUT", path, {"ids": [bob]})
    assert org.found(f"Id IN ({sub_select})") == ["Bob"]
    org.control("POST", "reset")
    org.create(LastName="Cleo")
    assert org.found(f"Id IN ({sub_select})") == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "users/freeze"), ("PUT", "permission-sets/Gong"), ("PUT", "groups/EMEA")]
)
def test_an_unknown_user_is_refused(org: Organization, method: str, path: str) -> None:
    said = org.control(method, path, {"ids": ["005000000000009AAA"]}, status=400)["error"]
    assert said == "there is no User 005000000000009AAA"
