"""Members provisioned to SCIMMY, a second server beside the sandbox's own, by the client as it is (O2, O3).

What needs no quirk is tested by the tests of the sandbox. Where SCIMMY has its own ways, the sandbox has them
as quirks, in its profile `scimmy`; the last test holds the two against each other.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import pytest

from muster.crm.scim_attributes import GROUP, USER
from muster.roster.accounts import CONFLICT, LINKED, MATCHED
from sandbox import scim
from tests.doubles.sandbox_doors import control
from tests.doubles.scim_in_process import new_user, patch_of
from tests.doubles.scim_target import ScimTarget
from tests.integration.provisioning import test_provisioning as ways
from tests.integration.provisioning.provisioned import Provisioned
from tests.integration.provisioning.test_provisioning import FAULTS, address, assert_quiet

pytestmark = pytest.mark.long

# The sandbox's profile is SCIMMY with Express 5, which overlooks how many rows are asked for, and from where
# on. With Express 4, as here, only who asks for rows beyond the end gets the first ones again.
AS_SCIMMY = {
    "profile": "scimmy",
    "page_size": None,
    "default_page_size": 20,
    "count": "works",
    "start_index": "wraps",
}


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[ScimTarget]:
    with scim.running(quirks=AS_SCIMMY) as app:
        yield ScimTarget(app)


@pytest.fixture
def sandbox(_sandbox: ScimTarget) -> ScimTarget:
    control(_sandbox.url, "POST", "reset")
    return _sandbox


@pytest.fixture(params=["SCIMMY", "the sandbox"])
def either(request: pytest.FixtureRequest, app: Provisioned, sandbox: ScimTarget) -> Provisioned:
    """Return a target that is SCIMMY, or the sandbox that is like it."""
    return app if request.param == "SCIMMY" else Provisioned(sandbox)


@pytest.mark.parametrize(
    "way",
    [
        ways.come_change_leave_and_come_back,
        ways.leave_alone_until_it_is_adopted,
        ways.test_a_leaver_who_is_to_be_deleted_is_and_comes_back_as_somebody_new,
        partial(
            ways.test_an_account_that_got_another_id_is_not_taken_for_one_that_is_closed, external_id="ada"
        ),
        partial(ways.test_an_account_that_got_another_id_is_not_taken_for_one_that_is_closed, external_id=""),
        ways.test_a_path_that_leads_nowhere_closes_nobody_in_the_books,
        ways.test_calls_are_as_many_as_changes_and_a_group_takes_one,
        ways.test_an_account_that_a_person_adopts_is_kept_from_then_on,
        ways.test_an_account_with_the_members_id_is_found_again_where_nothing_is_remembered,
        ways.test_the_account_of_another_member_is_a_conflict,
        ways.test_who_is_not_to_be_made_is_only_kept,
        ways.test_who_lacks_what_the_target_needs_is_neither_made_nor_closed,
        ways.test_a_group_that_was_deleted_is_made_again_and_filled,
        ways.test_an_account_that_was_deleted_by_hand_is_made_again_when_it_is_next_written,
    ],
    ids=lambda way: getattr(way, "__name__", "an_account_with_another_id"),
)
def test_scimmy_is_provisioned_as_the_sandbox_is(app: Provisioned, way: Callable[..., None]) -> None:
    way(app)


@pytest.mark.parametrize(
    ("place", "when", "fault"), [(place, *fault) for place, fault in product(range(1, 50), FAULTS)]
)
def test_a_push_that_is_interrupted_anywhere_is_made_good_by_the_next(
    app: Provisioned, place: int, when: str, fault: Callable[[], Exception]
) -> None:
    ways.be_interrupted_and_made_good(app, ways.interrupted(place, when, fault), {})


def test_of_more_than_a_hundred_most_leave_and_come_back(either: Provisioned) -> None:
    app, names = either, [f"user{number}" for number in range(120)]

    def inside(some: list[str]) -> list[str]:
        return sorted(app.account(name).id for name in some)

    for name in names:
        app.want(name, ["Sales"])
    app.push()
    assert sorted(app.target.members("Sales")) == inside(names)
    assert_quiet(app)
    for name in names[:110]:
        app.leave(name)
    app.push()
    assert {name for name, active in app.target.truth().items() if active} == set(map(address, names[110:]))
    assert sorted(app.target.members("Sales")) == inside(names[110:])
    assert_quiet(app)
    for name in names[:105]:
        app.want(name, ["Sales"], title="Back")
    app.push()
    assert sorted(app.target.members("Sales")) == inside(names[:105] + names[110:])
    assert sum(app.target.truth().values()) == 115
    assert_quiet(app)
    assert app.told == []


def test_a_name_that_is_there_in_another_case_is_seen_in_a_list_and_else_waits_for_a_person(
    either: Provisioned,
) -> None:
    app = either
    there = app.target.user(address("ada").upper())
    app.want("ada")
    app.push()
    # Filters tell case apart, names do not.
    assert (app.account("ada").standing, app.account("ada").id) == (CONFLICT, "")
    assert [who for who, _ in app.told] == ["ada"]
    assert_quiet(app)
    app.accounts.clear()
    for number in range(20):
        app.want(f"user{number}")
    app.push()
    assert (app.account("ada").standing, app.account("ada").id) == (MATCHED, there)
    assert app.target.truth()[address("ada").upper()]
    assert_quiet(app)


def test_a_name_that_is_wanted_in_another_case_is_found_in_small_letters(either: Provisioned) -> None:
    app = either
    app.settings = {"adopt": "same_user_name"}
    there = app.target.user(address("ada"))
    app.want("ada", userName=address("Ada"))
    app.push()
    assert (app.account("ada").standing, app.account("ada").id) == (LINKED, there)
    assert_quiet(app)


def test_all_are_found_again_where_nothing_is_remembered(either: Provisioned) -> None:
    app, names = either, [f"user{number}" for number in range(50)]
    for name in names:
        app.want(name, ["Sales"])
    app.push()
    ids = {name: app.account(name).id for name in names}
    app.accounts.clear()
    app.groups.clear()
    for name in names[:10]:
        app.leave(name)
    app.push()
    app.push()
    # Who leaves while nothing is known of an account has none: a comparison with the target finds it.
    assert {name: app.account(name).id for name in names[10:]} == {name: ids[name] for name in names[10:]}
    assert len(app.target.truth()) == 50
    assert set(app.target.members("Sales")) == set(ids.values())
    assert_quiet(app)


# Method, path and body; USER and GROUP stand for ids of what is there.
CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/Users", new_user("ada@acme.example")),
    ("POST", "/Users", new_user("ADA@ACME.EXAMPLE")),
    ("POST", "/Users", new_user("bob@acme.example", active="False")),
    ("POST", "/Users", {"schemas": [USER]}),
    ("POST", "/Groups", {"schemas": [GROUP], "displayName": "sales"}),
    ("PATCH", "/Users/USER", patch_of(("replace", "title", "Manager"))),
    ("PATCH", "/Users/USER", patch_of(("replace", "title", "Rep"))),
    ("PATCH", "/Users/USER", patch_of(("replace", "active", "False"))),
    ("PATCH", "/Users/USER", patch_of(("Replace", "active", False))),
    ("PATCH", "/Users/USER", patch_of(("replace", None, {"title": "Manager"}))),
    ("PATCH", "/Users/USER", patch_of(("replace", 'emails[type eq "work"].value', "a@acme.example"))),
    ("PATCH", "/Users/USER", patch_of(("replace", 'phoneNumbers[type eq "work"].value', "+44"))),
    ("PATCH", "/Users/USER", patch_of(("remove", 'phoneNumbers[type eq "work"]'))),
    ("PATCH", "/Users/USER", patch_of(("replace", "titel", "Rep"))),
    ("PATCH", "/Users/nobody", patch_of(("replace", "active", False))),
    ("PATCH", "/Groups/GROUP", patch_of(("add", "members", [{"value": "USER"}]))),
    ("PATCH", "/Groups/GROUP", patch_of(("add", "members", [{"value": "nobody"}]))),
    ("PATCH", "/Groups/GROUP", patch_of(("remove", 'members[value eq "USER"]'))),
    ("PATCH", "/Groups/GROUP", patch_of(("remove", 'members[value eq "nobody"]'))),
    ("PATCH", "/Groups/nobody", patch_of(("add", "members", [{"value": "USER"}]))),
    ("PUT", "/Users/USER", {"schemas": [USER], "userName": "ada@acme.example"}),
    ("PUT", "/Users/nobody", new_user("bob@acme.example")),
    ("GET", "/Users", None),
    ("GET", "/Users?count=5", None),
    ("GET", "/Users?count=100", None),
    ("GET", "/Users?startIndex=16&count=100", None),
    ("GET", "/Users?startIndex=1000&count=100", None),
    ("GET", '/Users?filter=userName eq "ada@acme.example"', None),
    ("GET", '/Users?filter=userName eq "ADA@acme.example"', None),
    ("GET", '/Users?filter=userName eq "a\\"da"', None),
    ("GET", '/Users?filter=externalId eq "m-1"', None),
    ("GET", '/Users?filter=externalId eq "M-1"', None),
    ("GET", f'/Users?filter={USER}:userName eq "ada@acme.example"', None),
    ("GET", '/Groups?filter=displayName eq "SALES"', None),
    ("GET", "/Users/nobody", None),
    ("GET", "/moved/Users/USER", None),
    ("DELETE", "/Users/USER", None),
    ("DELETE", "/Users/nobody", None),
]


def answers(target: ScimTarget) -> list[tuple[str, str, int, Any]]:
    """Return what a target answers to each of the calls, one after another: status, and scimType or rows."""
    user = target.user("ada@acme.example", title="Rep", externalId="m-1")
    for number in range(24):
        target.user(f"user{number}@acme.example")
    group = target.group("Sales", user)
    shown = []
    for method, path, body in CALLS:
        text = json.dumps(body).replace('"USER"', f'"{user}"').replace('\\"USER\\"', f'\\"{user}\\"')
        where = path.replace("USER", user) if path.startswith("/Users/USER") else path.replace("GROUP", group)
        answer = target.raw(method, where, None if body is None else json.loads(text))
        content = answer.json() if answer.content else {}
        shown.append((method, path, answer.status_code, content.get("scimType") or rows_of(content)))
    return shown


def rows_of(content: dict[str, Any]) -> tuple[int, int] | None:
    """Return how many rows an answer has, and how many there are; each in its own order."""
    return (len(content["Resources"]), content["totalResults"]) if "Resources" in content else None


def test_the_sandbox_can_be_like_it(app: Provisioned, sandbox: ScimTarget) -> None:
    assert answers(sandbox) == answers(app.target)
