"""A Cognito user pool: who is found how, what is done to whom, and whose fault it is when nothing is (O4)."""

import pytest

from muster.crm.scim_answers import Outcome
from muster.crm.scim_attributes import EXTERNAL_ID, USER_NAME
from muster.crm.scim_resources import GROUPS, USERS
from muster.errors import (
    ApiCallsUsedUp,
    FilterRefused,
    Misconfigured,
    MusterError,
    NotAllowed,
    NotServed,
    Unavailable,
)
from tests.doubles.clocks import MonotonicClock
from tests.doubles.user_pool import UserPool

ADA, LONG = "ada@acme.example", f"{'a' * 300}@acme.example"


@pytest.fixture
def pool() -> UserPool:
    pool = UserPool()
    pool.add("Ada", email=ADA, preferred_username="E-7")
    pool.add("okta_bob", email="bob@acme.example")
    pool.add("twin-1", email="twin@acme.example")
    pool.add("twin-2", email="twin@acme.example")
    pool.add("long", email=LONG)
    pool.add("longer", email=f"{'a' * 300}@acme.example.org")
    return pool


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("email", ADA, ["Ada"]),
        ("email", "ADA@Acme.example", ["Ada"]),
        ("email", "twin@acme.example", ["twin-1", "twin-2"]),
        ("email", LONG, ["long"]),
        ("email", "nobody@acme.example", []),
        ("preferred_username", "e-7", ["Ada"]),
        ("username", "okta_bob", ["okta_bob"]),
        ("username", "OKTA_BOB", ["okta_bob"]),
        ("username", "bob", []),
        # The filter is not read as another.
        ("email", 'x" or email ^= "a', []),
    ],
)
def test_who_is_found(pool: UserPool, attribute: str, value: str, expected: list[str]) -> None:
    adapter = pool.adapter(known_by={"attribute": attribute})
    found = adapter.find(USERS, USER_NAME, value)
    assert [each.id for each in found] == expected
    assert {each.user_name for each in found} <= {value}
    assert all(each.active for each in found)
    assert set(pool.calls) == {"ListUsers"}
    assert all(len(each) <= 256 for each in pool.filters)


def test_a_sub_finds_one_user(pool: UserPool) -> None:
    sub = pool.add("dora")
    [found] = pool.adapter(known_by={"attribute": "sub"}).find(USERS, USER_NAME, sub)
    assert found.id == "dora"


def test_quotes_and_backslashes_are_escaped(pool: UserPool) -> None:
    pool.adapter().find(USERS, USER_NAME, 'a"b\\c')
    assert pool.filters == ['email = "a\\"b\\\\c"']


def test_there_is_nobody_to_be_found_by_anything_else_and_there_are_no_groups(pool: UserPool) -> None:
    adapter = pool.adapter()
    for kind, attribute in ((USERS, EXTERNAL_ID), (GROUPS, "displayName")):
        with pytest.raises(FilterRefused):
            adapter.find(kind, attribute, "x")
    assert adapter.get(GROUPS, "x") is None
    assert list(adapter.all(GROUPS)) == []
    for written in (
        adapter.create(USERS, {}),
        adapter.patch(USERS, "Ada", []),
        adapter.delete(USERS, "Ada"),
    ):
        assert written.outcome is Outcome.NOT_OFFERED
    assert pool.calls == []


def test_all_are_read_page_by_page() -> None:
    pool = UserPool()
    names = [f"user-{number}" for number in range(130)]
    for name in names:
        pool.add(name, email=f"{name}@acme.example")
    pages = list(pool.adapter().all(USERS))
    assert [len(page.resources) for page in pages] == [60, 60, 10]
    assert sorted(each.id for page in pages for each in page.resources) == sorted(names)


def test_who_is_let_in_and_kept_out(pool: UserPool) -> None:
    adapter = pool.adapter()
    pool.sign_in("Ada")
    for active, state in ((False, "disabled"), (False, "disabled"), (True, "enabled"), (True, "enabled")):
        assert adapter.activate("Ada", active, {}).outcome is Outcome.WRITTEN
        shown = adapter.get(USERS, "Ada")
        assert (shown and shown.active, pool.truth()["Ada"]) == (active, state)
    # A name in another spelling is no user's.
    assert adapter.activate("ada", False, {}).outcome is Outcome.GONE
    assert adapter.get(USERS, "nobody") is None
    assert pool.truth()["Ada"] == "enabled"


def test_no_more_than_ten_calls_are_made_a_second(pool: UserPool) -> None:
    clock = MonotonicClock()
    adapter = pool.adapter(clock)
    for _ in range(30):
        adapter.find(USERS, USER_NAME, ADA)
    assert sum(clock.slept) == pytest.approx(2.9)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ("TooManyRequestsException", ApiCallsUsedUp, "takes no more calls"),
        ("InternalErrorException", Unavailable, "InternalErrorException"),
        ("lost", Unavailable, "ReadTimeoutError"),
        ("AccessDeniedException", NotAllowed, "UserPoolArns"),
        ("ResourceNotFoundException", NotServed, "user_pool"),
        ("UnrecognizedClientException", Misconfigured, "deploy the stack again"),
        ("InvalidParameterException", MusterError, "email"),
    ],
)
def test_whose_fault_it_is_when_nobody_is_found(
    pool: UserPool, answer: str, error: type[MusterError], words: str
) -> None:
    pool.answers = {"ListUsers": answer}
    with pytest.raises(error) as caught:
        pool.adapter().find(USERS, USER_NAME, ADA)
    assert words in str(caught.value)
    assert "portal" in str(caught.value)
    assert ADA not in str(caught.value)


def test_what_may_not_be_done_is_named_and_what_one_user_does_not_take_is_that_users(pool: UserPool) -> None:
    adapter = pool.adapter()
    pool.answers = {"AdminDisableUser": "AccessDeniedException"}
    with pytest.raises(NotAllowed, match="cognito-idp:AdminDisableUser"):
        adapter.activate("Ada", False, {})
    pool.answers = {"AdminUserGlobalSignOut": "NotAuthorizedException"}
    written = adapter.activate("Ada", False, {})
    assert written.outcome is Outcome.REFUSED
    assert written.problem
    assert "AdminUserGlobalSignOut" in written.problem.message
    pool.answers = {"AdminGetUser": "InvalidParameterException"}
    # Whom the pool does not show is not for that reason gone.
    with pytest.raises(Unavailable):
        adapter.get(USERS, "Ada")
